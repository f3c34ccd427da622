// SPDX-License-Identifier: MIT
#include "data_set.hpp"

#include <algorithm>
#include <cstdio>
#include <numeric>
#include <random>

#include <tenet/data/packed_rows.hpp>
#include <tenet/data/text_corpus.hpp>
#include <tenet/data/token_windows.hpp>
#include <tenet/nn/init.hpp>
#include <tenet/text/byte_tokenizer.hpp>

namespace adaptation {
namespace {

constexpr completion_options row_options{.end_of_text = end_of_text, .pad = end_of_text};
constexpr std::size_t most_validation_rows = 256;

std::vector<std::int32_t> encoded(std::string_view text) {
    if (const std::size_t at = text.find('\0'); at != std::string_view::npos)
        fail_expectation("text", "no byte 0, which ends a text", "one at byte " + std::to_string(at));
    return byte_tokenizer().encode(text);
}

/// So many of `n`, evenly spread.
std::vector<std::size_t> spread(std::size_t n, std::size_t most) {
    std::vector<std::size_t> chosen(std::min(n, most));
    for (std::size_t i = 0; i < chosen.size(); ++i) chosen[i] = i * n / chosen.size();
    return chosen;
}

template <class SetRow>
std::vector<rows> in_batches(std::size_t count, SetRow const& set_row) {
    std::vector<rows> all;
    for (std::size_t i = 0; i < count; i += Batch::capacity) {
        all.emplace_back(row_options, std::min(Batch::capacity, count - i));
        for (std::size_t r = 0; r < all.back().targets().rows(); ++r) set_row(all.back(), r, i + r);
    }
    return all;
}

class text_windows : public data_set {
public:
    text_windows(std::string_view text, std::uint64_t seed) {
        constexpr std::size_t least = 20 * Time::capacity;
        if (text.size() < least)
            fail_expectation("text", "at least " + std::to_string(least) + " bytes", std::to_string(text.size()));
        const text_corpus corpus{std::string(text)};
        tokens_ = encoded(corpus.train());
        windows_ = std::make_unique<token_windows>(tokens_, Time::capacity, seed);
        const std::vector<std::int32_t> held_out = encoded(corpus.validation());
        const auto chosen = spread(held_out.size() / Time::capacity, most_validation_rows);
        validation_ = in_batches(chosen.size(), [&](rows& batch, std::size_t row, std::size_t i) {
            set_window(batch, row, {held_out.data() + chosen[i] * Time::capacity, Time::capacity});
        });
        description_ = "text of " + std::to_string(text.size()) + " bytes";
    }

    void fill(rows& batch, std::uint64_t number) const override {
        for (std::size_t r = 0; r < batch.targets().rows(); ++r)
            set_window(batch, r, {tokens_.data() + windows_->start(number, r), Time::capacity});
    }

private:
    static void set_window(rows& batch, std::size_t row, std::span<std::int32_t const> window) {
        batch.set(row, completion_row{{window.begin(), window.end()}, 1});
    }

    std::vector<std::int32_t> tokens_;
    std::unique_ptr<token_windows> windows_;
};

class task_rows : public data_set {
public:
    task_rows(std::vector<instruction_example> const& examples, prompt_template const& shape, bool packing,
              std::uint64_t seed)
        : seed_(seed) {
        std::vector<completion_row> all;
        std::vector<held_out_task> tasks;
        for (instruction_example const& e : examples) {
            const prompt_text text = shape(e);
            const std::vector<std::int32_t> prompt = encoded(text.prompt), response = encoded(text.response);
            if (prompt.size() + response.size() + 1 > Time::capacity) continue;
            all.push_back(make_completion_row(prompt, response, Time::capacity, row_options));
            tasks.push_back({prompt, e.instruction, e.input, text.response});
        }
        const std::size_t training = all.size() - all.size() / 10;
        if (all.size() < 20)
            fail_expectation("instructions",
                             "at least 20 examples of at most " + std::to_string(Time::capacity) + " bytes each",
                             std::to_string(all.size()));
        std::vector<std::size_t> lengths;
        for (std::size_t i = 0; i < training; ++i) lengths.push_back(all[i].tokens.size());
        std::vector<std::vector<std::size_t>> shared = pack_rows(lengths, Time::capacity);
        if (!packing) {
            shared.clear();
            for (std::size_t i = 0; i < training; ++i) shared.push_back({i});
        }
        for (auto const& row : shared) {
            training_.emplace_back();
            for (std::size_t i : row) append(training_.back(), all[i]);
        }
        const auto chosen = spread(all.size() - training, most_validation_rows);
        validation_ = in_batches(chosen.size(), [&](rows& batch, std::size_t row, std::size_t i) {
            batch.set(row, all[training + chosen[i]]);
        });
        for (std::size_t i : chosen) tasks_.push_back(tasks[training + i]);
        description_ = std::to_string(all.size()) + " tasks";
        if (packing) description_ += " in " + std::to_string(shared.size()) + " rows";
        if (all.size() < examples.size())
            description_ += " (" + std::to_string(examples.size() - all.size()) + " longer than a row are left out)";
    }

