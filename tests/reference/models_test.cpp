// SPDX-License-Identifier: MIT
// GPT-2 and Llama against PyTorch: logits of models whose weights are a formula of their place (make_models.py).
#define BOOST_TEST_MODULE reference_models
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>

#include <nlohmann/json.hpp>

#include <tenet/models/gpt2_files.hpp>
#include <tenet/models/llama_files.hpp>
#include <tenet/program.hpp>

using namespace tenet;

namespace {

struct tiny_gpt2 {
    static constexpr std::size_t layers = 2, heads = 2, width = 8, context = 12, vocabulary = 11;
};
struct tiny_llama {
    static constexpr std::size_t layers = 2, heads = 4, key_heads = 2, width = 16, hidden = 12, context = 12,
                                 vocabulary = 11;
    static constexpr bool tied_head = false;
    static constexpr rotary_pairs pairs = rotary_pairs::halves;
    static constexpr double rotary_base = 100, norm_eps = 1e-5;
};
struct tiny_llama_of_neighbours : tiny_llama {
    static constexpr rotary_pairs pairs = rotary_pairs::interleaved;
};
struct Batch : axis<2> {};
struct Time : axis<7>, sequence {};

nlohmann::json const& recorded() {
    static const nlohmann::json data = [] {
        const auto path = std::filesystem::path(TENET_TEST_REFERENCE).replace_filename("models.json");
        std::ifstream file(path);
        BOOST_TEST_REQUIRE(file.good(), "expected " << path);
        return nlohmann::json::parse(file);
    }();
    return data;
}

template <class Model>
void fill(parameters<Model, double>& theta) {
    std::vector<named_array> all = file_arrays(theta);
    std::sort(all.begin(), all.end(), [](auto const& a, auto const& b) { return a.name < b.name; });
    for (std::size_t k = 0; k < all.size(); ++k) {
        std::string const& name = all[k].name;
        const bool gain = name.find("norm") != name.npos || (name.find("ln_") != name.npos && name.ends_with("weight"));
        for (std::size_t i = 0; i < all[k].size(); ++i)
            static_cast<double*>(all[k].data)[i] =
                0.3 * std::sin(1.7 * static_cast<double>(k) + 0.9 * static_cast<double>(i) + 0.3) + (gain ? 1 : 0);
    }
}

template <class Model>
void expect_logits(parameters<Model, double> const& theta, char const* name) {
    tensor<std::int32_t, Batch, Time> ids, positions;
    const auto tokens_ = recorded()["tokens"].get<std::vector<std::int32_t>>();
    ids.assign(tokens_.begin(), tokens_.end());
    for (std::size_t i = 0; i < positions.size(); ++i) positions.data()[i] = static_cast<std::int32_t>(i % 7);
    evaluation_of<double, Model, call_model, tokens<Batch, Time>, tokens<Batch, Time>> run;
    run(theta, ids, positions);
    const auto found = run.template result<0>();
    const auto expected = recorded()[name].get<std::vector<double>>();
    BOOST_TEST_REQUIRE(expected.size() == found.size());
    double worst = 0;
    for (std::size_t i = 0; i < expected.size(); ++i) {
        const double error = std::fabs(found.data()[i] - expected[i]);
        if (!(error <= worst)) worst = error;
    }
    BOOST_TEST(worst <= 2e-9, name << ": greatest difference " << worst);
}

}  // namespace

BOOST_AUTO_TEST_CASE(gpt2_has_the_logits_of_pytorch) {
    parameters<gpt2<tiny_gpt2>, double> theta;
    fill(theta);
    expect_logits(theta, "gpt2");
}
BOOST_AUTO_TEST_CASE(llama_has_the_logits_of_pytorch) {
    parameters<llama<tiny_llama>, double> theta;
    fill(theta);
    expect_logits(theta, "llama");
}
BOOST_AUTO_TEST_CASE(a_llama_that_rotates_neighbours_has_them_once_its_weights_are_converted) {
    parameters<llama<tiny_llama_of_neighbours>, double> theta;
    fill(theta);
    convert_rotary_pairs(theta, rotary_pairs::halves, rotary_pairs::interleaved);
    expect_logits(theta, "llama");
}
