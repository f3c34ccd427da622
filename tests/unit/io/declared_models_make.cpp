// SPDX-License-Identifier: MIT
// Writes small checkpoints of several kinds, and beside each the header that `checkpoint describe --cpp` prints for it:
//   declared_models_make <folder>
#include <fstream>
#include <iostream>
#include <string>
#include <vector>

#include <tenet/io/safetensors_writer.hpp>

#include "commands.hpp"

namespace {

using tenet::safetensors::tensor_entry;
using shape = std::vector<std::size_t>;

class made_file {
public:
    void add(std::string const& name, shape const& s, std::string const& dtype = "F32") {
        tensor_entry t{name, dtype, s, 0, {}};
        bytes_.emplace_back(tenet::safetensors::detail::byte_count(t), std::byte{0});
        tensors_.push_back(std::move(t));
    }
    /// {weight, bias} as OpenAI's layers or as PyTorch's have them.
    void add_conv1d(std::string const& name, std::size_t in, std::size_t out) {
        add(name + ".weight", {in, out});
        add(name + ".bias", {out});
    }
    void add_linear(std::string const& name, std::size_t in, std::size_t out, bool bias) {
        add(name + ".weight", {out, in}, "BF16");
        if (bias) add(name + ".bias", {out}, "BF16");
    }
    void add_norm(std::string const& name, std::size_t size) {
        add(name + ".weight", {size});
        add(name + ".bias", {size});
    }
    void write(std::filesystem::path const& folder, std::string const& name, std::size_t heads = 0) {
        for (std::size_t i = 0; i < tensors_.size(); ++i) tensors_[i].bytes = bytes_[i];
        tenet::safetensors::write_tensors(folder / (name + ".safetensors"), tensors_);
        std::ofstream header(folder / (name + ".hpp"));
        tensor_files::describe_options options;
        options.file = folder / (name + ".safetensors");
        options.cpp = true;
        options.space = name;
        options.heads = heads;
        tensor_files::describe(options, header);
    }

private:
    std::vector<tensor_entry> tensors_;
    std::vector<std::vector<std::byte>> bytes_;
};

void make_gpt2(std::filesystem::path const& folder) {
    made_file file;
    file.add("wte.weight", {40, 12});
    file.add("wpe.weight", {10, 12});
    for (std::string layer : {"h.0", "h.1", "h.2"}) {
        file.add_norm(layer + ".ln_1", 12);
        file.add_conv1d(layer + ".attn.c_attn", 12, 36);
        file.add_conv1d(layer + ".attn.c_proj", 12, 12);
        file.add(layer + ".attn.bias", {1, 1, 10, 10});
        file.add(layer + ".attn.masked_bias", {});
        file.add_norm(layer + ".ln_2", 12);
        file.add_conv1d(layer + ".mlp.c_fc", 12, 48);
        file.add_conv1d(layer + ".mlp.c_proj", 48, 12);
    }
    file.add_norm("ln_f", 12);
    file.add("optimizer.m.ln_f.bias", {12});
    file.write(folder, "gpt2_like", 3);
    file.write(folder, "gpt2_without_heads");
}

void make_llama(std::filesystem::path const& folder) {
    made_file file;
    file.add("model.embed_tokens.weight", {32, 16}, "BF16");
    for (int i = 0; i < 11; ++i) {
        const std::string layer = "model.layers." + std::to_string(i);
        file.add_linear(layer + ".self_attn.q_proj", 16, 16, false);
        file.add_linear(layer + ".self_attn.k_proj", 16, 8, false);
        file.add_linear(layer + ".self_attn.v_proj", 16, 8, false);
        file.add_linear(layer + ".self_attn.o_proj", 16, 16, false);
        file.add(layer + ".self_attn.rotary_emb.inv_freq", {2});
        file.add_linear(layer + ".mlp.gate_proj", 16, 40, false);
        file.add_linear(layer + ".mlp.up_proj", 16, 40, false);
        file.add_linear(layer + ".mlp.down_proj", 40, 16, false);
        file.add(layer + ".input_layernorm.weight", {16}, "BF16");
        file.add(layer + ".post_attention_layernorm.weight", {16}, "BF16");
    }
    file.add("model.norm.weight", {16}, "BF16");
    file.add_linear("lm_head", 16, 32, false);
    file.write(folder, "llama_like", 4);
    file.write(folder, "llama_without_heads");
}

void make_perceptron(std::filesystem::path const& folder) {
    made_file file;
    file.add_linear("fc1", 7, 5, true);
    file.add_linear("fc2", 5, 5, true);
    file.add_linear("fc3", 5, 3, true);
    file.add("bn.running_mean", {5});
    file.add("bn.weight", {5});
    file.add("bn.num_batches_tracked", {}, "I64");
    file.write(folder, "perceptron");
}

// All that is no path of members, and all that would not compile.
void make_odd(std::filesystem::path const& folder) {
    made_file file;
    file.add_linear("net.0", 4, 6, true);
    file.add_linear("net.2", 6, 4, true);
    file.add("class.default.weight", {4, 4});
    file.add("lora_A.default.weight", {2, 4});
    file.add("a", {3});
    file.add("a.b", {3, 3});
    file.add("a.b.c", {3, 3, 3});
    file.add("scales.0", {4});
    file.add("scales.1", {4});
    file.add("scalar", {});
    file.add("kernel.weight", {2, 2, 2, 2, 2});
    file.add("quote\"back\\slash\n", {4});
    file.add("gr\xc3\xbc\xc3\x9f", {4});
    file.add("?\?/", {4});
    file.add("end.", {4});
    file.add(".begin", {4});
    file.add("NULL", {4});
    file.add("LM.weight", {9, 11});
    file.add("Embed", {4});
    file.add("Heads.Class", {4});
    file.add("parameter", {4});
    file.add("stack.0.nn.axes", {4});
    file.write(folder, "odd_names");
    made_file nested;
    for (std::string x : {"0", "1"})
        for (std::string y : {"0", "1", "2"}) {
            nested.add_linear("outer." + x + ".inner." + y + ".stack", 4, 4, true);
            nested.add("outer." + x + ".inner." + y + ".outer.inner", {4, 4, 4}, "F64");
        }
    nested.add_norm("outer_layer.block_norm", 4);
    nested.add("embedding.weight", {4, 4}, "F16");
    nested.add("block.weight", {4, 4}, "F8_E4M3");
    nested.write(folder, "nested_stacks");
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 2) return 1;
    try {
        const std::filesystem::path folder = argv[1];
        std::filesystem::create_directories(folder);
        make_gpt2(folder);
        make_llama(folder);
        make_perceptron(folder);
        make_odd(folder);
    } catch (std::exception const& e) {
        std::cerr << e.what() << '\n';
        return 1;
    }
    return 0;
}
