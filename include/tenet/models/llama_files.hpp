// SPDX-License-Identifier: MIT
// models: Llama in the files of Hugging Face and of llama2.c. The two rotate different elements of a head together:
// rows of the projections of queries and keys are put into the order that the model's type wants.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string_view>
#include <vector>

#include <tenet/io/checkpoint.hpp>
#include <tenet/io/llama2c_file.hpp>
#include <tenet/io/safetensors_sharded_reader.hpp>
#include <tenet/models/llama.hpp>

namespace tenet {

/// How a Hugging Face file of a Llama may differ from the model's own names.
template <class Config>
safetensors::load_options llama_load_options() {
    safetensors::load_options options;
    options.optional_prefixes = {"model."};
    options.ignore_extra = {"*rotary_emb.inv_freq"};
    if (Config::tied_head) options.tied = {{"lm_head.weight", "embed_tokens.weight"}};
    return options;
}

/// Puts the rows of every head of the projections of queries and keys into another order: the elements that `From`
/// rotates together become those that `To` does. PyTorch: `permute` in convert_llama_weights_to_hf.py.
template <class Config, class T>
void convert_rotary_pairs(parameters<llama<Config>, T>& theta, rotary_pairs from, rotary_pairs to) {
    if (from == to) return;
    constexpr std::size_t width = Config::width, head = width / Config::heads, half = head / 2;
    std::vector<T> before(head * width);
    for (named_array const& a : file_arrays(theta)) {
        const std::string_view name = a.name;
        if (!name.ends_with("q_proj.weight") && !name.ends_with("k_proj.weight")) continue;
        T* const data = static_cast<T*>(a.data);
        for (std::size_t h = 0; h < a.shape[0] / head; ++h) {
            T* const rows = data + h * head * width;
            std::copy_n(rows, head * width, before.data());
            for (std::size_t i = 0; i < head; ++i) {
                const std::size_t neighbour = 2 * (i % half) + i / half;  // of the element at i when halves are paired
                const std::size_t source = to == rotary_pairs::halves ? neighbour : i;
                const std::size_t target = to == rotary_pairs::halves ? i : neighbour;
                std::copy_n(before.data() + source * width, width, rows + target * width);
            }
        }
    }
}

/// Reads a Llama from a source of tensors under Hugging Face's names, with or without "model.".
/// Errors: one `exception` that lists every tensor that is missing, left over, or of another shape or type; nothing is
/// written then. transformers: LlamaForCausalLM.from_pretrained.
template <safetensors::TensorSource Reader, class Config, class T>
void load_llama(Reader const& file, parameters<llama<Config>, T>& theta,
                rotary_pairs pairs_of_file = rotary_pairs::halves) {
    safetensors::load(file, file_arrays(theta), llama_load_options<Config>());
    convert_rotary_pairs(theta, pairs_of_file, Config::pairs);
}
/// The same from the safetensors file at `path`, or the files of an index, which may count a tied tensor twice in its
/// `total_size`.
template <class Config, class T>
void load_llama(std::filesystem::path const& path, parameters<llama<Config>, T>& theta) {
    load_llama(safetensors::sharded_reader(path, safetensors::total_size::may_differ), theta);
}

/// Reads a model file of llama2.c (io/llama2c_file.hpp); a context of another length is an error too.
template <class Config, class T>
void load_llama2c(llama2c_file const& file, parameters<llama<Config>, T>& theta) {
    if (file.sizes().context != Config::context || file.sizes().heads != Config::heads)
        fail_expectation(file.place(),
                         std::to_string(Config::heads) + " heads and a context of " + std::to_string(Config::context),
                         std::to_string(file.sizes().heads) + " and " + std::to_string(file.sizes().context));
    load_llama(file, theta, rotary_pairs::interleaved);
}
template <class Config, class T>
void load_llama2c(std::filesystem::path const& path, parameters<llama<Config>, T>& theta) {
    load_llama2c(llama2c_file(path), theta);
}

/// Writes a file that `LlamaForCausalLM.from_pretrained` reads: Hugging Face's names and rotary pairs; no head if it is
/// tied.
template <class Config, class T>
void save_llama(std::filesystem::path const& path, parameters<llama<Config>, T> const& theta,
                checkpoint_metadata metadata = {}) {
    metadata.emplace("format", "pt");
    parameters<llama<Config>, T> copy = theta;
    convert_rotary_pairs(copy, Config::pairs, rotary_pairs::halves);
    save_checkpoint(path, copy, {}, metadata);
}

}  // namespace tenet
