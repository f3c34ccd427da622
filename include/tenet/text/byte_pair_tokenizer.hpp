// SPDX-License-Identifier: MIT
// text: the byte-level byte-pair encoding of GPT-2 and GPT-4: text is split into pieces, a piece is bytes, and pairs of
// neighbours merge by rank. Every byte string has ids, and decoding them gives the same bytes.
// Sources: Sennrich, Haddow and Birch 2016, arXiv:1508.07909; Radford et al. 2019, section 2.2.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <tenet/base/exception.hpp>
#include <tenet/text/byte_pair_text.hpp>
#include <tenet/text/byte_pair_vocabulary.hpp>
#include <tenet/text/merge_table.hpp>
#include <tenet/text/piece_encoder.hpp>
#include <tenet/text/special_tokens.hpp>
#include <tenet/text/text_splitter.hpp>
#include <tenet/text/token_map.hpp>

namespace tenet {

/// A byte-pair encoding, ready to encode and decode; const member functions may run on several threads.
///
/// Made by `train_byte_pairs`, by the readers of files (`read_tiktoken`, `read_gpt2`, `read_tokenizer_json`,
/// `read_minbpe`), or of a vocabulary put together by hand.
/// tiktoken: Encoding. Hugging Face: tokenizers.Tokenizer with models.BPE.
class byte_pair_tokenizer {
public:
    /// Throws `exception` unless each byte has a token, merges join tokens, special tokens have ids of their own and
    /// the pattern is one.
    explicit byte_pair_tokenizer(byte_pair_vocabulary vocabulary, std::string const& where = "byte_pair_tokenizer")
        : vocabulary_(std::move(vocabulary)), splitter_(vocabulary_.pattern) {
        detail::check(vocabulary_, where);
        normalize();
        index_merges(where);
        index_bytes();
        index_pieces();
    }

    /// One more than the highest id. tiktoken: n_vocab.
    std::size_t vocabulary_size() const { return size_; }

    /// All that the tokenizer is made of; special tokens in the order of their ids.
    byte_pair_vocabulary const& vocabulary() const { return vocabulary_; }

    /// The ids of `text`. Cost: 20 MB/s and more for natural text, O(n log n) for any.
    /// Throws `exception` for special tokens that the policy refuses, and for a policy about unknown ones.
    std::vector<std::int32_t> encode(std::string_view text, special_policy const& policy = {}) const {
        std::vector<std::int32_t> ids;
        encode_to(text, ids, policy);
        return ids;
    }

    /// Appends the ids of `text` to `ids`.
    void encode_to(std::string_view text, std::vector<std::int32_t>& ids, special_policy const& policy = {}) const {
        const detail::special_search special(vocabulary_.special, policy);
        detail::piece_encoder loop;
        ids.reserve(ids.size() + text.size() / 4);
        std::size_t at = 0;
        while (auto const found = special.next(text, at)) {
            encode_ordinary(text.substr(at, found->at - at), ids, loop);
            ids.push_back(found->token->id);
            at = found->at + found->token->text.size();
        }
        encode_ordinary(text.substr(at), ids, loop);
    }

    /// The bytes of one id; a special token's are its text. Throws `exception` if there is no such id.
    std::string_view token(std::int32_t id) const {
        if (!is_id(id)) fail_expectation("byte_pair_tokenizer::token", expected_ids(), std::to_string(id));
        return bytes_of(id);
    }

    /// Whether `id` stands for something: there may be gaps below `vocabulary_size()`.
    bool is_id(std::int32_t id) const {
        return id >= 0 && static_cast<std::size_t>(id) < size_ && !bytes_of(id).empty();
    }

    /// The bytes of the ids, one after the other. They need not be UTF-8: an id may end within a character (`to_utf8`).
    /// Throws `exception` for an id that does not exist, with its position. Cost: linear.
    std::string decode(std::span<std::int32_t const> ids) const {
        std::string text;
        text.reserve(ids.size() * 4);
        for (std::size_t i = 0; i < ids.size(); ++i) {
            if (!is_id(ids[i])) {
                fail_expectation("byte_pair_tokenizer::decode: position " + std::to_string(i), expected_ids(),
                                 std::to_string(ids[i]));
            }
            text += bytes_of(ids[i]);
        }
        return text;
    }

