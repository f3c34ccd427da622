// SPDX-License-Identifier: MIT
// text: everything of tokenizers and sampling.
#pragma once

#include <tenet/text/base64.hpp>
#include <tenet/text/byte_pair_text.hpp>
#include <tenet/text/byte_pair_tokenizer.hpp>
#include <tenet/text/byte_pair_vocabulary.hpp>
#include <tenet/text/byte_tokenizer.hpp>
#include <tenet/text/char_tokenizer.hpp>
#include <tenet/text/merge_loop.hpp>
#include <tenet/text/merge_table.hpp>
#include <tenet/text/rank_merges.hpp>
#include <tenet/text/special_tokens.hpp>
#include <tenet/text/text_splitter.hpp>
#include <tenet/text/tiktoken_ranks.hpp>
#include <tenet/text/token_map.hpp>
#include <tenet/text/tokenizer.hpp>
#include <tenet/text/utf8.hpp>