    // Every epoch has an order of its own.
    void fill(rows& batch, std::uint64_t number) const override {
        for (std::size_t r = 0; r < batch.targets().rows(); ++r) {
            const std::uint64_t at = number * batch.targets().rows() + r;
            shuffle(at / training_.size());
            packed_row const& row = training_[order_[at % training_.size()]];
            batch.set(r, row.tokens, row.completions);
        }
    }

private:
    void shuffle(std::uint64_t epoch) const {
        if (!order_.empty() && epoch == epoch_) return;
        order_.resize(training_.size());
        std::iota(order_.begin(), order_.end(), std::size_t{0});
        std::mt19937_64 random(seed_ + 0x9e3779b97f4a7c15u * (epoch + 1));
        for (std::size_t i = order_.size(); i > 1; --i) std::swap(order_[i - 1], order_[random() % i]);
        epoch_ = epoch;
    }

    std::uint64_t seed_;
    std::vector<packed_row> training_;
    mutable std::vector<std::size_t> order_;
    mutable std::uint64_t epoch_ = 0;
};

std::vector<std::string> words_of(std::string_view text) {
    std::vector<std::string> words;
    std::string word;
    const auto end = [&] {
        if (word.size() > 1 && word.size() < 9) words.push_back(word);
        word.clear();
    };
    for (char c : text) {
        if (c >= 'A' && c <= 'Z') word += static_cast<char>(c - 'A' + 'a');
        else if (c >= 'a' && c <= 'z') word += c;
        else end();
    }
    end();
    return words;
}

std::string joined(std::vector<std::string> const& words) {
    std::string text;
    for (std::string const& w : words) text += (text.empty() ? "" : " ") + w;
    return text;
}

}  // namespace

std::unique_ptr<data_set> running_text(std::string_view text, std::uint64_t seed) {
    return std::make_unique<text_windows>(text, seed);
}

std::unique_ptr<data_set> answers(std::vector<instruction_example> const& examples, prompt_template const& shape,
                                  bool packing, std::uint64_t seed) {
    return std::make_unique<task_rows>(examples, shape, packing, seed);
}

std::vector<instruction_example> tasks_by_rule(std::string_view text, std::size_t count, std::uint64_t seed) {
    const std::vector<std::string> all = words_of(text);
    if (all.size() < 100) fail_expectation("text", "at least 100 words", std::to_string(all.size()));
    std::mt19937_64 random(seed);
    std::vector<instruction_example> tasks;
    for (std::size_t i = 0; i < count; ++i) {
        const std::size_t length = 2 + random() % 3, first = random() % (all.size() - length);
        std::vector<std::string> words(all.begin() + static_cast<std::ptrdiff_t>(first),
                                       all.begin() + static_cast<std::ptrdiff_t>(first + length));
        instruction_example e;
        e.input = joined(words);
        switch (random() % 5) {
        case 0:
            e.instruction = "Name the first word.";
            e.output = words.front();
            break;
        case 1:
            e.instruction = "Name the last word.";
            e.output = words.back();
            break;
        case 2:
            e.instruction = "Count the words.";
            e.output = std::to_string(length);
            break;
        case 3:
            e.instruction = "Write in capitals.";
            e.output = e.input;
            for (char& c : e.output)
                if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
            break;
        default:
            e.instruction = "Write backwards.";
            std::reverse(words.begin(), words.end());
            e.output = joined(words);
        }
        tasks.push_back(std::move(e));
    }
    return tasks;
}

std::string fingerprint(std::string_view text) {
    char out[64];
    std::snprintf(out, sizeof out, "%zu bytes, %016llx", text.size(),
                  static_cast<unsigned long long>(init::stream_of(text)));
    return out;
}

}  // namespace adaptation
