// SPDX-License-Identifier: MIT
// text: learns a byte-pair encoding: again and again the most frequent pair of neighbours becomes a token. Pieces that
// occur more than once are kept once, with their number. Counts and first places of pairs only ever fall behind what a
// heap has noted, so the heap is corrected when it is asked: each merge costs what it changes.
// Sources: Sennrich, Haddow and Birch 2016, algorithm 1; karpathy/minbpe, whose ties this follows.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <queue>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include <tenet/base/exception.hpp>
#include <tenet/text/byte_pair_tokenizer.hpp>
#include <tenet/text/byte_pair_vocabulary.hpp>
#include <tenet/text/merge_table.hpp>
#include <tenet/text/text_splitter.hpp>

namespace tenet {

/// A merge that training has just chosen.
struct byte_pair_step {
    std::size_t done;     ///< merges so far, this one included
    std::size_t planned;  ///< merges for the whole vocabulary
    byte_pair_merge merge;
    std::uint64_t count;  ///< how often the pair stood in the text
};

/// What `train_byte_pairs` makes.
struct byte_pair_training {
    std::size_t vocabulary_size = 4096;               ///< bytes and merges; special tokens are numbered after them
    std::string pattern{split_pattern::cl100k};       ///< for `text_splitter`
    std::vector<std::string> special_tokens;          ///< their texts
    std::function<void(byte_pair_step const&)> each;  ///< called after each merge, if set
};

namespace detail {

// The pieces of the training texts as one array of tokens, in which merges join neighbours.
class byte_pair_trainer {
public:
    byte_pair_trainer(std::span<std::string_view const> texts, text_splitter const& splitter) {
        std::unordered_map<std::string_view, std::uint32_t> words;
        std::vector<std::pair<std::string_view, std::uint64_t>> pieces;
        std::size_t bytes = 0;
        for (std::string_view const text : texts) {
            splitter.for_each_piece(text, [&](std::string_view piece) {
                const auto [word, first] = words.try_emplace(piece, static_cast<std::uint32_t>(pieces.size()));
                if (first) {
                    pieces.emplace_back(piece, 0);
                    bytes += piece.size();
                }
                ++pieces[word->second].second;
            });
        }
        if (bytes >= nowhere) {
            fail_expectation("train_byte_pairs", "less than 4 GiB of different pieces", std::to_string(bytes));
        }
        lay_out(pieces, bytes);
    }

    // Merges the most frequent pair, of equally frequent ones the first in the text. False: no pair is left whose
    // token has at most `longest` bytes, which must not grow from call to call.
    bool merge_next(byte_pair_merge& merge, std::uint64_t& count, std::span<std::uint32_t const> lengths,
                    std::size_t longest) {
        while (!heap_.empty()) {
            const entry top = heap_.top();
            pair& p = pairs_[top.pair];
            if (p.count == 0 || lengths[p.left] + lengths[p.right] > longest) {
                heap_.pop();
                release(p);
                continue;
            }
            while (!stands_at(p, p.places[p.first])) ++p.first;
            const entry now{p.count, p.places[p.first], top.pair};
            if (now < top) {
                heap_.pop();
                heap_.push(now);
                continue;
            }
            heap_.pop();
            count = p.count;
            merge = {static_cast<std::int32_t>(p.left), static_cast<std::int32_t>(p.right),
                     static_cast<std::int32_t>(next_token_), next_token_ - 256};
            apply(top.pair);
            return true;
        }
        return false;
    }

private:
    static constexpr std::uint32_t nowhere = ~std::uint32_t{0};

    struct pair {
        std::uint32_t left, right;
        std::uint64_t count = 0;
        std::vector<std::uint32_t> places{};  // where it stands or stood, ascending
        std::size_t first = 0;                // places before it are over
    };

    struct entry {
        std::uint64_t count;
        std::uint32_t place, pair;
        // Less: comes later.
        friend bool operator<(entry const& a, entry const& b) {
            return a.count != b.count ? a.count < b.count : a.place > b.place;
        }
    };

    void lay_out(std::vector<std::pair<std::string_view, std::uint64_t>> const& pieces, std::size_t bytes) {
        token_.reserve(bytes);
        next_.reserve(bytes);
        previous_.reserve(bytes);
        word_.reserve(bytes);
        for (auto const& [piece, count] : pieces) {
            const auto begin = static_cast<std::uint32_t>(token_.size());
            const auto end = begin + static_cast<std::uint32_t>(piece.size());
            for (std::uint32_t i = begin; i < end; ++i) {
                token_.push_back(static_cast<unsigned char>(piece[i - begin]));
                next_.push_back(i + 1 < end ? i + 1 : nowhere);
                previous_.push_back(i != begin ? i - 1 : nowhere);
                word_.push_back(static_cast<std::uint32_t>(counts_.size()));
            }
            counts_.push_back(count);
        }
        for (std::uint32_t i = 0; i < token_.size(); ++i) add(i);
        push_new();
    }

    bool stands_at(pair const& p, std::uint32_t place) const {
        return token_[place] == p.left && next_[place] != nowhere && token_[next_[place]] == p.right;
    }

