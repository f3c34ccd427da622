// SPDX-License-Identifier: MIT
// Which of the compiled models a file of weights is of: told by its header.
#include <algorithm>
#include <charconv>

#include <tenet/base/exception.hpp>
#include <tenet/io/llama2c_file.hpp>
#include <tenet/io/safetensors_sharded_reader.hpp>

#include "sizes.hpp"

namespace generate {
namespace {

using namespace tenet;

template <class Config>
model_sizes gpt2_sizes() {
    return {"gpt2",        Config::layers,  Config::width,     4 * Config::width,
            Config::width, Config::context, Config::vocabulary};
}
template <class Config>
model_sizes llama_sizes() {
    return {"llama",
            Config::layers,
            Config::width,
            Config::hidden,
            Config::width / Config::heads * Config::key_heads,
            Config::context,
            Config::vocabulary};
}

struct known_model {
    model_sizes sizes;
    std::unique_ptr<language_model> (*make)();
};
std::vector<known_model> known_models() {
    return {{gpt2_sizes<gpt2_small>(), &make_gpt2_small},         {gpt2_sizes<gpt2_medium>(), &make_gpt2_medium},
            {gpt2_sizes<gpt2_large>(), &make_gpt2_large},         {gpt2_sizes<gpt2_xl>(), &make_gpt2_xl},
            {llama_sizes<dreams_260k>(), &make_llama_dreams},     {llama_sizes<llama_stories_260k>(), &make_llama_260k},
            {llama_sizes<llama_stories_15m>(), &make_llama_15m},  {llama_sizes<llama_stories_42m>(), &make_llama_42m},
            {llama_sizes<llama_stories_110m>(), &make_llama_110m}};
}

// A safetensors file has no number of heads and, for a Llama, no context: the sizes of its matrices must do.
bool same(model_sizes const& file, model_sizes const& known) {
    return file.family == known.family && file.layers == known.layers && file.width == known.width &&
           file.hidden == known.hidden && file.keys == known.keys && file.vocabulary == known.vocabulary &&
           (file.context == 0 || file.context == known.context);
}

// The extent `axis` of the tensor whose name ends with `end`, or 0.
std::size_t extent_of(safetensors::sharded_reader const& file, std::string_view end, std::size_t axis) {
    for (auto const& t : file.tensors())
        if (t.name.ends_with(end) && axis < t.shape.size()) return t.shape[axis];
    return 0;
}

// One more than the greatest number after `before` in a name.
std::size_t layers_of(safetensors::sharded_reader const& file, std::string_view before) {
    std::size_t layers = 0;
    for (auto const& t : file.tensors()) {
        const std::size_t at = t.name.find(before);
        if (at == std::string::npos) continue;
        std::size_t layer = 0;
        const char* const digits = t.name.data() + at + before.size();
        if (std::from_chars(digits, t.name.data() + t.name.size(), layer).ec == std::errc{})
            layers = std::max(layers, layer + 1);
    }
    return layers;
}

}  // namespace

std::string model_sizes::text() const {
    const auto n = [](std::size_t i) { return std::to_string(i); };
    return family + ", " + n(layers) + " layers, width " + n(width) + ", hidden " + n(hidden) + ", keys " + n(keys) +
           (context == 0 ? "" : ", context " + n(context)) + ", vocabulary " + n(vocabulary);
}

model_sizes sizes_of(std::filesystem::path const& weights) {
    if (weights.extension() == ".bin") {
        const llama2c_sizes s = llama2c_file(weights).sizes();
        return {"llama", s.layers, s.width, s.hidden, s.width / s.heads * s.key_heads, s.context, s.vocabulary};
    }
    const safetensors::sharded_reader file(weights, safetensors::total_size::may_differ);
    if (extent_of(file, "embed_tokens.weight", 0) != 0)
        return {"llama",
                layers_of(file, "layers."),
                extent_of(file, "embed_tokens.weight", 1),
                extent_of(file, "mlp.gate_proj.weight", 0),
                extent_of(file, "self_attn.k_proj.weight", 0),
                0,
                extent_of(file, "embed_tokens.weight", 0)};
    const std::size_t width = extent_of(file, "wte.weight", 1);
    return {"gpt2",
            layers_of(file, "h."),
            width,
            extent_of(file, "mlp.c_fc.weight", 1),
            width,
            extent_of(file, "wpe.weight", 0),
            extent_of(file, "wte.weight", 0)};
}

std::unique_ptr<language_model> open_model(std::filesystem::path const& weights, std::string const& family) {
    const model_sizes found = sizes_of(weights);
    std::string expected = "weights of a model that this program holds:";
    for (known_model const& known : known_models()) {
        expected += "\n  " + known.sizes.text();
        if (!same(found, known.sizes) || (!family.empty() && family != found.family)) continue;
        auto model = known.make();
        model->load(weights);
        return model;
    }
    if (!family.empty() && family != found.family) fail_expectation("--model", family, found.text());
    fail_expectation(weights.string(), expected, found.text());
}

}  // namespace generate
