// SPDX-License-Identifier: MIT
// Names of checkpoints as C++: what is an identifier, what must become a literal.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace tensor_files {

/// The parts between the dots.
std::vector<std::string> split_name(std::string_view name);

/// Whether `text` can be the name of a member: letters, digits and underscores, no word of the language, of its
/// implementation or of the declarations' own.
bool is_identifier(std::string_view text);

/// Something like `text` that is made of the characters of an identifier.
std::string identifier_of(std::string_view text);

/// "token_embedding" to "TokenEmbedding".
std::string pascal_case(std::string_view text);

/// `text` in quotation marks as a C++ literal.
std::string string_literal(std::string_view text);

}  // namespace tensor_files
