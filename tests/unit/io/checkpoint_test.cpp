// SPDX-License-Identifier: MIT
// Checkpoints: what is in the file, what comes back, and what is refused.
#define BOOST_TEST_MODULE io_checkpoint
#include <boost/test/unit_test.hpp>

#include <cstring>

#include <tenet/io/checkpoint.hpp>
#include <tenet/io/safetensors_sharded_writer.hpp>

#include "temporary_folder.hpp"

using namespace tenet;

namespace {

struct In : axis<4> {};
struct Heads : axis<2> {};
struct HeadDim : axis<3> {};
struct Other : axis<5> {};

template <class Left>
struct projection {
    static constexpr int contracted_axes = 1;
    parameter<Left, Heads, HeadDim> weight;
    parameter<Heads, HeadDim> bias;
};
struct layer {
    projection<In> c_attn;
};
struct model {
    parameter<In> scale;
    stack<layer, 2> h;
};
struct another_model {
    parameter<Other> scale;
    stack<layer, 2> h;
    parameter<In> extra;
};

parameters<model> some_values(float from) {
    parameters<model> theta;
    for (named_array const& a : theta.arrays())
        for (std::size_t k = 0; k < a.size(); ++k) static_cast<float*>(a.data)[k] = from += 0.125f;
    return theta;
}

// An optimiser's state as `arrays()` hands it over.
struct moments {
    std::int64_t step = 0;
    std::vector<float> scale = std::vector<float>(4);

    std::vector<named_array> arrays() {
        return {{"step", dtype::int64, {}, &step}, {"m.scale", dtype::float32, {4}, scale.data()}};
    }
};

bool same_bits(parameters<model> const& a, parameters<model> const& b) {
    return std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0;
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_file_has_the_names_and_shapes_of_checkpoints) {
    const temporary_folder folder;
    parameters<model> theta = some_values(1);
    moments state{7, {1, 2, 3, 4}};
    save_checkpoint(folder / "a.safetensors", theta, state.arrays(), {{"seed", "1"}});

    const safetensors::reader file(folder / "a.safetensors");
    BOOST_TEST(file.tensors().size() == 1 + 2 * 2 + 2);
    BOOST_TEST((file.find("scale")->shape == std::vector<std::size_t>{4}));
    BOOST_TEST((file.find("h.1.c_attn.weight")->shape == std::vector<std::size_t>{4, 6}));
    BOOST_TEST((file.find("h.0.c_attn.bias")->shape == std::vector<std::size_t>{6}));
    BOOST_TEST(file.find("optimizer.m.scale")->dtype == "F32");
    BOOST_TEST(file.find("optimizer.step")->dtype == "I64");
    BOOST_TEST(file.metadata().at("seed") == "1");
    BOOST_TEST((read_checkpoint_metadata(folder / "a.safetensors") == checkpoint_metadata{{"seed", "1"}}));
}

BOOST_AUTO_TEST_CASE(everything_comes_back) {
    const temporary_folder folder;
    parameters<model> theta = some_values(-3), weights_only;
    moments state{7, {1, 2, 3, 4}};
    save_checkpoint(folder / "a.safetensors", theta, state.arrays(), {{"step", "7"}});

    parameters<model> back;
    moments state_back;
    const auto metadata = load_checkpoint(folder / "a.safetensors", back, state_back.arrays());
    BOOST_TEST(same_bits(theta, back));
    BOOST_TEST(state_back.step == 7);
    BOOST_TEST(state_back.scale == state.scale, boost::test_tools::per_element());
    BOOST_TEST((metadata == checkpoint_metadata{{"step", "7"}}));

    load_checkpoint(folder / "a.safetensors", weights_only);
    BOOST_TEST(same_bits(theta, weights_only));
}

BOOST_AUTO_TEST_CASE(a_checkpoint_may_be_several_files) {
    const temporary_folder folder;
    parameters<model> theta = some_values(5), back;
    const auto index = folder / "a.safetensors.index.json";
    safetensors::write_sharded(index, file_arrays(theta), {{"step", "3"}}, 64);
    BOOST_TEST(folder.file_count() > 2u);
    BOOST_TEST(load_checkpoint(index, back).at("step") == "3");
    BOOST_TEST(same_bits(theta, back));
    BOOST_TEST(read_checkpoint_metadata(index).at("step") == "3");
}

BOOST_AUTO_TEST_CASE(a_file_without_state_does_not_continue_a_run) {
    const temporary_folder folder;
    parameters<model> theta = some_values(2), back;
    moments state;
    save_checkpoint(folder / "a.safetensors", theta);
    BOOST_CHECK_EXCEPTION(load_checkpoint(folder / "a.safetensors", back, state.arrays()), exception,
                          says("missing: \"optimizer.m.scale\""));
    BOOST_TEST(same_bits(back, parameters<model>{}));
}

BOOST_AUTO_TEST_CASE(every_mismatch_is_in_one_message) {
    const temporary_folder folder;
    parameters<model> theta = some_values(2);
    save_checkpoint(folder / "a.safetensors", theta);
    parameters<another_model> other;
    try {
        load_checkpoint(folder / "a.safetensors", other);
        BOOST_ERROR("expected an exception");
    } catch (exception const& e) {
        BOOST_TEST(says("found 2 mismatches")(e));
        BOOST_TEST(says("shape of \"scale\": expected [5], found [4]")(e));
        BOOST_TEST(says("\"extra\"")(e));
    }
    for (std::size_t i = 0; i < other.size(); ++i) BOOST_TEST(other.data()[i] == 0.0f);
}

BOOST_AUTO_TEST_CASE(a_failed_save_leaves_the_old_file) {
    const temporary_folder folder;
    parameters<model> theta = some_values(2), back;
    save_checkpoint(folder / "a.safetensors", theta, {}, {{"step", "1"}});
    // A name twice cannot be saved.
    moments state;
    auto twice = state.arrays();
    twice.push_back(twice.back());
    BOOST_CHECK_THROW(save_checkpoint(folder / "a.safetensors", theta, twice, {{"step", "2"}}), exception);
    BOOST_TEST(load_checkpoint(folder / "a.safetensors", back).at("step") == "1");
    BOOST_TEST(folder.file_count() == 1u);
}
