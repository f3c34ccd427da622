// SPDX-License-Identifier: MIT
// text: Hugging Face's tokenizer.json, as far as it is a byte-level byte-pair encoding: one split, byte-level, BPE.
// What would give other ids than Hugging Face's is refused, not passed over.
// Source: huggingface/tokenizers, tokenizers/src/{tokenizer,models/bpe,pre_tokenizers}/serialization.rs.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include <tenet/base/exception.hpp>
#include <tenet/base/quoted.hpp>
#include <tenet/text/byte_pair_tokenizer.hpp>
#include <tenet/text/byte_pair_vocabulary.hpp>
#include <tenet/text/json_vocabulary.hpp>
#include <tenet/text/special_tokens.hpp>
#include <tenet/text/spelled_vocabulary.hpp>
#include <tenet/text/text_splitter.hpp>
#include <tenet/text/utf8.hpp>

namespace tenet {

namespace detail {

class tokenizer_json_reader {
public:
    explicit tokenizer_json_reader(std::string_view text) : size_(text.size()) {
        try {
            root_ = json::parse(text);
        } catch (json::parse_error const& e) {
            // The library's sentence quotes the last token, which may be megabytes of hostile text.
            fail("valid JSON", detail::quoted(std::string_view(e.what())));
        }
        if (!root_.is_object()) fail("an object", root_.type_name());
    }

    byte_pair_vocabulary read() {
        json const& normalizer = member(root_, "normalizer");
        if (!normalizer.is_null()) fail("no normalizer: it changes text for good", type_of(normalizer));
        json const& model = member(root_, "model");
        read_model(model);
        byte_pair_vocabulary v = spelled_.finish(added_tokens());
        v.pattern = pattern();
        v.whole_pieces = flag(model, "ignore_merges", false);
        return v;
    }

private:
    using json = nlohmann::json;

    [[noreturn]] static void fail(std::string const& expected, std::string const& found) {
        fail_expectation("tokenizer.json", expected, found);
    }
    static std::string type_of(json const& value) {
        json const& type = member(value, "type");
        return type.is_string() ? detail::quoted(type.get_ref<std::string const&>()) : value.type_name();
    }
    static json const& member(json const& object, char const* name) {
        static const json missing;
        if (!object.is_object()) return missing;
        const auto found = object.find(name);
        return found == object.end() ? missing : *found;
    }
    static bool flag(json const& object, char const* name, bool otherwise) {
        json const& value = member(object, name);
        if (value.is_null()) return otherwise;
        if (!value.is_boolean()) fail(std::string("true or false as ") + name, value.type_name());
        return value.get<bool>();
    }
    static void require_without(json const& object, char const* name) {
        json const& value = member(object, name);
        const bool empty = value.is_null() || (value.is_string() && value.get_ref<std::string const&>().empty());
        if (!empty) fail(std::string("a model without ") + name, value.type_name());
    }

    void read_model(json const& model) {
        json const& merges = member(model, "merges");
        const std::string type = member(model, "type").is_null() ? "\"BPE\"" : type_of(model);
        if (!model.is_object() || type != "\"BPE\"" || !merges.is_array()) fail("a model of type \"BPE\"", type);
        for (char const* name : {"dropout", "continuing_subword_prefix", "end_of_word_suffix"}) {
            require_without(model, name);
        }
        if (flag(model, "byte_fallback", false)) fail("a byte-level model", "byte_fallback");
        json const& vocabulary = member(model, "vocab");
        if (!vocabulary.is_object()) fail("a vocab of tokens and ids", vocabulary.type_name());
        for (auto const& [spelling, id] : vocabulary.items()) {
            if (!id.is_number_unsigned()) fail("an id for the token " + detail::quoted(spelling), id.type_name());
            spelled_.add_token(spelling, id.get<std::uint64_t>(), size_);
        }
        for (json const& merge : merges) {
            if (merge.is_string()) {
                spelled_.add_merge(std::string_view(merge.get_ref<std::string const&>()));
            } else if (merge.is_array() && merge.size() == 2 && merge[0].is_string() && merge[1].is_string()) {
                spelled_.add_merge(merge[0].get<std::string>(), merge[1].get<std::string>());
            } else {
                fail("merges of two tokens each", merge.type_name());
            }
        }
    }

    static std::vector<special_token> added_tokens_of(json const& list) {
        std::vector<special_token> out;
        for (json const& token : list) {
            json const& content = member(token, "content");
            json const& id = member(token, "id");
            if (!content.is_string() || !id.is_number_unsigned() || id.get<std::uint64_t>() > most_token_bytes * 2)
                fail("added tokens with content and id", token.is_object() ? "none or no such" : token.type_name());
            for (char const* name : {"lstrip", "rstrip", "single_word"}) {
                if (flag(token, name, false))
                    fail(std::string("added tokens without ") + name,
                         detail::quoted(content.get_ref<std::string const&>()));
            }
            out.push_back({content.get<std::string>(), id.get<std::int32_t>()});
        }
        return out;
    }
    std::vector<special_token> added_tokens() const {
        json const& list = member(root_, "added_tokens");
        if (!list.is_null() && !list.is_array()) fail("a list of added_tokens", list.type_name());
        return added_tokens_of(list);
    }

