// SPDX-License-Identifier: MIT
// Pretrained models: types made of configurations, files, complaints, a model of one's own with a marked time axis.
#include <tenet/models/gpt2_files.hpp>
#include <tenet/models/llama_files.hpp>
#include <tenet/nn/init.hpp>
#include <tenet/program/program.hpp>

#include <cstdio>
#include <filesystem>

using namespace tenet;

// [types]
static_assert(parameter_count<gpt2<gpt2_small>> == 124'439'808);
static_assert(parameter_count<gpt2<gpt2_xl>> == 1'557'611'200);
// [types]

// [config]
struct tiny {
    static constexpr std::size_t layers = 2, heads = 2, width = 8, context = 16, vocabulary = 11;
};
struct tiny_llama {
    static constexpr std::size_t layers = 2, heads = 4, key_heads = 2, width = 16, hidden = 40, context = 16,
                                 vocabulary = 11;
    static constexpr bool tied_head = false;
    static constexpr rotary_pairs pairs = rotary_pairs::halves;  // as in Hugging Face's files
    static constexpr double rotary_base = 10000, norm_eps = 1e-5;
};
// [config]

// [run]
struct Batch : at_most<4> {};
struct Time : at_most<16>, sequence {};  // the mark that the model's attention looks for

using logits_of = evaluation<gpt2<tiny>, call_model, tokens<Batch, Time>, tokens<Batch, Time>>;
// [run]

// [train]
struct next_token_loss {
    constexpr auto operator()(auto const& m, auto ids, auto positions, auto targets) const {
        return cross_entropy<gpt2<tiny>::Vocab>(m(ids, positions), targets);
    }
};
struct Window : axis<16>, sequence {};  // another time axis, the same parameters
using train = program<gpt2<tiny>, next_token_loss, tokens<Batch, Window>, tokens<Window>, tokens<Batch, Window>>;
// [train]

// [layers]
struct Embed : axis<16> {};
struct KeyHeads : axis<2> {};
struct Group : axis<2> {};
struct HeadDim : axis<4> {};

struct grouped_attention {  // 4 heads of queries, 2 of keys and values
    nn::linear<axes<Embed>, axes<KeyHeads, Group, HeadDim>, nn::no_bias, nn::weight_layout::out_in> q_proj;
    nn::linear<axes<Embed>, axes<KeyHeads, HeadDim>, nn::no_bias, nn::weight_layout::out_in> k_proj, v_proj;
    constexpr auto operator()(auto x, auto positions) const {
        auto q = rotary<HeadDim>(q_proj(x), positions), k = rotary<HeadDim>(k_proj(x), positions);
        return causal_attention<sequence, HeadDim, Group>(q, k, v_proj(x));  // k and v lack the axis Group
    }
};
// [layers]

int main() {
    const std::filesystem::path folder = std::filesystem::temp_directory_path() / "tenet-pretrained-models";
    std::filesystem::create_directories(folder);
    const std::filesystem::path path = folder / "model.safetensors";
    {
        // [save]
        parameters<gpt2<tiny>> theta;
        initialize(theta, init::gpt2{}, /*seed*/ 1);
        save_gpt2(path, theta);
        // [save]
    }
    // [load]
    parameters<gpt2<tiny>> theta;
    load_gpt2(path, theta);
    logits_of run;
    tensor<std::int32_t, Batch, Time> ids(extent<Batch>(1), extent<Time>(3)), positions = ids;
    for (std::size_t i = 0; i < 3; ++i) {
        ids(0, i) = static_cast<std::int32_t>(3 + i);
        positions(0, i) = static_cast<std::int32_t>(i);
    }
    run(theta, ids, positions);
    const auto logits = run.view<0>();  // [Batch, Time, Vocab], in the program's memory
    // [load]
    std::printf("%zu %zu %zu\n", logits.extents()[0], logits.extents()[1], logits.extents()[2]);
    // [wrong]
    try {
        parameters<llama<tiny_llama>> other;
        load_llama(path, other);
    } catch (exception const& e) {
        std::printf("%.*s\n", 76, std::string(e.what()).substr(path.string().size() + 2).c_str());
    }
    // [wrong]
    train step;
    evaluation<grouped_attention, call_model, values<Batch, Time, Embed>, tokens<Batch, Time>> attend;
    std::printf("gradients %s, activations %s\n", step.gradients().empty() ? "none" : "planned",
                attend.arena().empty() ? "none" : "planned");
    std::filesystem::remove_all(folder);
}
