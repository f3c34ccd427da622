// SPDX-License-Identifier: MIT
// Continuations of prompts, printed at once or as they come.
#include <algorithm>
#include <chrono>
#include <cstdio>

#include <tenet/base/exception.hpp>

#include "any_tokenizer.hpp"
#include "commands.hpp"

namespace generate {
namespace {

using namespace tenet;

/// One continuation as text: knows how much of it is certain, where it has been told to end.
class growing_text {
public:
    growing_text(any_tokenizer const& tokenizer, ids prompt, std::vector<std::string> const& stop)
        : tokenizer_(tokenizer), tokens_(std::move(prompt)), stop_(stop), begin_(decoded().size()) {}

    /// Takes a token; false once the text ends.
    bool add(std::int32_t token) {
        tokens_.push_back(token);
        text_ = decoded().substr(begin_);
        for (std::string const& s : stop_)
            if (const std::size_t at = text_.find(s); at != std::string::npos) end_ = std::min(end_, at);
        return end_ == std::string::npos;
    }
    std::string text() const { return text_.substr(0, end_); }
    /// What has become certain since the last call: no stop may begin in it.
    std::string next(bool last) {
        std::size_t certain = std::min(end_, text_.size());
        if (!last && end_ == std::string::npos)
            for (std::string const& s : stop_)
                for (std::size_t n = std::min(s.size(), text_.size()); n > 0; --n)
                    if (text_.ends_with(s.substr(0, n))) certain = std::min(certain, text_.size() - n);
        const std::string more = certain > shown_ ? text_.substr(shown_, certain - shown_) : "";
        shown_ = std::max(shown_, certain);
        return more;
    }

private:
    any_tokenizer const& tokenizer_;
    ids tokens_;
    std::vector<std::string> const& stop_;
    std::size_t begin_, shown_ = 0, end_ = std::string::npos;
    std::string text_;

    std::string decoded() const { return tokenizer_.decode(tokens_); }
};

std::vector<ids> prompts_of(write_options const& o, any_tokenizer const& tokenizer) {
    std::vector<ids> all;
    for (std::string const& s : o.ids) all.push_back(ids_of(s, "--ids"));
    if (!tokenizer.exists() && !o.prompts.empty())
        fail_expectation("--prompt", "a --tokenizer that reads it (or --ids)", "none");
    if (!tokenizer.exists() && all.empty()) fail_expectation("--ids", "the tokens of a prompt", "none");
    for (std::string const& s : o.prompts) all.push_back(tokenizer.encode(s));
    if (all.empty()) all.push_back(tokenizer.encode(""));
    return all;
}

}  // namespace

int write(write_options const& o) {
    const auto model = open_model(o.model.weights, o.model.family);
    const any_tokenizer tokenizer(o.model, model->vocabulary());
    const std::vector<ids> prompts = prompts_of(o, tokenizer);
    generation_options options = o.generation;
    if (options.max_tokens == 0) {
        // Unless told: 128, or what the context has room for after the longest prompt.
        std::size_t longest = 0;
        for (ids const& p : prompts) longest = std::max(longest, p.size());
        options.max_tokens =
            o.slide ? 128 : std::min<std::size_t>(128, model->context() + 1 - std::min(longest, model->context()));
    }
    options.overflow = o.slide ? context_overflow::slide : context_overflow::error;
    for (std::string const& s : o.stop_ids) options.stop.push_back(ids_of(s, "--stop-ids"));
    if (!o.ignore_end)
        for (ids const& end : tokenizer.ends()) options.stop.push_back(end);
    if (!o.stop.empty() && !tokenizer.exists())
        fail_expectation("--stop", "a --tokenizer that reads it (or --stop-ids)", "none");
    if (o.stream && prompts.size() > 1) fail_expectation("--stream", "one prompt", std::to_string(prompts.size()));

    const bool text = tokenizer.exists() && o.ids.empty();
    std::vector<growing_text> texts;
    if (text)
        for (ids const& p : prompts) texts.emplace_back(tokenizer, p, o.stop);
    const auto started = std::chrono::steady_clock::now();
    const auto seconds = [&] {
        return std::chrono::duration<double>(std::chrono::steady_clock::now() - started).count();
    };
    double first = 0;
    std::size_t written = 0;
    const auto put = [](std::string const& s) {
        std::fwrite(s.data(), 1, s.size(), stdout);
        std::fflush(stdout);
    };
    if (o.stream && text && !o.prompts.empty()) put(o.prompts[0]);
    const auto results = model->write(prompts, options, [&](std::size_t prompt, std::int32_t token) {
        if (first == 0) first = seconds();
        ++written;
        bool more = true;
        if (text) more = texts[prompt].add(token);
        if (o.stream && text) put(texts[prompt].next(false));
        if (o.stream && !text) std::printf(written > 1 ? " %d" : "%d", token), std::fflush(stdout);
        return more;
    });
    const double all = seconds();
    for (std::size_t i = 0; i < results.size(); ++i) {
        if (o.stream) put((text ? texts[i].next(true) : "") + "\n");
        else if (text) put((i < o.prompts.size() ? o.prompts[i] : "") + texts[i].text() + "\n");
        else put(text_of(results[i].tokens) + "\n");
    }
    if (!o.quiet && written > results.size())
        std::fprintf(stderr, "%zu tokens, the first after %.3f s, then %.1f a second\n", written, first,
                     static_cast<double>(written - results.size()) / std::max(1e-9, all - first));
    return 0;
}

}  // namespace generate