    // Byte-level, with its own pattern, or a split and then byte-level without.
    std::string pattern() const {
        json const& first = member(root_, "pre_tokenizer");
        if (type_of(first) == "\"ByteLevel\"") return byte_level(first) ? std::string(split_pattern::gpt2) : "";
        json const& list = member(first, "pretokenizers");
        if (type_of(first) != "\"Sequence\"" || !list.is_array()) {
            fail("the pre_tokenizer ByteLevel, or a Sequence of a Split and ByteLevel", type_of(first));
        }
        if (list.size() == 1 && type_of(list[0]) == "\"ByteLevel\"")
            return byte_level(list[0]) ? std::string(split_pattern::gpt2) : "";
        if (list.size() != 2 || type_of(list[0]) != "\"Split\"" || type_of(list[1]) != "\"ByteLevel\"" ||
            byte_level(list[1])) {
            fail("a Sequence of one Split and ByteLevel with use_regex false", "another Sequence");
        }
        json const& regex = member(member(list[0], "pattern"), "Regex");
        if (!regex.is_string()) fail("a Split by a Regex", "another one");
        json const& behavior = member(list[0], "behavior");
        const bool invert = flag(list[0], "invert", false);
        if (behavior != (invert ? "Removed" : "Isolated")) fail("a Split whose behavior is Isolated", "another one");
        return regex.get<std::string>();
    }
    static bool byte_level(json const& settings) {
        if (flag(settings, "add_prefix_space", true))
            fail("ByteLevel with add_prefix_space false: a space would be added to text for good", "true");
        return flag(settings, "use_regex", true);
    }

    json root_;
    std::size_t size_;
    spelled_vocabulary spelled_{"tokenizer.json"};
};

}  // namespace detail

/// The tokenizer of a tokenizer.json, given as its contents. Added tokens are special tokens; the post-processor, which
/// puts tokens around a text, is not applied (`encode(text, add_special_tokens=False)`).
/// Throws `exception` for whatever is no JSON, no byte-level byte-pair encoding, or one that changes text: with a
/// normalizer, add_prefix_space, dropout, or added tokens that swallow spaces.
inline byte_pair_tokenizer read_tokenizer_json(std::string_view text) {
    return byte_pair_tokenizer(detail::tokenizer_json_reader(text).read(), "tokenizer.json");
}

/// The inverse of `read_tokenizer_json`: what Hugging Face's `Tokenizer.from_file` reads.
/// Throws `exception` for a tokenizer that the format cannot hold: see `write_gpt2`.
inline std::string write_tokenizer_json(byte_pair_tokenizer const& tokenizer) {
    using json = nlohmann::ordered_json;
    byte_pair_vocabulary const& v = tokenizer.vocabulary();
    const detail::spelled_vocabulary spelled = detail::spell(v, "write_tokenizer_json");
    if (!is_utf8(v.pattern)) fail_expectation("write_tokenizer_json", "a pattern in UTF-8", detail::quoted(v.pattern));
    const std::string vocabulary = detail::write_json_vocabulary(v, spelled);

    const auto byte_level = [](bool use_regex) {
        return json{
            {"type", "ByteLevel"}, {"add_prefix_space", false}, {"trim_offsets", true}, {"use_regex", use_regex}};
    };
    json split = byte_level(v.pattern == split_pattern::gpt2);
    if (!v.pattern.empty() && v.pattern != split_pattern::gpt2) {
        const json by_pattern{
            {"type", "Split"}, {"pattern", {{"Regex", v.pattern}}}, {"behavior", "Isolated"}, {"invert", false}};
        split = json{{"type", "Sequence"}, {"pretokenizers", json::array({by_pattern, byte_level(false)})}};
    }
    json added = json::array();
    for (special_token const& s : v.special) {
        added.push_back(json{{"id", s.id},
                             {"content", s.text},
                             {"single_word", false},
                             {"lstrip", false},
                             {"rstrip", false},
                             {"normalized", false},
                             {"special", true}});
    }
    json merges = json::array();
    for (auto const& [left, right] : spelled.merges()) merges.push_back(left + ' ' + right);
    // The vocabulary is text already: a tree of 100,000 ordered members is slow to build.
    return R"({"version":"1.0","truncation":null,"padding":null,"added_tokens":)" + added.dump() +
           R"(,"normalizer":null,"pre_tokenizer":)" + split.dump() + R"(,"post_processor":null,"decoder":)" +
           byte_level(true).dump() +
           R"(,"model":{"type":"BPE","dropout":null,"unk_token":null,"continuing_subword_prefix":null,)" +
           R"("end_of_word_suffix":null,"fuse_unk":false,"byte_fallback":false,"ignore_merges":)" +
           (v.whole_pieces ? "true" : "false") + R"(,"vocab":)" + vocabulary + R"(,"merges":)" + merges.dump() + "}}\n";
}

}  // namespace tenet
