// SPDX-License-Identifier: MIT
// text: which kind of tokenizer file some bytes are.
#pragma once

#include <algorithm>
#include <cstddef>
#include <string_view>

#include <tenet/text/base64.hpp>

namespace tenet {

/// The file formats of tokenizers, and how each is read.
enum class tokenizer_format {
    unknown,
    tiktoken,        ///< `read_tiktoken`
    gpt2_vocab,      ///< vocab.json of `read_gpt2`
    gpt2_merges,     ///< merges.txt of `read_gpt2`
    tokenizer_json,  ///< `read_tokenizer_json`
    minbpe,          ///< `read_minbpe`
    llama2c          ///< `score_tokenizer::read`
};

/// The format that `file`, a whole file, seems to have, by its beginning. It may still be broken: readers check.
inline tokenizer_format guess_tokenizer_format(std::string_view file) {
    constexpr std::string_view spaces = " \t\r\n";
    std::string_view const line = file.substr(0, std::min(file.find('\n'), file.size()));
    if (file.starts_with("minbpe ")) return tokenizer_format::minbpe;
    if (file.starts_with("#version")) return tokenizer_format::gpt2_merges;
    const std::size_t first = file.find_first_not_of(spaces);
    if (first != file.npos && file[first] == '{') {
        return file.find("\"model\"") != file.npos && file.find("\"merges\"") != file.npos
                   ? tokenizer_format::tokenizer_json
                   : tokenizer_format::gpt2_vocab;
    }
    const std::size_t space = line.find(' ');
    if (space != line.npos && space != 0 && detail::from_base64(line.substr(0, space)) &&
        line.substr(space + 1).find_first_not_of("0123456789\r") == line.npos)
        return tokenizer_format::tiktoken;
    // A length that fits in two bytes, a float and the length of "<unk>", or of another first token.
    if (file.size() >= 12 && file[2] == 0 && file[3] == 0 && file[9] == 0 && file[10] == 0 && file[11] == 0)
        return tokenizer_format::llama2c;
    return tokenizer_format::unknown;
}

}  // namespace tenet
