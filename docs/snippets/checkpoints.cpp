// SPDX-License-Identifier: MIT
// Checkpoints: saving and loading a model, files of others, several files, single tensors, NumPy.
#include <tenet/interop/npz.hpp>
#include <tenet/interop/npz_writer.hpp>
#include <tenet/io.hpp>
#include <tenet/nn.hpp>

#include <cstdio>
#include <filesystem>
#include <string>
#include <vector>

#include <stdlib.h>

using namespace tenet;
namespace fs = std::filesystem;

// [model]
struct Vocab : axis<50> {};
struct Embed : axis<8> {};
struct Heads : axis<2> {};
struct HeadDim : axis<4> {};

struct layer {
    nn::layer_norm<Embed> ln_1;
    nn::linear<axes<Embed>, axes<nn::QKV, Heads, HeadDim>> c_attn;
};
struct model {
    parameter<Vocab, Embed> wte;
    stack<layer, 2> h;
};
// [model]

void save_and_load() {
    // [save]
    parameters<model> theta;
    initialize(theta, init::gpt2{}, /*seed*/ 1);
    save_checkpoint("model.safetensors", theta, {}, {{"step", "2000"}});

    parameters<model> back;
    const auto metadata = load_checkpoint("model.safetensors", back);  // everything agrees, or nothing is written
    std::printf("step %s\n", metadata.at("step").c_str());
    // [save]
}

void look() {
    // [look]
    const safetensors::reader file("model.safetensors");  // mapped and checked, not read
    for (auto const& t : file.tensors())
        std::printf("%s %s %zu bytes\n", t.name.c_str(), t.dtype.c_str(), t.bytes.size());

    std::vector<double> wte(50 * 8);  // one tensor, converted
    safetensors::load(file, std::vector{named_array{"wte", dtype::float64, {50, 8}, wte.data()}},
                      {.ignore_extra = {"h.*"}});
    // [look]
}

void mismatches() {
    // [mismatches]
    std::vector<float> wte(60 * 8), head(60 * 8);
    const std::vector<named_array> wanted{{"wte", dtype::float32, {60, 8}, wte.data()},
                                          {"lm_head.weight", dtype::float32, {60, 8}, head.data()}};
    try {
        safetensors::load(safetensors::reader("model.safetensors"), wanted, {.ignore_extra = {"h.*"}});
    } catch (exception const& e) {
        std::printf("%s\n", e.what());
    }
    // [mismatches]
}

void shards() {
    parameters<model> theta;
    // [shards]
    safetensors::write_sharded("big.safetensors.index.json", file_arrays(theta), {{"format", "pt"}},
                               /*bytes a file*/ 2048);
    const safetensors::sharded_reader file("big.safetensors.index.json");  // or the path of a single file
    safetensors::load(file, file_arrays(theta));
    std::printf("%zu tensors in %zu files\n", file.tensors().size(), file.shards().size());
    // [shards]
}

void numpy() {
    parameters<model> theta;
    // [numpy]
    save_npz("weights.npz", file_arrays(theta));  // numpy.load reads it
    for (auto const& [name, array] : load_npz("weights.npz"))
        if (name == "wte") std::printf("%s has %zu elements\n", name.c_str(), array.values<double>().size());
    // [numpy]
}

int main() {
    const fs::path before = fs::current_path();
    std::string folder = (fs::temp_directory_path() / "tenet-checkpoints-XXXXXX").string();
    if (::mkdtemp(folder.data()) == nullptr) return 1;
    fs::current_path(folder);
    save_and_load();
    look();
    mismatches();
    shards();
    numpy();
    fs::current_path(before);
    fs::remove_all(folder);
}
