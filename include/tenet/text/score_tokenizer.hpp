// SPDX-License-Identifier: MIT
// text: tokenizers of llama2.c, made from SentencePiece's: characters merge to tokens by score, and characters without
// a token are spelled in bytes. Source: karpathy/llama2.c, run.c, `build_tokenizer`, `encode`, `decode`; tokenizer.py,
// `export`.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <tenet/base/exception.hpp>
#include <tenet/base/quoted.hpp>
#include <tenet/text/base64.hpp>
#include <tenet/text/byte_pair_vocabulary.hpp>
#include <tenet/text/merge_loop.hpp>
#include <tenet/text/merge_table.hpp>
#include <tenet/text/rank_merges.hpp>
#include <tenet/text/token_map.hpp>

namespace tenet {

/// A tokenizer of scores: ids 0, 1, 2 are unknown, begin and end of text, 3 to 258 the bytes, then the tokens.
///
/// Encoding begins with the id of the begin of text, puts a space before the text, and joins the two neighbours whose
/// token has the highest score, of equal ones the first, until no two make a token. Decoding undoes all of it.
/// llama2.c: Tokenizer in run.c.
class score_tokenizer {
public:
    static constexpr std::int32_t unknown = 0, begin_of_text = 1, end_of_text = 2, first_byte = 3;

    /// Reads the contents of a tokenizer.bin: int32 longest length, then float32 score, int32 length and bytes of each
    /// token, little endian. Throws `exception`, with the token, for whatever is none.
    static score_tokenizer read(std::string_view file) {
        score_tokenizer t;
        std::size_t at = 0;
        const auto where = [&] { return "llama2.c tokenizer: token " + std::to_string(t.tokens_.size()); };
        const auto take = [&](auto value) {
            if (file.size() - at < sizeof value) fail_expectation(where(), "a whole file", "its end");
            std::memcpy(&value, file.data() + at, sizeof value);
            at += sizeof value;
            return value;
        };
        t.longest_ = take(std::int32_t{});
        if (t.longest_ < 1 || t.longest_ > static_cast<std::int32_t>(detail::longest_token))
            fail_expectation("llama2.c tokenizer", "a longest length of 1 to 65536", std::to_string(t.longest_));
        while (at < file.size()) {
            const auto score = take(float{});
            const auto length = take(std::int32_t{});
            if (!std::isfinite(score)) fail_expectation(where(), "a finite score", "another");
            if (length < 1 || length > t.longest_ || file.size() - at < static_cast<std::size_t>(length))
                fail_expectation(where(), "1 to " + std::to_string(t.longest_) + " bytes, and in the file",
                                 std::to_string(length));
            t.scores_.push_back(score);
            t.tokens_.emplace_back(file.substr(at, static_cast<std::size_t>(length)));
            at += static_cast<std::size_t>(length);
        }
        t.index();
        return t;
    }

    /// The inverse of `read`, byte for byte.
    std::string write() const {
        std::string out;
        const auto put = [&](auto value) { out.append(reinterpret_cast<char const*>(&value), sizeof value); };
        put(longest_);
        for (std::size_t i = 0; i < tokens_.size(); ++i) {
            put(scores_[i]);
            put(static_cast<std::int32_t>(tokens_[i].size()));
            out += tokens_[i];
        }
        return out;
    }

    std::size_t vocabulary_size() const { return tokens_.size(); }

    /// The bytes of id `id` as the file has them; those of a byte are "<0x0A>". Throws `exception` for another id.
    std::string const& token(std::int32_t id) const {
        require_id(id, "score_tokenizer::token");
        return tokens_[static_cast<std::size_t>(id)];
    }

    /// The ids of `text`, after the begin of text. Text is never read as a special or byte token. Cost: O(n log n).
    std::vector<std::int32_t> encode(std::string_view text) const {
        std::vector<std::int32_t> ids{begin_of_text};
        if (text.empty()) return ids;
        ids.reserve(text.size() + 2);
        add_characters(" ", ids);
        add_characters(text, ids);
        detail::merge_loop loop;
        ids.resize(1 + loop.run(ids.data() + 1, ids.size() - 1, merges_));
        return ids;
    }

