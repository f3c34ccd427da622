// SPDX-License-Identifier: MIT
// The commands of examples/checkpoint: describe, convert, diff, on files made here.
#define BOOST_TEST_MODULE io_checkpoint_commands
#include <boost/test/unit_test.hpp>

#include <array>
#include <cstdint>
#include <limits>
#include <sstream>
#include <string>
#include <vector>

#include <tenet/interop/npz.hpp>
#include <tenet/interop/npz_writer.hpp>
#include <tenet/io/elements.hpp>
#include <tenet/io/safetensors.hpp>

#include "commands.hpp"
#include "cpp_text.hpp"
#include "declaration.hpp"
#include "temporary_folder.hpp"
#include "tensor_file.hpp"

using namespace tenet;
namespace st = tenet::safetensors;

namespace {

struct some_file {
    std::array<float, 4> a{1, -2, 0.1f, 1e6f};
    std::array<std::int64_t, 2> b{std::int64_t{1} << 53, 6};
    std::array<std::uint16_t, 2> c{0x3c00, 0x4000};  // 1, 2 as binary16

    std::vector<named_array> arrays() {
        return {{"h.2.a", dtype::float32, {2, 2}, a.data()},
                {"h.10.b", dtype::int64, {2}, b.data()},
                {"c", dtype::float16, {2}, c.data()}};
    }
    std::filesystem::path write(temporary_folder const& folder, std::string const& name = "x.safetensors") {
        st::write(folder / name, arrays(), {{"format", "pt"}});
        return folder / name;
    }
};

std::string described(std::filesystem::path const& file, bool statistics = false) {
    std::ostringstream out;
    tensor_files::describe_options options;
    options.file = file;
    options.statistics = statistics;
    BOOST_TEST(tensor_files::describe(options, out) == 0);
    return out.str();
}

std::string converted(std::filesystem::path const& from, std::filesystem::path const& to, std::string const& type = "",
                      std::uint64_t shard_size = 5'000'000'000) {
    std::ostringstream out;
    BOOST_TEST(tensor_files::convert({from, to, type, shard_size}, out) == 0);
    return out.str();
}

std::pair<int, std::string> difference(std::filesystem::path const& a, std::filesystem::path const& b,
                                       double absolute = 0, double relative = 0, bool all = false) {
    std::ostringstream out;
    const int code = tensor_files::diff({a, b, absolute, relative, all}, out);
    return {code, out.str()};
}

std::string declared(std::vector<st::tensor_entry> const& tensors,
                     tensor_files::declaration_options const& options = {}) {
    return tensor_files::declare_model(tensors, "x", options);
}

}  // namespace

BOOST_AUTO_TEST_CASE(describe_prints_every_tensor) {
    temporary_folder folder;
    some_file x;
    BOOST_TEST(described(x.write(folder)) ==
               "format: pt\n"
               "tensor  dtype  shape   bytes  share\n"
               "c       F16    [2]         4  11.1%\n"
               "h.2.a   F32    [2, 2]     16  44.4%\n"
               "h.10.b  I64    [2]        16  44.4%\n"
               "3 tensors, 8 elements, 36 bytes (F16 4 bytes, F32 16 bytes, I64 16 bytes)\n");
    x.a[1] = std::numeric_limits<float>::quiet_NaN();
    x.a[3] = -std::numeric_limits<float>::infinity();
    BOOST_TEST(described(x.write(folder), true) ==
               "format: pt\n"
               "tensor  dtype  shape   bytes  share   min        max       mean\n"
               "c       F16    [2]         4  11.1%     1          2        1.5\n"
               "h.2.a   F32    [2, 2]     16  44.4%  -inf          1       0.55  1 NaN 1 infinite\n"
               "h.10.b  I64    [2]        16  44.4%     6  9.007e+15  4.504e+15\n"
               "3 tensors, 8 elements, 36 bytes (F16 4 bytes, F32 16 bytes, I64 16 bytes)\n");
    st::write(folder / "none.safetensors", {});
    BOOST_TEST(described(folder / "none.safetensors") == "0 tensors, 0 elements, 0 bytes\n");
    BOOST_CHECK_EXCEPTION(described(folder / "x.txt"), exception, says("a name that ends in .safetensors"));
}

BOOST_AUTO_TEST_CASE(describe_reads_every_kind_of_file) {
    temporary_folder folder;
    some_file x;
    st::write_sharded(folder / "m.safetensors.index.json", x.arrays(), {}, 16);
    BOOST_TEST(says("3 tensors, 8 elements")(exception(described(folder / "m.safetensors.index.json"))));
    std::string index = read_file(folder / "m.safetensors.index.json");
    index.replace(index.find("36"), 2, "99");
    write_file(folder / "m.safetensors.index.json", index);
    BOOST_TEST(says("note: total_size in the index is 99, all tensors have 36 bytes")(
        exception(described(folder / "m.safetensors.index.json"))));
    save_npz(folder / "x.npz", x.arrays());
    BOOST_TEST(says("h.10.b  I64    [2]")(exception(described(folder / "x.npz"))));
    write_file(folder / "v.npy", detail::npy_header_text(dtype::int8, std::array<std::size_t, 1>{3}, "v") + "abc");
    BOOST_TEST(
        says("v       I8     [3]        3  100.0%   97   99    98")(exception(described(folder / "v.npy", true))));
    // Names are printed without what a terminal would obey.
    float value = 0;
    st::write(folder / "y.safetensors", std::vector{named_array{"\x1b[31mred", dtype::float32, {}, &value}});
    BOOST_TEST(says("\"\\x1b[31mred\"")(exception(described(folder / "y.safetensors"))));
}

