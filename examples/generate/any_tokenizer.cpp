// SPDX-License-Identifier: MIT
#include "any_tokenizer.hpp"

#include <charconv>

#include <tenet/base/exception.hpp>
#include <tenet/base/quoted.hpp>

namespace generate {
namespace {

using namespace tenet;

constexpr std::string_view end_of_text = "<|endoftext|>";

std::optional<std::int32_t> end_id(byte_pair_tokenizer const& tokenizer) {
    for (special_token const& s : tokenizer.vocabulary().special)
        if (s.text == end_of_text) return s.id;
    return std::nullopt;
}

}  // namespace

ids ids_of(std::string const& text, std::string const& name) {
    ids all;
    for (std::size_t at = text.find_first_not_of(" \t\n"); at < text.size();) {
        const std::size_t end = std::min(text.find_first_of(" \t\n", at), text.size());
        std::int32_t id = 0;
        const auto [stop, error] = std::from_chars(text.data() + at, text.data() + end, id);
        if (error != std::errc{} || stop != text.data() + end)
            fail_expectation(name, "tokens with spaces between", detail::quoted(text.substr(at, end - at)));
        all.push_back(id);
        at = text.find_first_not_of(" \t\n", end);
    }
    return all;
}

std::string text_of(std::span<std::int32_t const> tokens) {
    std::string text;
    for (std::int32_t id : tokens) {
        if (!text.empty()) text += ' ';
        text += std::to_string(id);
    }
    return text;
}

any_tokenizer::any_tokenizer(model_options const& options, std::size_t vocabulary) {
    if (options.tokenizer.empty()) return;
    bpe::tokenizer_options files;
    files.ranks = options.tokenizer;
    files.merges = options.merges;
    tokenizer_ = bpe::open_tokenizer(files).tokenizer;
    const std::size_t found = std::visit([](auto const& t) { return t.vocabulary_size(); }, *tokenizer_);
    if (found > vocabulary)
        fail_expectation(options.tokenizer.string(), "at most the model's " + std::to_string(vocabulary) + " tokens",
                         std::to_string(found));
}

ids any_tokenizer::encode(std::string_view text) const {
    if (auto const* scores = std::get_if<score_tokenizer>(&*tokenizer_)) return scores->encode(text);
    auto const& pairs = std::get<byte_pair_tokenizer>(*tokenizer_);
    // A model of this kind writes from nothing after the end of another text.
    if (text.empty()) {
        if (const auto id = end_id(pairs)) return {*id};
    }
    return pairs.encode(text, special_policy::recognise());
}

std::string any_tokenizer::decode(std::span<std::int32_t const> tokens) const {
    return std::visit([&](auto const& t) { return t.decode(tokens); }, *tokenizer_);
}

std::vector<ids> any_tokenizer::ends() const {
    if (!tokenizer_) return {};
    if (std::holds_alternative<score_tokenizer>(*tokenizer_))
        return {{score_tokenizer::begin_of_text}, {score_tokenizer::end_of_text}};
    if (const auto id = end_id(std::get<byte_pair_tokenizer>(*tokenizer_))) return {{*id}};
    return {};
}

}  // namespace generate
