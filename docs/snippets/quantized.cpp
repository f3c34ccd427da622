// SPDX-License-Identifier: MIT
// A base in 4 bits, an adapter trained on it (QLoRA), the adapter merged, all of it in files.
#include <tenet/adapt.hpp>
#include <tenet/nn.hpp>
#include <tenet/optim/adamw_8bit.hpp>
#include <tenet/program.hpp>

#include <cstdio>
#include <filesystem>

using namespace tenet;

struct Batch : axis<16> {};
struct Letter : axis<40> {};
struct Embed : axis<64> {};
struct Hidden : axis<256> {};

struct block {
    nn::layer_norm<Embed> ln;
    nn::feed_forward<Embed, Hidden> mlp;
    constexpr auto operator()(auto x) const { return x + mlp(ln(x)); }
};
struct network {
    nn::embedding<Letter, Embed> wte;
    stack<block, 3> h;
    constexpr auto operator()(auto letters) const { return dot<Embed>(h(wte(letters)), wte.weight); }
};

// [types]
using four_bits = quantized<network, storage::nf4>;                          // all linear layers
using small_base = quantized<four_bits, storage::bfloat16, targets<"wte">>;  // and the table in 16 bits
using adapter = lora<network, 4, all_linear, lora_options{.alpha = 8}>;

static_assert(parameter_count<small_base> == parameter_count<network>);
static_assert(bits_per_quantized_parameter<quantized<network, storage::nf4>> < 4.14);

struct loss {
    constexpr auto operator()(auto const& m, auto const& a, auto letters, auto next) const {
        return cross_entropy<Letter>(with(a, frozen(m))(letters), next);
    }
};
using train = program<models<small_base, adapter>, loss, tokens<Batch>, tokens<Batch>>;
static_assert(train::gradient_elements == parameter_elements<adapter>);
// [types]

int main() {
    // [quantize]
    parameters<network> weights;
    initialize(weights, init::torch_default{}, 1);
    parameters<small_base> frozen_base;
    quantize(weights, frozen_base);
    // [quantize]
    std::printf("%zu bytes instead of %zu\n", parameter_bytes<small_base>, parameter_bytes<network>);

    tensor<std::int32_t, Batch> letters, next;
    for (std::size_t i = 0; i < letters.size(); ++i) {
        letters.data()[i] = static_cast<std::int32_t>(i);
        next.data()[i] = static_cast<std::int32_t>(i * 7 % 40);
    }
    // [train]
    parameters<adapter> delta;
    initialize_adapter(delta, 1);
    train step;
    adamw_8bit<train, 1> optimiser({.weight_decay = 0, .least_elements = 512});
    for (int i = 0; i < 100; ++i) {
        step.value_and_grad(frozen_base, delta, letters, next);
        optimiser.step(delta, step, 1e-2);
    }
    // [train]
    const float tuned = step.value_and_grad(frozen_base, delta, letters, next);
    std::printf("tuned: %s\n", tuned < 0.1f ? "yes" : "no");

    // [merge]
    auto merged = merge(dequantize(frozen_base), delta);
    const quantization_error added = requantize(merged.weights(), frozen_base);
    // [merge]
    std::printf("the merged weights changed by %s than 10 %% when they were stored\n",
                added.relative < 0.1 ? "less" : "more");

    const auto path = std::filesystem::temp_directory_path() / "tenet_quantized.safetensors";
    // [files]
    save_quantized(path, frozen_base);
    parameters<small_base> read;
    load_quantized(path, read);
    // [files]
    std::filesystem::remove(path);
    return 0;
}
