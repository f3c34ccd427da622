// SPDX-License-Identifier: MIT
// models: GPT-2 in the files of Hugging Face. A model's schema is its type: names, shapes and layouts are those of its
// members, so that reading a file is comparing it with the type.
#pragma once

#include <filesystem>
#include <vector>

#include <tenet/io/checkpoint.hpp>
#include <tenet/io/safetensors_sharded_reader.hpp>
#include <tenet/models/gpt2.hpp>

namespace tenet {

/// How a Hugging Face file of GPT-2 may differ from the model's own names: "transformer." before them, masks of
/// attention ("h.0.attn.bias") beside them, the tied head once more.
inline safetensors::load_options gpt2_load_options() {
    safetensors::load_options options;
    options.optional_prefixes = {"transformer."};
    options.ignore_extra = {"*h.*.attn.bias", "*h.*.attn.masked_bias"};
    options.tied = {{"lm_head.weight", "wte.weight"}};
    return options;
}

/// Reads a GPT-2 from a source of tensors: a `safetensors::reader`, a reader of sharded files.
/// Errors: one `exception` that lists every tensor that is missing, left over, or of another shape or type; nothing is
/// written then. transformers: GPT2LMHeadModel.from_pretrained.
template <safetensors::TensorSource Reader, class Config, class T>
void load_gpt2(Reader const& file, parameters<gpt2<Config>, T>& theta) {
    safetensors::load(file, file_arrays(theta), gpt2_load_options());
}
/// The same from the file at `path`, e.g. "model.safetensors", or "model.safetensors.index.json", which may count a
/// tied tensor twice in its `total_size`.
template <class Config, class T>
void load_gpt2(std::filesystem::path const& path, parameters<gpt2<Config>, T>& theta) {
    load_gpt2(safetensors::sharded_reader(path, safetensors::total_size::may_differ), theta);
}

/// Writes a file that `GPT2LMHeadModel.from_pretrained` reads: the names without prefix, no head (it is tied).
template <class Config, class T>
void save_gpt2(std::filesystem::path const& path, parameters<gpt2<Config>, T>& theta,
               checkpoint_metadata metadata = {}) {
    metadata.emplace("format", "pt");  // what transformers asks for
    save_checkpoint(path, theta, {}, metadata);
}

}  // namespace tenet