    /// The bytes of the ids, without begin and end of text and without the space that begins a text.
    /// Throws `exception` for an id outside the vocabulary, with its position.
    std::string decode(std::span<std::int32_t const> ids) const {
        std::string text;
        for (std::size_t i = 0; i < ids.size(); ++i) {
            const std::int32_t id = ids[i];
            require_id(id, "score_tokenizer::decode: position " + std::to_string(i));
            if (id == begin_of_text || id == end_of_text) continue;
            if (id >= first_byte && id < first_byte + 256) {
                text += static_cast<char>(static_cast<unsigned char>(id - first_byte));
                continue;
            }
            std::string_view token = tokens_[static_cast<std::size_t>(id)];
            if (i != 0 && ids[i - 1] == begin_of_text && token.starts_with(' ')) token.remove_prefix(1);
            text += token;
        }
        return text;
    }

    /// The text kept in a checkpoint: one line of printable ASCII.
    std::string to_string() const { return std::string(prefix) + detail::to_base64(write()); }

    /// The inverse of `to_string`. Throws `exception` for anything else.
    static score_tokenizer from_string(std::string_view saved) {
        auto file = saved.starts_with(prefix) ? detail::from_base64(saved.substr(prefix.size())) : std::nullopt;
        if (!file) {
            fail_expectation("score_tokenizer::from_string", "\"score_tokenizer 1 \" and base64",
                             detail::quoted(saved.substr(0, 40)));
        }
        return read(*file);
    }

    friend bool operator==(score_tokenizer const& a, score_tokenizer const& b) {
        return a.longest_ == b.longest_ && a.tokens_ == b.tokens_ && a.scores_ == b.scores_;
    }

private:
    static_assert(std::endian::native == std::endian::little, "files are little endian and read as they are");
    static constexpr std::string_view prefix = "score_tokenizer 1 ";
    static constexpr std::size_t first_token = first_byte + 256;

    score_tokenizer() = default;

    void require_id(std::int32_t id, std::string const& where) const {
        if (id < 0 || static_cast<std::size_t>(id) >= tokens_.size())
            fail_expectation(where, "an id in [0, " + std::to_string(tokens_.size()) + ")", std::to_string(id));
    }

    void index() {
        if (tokens_.size() < first_token)
            fail_expectation("llama2.c tokenizer", "259 tokens or more", std::to_string(tokens_.size()));
        for (std::size_t byte = 0; byte < 256; ++byte) {
            constexpr char digits[] = "0123456789ABCDEF";
            const std::string name = std::string("<0x") + digits[byte >> 4] + digits[byte & 15] + '>';
            if (tokens_[byte + first_byte] != name) {
                fail_expectation("llama2.c tokenizer: token " + std::to_string(byte + first_byte), name,
                                 detail::quoted(tokens_[byte + first_byte]));
            }
        }
        pieces_ = detail::token_map(tokens_.size());
        for (std::size_t i = first_token; i < tokens_.size(); ++i)
            pieces_.insert(static_cast<std::int32_t>(i), tokens_);
        // The highest score is the lowest rank; equal scores are equal ranks.
        std::vector<float> ranked(scores_.begin() + first_token, scores_.end());
        std::sort(ranked.begin(), ranked.end(), std::greater<>{});
        ranked.erase(std::unique(ranked.begin(), ranked.end()), ranked.end());
        const detail::every_cut cuts(tokens_, pieces_);
        for (std::size_t i = first_token; i < tokens_.size(); ++i) {
            const auto id = static_cast<std::int32_t>(i);
            if (pieces_.find(tokens_[i], tokens_) != id) continue;  // an equal token came before
            const auto rank = std::lower_bound(ranked.begin(), ranked.end(), scores_[i], std::greater<>{});
            cuts(id, static_cast<std::uint32_t>(rank - ranked.begin()),
                 [&](byte_pair_merge const& m) { merges_.insert(m); });
        }
    }

    // A character as run.c sees it: a byte and up to three continuation bytes.
    void add_characters(std::string_view text, std::vector<std::int32_t>& ids) const {
        for (std::size_t at = 0, end = 0; at < text.size(); at = end) {
            end = at + 1;
            while (end < text.size() && end - at < 4 && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80) ++end;
            if (const auto id = pieces_.find(text.substr(at, end - at), tokens_)) {
                ids.push_back(*id);
            } else {
                for (; at < end; ++at) ids.push_back(first_byte + static_cast<unsigned char>(text[at]));
            }
        }
    }

    std::int32_t longest_ = 0;
    std::vector<std::string> tokens_;
    std::vector<float> scores_;
    detail::token_map pieces_;
    detail::merge_table merges_;
};

}  // namespace tenet