BOOST_AUTO_TEST_CASE(convert_changes_the_file_not_the_values) {
    temporary_folder folder;
    some_file x;
    const auto from = x.write(folder);
    converted(from, folder / "s.safetensors.index.json", "", 20);
    BOOST_TEST((st::sharded_reader(folder / "s.safetensors.index.json").shards().size() == 2u));
    converted(folder / "s.safetensors.index.json", folder / "back.safetensors");
    BOOST_TEST((read_file(folder / "back.safetensors") == read_file(from)));
    BOOST_TEST(says("metadata is left behind")(exception(converted(from, folder / "x.npz"))));
    BOOST_TEST((difference(from, folder / "x.npz") == std::pair<int, std::string>{0, "3 equal, 0 different\n"}));
    converted(folder / "x.npz", folder / "again.safetensors");
    BOOST_TEST(difference(from, folder / "again.safetensors").first == 0);
    // A file may become itself.
    converted(from, from, "f64");
    BOOST_TEST((st::reader(from).find("c")->dtype == "F64"));
}

BOOST_AUTO_TEST_CASE(convert_rounds_floating_tensors_only) {
    temporary_folder folder;
    some_file x;
    const auto from = x.write(folder);
    BOOST_TEST(says("3 tensors, 2 of them converted")(exception(converted(from, folder / "b.safetensors", "bf16"))));
    const st::reader file(folder / "b.safetensors");
    BOOST_TEST(file.find("h.2.a")->dtype == "BF16");
    BOOST_TEST(file.find("c")->dtype == "BF16");
    BOOST_TEST(file.find("h.10.b")->dtype == "I64");
    std::array<std::uint16_t, 4> a{};
    std::array<std::uint16_t, 2> c{};
    std::array<std::int64_t, 2> b{};
    st::load(file, std::vector<named_array>{{"h.2.a", dtype::bfloat16, {2, 2}, a.data()},
                                            {"h.10.b", dtype::int64, {2}, b.data()},
                                            {"c", dtype::bfloat16, {2}, c.data()}});
    for (std::size_t i = 0; i < 4; ++i) BOOST_TEST(a[i] == bfloat16_from_float(x.a[i]));
    BOOST_TEST((b == x.b));
    BOOST_TEST((c == std::array<std::uint16_t, 2>{0x3f80, 0x4000}));
    converted(from, folder / "h.safetensors", "f16");
    BOOST_TEST(std::isinf(float_from_float16(
        detail::element_at<std::uint16_t>(st::reader(folder / "h.safetensors").find("h.2.a")->bytes.data(), 3))));
    BOOST_CHECK_EXCEPTION(converted(from, folder / "z.npz", "bf16"), exception,
                          says("an element type that NumPy knows"));
    BOOST_CHECK_EXCEPTION(converted(from, folder / "z.safetensors", "fp8"), exception, says("f64, f32, f16 or bf16"));
    BOOST_CHECK_EXCEPTION(converted(from, folder / "z.txt"), exception, says("an output that ends in"));
    BOOST_TEST(!std::filesystem::exists(folder / "z.npz"));
}

BOOST_AUTO_TEST_CASE(diff_finds_every_difference) {
    temporary_folder folder;
    some_file x, y;
    const auto a = x.write(folder, "a.safetensors");
    BOOST_TEST((difference(a, a) == std::pair<int, std::string>{0, "3 equal, 0 different\n"}));
    y.a[1] = -2.5f;
    y.a[2] = 0.11f;
    y.b[0] += 1;  // double cannot tell
    auto arrays = y.arrays();
    arrays[2].name = "d";
    st::write(folder / "b.safetensors", arrays);
    const auto [code, text] = difference(a, folder / "b.safetensors");
    BOOST_TEST(code == 1);
    BOOST_TEST(text ==
               "- \"c\" F16 [2]\n"
               "! \"h.2.a\" F32 largest difference 0.5 at [0, 1] (-2, -2.5), 2 elements\n"
               "! \"h.10.b\" I64 largest difference 1 at [0] (9.007e+15, 9.007e+15), 1 elements\n"
               "+ \"d\" F16 [2]\n"
               "0 equal, 4 different; largest difference 1 in \"h.10.b\"\n");
    // The tolerance is atol + rtol |right|.
    y = x;
    y.a[3] = 1e6f + 1;
    const auto b = y.write(folder, "b.safetensors");
    BOOST_TEST(difference(a, b, 0.99).first == 1);
    BOOST_TEST(difference(a, b, 1).first == 0);
    BOOST_TEST(difference(a, b, 0, 0.9e-6).first == 1);
    BOOST_TEST(difference(a, b, 0, 1e-6).first == 0);
    BOOST_TEST(says("= \"h.2.a\" F32 largest difference 1")(exception(difference(a, b, 1, 0, true).second)));
    // Other types and shapes.
    converted(a, folder / "c.safetensors", "bf16");
    const auto types = difference(a, folder / "c.safetensors", 1e9).second;
    BOOST_TEST(says("! \"c\" F16 -> BF16 equal")(exception(types)));
    auto flat = x.arrays();
    flat[0].shape = {4};
    st::write(folder / "c.safetensors", flat);
    BOOST_TEST(says("! \"h.2.a\" [2, 2] -> [4]")(exception(difference(a, folder / "c.safetensors").second)));
    // NaN equals NaN and no number.
    x.a[0] = y.a[0] = std::numeric_limits<float>::quiet_NaN();
    y.a[3] = x.a[3];
    x.write(folder, "a.safetensors"), y.write(folder, "b.safetensors");
    BOOST_TEST(difference(a, b).first == 0);
    y.a[0] = 1;
    y.write(folder, "b.safetensors");
    BOOST_TEST(says("largest difference inf at [0, 0] (nan, 1)")(exception(difference(a, b, 1e30, 1e30).second)));
}

