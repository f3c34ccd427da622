// SPDX-License-Identifier: MIT
// Files of pretrained models: names with and without prefixes, masks, tied heads, transposition, llama2.c, complaints.
#define BOOST_TEST_MODULE models_files
#include <boost/test/unit_test.hpp>

#include <cstring>
#include <numeric>

#include <tenet/io/atomic_file.hpp>
#include <tenet/io/safetensors_sharded_writer.hpp>
#include <tenet/models/gpt2_files.hpp>
#include <tenet/models/llama_files.hpp>

#include "../io/temporary_folder.hpp"

using namespace tenet;

namespace {

struct tiny_gpt2 {
    static constexpr std::size_t layers = 2, heads = 2, width = 4, context = 3, vocabulary = 5;
};
struct tiny_llama {
    static constexpr std::size_t layers = 2, heads = 4, key_heads = 2, width = 16, hidden = 6, context = 4,
                                 vocabulary = 5;
    static constexpr bool tied_head = true;
    static constexpr rotary_pairs pairs = rotary_pairs::interleaved;
    static constexpr double rotary_base = 10000, norm_eps = 1e-5;
};
struct untied_llama : tiny_llama {
    static constexpr bool tied_head = false;
};
struct llama_of_halves : tiny_llama {
    static constexpr rotary_pairs pairs = rotary_pairs::halves;
};

static_assert(parameter_count<gpt2<gpt2_small>> == 124'439'808);
static_assert(parameter_count<gpt2<gpt2_medium>> == 354'823'168);
static_assert(parameter_count<gpt2<gpt2_large>> == 774'030'080);
static_assert(parameter_count<gpt2<gpt2_xl>> == 1'557'611'200);
static_assert(parameter_count<llama<llama_stories_15m>> == 15'191'712);

template <class Model>
parameters<Model> numbered() {
    parameters<Model> theta;
    float next = 0;
    for (named_array const& a : theta.arrays())
        for (std::size_t i = 0; i < a.size(); ++i) static_cast<float*>(a.data)[i] = next += 0.25f;
    return theta;
}
template <class Model>
bool same(parameters<Model> const& a, parameters<Model> const& b) {
    return std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0;
}

std::string message_of(auto const& f) {
    try {
        f();
    } catch (exception const& e) {
        return e.what();
    }
    return "no exception";
}
void expect_contains(std::string const& text, std::string const& part) {
    BOOST_TEST(text.find(part) != text.npos, "expected \"" << part << "\" in\n" << text);
}

// A llama2.c file of the given weights, tensor by tensor.
std::string llama2c_bytes(std::vector<std::int32_t> const& header, std::vector<std::vector<float>> const& tensors) {
    std::string bytes(reinterpret_cast<char const*>(header.data()), 4 * header.size());
    for (auto const& t : tensors) bytes.append(reinterpret_cast<char const*>(t.data()), 4 * t.size());
    return bytes;
}
std::span<std::byte const> as_bytes(std::string const& s) {
    return std::as_bytes(std::span(s.data(), s.size()));
}

// The same numbers as a file of llama2.c and by their names.
struct llama_numbers {
    static constexpr std::size_t L = 2, D = 16, H = 6, K = 8, V = 5, T = 4;
    std::vector<std::vector<float>> tensors;
    float next = 0;

    explicit llama_numbers(bool own_head = false) {
        for (std::size_t n : {V * D, L * D, L * D * D, L * K * D, L * K * D, L * D * D, L * D, L * H * D, L * D * H,
                              L * H * D, D, T * (D / 4 / 2), T * (D / 4 / 2)})
            add(n);
        if (own_head) add(V * D);
    }
    void add(std::size_t n) {
        tensors.emplace_back(n);
        for (float& x : tensors.back()) x = next += 0.5f;
    }
    float const* at(std::size_t tensor, std::size_t layer, std::size_t size) const {
        return tensors[tensor].data() + layer * size;
    }
};

}  // namespace

BOOST_AUTO_TEST_CASE(a_saved_gpt2_is_read_back) {
    const temporary_folder folder;
    auto theta = numbered<gpt2<tiny_gpt2>>();
    save_gpt2(folder / "model.safetensors", theta);
    const safetensors::reader file(folder / "model.safetensors");
    BOOST_TEST(file.metadata().at("format") == "pt");
    BOOST_TEST_REQUIRE(file.find("h.1.attn.c_attn.weight") != nullptr);
    BOOST_TEST((file.find("h.1.attn.c_attn.weight")->shape == std::vector<std::size_t>{4, 12}));
    BOOST_TEST((file.find("h.0.attn.c_attn.bias")->shape == std::vector<std::size_t>{12}));
    BOOST_TEST(file.find("lm_head.weight") == nullptr);
    parameters<gpt2<tiny_gpt2>> again;
    load_gpt2(folder / "model.safetensors", again);
    BOOST_TEST(same(theta, again));
}

BOOST_AUTO_TEST_CASE(an_index_may_count_a_tied_tensor_twice) {
    const temporary_folder folder;
    const auto index = folder / "model.safetensors.index.json";
    // A total_size that is too large by the bytes of the embedding.
    const auto write = [&](std::span<named_array const> arrays) {
        safetensors::write_sharded(index, arrays, {{"format", "pt"}}, 256);
        std::string text = read_file(index);
        std::size_t all = 0, at = text.find("\"total_size\": ");
        BOOST_TEST_REQUIRE(at != text.npos);
        for (named_array const& a : arrays) all += 4 * a.size();
        const std::string number = std::to_string(all);
        BOOST_TEST_REQUIRE(text.substr(at + 14, number.size()) == number);
        text.replace(at + 14, number.size(), std::to_string(all + 4 * arrays[0].size()));
        write_file(index, text);
        BOOST_CHECK_THROW(safetensors::sharded_reader{index}, exception);
    };
    auto theta = numbered<gpt2<tiny_gpt2>>();
    parameters<gpt2<tiny_gpt2>> again;
    write(file_arrays(theta));
    load_gpt2(index, again);
    BOOST_TEST(same(theta, again));

    auto llama_theta = numbered<llama<llama_of_halves>>();
    parameters<llama<llama_of_halves>> llama_again;
    write(file_arrays(llama_theta));
    load_llama(index, llama_again);
    BOOST_TEST(same(llama_theta, llama_again));
}

BOOST_AUTO_TEST_CASE(prefixes_masks_and_a_tied_head_are_accepted) {
    const temporary_folder folder;
    auto theta = numbered<gpt2<tiny_gpt2>>();
    std::vector<named_array> all = file_arrays(theta);
    float* const wte = static_cast<float*>(all[0].data);
    BOOST_TEST_REQUIRE(all[0].name == "wte.weight");
    for (named_array& a : all) a.name.insert(0, "transformer.");
    std::vector<float> mask(9), number(1);
    all.push_back({"transformer.h.0.attn.bias", dtype::float32, {1, 1, 3, 3}, mask.data()});
    all.push_back({"transformer.h.1.attn.masked_bias", dtype::float32, {}, number.data()});
    all.push_back({"lm_head.weight", dtype::float32, {5, 4}, wte});
    safetensors::write(folder / "whole", all, {});
    parameters<gpt2<tiny_gpt2>> again;
    load_gpt2(folder / "whole", again);
    BOOST_TEST(same(theta, again));

    // Only under the head's name.
    all.erase(all.begin());
    safetensors::write(folder / "head", all, {});
    parameters<gpt2<tiny_gpt2>> from_head;
    load_gpt2(folder / "head", from_head);
    BOOST_TEST(same(theta, from_head));
}

BOOST_AUTO_TEST_CASE(a_head_that_is_not_tied_is_refused) {
    const temporary_folder folder;
    auto theta = numbered<gpt2<tiny_gpt2>>();
    std::vector<named_array> all = file_arrays(theta);
    std::vector<float> other(20, 1.0f);
    all.push_back({"lm_head.weight", dtype::float32, {5, 4}, other.data()});
    safetensors::write(folder / "file", all, {});
    parameters<gpt2<tiny_gpt2>> again;
    expect_contains(message_of([&] { load_gpt2(folder / "file", again); }),
                    "tied: expected \"lm_head.weight\" equal to \"wte.weight\"");
    BOOST_TEST(std::all_of(again.data(), again.data() + again.size(), [](float x) { return x == 0; }));
}

BOOST_AUTO_TEST_CASE(all_mismatches_are_listed_at_once) {
    const temporary_folder folder;
    auto theta = numbered<gpt2<tiny_gpt2>>();
    std::vector<named_array> all = file_arrays(theta);
    std::vector<std::int32_t> integers(4);
    for (named_array& a : all) {
        if (a.name == "ln_f.bias") a = {a.name, dtype::int32, {4}, integers.data()};
        if (a.name == "h.0.mlp.c_fc.weight") a.shape = {16, 4};
        if (a.name == "wpe.weight") a.name = "positions";
    }
    safetensors::write(folder / "file", all, {});
    parameters<gpt2<tiny_gpt2>> again;
    const std::string message = message_of([&] { load_gpt2(folder / "file", again); });
    expect_contains(message, "4 mismatches");
    expect_contains(message, "missing: \"wpe.weight\" [3, 4]");
    expect_contains(message, "unexpected: \"positions\" [3, 4]");
    expect_contains(message, "dtype of \"ln_f.bias\": expected F32, found I32");
    expect_contains(message, "shape of \"h.0.mlp.c_fc.weight\": expected [4, 16], found [16, 4]");
}

BOOST_AUTO_TEST_CASE(transposed_tensors_are_turned) {
    const temporary_folder folder;
    std::vector<float> from(6), other{7, 8};
    std::iota(from.begin(), from.end(), 1.0f);  // [2, 3]: 1 2 3; 4 5 6
    const std::vector<named_array> written{{"a.weight", dtype::float32, {2, 3}, from.data()},
                                           {"b", dtype::float32, {2}, other.data()}};
    safetensors::write(folder / "file", written, {});
    std::vector<float> to(6), b(2);
    std::vector<double> wide(6);
    safetensors::load_options options;
    options.transposed = {"*.weight"};
    const safetensors::reader file(folder / "file");
    safetensors::load(
        file,
        std::vector<named_array>{{"a.weight", dtype::float32, {3, 2}, to.data()}, {"b", dtype::float32, {2}, b.data()}},
        options);
    BOOST_TEST((to == std::vector<float>{1, 4, 2, 5, 3, 6}));
    BOOST_TEST((b == other));
    safetensors::load(file,
                      std::vector<named_array>{{"a.weight", dtype::float64, {3, 2}, wide.data()},
                                               {"b", dtype::float32, {2}, b.data()}},
                      options);
    BOOST_TEST((wide == std::vector<double>{1, 4, 2, 5, 3, 6}));
    expect_contains(message_of([&] {
                        safetensors::load(file,
                                          std::vector<named_array>{{"a.weight", dtype::float32, {2, 3}, to.data()},
                                                                   {"b", dtype::float32, {2}, b.data()}},
                                          options);
                    }),
                    "shape of \"a.weight\": expected [3, 2], found [2, 3]");
    options.transposed = {"*"};
    expect_contains(message_of([&] {
                        safetensors::load(file,
                                          std::vector<named_array>{{"a.weight", dtype::float32, {3, 2}, to.data()},
                                                                   {"b", dtype::float32, {2}, b.data()}},
                                          options);
                    }),
                    "transposed \"b\": expected two axes");
}

BOOST_AUTO_TEST_CASE(two_tensors_that_lose_their_prefix_to_one_name_are_refused) {
    const temporary_folder folder;
    std::vector<float> x{1, 2};
    safetensors::write(
        folder / "file",
        std::vector<named_array>{{"model.a", dtype::float32, {2}, x.data()}, {"a", dtype::float32, {2}, x.data()}}, {});
    safetensors::load_options options;
    options.optional_prefixes = {"model."};
    expect_contains(message_of([&] {
                        safetensors::load(safetensors::reader(folder / "file"),
                                          std::vector<named_array>{{"a", dtype::float32, {2}, x.data()}}, options);
                    }),
                    "two tensors of the file become \"a\"");
}

BOOST_AUTO_TEST_CASE(a_llama_keeps_its_numbers_through_files_of_both_pairings) {
    const temporary_folder folder;
    const auto theta = numbered<llama<tiny_llama>>();
    save_llama(folder / "file", theta);
    const safetensors::reader file(folder / "file");
    BOOST_TEST_REQUIRE(file.find("model.layers.1.self_attn.k_proj.weight") != nullptr);
    BOOST_TEST((file.find("model.layers.1.self_attn.k_proj.weight")->shape == std::vector<std::size_t>{8, 16}));
    parameters<llama<tiny_llama>> again;
    load_llama(folder / "file", again);
    BOOST_TEST(same(theta, again));
    // Rows 0, 2, 1, 3 of a head of four elements come in the order 0, 1, 2, 3 of halves.
    parameters<llama<llama_of_halves>> halves;
    load_llama(folder / "file", halves);
    auto source = theta;
    const auto neighbours = source.span("model.layers.0.self_attn.q_proj.weight");
    const auto turned = halves.span("model.layers.0.self_attn.q_proj.weight");
    const std::size_t order[] = {0, 2, 1, 3};
    for (std::size_t row = 0; row < 16; ++row)
        for (std::size_t i = 0; i < 16; ++i)
            BOOST_REQUIRE(turned[row * 16 + i] == neighbours[(row / 4 * 4 + order[row % 4]) * 16 + i]);
}

BOOST_AUTO_TEST_CASE(a_llama2c_file_is_read_by_names) {
    const llama_numbers n;
    const std::string bytes = llama2c_bytes({16, 6, 2, 4, 2, 5, 4}, n.tensors);
    const llama2c_file file(as_bytes(bytes));
    BOOST_TEST(file.sizes().tied_head);
    BOOST_TEST(file.sizes().key_heads == 2u);
    parameters<llama<tiny_llama>> theta;
    load_llama2c(file, theta);
    const auto expect = [&](char const* name, float const* from) {
        const auto found = theta.span(name);
        BOOST_TEST(std::equal(found.begin(), found.end(), from), name);
    };
    expect("model.embed_tokens.weight", n.at(0, 0, 0));
    expect("model.layers.1.input_layernorm.weight", n.at(1, 1, 16));
    expect("model.layers.1.self_attn.q_proj.weight", n.at(2, 1, 256));
    expect("model.layers.0.self_attn.k_proj.weight", n.at(3, 0, 128));
    expect("model.layers.1.self_attn.v_proj.weight", n.at(4, 1, 128));
    expect("model.layers.1.self_attn.o_proj.weight", n.at(5, 1, 256));
    expect("model.layers.0.post_attention_layernorm.weight", n.at(6, 0, 16));
    expect("model.layers.1.mlp.gate_proj.weight", n.at(7, 1, 96));
    expect("model.layers.1.mlp.down_proj.weight", n.at(8, 1, 96));
    expect("model.layers.1.mlp.up_proj.weight", n.at(9, 1, 96));
    expect("model.norm.weight", n.at(10, 0, 0));
}

BOOST_AUTO_TEST_CASE(a_head_of_its_own_is_marked_by_a_negative_vocabulary) {
    const llama_numbers n(true);
    const std::string bytes = llama2c_bytes({16, 6, 2, 4, 2, -5, 4}, n.tensors);
    const llama2c_file file(as_bytes(bytes));
    BOOST_TEST(!file.sizes().tied_head);
    parameters<llama<untied_llama>> theta;
    load_llama2c(file, theta);
    const auto head = theta.span("lm_head.weight");
    BOOST_TEST(std::equal(head.begin(), head.end(), n.tensors.back().begin()));
    parameters<llama<tiny_llama>> tied;
    expect_contains(message_of([&] { load_llama2c(file, tied); }), "tied: expected \"lm_head.weight\"");
}

BOOST_AUTO_TEST_CASE(broken_llama2c_files_are_refused_with_one_message) {
    const llama_numbers n;
    const std::vector<std::int32_t> good{16, 6, 2, 4, 2, 5, 4};
    const auto message = [&](std::vector<std::int32_t> header, std::ptrdiff_t longer = 0) {
        std::string bytes = llama2c_bytes(header, n.tensors);
        bytes.resize(static_cast<std::size_t>(static_cast<std::ptrdiff_t>(bytes.size()) + longer));
        return message_of([&] { llama2c_file file(as_bytes(bytes)); });
    };
    const auto changed = [&](std::size_t i, std::int32_t value) {
        std::vector<std::int32_t> header = good;
        header[i] = value;
        return header;
    };
    BOOST_TEST(message(good) == "no exception");
    expect_contains(message(good, -1), "bytes of weights for the sizes in its header");
    expect_contains(message(good, 4), "bytes of weights for the sizes in its header");
    expect_contains(message(changed(0, 0)), "expected a positive width, found 0");
    expect_contains(message(changed(2, -2)), "expected a positive number of layers, found -2");
    expect_contains(message(changed(3, 3)), "heads that divide the width");
    expect_contains(message(changed(4, 3)), "multiple of the heads of keys");
    expect_contains(message(changed(5, std::numeric_limits<std::int32_t>::min())), "vocabulary");
    constexpr std::int32_t most = std::numeric_limits<std::int32_t>::max();
    expect_contains(message({most - 1, most, most, 1, 1, most, most}), "products fit");
    expect_contains(message({0x616b3432, 1, 1, 1, 1, 1, 1}), "a later version");
    expect_contains(message_of([] { llama2c_file file(std::span<std::byte const>{}); }), "header of 28 bytes");
}

BOOST_AUTO_TEST_CASE(a_llama2c_file_of_other_sizes_is_refused) {
    const llama_numbers n;
    std::vector<std::int32_t> header{16, 6, 2, 8, 4, 5, 8};  // the same number of floats in all
    const std::string bytes = llama2c_bytes(header, n.tensors);
    parameters<llama<tiny_llama>> theta;
    expect_contains(message_of([&] { load_llama2c(llama2c_file(as_bytes(bytes)), theta); }),
                    "4 heads and a context of 4");
}
