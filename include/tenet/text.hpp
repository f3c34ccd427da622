// SPDX-License-Identifier: MIT
// text: everything of tokenizers and sampling.
#pragma once

#include <tenet/text/byte_tokenizer.hpp>
#include <tenet/text/char_tokenizer.hpp>
#include <tenet/text/tokenizer.hpp>
