// SPDX-License-Identifier: MIT
// Quantised parameters in files: what is in them, what comes back, what is refused; plain files read into a quantised
// block.
#define BOOST_TEST_MODULE adapt_quantized_files
#include "small_gpt.hpp"

#include "../io/temporary_folder.hpp"

#include <cstring>

#include <nlohmann/json.hpp>

#include <tenet/adapt/quantized_files.hpp>

using namespace small_gpt;
using namespace program_check;

namespace {

using four_bit = quantized<gpt, storage::nf4>;
using other_four_bit = quantized<gpt, storage::fp4>;
using all_kinds = quantized<quantized<four_bit, storage::int8, targets<"wte">>, storage::bfloat16, targets<"wpe">>;

template <class Model>
parameters<Model> quantised(unsigned seed) {
    parameters<Model> theta;
    quantize(random_parameters<gpt, float>(seed), theta);
    return theta;
}
template <class Block>
bool equal_bytes(Block const& a, Block const& b) {
    return std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0;
}
template <class T>
std::vector<T> values_of(safetensors::reader const& file, std::string_view name) {
    safetensors::tensor_entry const* const entry = file.find(name);
    BOOST_TEST_REQUIRE(entry != nullptr);
    std::vector<T> values(entry->bytes.size() / sizeof(T));
    std::memcpy(values.data(), entry->bytes.data(), entry->bytes.size());
    return values;
}
template <class F>
std::string message_of(F const& f) {
    try {
        f();
    } catch (exception const& e) {
        return e.what();
    }
    return "nothing was thrown";
}

}  // namespace

BOOST_AUTO_TEST_CASE(there_and_back) {
    temporary_folder folder;
    auto theta = quantised<all_kinds>(1);
    save_quantized(folder / "base.safetensors", theta, {{"made_by", "a test"}});
    parameters<all_kinds> read = quantised<all_kinds>(2);
    BOOST_TEST(!equal_bytes(theta, read));
    BOOST_TEST(load_quantized(folder / "base.safetensors", read)["made_by"] == "a test");
    BOOST_TEST(equal_bytes(theta, read));
}

BOOST_AUTO_TEST_CASE(names_and_bytes_are_those_of_bitsandbytes) {
    temporary_folder folder;
    auto theta = quantised<all_kinds>(1);
    save_quantized(folder / "base.safetensors", theta);
    const safetensors::reader file(folder / "base.safetensors");
    const std::string name = "h.1.mlp.c_fc.weight";  // [8, 16]
    BOOST_TEST((file.find(name)->shape == std::vector<std::size_t>{64, 1}));
    BOOST_TEST(file.find(name)->dtype == "U8");
    BOOST_TEST(file.find(name + ".absmax")->dtype == "U8");
    BOOST_TEST(file.find(name + ".nested_absmax")->dtype == "F32");
    const auto text = values_of<char>(file, name + ".quant_state.bitsandbytes__nf4");
    const auto state = nlohmann::json::parse(text.begin(), text.end());
    BOOST_TEST(state["quant_type"] == "nf4");
    BOOST_TEST(state["blocksize"] == 64);
    BOOST_TEST(state["nested_blocksize"] == 256);
    BOOST_TEST(state["dtype"] == "float32");
    BOOST_TEST((state["shape"] == nlohmann::json{8, 16}));

    // bitsandbytes' dequantize_4bit over what the file holds.
    const auto packed = values_of<std::uint8_t>(file, name), scales = values_of<std::uint8_t>(file, name + ".absmax");
    const auto nested = values_of<float>(file, name + ".nested_absmax");
    const auto map = values_of<float>(file, name + ".nested_quant_map"),
               codes = values_of<float>(file, name + ".quant_map");
    const float offset = state["nested_offset"].get<float>();
    auto plain = dequantize(theta);
    const std::span<float> weight = plain.span(name);
    for (std::size_t i = 0; i < weight.size(); ++i) {
        const float absmax = map[scales[i / 64]] * nested[i / 64 / 256] + offset;
        const float w = codes[i % 2 == 0 ? packed[i / 2] >> 4 : packed[i / 2] & 15] * absmax;
        BOOST_TEST(std::fabs(w - weight[i]) <= 1e-6f * std::fabs(w));
    }

    // int8: the layer's scales and the layout; a table of 11 rows.
    const auto rows = values_of<std::int8_t>(file, "wte.weight");
    const auto absmax = values_of<float>(file, "wte.SCB");
    BOOST_TEST(absmax.size() == 11u);
    BOOST_TEST(values_of<std::uint8_t>(file, "wte.weight_format").at(0) == 0);
    const std::span<float> table = plain.span("wte.weight");
    for (std::size_t i = 0; i < table.size(); ++i)
        BOOST_TEST(std::fabs(static_cast<float>(rows[i]) * absmax[i / 8] / 127 - table[i]) < 1e-6f);
    BOOST_TEST(file.find("wpe.weight")->dtype == "BF16");
    BOOST_TEST(file.find("h.0.ln_1.weight")->dtype == "F32");
}

