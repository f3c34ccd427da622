// SPDX-License-Identifier: MIT
// text: GPT-2's two files: vocab.json (encoder.json), tokens and their ids, and merges.txt (vocab.bpe), pairs in the
// order of their ranks.
// Source: openai/gpt-2, src/encoder.py; huggingface/transformers, tokenization_gpt2.py.
#pragma once

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <tenet/base/exception.hpp>
#include <tenet/text/byte_pair_tokenizer.hpp>
#include <tenet/text/byte_pair_vocabulary.hpp>
#include <tenet/text/json_vocabulary.hpp>
#include <tenet/text/spelled_vocabulary.hpp>
#include <tenet/text/text_splitter.hpp>

namespace tenet {

/// The contents of the two files.
struct gpt2_files {
    std::string vocab_json, merges_txt;
};

/// The tokenizer of vocab.json and merges.txt, given as their contents. Tokens that nothing merges to, such as
/// "<|endoftext|>", are special tokens. Throws `exception`, saying where, for whatever is no such pair of files.
inline byte_pair_tokenizer read_gpt2(std::string_view vocab_json, std::string_view merges_txt,
                                     std::string_view pattern = split_pattern::gpt2) {
    detail::spelled_vocabulary spelled("vocab.json and merges.txt");
    detail::read_json_vocabulary(vocab_json, spelled);
    bool first = true;
    for (std::size_t at = 0; at < merges_txt.size();) {
        const std::size_t end = std::min(merges_txt.find('\n', at), merges_txt.size());
        std::string_view line = merges_txt.substr(at, end - at);
        at = end + 1;
        if (line.ends_with('\r')) line.remove_suffix(1);
        if (!line.empty() && !(first && line.starts_with("#version"))) spelled.add_merge(line);
        first = false;
    }
    byte_pair_vocabulary v = spelled.finish({});
    v.pattern = pattern;
    return byte_pair_tokenizer(std::move(v), spelled.where());
}

/// The inverse of `read_gpt2`; the pattern is not in the files. Throws `exception` for a tokenizer that the files
/// cannot hold: with two tokens of the same bytes, or with several merges at one rank.
inline gpt2_files write_gpt2(byte_pair_tokenizer const& tokenizer) {
    byte_pair_vocabulary const& v = tokenizer.vocabulary();
    const detail::spelled_vocabulary spelled = detail::spell(v, "write_gpt2");
    gpt2_files out;
    out.vocab_json = detail::write_json_vocabulary(v, spelled) + "\n";
    out.merges_txt = "#version: 0.2\n";
    for (auto const& [left, right] : spelled.merges()) out.merges_txt += left + ' ' + right + '\n';
    return out;
}

}  // namespace tenet