    // The pair that begins at `place`, if there is one, is one more (or less).
    void add(std::uint32_t place) {
        if (place == nowhere || next_[place] == nowhere) return;
        const auto left = token_[place], right = token_[next_[place]];
        merge_table::found known = numbers_.find(static_cast<std::int32_t>(left), static_cast<std::int32_t>(right));
        if (known.rank == no_merge) {
            known = {0, static_cast<std::int32_t>(pairs_.size())};
            numbers_.insert({static_cast<std::int32_t>(left), static_cast<std::int32_t>(right), known.result, 0});
            new_.push_back(static_cast<std::uint32_t>(pairs_.size()));
            pairs_.push_back({left, right});
        }
        pair& p = pairs_[static_cast<std::size_t>(known.result)];
        p.count += counts_[word_[place]];
        p.places.push_back(place);
    }
    void remove(std::uint32_t place) {
        if (place == nowhere || next_[place] == nowhere) return;
        const merge_table::found known =
            numbers_.find(static_cast<std::int32_t>(token_[place]), static_cast<std::int32_t>(token_[next_[place]]));
        pairs_[static_cast<std::size_t>(known.result)].count -= counts_[word_[place]];
    }

    // All pairs that a merge makes hold its new token, so they are complete when the merge is.
    void push_new() {
        for (std::uint32_t n : new_) {
            pair& p = pairs_[n];
            if (p.count == 0) continue;
            heap_.push({p.count, p.places[0], n});
        }
        new_.clear();
    }

    void apply(std::uint32_t number) {
        const std::uint32_t left = pairs_[number].left, right = pairs_[number].right;
        const std::vector<std::uint32_t> places = std::move(pairs_[number].places);
        for (std::size_t k = pairs_[number].first; k < places.size(); ++k) {
            const std::uint32_t at = places[k];
            if (token_[at] != left || next_[at] == nowhere || token_[next_[at]] != right) continue;
            const std::uint32_t gone = next_[at];
            remove(previous_[at]);
            remove(at);
            remove(gone);
            token_[at] = next_token_;
            token_[gone] = nowhere;
            next_[at] = next_[gone];
            if (next_[at] != nowhere) previous_[next_[at]] = at;
            add(previous_[at]);
            add(at);
        }
        ++next_token_;
        push_new();
        release(pairs_[number]);
    }

    static void release(pair& p) { std::vector<std::uint32_t>().swap(p.places); }

    std::vector<std::uint32_t> token_, next_, previous_, word_;  // by place
    std::vector<std::uint64_t> counts_;                          // by word
    std::vector<pair> pairs_;
    std::vector<std::uint32_t> new_;  // pairs that are not in the heap yet
    merge_table numbers_;             // pairs to their places in pairs_
    std::priority_queue<entry> heap_;
    std::uint32_t next_token_ = 256;
};

}  // namespace detail

/// Learns a tokenizer from texts: ids 0 to 255 are the bytes, each further one a merge of the pair that was the most
/// frequent then.
///
/// Neighbours are counted in the pieces of the splitter, overlapping ones each ("aaa" has two pairs), and never across
/// pieces or texts; a tie goes to the pair that stands first; occurrences merge from left to right. These are minbpe's
/// rules, so that merges agree with its. Fewer tokens than asked for come out when no pair is left; pairs that would
/// make a token of more than 64 KiB, or tokens of more than 16 MiB together, are passed over. Borrows the texts while
/// it runs. Throws `exception` for a vocabulary of less than 256 and for a wrong pattern. Cost: linear in the bytes of
/// different pieces, then what each merge changes; one thread. minbpe: RegexTokenizer.train. Hugging Face:
/// trainers.BpeTrainer.
inline byte_pair_tokenizer train_byte_pairs(std::span<std::string_view const> texts, byte_pair_training const& how) {
    constexpr std::size_t most = std::numeric_limits<std::int32_t>::max() / 2;
    if (how.vocabulary_size < 256 || how.vocabulary_size > most) {
        fail_expectation("train_byte_pairs", "a vocabulary of 256 or more", std::to_string(how.vocabulary_size));
    }
    byte_pair_vocabulary v;
    v.pattern = how.pattern;
    std::vector<std::uint32_t> lengths(256, 1);
    for (std::size_t byte = 0; byte < 256; ++byte)
        v.tokens.emplace_back(1, static_cast<char>(static_cast<unsigned char>(byte)));
    detail::byte_pair_trainer trainer(texts, text_splitter(how.pattern));
    byte_pair_step step{0, how.vocabulary_size - 256, {}, 0};
    std::size_t room = detail::most_token_bytes - 256;
    while (step.done < step.planned &&
           trainer.merge_next(step.merge, step.count, lengths, std::min(room, detail::longest_token))) {
        v.merges.push_back(step.merge);
        v.tokens.push_back(v.tokens[static_cast<std::size_t>(step.merge.left)] +
                           v.tokens[static_cast<std::size_t>(step.merge.right)]);
        lengths.push_back(static_cast<std::uint32_t>(v.tokens.back().size()));
        room -= v.tokens.back().size();
        ++step.done;
        if (how.each) how.each(step);
    }
    for (std::string const& text : how.special_tokens) {
        v.special.push_back({text, static_cast<std::int32_t>(v.tokens.size() + v.special.size())});
    }
    return byte_pair_tokenizer(std::move(v), "train_byte_pairs");
}

/// The same from one text.
inline byte_pair_tokenizer train_byte_pairs(std::string_view text, byte_pair_training const& how) {
    return train_byte_pairs({&text, 1}, how);
}

}  // namespace tenet