BOOST_AUTO_TEST_CASE(other_formats_are_refused) {
    temporary_folder folder;
    auto theta = quantised<four_bit>(1);
    save_quantized(folder / "nf4", theta);
    parameters<other_four_bit> wrong = quantised<other_four_bit>(2);
    const auto before = wrong;
    std::string message = message_of([&] { load_quantized(folder / "nf4", wrong); });
    BOOST_TEST(message.find("missing: \"h.0.attn.c_attn.weight.quant_state.bitsandbytes__fp4\"") != std::string::npos);
    BOOST_TEST(message.find("unexpected: \"h.0.attn.c_attn.weight.quant_state.bitsandbytes__nf4\"") !=
               std::string::npos);
    BOOST_TEST(equal_bytes(wrong, before));

    // The same file with another block size, and with another map.
    const safetensors::reader file(folder / "nf4");
    for (std::string const& change : {std::string("quant_state"), std::string("nested_quant_map")}) {
        std::vector<named_array> arrays;
        std::vector<std::vector<std::byte>> memory;
        for (auto const& tensor : file.tensors()) {
            memory.emplace_back(tensor.bytes.begin(), tensor.bytes.end());
            if (tensor.name.starts_with("h.1.mlp.c_fc.weight." + change)) {
                auto& bytes = memory.back();
                std::string text(reinterpret_cast<char const*>(bytes.data()), bytes.size());
                if (change == "quant_state") text.replace(text.find("\"blocksize\":64"), 14, "\"blocksize\":32");
                else text[40] = static_cast<char>(text[40] ^ 1);
                std::memcpy(bytes.data(), text.data(), bytes.size());
            }
            const dtype type = tensor.dtype == "F32" ? dtype::float32 : dtype::uint8;
            arrays.push_back({tensor.name, type, tensor.shape, memory.back().data()});
        }
        safetensors::write(folder / "changed", arrays);
        parameters<four_bit> read = quantised<four_bit>(3);
        const auto kept = read;
        message = message_of([&] { load_quantized(folder / "changed", read); });
        BOOST_TEST(message.find("h.1.mlp.c_fc.weight." + change) != std::string::npos, message);
        if (change == "quant_state") BOOST_TEST(message.find("blocksize: expected 64, found 32") != std::string::npos);
        BOOST_TEST(equal_bytes(read, kept));
    }
}

BOOST_AUTO_TEST_CASE(plain_files_into_a_quantised_block) {
    temporary_folder folder;
    auto plain = random_parameters<gpt, float>(1);
    const auto want = quantised<all_kinds>(1);
    save_checkpoint(folder / "plain", plain);
    parameters<all_kinds> read;
    quantize_file(safetensors::reader(folder / "plain"), read);
    BOOST_TEST(equal_bytes(read, want));

    // From doubles, under other names.
    parameters<gpt, double> wide;
    std::copy_n(plain.data(), plain.size(), wide.data());
    auto arrays = file_arrays(wide);
    for (named_array& a : arrays) a.name = "transformer." + a.name;
    safetensors::write(folder / "wide", arrays);
    parameters<all_kinds> again;
    safetensors::load_options options;
    options.optional_prefixes = {"transformer."};
    quantize_file(safetensors::reader(folder / "wide"), again, options);
    BOOST_TEST(equal_bytes(again, want));

    arrays.pop_back();
    safetensors::write(folder / "less", arrays);
    const auto before = again;
    BOOST_TEST(message_of([&] {
                   quantize_file(safetensors::reader(folder / "less"), again, options);
               }).find("missing: \"ln_f.bias\"") != std::string::npos);
    BOOST_TEST(equal_bytes(again, before));
}

BOOST_AUTO_TEST_CASE(stored_parameters_are_no_numbers) {
    auto theta = quantised<four_bit>(1);
    BOOST_TEST(message_of([&] { theta.span("h.0.mlp.c_fc.weight"); }).find("which is quantized") != std::string::npos);
    const named_array record = theta.array("h.0.mlp.c_fc.weight");
    BOOST_TEST((record.type == dtype::uint8));
    BOOST_TEST(record.size() == 128 / 2 + 2 + 4 + 4u);
    BOOST_TEST(theta.span("h.0.mlp.c_fc.bias").size() == 16u);
}
