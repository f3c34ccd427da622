// SPDX-License-Identifier: MIT
// Adapters in PEFT's folders: names, shapes, configuration; round trips; what does not fit.
#define BOOST_TEST_MODULE adapt_adapter_files
#include "small_gpt.hpp"

#include "../io/temporary_folder.hpp"

#include <fstream>

#include <tenet/adapt.hpp>

using namespace small_gpt;
using namespace program_check;

namespace {

using linear_layers =
    lora<gpt, 2, targets<"attn.c_attn", "mlp", "wte">, lora_options{.alpha = 4, .dropout_percent = 5}>;
using parts = lora<gpt, 2, per_axis<QKV, "c_attn">>;
using whole = lora<gpt, 6, targets<"c_attn">, lora_options{.alpha = 6}>;

template <class A>
parameters<A> random_floats(unsigned seed) {
    return random_parameters<A, float>(seed);
}
template <class A>
bool equal_bytes(parameters<A> const& a, parameters<A> const& b) {
    return std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0;
}
template <class F>
std::string message_of(F&& f) {
    try {
        f();
    } catch (exception const& e) {
        return e.what();
    }
    return "";
}

}  // namespace

BOOST_AUTO_TEST_CASE(peft_layout) {
    const temporary_folder folder;
    const auto delta = random_floats<linear_layers>(3);
    save_adapter(folder.path, delta, {.base_model = "gpt2", .prefix = "base_model.model.transformer."});

    const safetensors::reader file(folder.path / "adapter_model.safetensors");
    std::map<std::string, std::vector<std::size_t>> shapes;
    for (auto const& t : file.tensors()) shapes[t.name] = t.shape;
    BOOST_TEST(shapes.size() == 2u + 2 * 6);
    using shape = std::vector<std::size_t>;
    const std::string layer = "base_model.model.transformer.h.1.";
    BOOST_TEST((shapes.at(layer + "attn.c_attn.lora_A.weight") == shape{2, 8}));
    BOOST_TEST((shapes.at(layer + "attn.c_attn.lora_B.weight") == shape{24, 2}));
    BOOST_TEST((shapes.at(layer + "mlp.c_proj.lora_A.weight") == shape{2, 16}));
    BOOST_TEST((shapes.at("base_model.model.transformer.wte.lora_embedding_A") == shape{2, 11}));
    BOOST_TEST((shapes.at("base_model.model.transformer.wte.lora_embedding_B") == shape{8, 2}));

    std::ifstream text(folder.path / "adapter_config.json");
    const auto config = nlohmann::json::parse(text);
    BOOST_TEST(config["r"] == 2);
    BOOST_TEST(config["lora_alpha"] == 4);
    BOOST_TEST(config["lora_dropout"] == 0.05);
    BOOST_TEST(config["peft_type"] == "LORA");
    BOOST_TEST(config["fan_in_fan_out"] == true);
    BOOST_TEST(config["base_model_name_or_path"] == "gpt2");
    BOOST_TEST(config["target_modules"] == nlohmann::json({"wte", "attn.c_attn", "mlp.c_fc", "mlp.c_proj"}));
}

BOOST_AUTO_TEST_CASE(round_trip) {
    const temporary_folder folder;
    const auto delta = random_floats<linear_layers>(3);
    save_adapter(folder.path, delta);
    parameters<linear_layers> again;
    load_adapter(folder.path, again);
    BOOST_TEST(equal_bytes(delta, again));
}

// Three adapters of rank 2 are one of rank 6 whose B is block-diagonal.
BOOST_AUTO_TEST_CASE(parts_become_one_adapter_of_a_larger_rank) {
    const temporary_folder folder;
    const auto delta = random_floats<parts>(3);
    save_adapter(folder.path, delta);
    std::ifstream text(folder.path / "adapter_config.json");
    auto config = nlohmann::json::parse(text);
    BOOST_TEST(config["rank_pattern"]["attn.c_attn"] == 6);
    BOOST_TEST(config["alpha_pattern"]["attn.c_attn"] == 6);
    parameters<parts> again;
    load_adapter(folder.path, again);
    BOOST_TEST(equal_bytes(delta, again));

    // The same file as an adapter of rank 6: the same function.
    config["r"] = 6, config["lora_alpha"] = 6;
    config["rank_pattern"] = config["alpha_pattern"] = nlohmann::json::object();
    std::ofstream(folder.path / "adapter_config.json") << config;
    parameters<whole> one;
    load_adapter(folder.path, one);
    const auto base = random_floats<gpt>(1);
    const auto x = random_tokens<ids>(1, 11, extent<Batch>(3)), y = random_tokens<ids>(2, 11, extent<Batch>(3));
    evaluation<models<gpt, parts>, adapted_loss, tokens<Batch, Time>, tokens<Batch, Time>> split;
    evaluation<models<gpt, whole>, adapted_loss, tokens<Batch, Time>, tokens<Batch, Time>> joined;
    BOOST_TEST(std::fabs(split(base, delta, x, y) - joined(base, one, x, y)) < 1e-5f);

    // One that mixes the parts is no adapter of each.
    for (float& b : one.span("h.0.attn.c_attn.lora_B")) b = 1;
    save_adapter(folder.path, one);
    config["r"] = 2, config["lora_alpha"] = 2;
    config["rank_pattern"]["attn.c_attn"] = config["alpha_pattern"]["attn.c_attn"] = 6;
    std::ofstream(folder.path / "adapter_config.json") << config;
    BOOST_TEST(message_of([&] { load_adapter(folder.path, again); }).find("mixes them") != std::string::npos);
    BOOST_TEST(equal_bytes(delta, again));
}

BOOST_AUTO_TEST_CASE(what_does_not_fit_is_listed_at_once) {
    const temporary_folder folder;
    save_adapter(folder.path, random_floats<whole>(3));
    parameters<linear_layers> other;
    const std::string found = message_of([&] { load_adapter(folder.path, other); });
    BOOST_TEST(found.find("r: expected 2, found 6") != std::string::npos);
    BOOST_TEST(found.find("lora_alpha: expected 4, found 6") != std::string::npos);

    save_adapter(folder.path, random_floats<linear_layers>(3));
    using fewer = lora<gpt, 2, targets<"attn.c_attn", "wte">, lora_options{.alpha = 4}>;
    parameters<fewer> some;
    BOOST_TEST(message_of([&] { load_adapter(folder.path, some); }).find("h.0.mlp.c_fc.lora_A.weight") !=
               std::string::npos);
    std::ofstream(folder.path / "adapter_config.json") << "[1";
    BOOST_TEST(message_of([&] { load_adapter(folder.path, other); }).find("a JSON object") != std::string::npos);
    BOOST_CHECK_THROW(load_adapter(folder.path / "none", other), exception);
}
