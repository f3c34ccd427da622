// SPDX-License-Identifier: MIT
// What `checkpoint describe --cpp` prints compiles, and its parameters have the file's names and shapes: the headers
// and files are made by declared_models_make while this is built.
#define BOOST_TEST_MODULE io_declared_models
#include <boost/test/unit_test.hpp>

#include <map>
#include <string>
#include <vector>

#include <gpt2_like.hpp>
#include <gpt2_without_heads.hpp>
#include <llama_like.hpp>
#include <llama_without_heads.hpp>
#include <nested_stacks.hpp>
#include <odd_names.hpp>
#include <perceptron.hpp>
#include <tenet/io/checkpoint.hpp>

namespace {

using shapes = std::map<std::string, std::vector<std::size_t>>;

// The tensors of the file but for `aside`, and those of the model: they must be the same, and load.
template <class Model>
void check(std::string const& name, std::vector<std::string> const& aside, std::size_t expected) {
    const tenet::safetensors::reader file(std::string(TENET_DECLARED_MODELS) + "/" + name + ".safetensors");
    tenet::parameters<Model> theta;
    shapes of_file, of_model;
    for (auto const& tensor : file.tensors()) of_file[tensor.name] = tensor.shape;
    std::erase_if(of_file, [&](auto const& tensor) {
        return std::any_of(aside.begin(), aside.end(), [&](std::string const& pattern) {
            return tenet::safetensors::detail::matches(pattern, tensor.first);
        });
    });
    const auto arrays = tenet::file_arrays(theta);
    for (auto const& array : arrays) of_model[array.name] = array.shape;
    BOOST_TEST(of_model.size() == arrays.size());
    BOOST_TEST(of_model.size() == expected);
    BOOST_TEST((of_model == of_file));
    for (auto const& [tensor, shape] : of_file)
        if (!of_model.contains(tensor)) BOOST_ERROR("the model has no " << tensor);
    for (auto const& [tensor, shape] : of_model)
        if (!of_file.contains(tensor)) BOOST_ERROR("the file has no " << tensor);
    tenet::safetensors::load_options options;
    options.ignore_extra = aside;
    tenet::safetensors::load(file, arrays, options);
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_file_like_gpt2s) {
    const std::vector<std::string> aside{"h.*.attn.bias", "h.*.attn.masked_bias", "optimizer.*"};
    check<gpt2_like::model>("gpt2_like", aside, 2 + 3 * 12 + 2);
    check<gpt2_without_heads::model>("gpt2_without_heads", aside, 2 + 3 * 12 + 2);
    static_assert(
        std::is_same_v<decltype(gpt2_like::model::wte), tenet::nn::embedding<gpt2_like::Vocab, gpt2_like::Embed>>);
    static_assert(std::is_same_v<decltype(gpt2_like::model::h), tenet::stack<gpt2_like::block, 3>>);
    static_assert(gpt2_like::Heads::capacity == 3 && gpt2_like::HeadDim::capacity == 4);
    static_assert(gpt2_like::Time::capacity == 10 && gpt2_like::Hidden::capacity == 48);
    using namespace tenet;
    static_assert(
        std::is_same_v<decltype(gpt2_like::attn_layer::c_attn),
                       nn::linear<axes<gpt2_like::Embed>, axes<nn::QKV, gpt2_like::Heads, gpt2_like::HeadDim>>>);
    static_assert(std::is_same_v<decltype(gpt2_like::mlp_layer::c_proj),
                                 nn::linear<axes<gpt2_like::Hidden>, axes<gpt2_like::Embed>>>);
}

BOOST_AUTO_TEST_CASE(a_file_like_llamas) {
    const std::vector<std::string> aside{"*.inv_freq"};
    check<llama_like::network>("llama_like", aside, 1 + 11 * 9 + 2);
    check<llama_without_heads::network>("llama_without_heads", aside, 1 + 11 * 9 + 2);
    using namespace tenet;
    static_assert(std::is_same_v<decltype(llama_like::self_attn_layer::k_proj),
                                 nn::linear<axes<llama_like::Embed>, axes<llama_like::KeyHeads, llama_like::HeadDim>,
                                            nn::no_bias, nn::weight_layout::out_in>>);
    static_assert(llama_like::KeyHeads::capacity == 2);
    static_assert(
        std::is_same_v<
            decltype(llama_like::network::lm_head),
            nn::linear<axes<llama_like::Embed>, axes<llama_like::Vocab>, nn::no_bias, nn::weight_layout::out_in>>);
    static_assert(std::is_same_v<decltype(llama_like::block::input_layernorm), nn::rms_norm<llama_like::Embed>>);
}

BOOST_AUTO_TEST_CASE(layers_of_pytorch) {
    check<perceptron::model>("perceptron", {"bn.num_batches_tracked"}, 8);
    using namespace tenet;
    // The output of one layer is the input of the next, as far as sizes tell.
    static_assert(
        std::is_same_v<decltype(perceptron::model::fc3), nn::linear<axes<perceptron::Fc2Out>, axes<perceptron::Fc3Out>,
                                                                    nn::with_bias, nn::weight_layout::out_in>>);
}

BOOST_AUTO_TEST_CASE(names_that_are_no_identifiers) {
    check<odd_names::model>("odd_names", {}, 24);
}

BOOST_AUTO_TEST_CASE(stacks_in_stacks) {
    check<nested_stacks::model>("nested_stacks", {}, 6 * 3 + 4);
    static_assert(std::is_same_v<decltype(nested_stacks::model::embedding),
                                 tenet::nn::embedding<nested_stacks::Vocab, nested_stacks::Embed>>);
}
