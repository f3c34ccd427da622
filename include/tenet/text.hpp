// SPDX-License-Identifier: MIT
// text: everything of tokenizers and sampling.
#pragma once

#include <tenet/text/base64.hpp>
#include <tenet/text/byte_alphabet.hpp>
#include <tenet/text/byte_pair_text.hpp>
#include <tenet/text/byte_pair_tokenizer.hpp>
#include <tenet/text/byte_pair_training.hpp>
#include <tenet/text/byte_pair_vocabulary.hpp>
#include <tenet/text/byte_tokenizer.hpp>
#include <tenet/text/char_tokenizer.hpp>
#include <tenet/text/encode_each.hpp>
#include <tenet/text/gpt2_files.hpp>
#include <tenet/text/json_vocabulary.hpp>
#include <tenet/text/merge_loop.hpp>
#include <tenet/text/merge_table.hpp>
#include <tenet/text/minbpe_model.hpp>
#include <tenet/text/piece_encoder.hpp>
#include <tenet/text/prompt_template.hpp>
#include <tenet/text/rank_merges.hpp>
#include <tenet/text/score_tokenizer.hpp>
#include <tenet/text/special_tokens.hpp>
#include <tenet/text/spelled_vocabulary.hpp>
#include <tenet/text/text_splitter.hpp>
#include <tenet/text/tiktoken_ranks.hpp>
#include <tenet/text/token_map.hpp>
#include <tenet/text/tokenizer.hpp>
#include <tenet/text/tokenizer_format.hpp>
#include <tenet/text/tokenizer_json.hpp>
#include <tenet/text/utf8.hpp>