BOOST_AUTO_TEST_CASE(names_are_in_natural_order) {
    using tensor_files::natural_less;
    BOOST_TEST(natural_less("h.2.a", "h.10.a"));
    BOOST_TEST(!natural_less("h.10.a", "h.2.a"));
    BOOST_TEST(natural_less("h", "h.2"));
    BOOST_TEST(natural_less("a1", "a01b"));
    BOOST_TEST(natural_less("a01", "a1"));
    BOOST_TEST(!natural_less("a1", "a01"));
    BOOST_TEST(!natural_less("x", "x"));
    BOOST_TEST(natural_less("18446744073709551616", "18446744073709551617"));
}

BOOST_AUTO_TEST_CASE(identifiers_and_literals) {
    using namespace tensor_files;
    for (char const* name : {"wte", "_x", "c_attn", "Wqkv", "A", "h2"}) BOOST_TEST(is_identifier(name));
    for (char const* name :
         {"", "0", "a-b", "class", "default", "co_await", "a__b", "_A", "_", "NULL", "stack", "axes", "gr\xc3\xbc"})
        BOOST_TEST(!is_identifier(name));
    BOOST_TEST(string_literal("a\"b\\c\n\xc3?") == "\"a\\\"b\\\\c\\012\\303\\?\"");
    BOOST_TEST(pascal_case("token_embedding.2d") == "TokenEmbedding2d");
    BOOST_TEST(pascal_case("LM") == "AxisLM");
    BOOST_TEST(pascal_case("2d") == "Axis2d");
    BOOST_TEST(identifier_of("0.weight") == "p0_weight");
    BOOST_TEST(identifier_of("-..-") == "p");
}

BOOST_AUTO_TEST_CASE(what_cannot_be_declared_is_refused) {
    const auto refuses = [](std::vector<st::tensor_entry> const& tensors, std::string const& message) {
        BOOST_CHECK_EXCEPTION(declared(tensors), exception, says(message));
    };
    refuses({}, "tensors of floating numbers, found none");
    refuses({{"a", "I64", {2}, 0, {}}}, "tensors of floating numbers, found none");
    refuses({{"a", "F32", {2, 0}, 0, {}}}, "elements, found \"a\" of shape [2, 0]");
    refuses({{"a", "F32", std::vector<std::size_t>(9, 1), 0, {}}}, "at most 8 axes, found \"a\" with 9");
    refuses({{"a*", "F32", {1}, 0, {}}}, "names without *");
    refuses({{std::string("a\0b", 3), "F32", {1}, 0, {}}}, "zero bytes");
    refuses({{std::string(113, 'a'), "F32", {1}, 0, {}}}, "names of at most 112 characters");
    refuses({{"a.0.b.0.c.0.d.0.e.0.f", "F32", {1}, 0, {}}}, "stacks at most 4 deep");
    std::vector<st::tensor_entry> many, layers;
    for (int i = 0; i < 25; ++i) many.push_back({"m" + std::to_string(i), "F32", {1}, 0, {}});
    refuses(many, "modules of at most 24 members, found 25 in model");
    for (std::size_t i = 0; i < 25; ++i) layers.push_back({"h." + std::to_string(i) + ".w", "F32", {1 + i}, 0, {}});
    refuses(layers, "found 25 in \"h\" (numbered layers that differ cannot be a stack)");
    BOOST_CHECK_EXCEPTION(declared({{"a", "F32", {1}, 0, {}}}, {"class", "x", 0}), exception, says("the model's name"));
    BOOST_CHECK_EXCEPTION(declared({{"a", "F32", {1}, 0, {}}}, {"x", "x", 0}), exception, says("the namespace"));
    BOOST_TEST(says("struct network {")(exception(declared({{"model", "F32", {1}, 0, {}}}))));
}