    /// The text kept in a checkpoint: one line of printable ASCII.
    std::string to_string() const { return detail::to_text(vocabulary_); }

    /// The inverse of `to_string`. Throws `exception` for anything else.
    static byte_pair_tokenizer from_string(std::string_view saved) {
        return byte_pair_tokenizer(detail::byte_pair_text_reader(saved).read(), "byte_pair_tokenizer::from_string");
    }

    friend bool operator==(byte_pair_tokenizer const& a, byte_pair_tokenizer const& b) {
        return a.vocabulary_ == b.vocabulary_;
    }

private:
    static constexpr std::size_t longest_indexed = 32;

    std::string expected_ids() const { return "an id in [0, " + std::to_string(size_) + ") that has a token"; }

    std::string_view bytes_of(std::int32_t id) const {
        const auto i = static_cast<std::size_t>(id);
        if (i < vocabulary_.tokens.size() && !vocabulary_.tokens[i].empty()) return vocabulary_.tokens[i];
        const auto special = std::lower_bound(vocabulary_.special.begin(), vocabulary_.special.end(), id,
                                              [](special_token const& a, std::int32_t b) { return a.id < b; });
        if (special == vocabulary_.special.end() || special->id != id) return {};
        return special->text;
    }

    void encode_ordinary(std::string_view text, std::vector<std::int32_t>& ids, detail::piece_encoder& loop) const {
        splitter_.for_each_piece(text, [&](std::string_view piece) {
            if (const auto whole = pieces_.find(piece, vocabulary_.tokens)) return ids.push_back(*whole);
            const std::size_t begin = ids.size();
            for (char c : piece) ids.push_back(byte_ids_[static_cast<unsigned char>(c)]);
            ids.resize(begin + loop.run(ids.data() + begin, piece.size(), merges_));
        });
    }

    // Of equal vocabularies that came from different files, equal data.
    void normalize() {
        while (vocabulary_.tokens.back().empty()) vocabulary_.tokens.pop_back();
        std::sort(vocabulary_.special.begin(), vocabulary_.special.end(),
                  [](special_token const& a, special_token const& b) { return a.id < b.id; });
        size_ = vocabulary_.tokens.size();
        for (special_token const& s : vocabulary_.special) size_ = std::max(size_, static_cast<std::size_t>(s.id) + 1);
    }

    void index_merges(std::string const& where) {
        merges_ = detail::merge_table(vocabulary_.merges.size());
        for (byte_pair_merge const& m : vocabulary_.merges) {
            if (!merges_.insert(m)) {
                fail_expectation(where, "one merge a pair",
                                 "two of the ids " + std::to_string(m.left) + " and " + std::to_string(m.right));
            }
        }
    }

    void index_bytes() {
        for (std::size_t i = vocabulary_.tokens.size(); i-- > 0;) {
            std::string const& token = vocabulary_.tokens[i];
            if (token.size() == 1) byte_ids_[static_cast<unsigned char>(token[0])] = static_cast<std::int32_t>(i);
        }
    }

    // Pieces that are a token at once: all tokens, or those that their own bytes merge to.
    void index_pieces() {
        pieces_ = detail::token_map(vocabulary_.tokens.size());
        detail::piece_encoder loop;
        for (std::size_t i = 0; i < vocabulary_.tokens.size(); ++i) {
            std::string const& token = vocabulary_.tokens[i];
            if (token.empty()) continue;
            if (!vocabulary_.whole_pieces) {
                if (token.size() > longest_indexed) continue;
                std::array<std::int32_t, longest_indexed> ids;
                for (std::size_t k = 0; k < token.size(); ++k) ids[k] = byte_ids_[static_cast<unsigned char>(token[k])];
                if (loop.run(ids.data(), token.size(), merges_) != 1 || ids[0] != static_cast<std::int32_t>(i))
                    continue;
            }
            pieces_.insert(static_cast<std::int32_t>(i), vocabulary_.tokens);
        }
    }

    byte_pair_vocabulary vocabulary_;
    text_splitter splitter_;
    detail::merge_table merges_;
    detail::token_map pieces_;
    std::array<std::int32_t, 256> byte_ids_{};
    std::size_t size_ = 0;
};

}  // namespace tenet
