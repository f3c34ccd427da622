// SPDX-License-Identifier: MIT
// Safetensors files: hostile headers, round trips, bytes equal to the reference writer's, all-or-nothing loading.
#define BOOST_TEST_MODULE io_safetensors
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include <tenet/io/safetensors.hpp>

#include "temporary_folder.hpp"

using namespace tenet;
namespace st = tenet::safetensors;

namespace {

std::string file_with(std::string_view header, std::size_t data_bytes) {
    const std::uint64_t n = header.size();
    std::string out(8, '\0');
    std::memcpy(out.data(), &n, 8);
    return out + std::string(header) + std::string(data_bytes, '\x01');
}

std::span<std::byte const> bytes_of(std::string const& text) {
    return std::as_bytes(std::span(text));
}

void accepts(std::string_view header, std::size_t data_bytes) {
    const std::string file = file_with(header, data_bytes);
    BOOST_CHECK_NO_THROW(st::reader(bytes_of(file)));
}

void refuses(std::string_view header, std::size_t data_bytes, std::string const& message) {
    const std::string file = file_with(header, data_bytes);
    BOOST_TEST_CONTEXT("header " << header.substr(0, 200)) {
        BOOST_CHECK_EXCEPTION(st::reader(bytes_of(file)), exception, says(message));
    }
}

template <class T>
named_array array_of(std::string name, std::vector<std::size_t> shape, T* data) {
    return {std::move(name), dtype_of<T>, std::move(shape), data};
}

}  // namespace

BOOST_AUTO_TEST_CASE(reads_what_the_format_allows) {
    const std::string file = file_with(
        R"({"__metadata__":{"k":"v","empty":""},"b":{"data_offsets":[8,10],"shape":[],"dtype":"BF16"},)"
        R"("a":{"dtype":"F32","shape":[2,1],"data_offsets":[0,8]},"none":{"dtype":"F64","shape":[3,0],"data_offsets":[8,8]}}  )",
        10);
    const st::reader reader(bytes_of(file));
    BOOST_TEST(reader.metadata().size() == 2u);
    BOOST_TEST(reader.metadata().at("k") == "v");
    BOOST_REQUIRE(reader.tensors().size() == 3u);
    BOOST_TEST(reader.tensors()[0].name == "a");
    BOOST_TEST(reader.tensors()[1].name == "none");
    BOOST_TEST(reader.tensors()[2].name == "b");
    auto const* b = reader.find("b");
    BOOST_REQUIRE(b != nullptr);
    BOOST_TEST(b->dtype == "BF16");
    BOOST_TEST(b->shape.empty());
    BOOST_TEST(b->offset == 8u);
    BOOST_TEST(b->bytes.size() == 2u);
    BOOST_TEST((b->bytes.data() == bytes_of(file).data() + file.size() - 2));
    BOOST_TEST(reader.find("none")->bytes.empty());
    BOOST_TEST((reader.find("c") == nullptr));
    BOOST_TEST((reader.find("") == nullptr));

    accepts("{}", 0);
    accepts("{}      ", 0);
    accepts("{ \"a\" :\n{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]} }", 1);
    accepts(R"({"__metadata__":{}})", 0);
    accepts(R"({"":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}})", 1);
    accepts(R"({"a":{"dtype":"F4","shape":[3,2],"data_offsets":[0,3]}})", 3);
    accepts(R"({"a":{"dtype":"U8","shape":[18446744073709551615,0],"data_offsets":[0,0]}})", 0);
    for (std::string name : {"F8_E4M3", "F8_E5M2", "F8_E8M0", "BOOL", "I8", "U8"}) {
        accepts(R"({"a":{"dtype":")" + name + R"(","shape":[5],"data_offsets":[0,5]}})", 5);
    }
    for (std::string name : {"F16", "BF16", "I16", "U16"}) {
        accepts(R"({"a":{"dtype":")" + name + R"(","shape":[5],"data_offsets":[0,10]}})", 10);
    }
    for (std::string name : {"F64", "I64", "U64", "C64"}) {
        accepts(R"({"a":{"dtype":")" + name + R"(","shape":[5],"data_offsets":[0,40]}})", 40);
    }
}

BOOST_AUTO_TEST_CASE(refuses_a_file_cut_or_lengthened_anywhere) {
    const std::string whole = file_with(
        R"({"__metadata__":{"k":"v"},"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"b":{"dtype":"U8","shape":[],"data_offsets":[8,9]}})",
        9);
    BOOST_CHECK_NO_THROW(st::reader(bytes_of(whole)));
    for (std::size_t n = 0; n < whole.size(); ++n) {
        const std::string cut = whole.substr(0, n);
        BOOST_CHECK_THROW(st::reader(bytes_of(cut)), exception);
    }
    const std::string longer = whole + '\0';
    BOOST_CHECK_EXCEPTION(st::reader(bytes_of(longer)), exception, says("expected tensors that end with the file"));
}

BOOST_AUTO_TEST_CASE(a_changed_byte_is_refused_or_harmless) {
    const std::string whole = file_with(
        R"({"__metadata__":{"k":"v"},"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"b":{"dtype":"U8","shape":[],"data_offsets":[8,9]}})",
        9);
    std::size_t refused = 0;
    for (std::size_t i = 0; i < whole.size(); ++i) {
        for (int change = 1; change < 256; ++change) {
            std::string changed = whole;
            changed[i] = static_cast<char>(static_cast<unsigned char>(changed[i]) ^ change);
            try {
                const st::reader reader(bytes_of(changed));
                std::size_t total = 0;
                for (auto const& tensor : reader.tensors()) total += tensor.bytes.size();
                BOOST_REQUIRE(total <= changed.size() - 8);
            } catch (exception const&) {
                ++refused;
            }
        }
    }
    BOOST_TEST(refused > whole.size() * 100);
}

BOOST_AUTO_TEST_CASE(refuses_hostile_lengths) {
    for (std::uint64_t n : {std::uint64_t{1} << 63, ~std::uint64_t{0}, ~std::uint64_t{0} - 7,
                            std::uint64_t{100'000'001}, std::uint64_t{1} << 32}) {
        std::string file(8, '\0');
        std::memcpy(file.data(), &n, 8);
        file += "{}";
        BOOST_CHECK_EXCEPTION(st::reader(bytes_of(file)), exception, says("header of at most 100000000 bytes"));
    }
    const std::uint64_t n = 100'000'000;
    std::string file(8, '\0');
    std::memcpy(file.data(), &n, 8);
    BOOST_CHECK_EXCEPTION(st::reader(bytes_of(file + "{}")), exception, says("a file with 2 bytes after the length"));
    refuses("", 0, "begins with {");
}

BOOST_AUTO_TEST_CASE(refuses_bad_json) {
    refuses(" {}", 0, "begins with {");
    refuses("[]", 0, "begins with {");
    refuses("{} {}", 0, "valid JSON");
    refuses("{}}", 0, "valid JSON");
    refuses("{", 0, "valid JSON");
    refuses("{\"a\"", 0, "valid JSON");
    refuses("{'a':1}", 0, "valid JSON");
    refuses("{} // comment", 0, "valid JSON");
    refuses("{\"\xff\":1}", 0, "valid JSON");
    refuses(std::string_view("{}\0{\"a\"", 7), 0, "zero byte");
    std::string deep = "{\"a\":{\"dtype\":";
    deep.append(1'000'000, '[');
    refuses(deep, 0, "a string as dtype");
    std::string nested = "{\"__metadata__\":";
    for (int i = 0; i < 100'000; ++i) nested += "{\"a\":";
    refuses(nested, 0, "a string in __metadata__");
}

BOOST_AUTO_TEST_CASE(refuses_bad_structure) {
    refuses(R"({"a":1})", 0, "an object with dtype, shape and data_offsets");
    refuses(R"({"a":null})", 0, "found null");
    refuses(R"({"a":{}})", 0, "dtype, shape and data_offsets");
    refuses(R"({"a":{"dtype":"F32","shape":[1]}})", 4, "one of them missing");
    refuses(R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4],"more":1}})", 4, "found \"more\"");
    refuses(R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0]}})", 4, "two data_offsets, found 1");
    refuses(R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4,4]}})", 4, "data_offsets, found 4");
    refuses(R"({"a":{"dtype":"F32","shape":[1],"data_offsets":{}}})", 4, "an array as data_offsets");
    refuses(R"({"a":{"dtype":"F32","shape":1,"data_offsets":[0,4]}})", 4, "an array as shape");
    refuses(R"({"a":{"dtype":"F32","shape":[[1]],"data_offsets":[0,4]}})", 4, "in shape, found an array");
    refuses(R"({"a":{"dtype":5,"shape":[1],"data_offsets":[0,4]}})", 4, "a string as dtype");
    refuses(R"({"a":{"dtype":"f32","shape":[1],"data_offsets":[0,4]}})", 4, "a known dtype, found \"f32\"");
    refuses(R"({"a":{"dtype":"F4","shape":[3],"data_offsets":[0,1]}})", 1, "a whole number of bytes");
    refuses(R"({"__metadata__":[]})", 0, "__metadata__ to be an object");
    refuses(R"({"__metadata__":{"a":1}})", 0, "a string in __metadata__, found 1");
    refuses(R"({"__metadata__":{"a":{}}})", 0, "a string in __metadata__");
}

BOOST_AUTO_TEST_CASE(refuses_duplicate_keys) {
    refuses(
        R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"b":{"dtype":"U8","shape":[1],"data_offsets":[1,2]},"a":{"dtype":"U8","shape":[1],"data_offsets":[2,3]}})",
        3, "\"a\" twice");
    refuses(
        R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"\u0061":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}})",
        2, "\"a\" twice");
    refuses(R"({"a":{"dtype":"U8","shape":[1],"shape":[1],"data_offsets":[0,1]}})", 1, "\"shape\" twice");
    refuses(R"({"a":{"dtype":"U8","dtype":"U8","shape":[1],"data_offsets":[0,1]}})", 1, "\"dtype\" twice");
    refuses(R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1],"data_offsets":[0,1]}})", 1,
            "\"data_offsets\" twice");
    refuses(R"({"__metadata__":{"a":"1","a":"2"}})", 0, "\"a\" twice");
    refuses(R"({"__metadata__":{},"__metadata__":{}})", 0, "one __metadata__");
}

BOOST_AUTO_TEST_CASE(refuses_bad_numbers) {
    for (std::string number : {"-1", "1.0", "1e0", "18446744073709551616", "\"1\"", "true", "null", "-0", "{}"}) {
        refuses(R"({"a":{"dtype":"U8","shape":[)" + number + R"(],"data_offsets":[0,1]}})", 1,
                "non-negative integers of 64 bits in shape");
        refuses(R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[0,)" + number + "]}}", 1,
                "two non-negative integers of 64 bits in data_offsets");
    }
    refuses(R"({"a":{"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,0]}})", 0, "fits in 64 bits");
    refuses(R"({"a":{"dtype":"F32","shape":[4611686018427387904],"data_offsets":[0,0]}})", 0, "fits in 64 bits");
    refuses(R"({"a":{"dtype":"F64","shape":[18446744073709551615,18446744073709551615,0],"data_offsets":[0,0]}})", 0,
            "fits in 64 bits");
    refuses(R"({"a":{"dtype":"U8","shape":[1e999],"data_offsets":[0,1]}})", 1, "valid JSON");
}

BOOST_AUTO_TEST_CASE(refuses_bad_offsets) {
    auto const two = [](std::string first, std::string second) {
        return R"({"a":{"dtype":"F32","shape":[1],"data_offsets":)" + first +
               R"(},"b":{"dtype":"F32","shape":[1],"data_offsets":)" + second + "}}";
    };
    accepts(two("[0,4]", "[4,8]"), 8);
    accepts(two("[4,8]", "[0,4]"), 8);
    refuses(two("[0,4]", "[2,6]"), 8, "begin at 4 (no hole, no overlap), found [2, 6]");
    refuses(two("[0,4]", "[0,4]"), 8, "begin at 4");
    refuses(two("[0,4]", "[8,12]"), 12, "begin at 4 (no hole, no overlap), found [8, 12]");
    refuses(two("[4,8]", "[8,12]"), 12, "begin at 0");
    refuses(two("[0,4]", "[4,8]"), 7, "within the 7 bytes");
    refuses(two("[0,4]", "[4,8]"), 9, "end with the file, at 9, found 8");
    refuses(two("[0,4]", "[4,7]"), 7, "4 bytes for shape [1] of F32, found [4, 7]");
    refuses(two("[0,4]", "[8,4]"), 8, "begin at 4");
    refuses(two("[0,4]", "[4,0]"), 8, "found [4, 0]");
    refuses(R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[18446744073709551615,0]}})", 1, "begin at 0");
    refuses("{}", 1, "end with the file");
}

BOOST_AUTO_TEST_CASE(messages_stay_short_and_printable) {
    const std::string name(1'000'000, 'n');
    try {
        const std::string file = file_with("{\"" + name + "\\n\":1}", 0);
        st::reader{bytes_of(file)};
        BOOST_ERROR("accepted");
    } catch (exception const& e) {
        BOOST_TEST(std::string(e.what()).size() < 400u);
    }
    refuses("{\"a\\u001b[31m\":1}", 0, "a\\x1b[31m");
}

BOOST_AUTO_TEST_CASE(writes_the_bytes_of_the_reference_writer) {
    // The expected bytes are those of safetensors/src/tensor.rs, test_serialization and test_empty.
    temporary_folder folder;
    std::array<float, 6> values{0, 1, 2, 3, 4, 5};
    const std::vector arrays{array_of("attn.0", {1, 2, 3}, values.data())};
    st::write(folder / "a", arrays);
    std::string expected = file_with(R"({"attn.0":{"dtype":"F32","shape":[1,2,3],"data_offsets":[0,24]}})", 0);
    expected.append(reinterpret_cast<char const*>(values.data()), 24);
    BOOST_TEST((read_file(folder / "a") == expected));
    st::write(folder / "a", {});
    BOOST_TEST((read_file(folder / "a") == file_with("{}      ", 0)));
    st::write(folder / "a", {}, {{"framework", "pt"}});
    BOOST_TEST((read_file(folder / "a") == file_with(R"({"__metadata__":{"framework":"pt"}}     )", 0)));
}

BOOST_AUTO_TEST_CASE(round_trip_of_every_type) {
    temporary_folder folder;
    std::array<float, 6> f{
        1.5f, -0.0f, std::numeric_limits<float>::infinity(), std::numeric_limits<float>::denorm_min(), 3, 4};
    std::array<double, 2> d{1e300, -2.5};
    std::array<std::int32_t, 3> i{-1, 0, std::numeric_limits<std::int32_t>::min()};
    std::array<std::int64_t, 1> l{std::numeric_limits<std::int64_t>::max()};
    std::array<bool, 3> b{true, false, true};
    std::array<std::uint16_t, 2> h{0x3fc0, 0xc000};
    const std::vector arrays{array_of("z", {3, 2}, f.data()),
                             array_of("d", {2}, d.data()),
                             array_of("i", {3, 1}, i.data()),
                             array_of("scalar", {}, l.data()),
                             array_of("b", {3}, b.data()),
                             named_array{"h", dtype::bfloat16, {2}, h.data()},
                             array_of<float>("none", {0, 7}, nullptr)};
    const std::map<std::string, std::string> metadata{{"step", "12"}, {"quote\"\n", "Grüße \\ \x01"}};
    st::write(folder / "a", arrays, metadata);

    const st::reader reader(folder / "a");
    BOOST_TEST((reader.metadata() == metadata));
    std::vector<std::string> order;
    for (auto const& tensor : reader.tensors()) {
        order.push_back(tensor.name);
        BOOST_TEST(reinterpret_cast<std::uintptr_t>(tensor.bytes.data()) % (*st::bits_of(tensor.dtype) / 8) == 0u);
    }
    const std::vector<std::string> expected{"scalar", "d", "none", "z", "i", "h", "b"};
    BOOST_TEST(order == expected, boost::test_tools::per_element());

    auto const f0 = f;
    auto const d0 = d;
    auto const i0 = i;
    auto const l0 = l;
    auto const b0 = b;
    auto const h0 = h;
    f.fill(9), d.fill(9), i.fill(9), l.fill(9), b.fill(false), h.fill(9);
    st::load(reader, arrays);
    BOOST_TEST((std::memcmp(f.data(), f0.data(), sizeof f) == 0));
    BOOST_TEST((d == d0 && i == i0 && l == l0 && b == b0 && h == h0));
}

BOOST_AUTO_TEST_CASE(every_type_of_arrays_in_memory_survives_a_file) {
    temporary_folder folder;
    std::array<std::uint64_t, 4> memory{0x0102030405060708, 0x1112131415161718, 0x2122232425262728, 0x3132333435363738};
    std::vector<named_array> arrays;
    for (auto const& [type, name] : st::detail::dtype_names) {
        BOOST_TEST((st::dtype_named(name) == type));
        BOOST_TEST((*st::bits_of(name) == 8 * size_of(type)));
        arrays.push_back({std::string(name), type, {3}, memory.data()});
    }
    BOOST_TEST((st::dtype_named("C64") == std::nullopt));
    st::write(folder / "a", arrays);
    const st::reader reader(folder / "a");
    BOOST_TEST(reader.tensors().size() == arrays.size());
    for (named_array array : arrays) {
        auto const* found = reader.find(array.name);
        BOOST_REQUIRE(found != nullptr);
        BOOST_TEST(found->dtype == array.name);
        BOOST_TEST((std::memcmp(found->bytes.data(), memory.data(), found->bytes.size()) == 0));
        BOOST_TEST(found->bytes.size() == 3 * size_of(array.type));
        std::array<std::uint64_t, 4> back{};
        array.data = back.data();
        st::load(reader, std::vector{array}, {.ignore_extra = {"*"}, .rename = {}});
        if (array.type == dtype::boolean) BOOST_TEST((back[0] == 0x010101));
        else BOOST_TEST((std::memcmp(back.data(), memory.data(), found->bytes.size()) == 0));
    }
}

BOOST_AUTO_TEST_CASE(types_that_we_cannot_compute_with_are_passed_on_as_bytes) {
    temporary_folder folder;
    const std::array<std::byte, 24> memory{std::byte{1}, std::byte{2}, std::byte{3}};
    std::vector<st::tensor_entry> tensors;
    for (std::string name : {"F4", "F6_E2M3", "F8_E8M0", "F8_E4M3FNUZ", "C64"}) {
        const std::size_t size = 8 * *st::bits_of(name) / 8;
        tensors.push_back({name, name, {8}, 0, std::span(memory).first(std::min<std::size_t>(size, 24))});
    }
    tensors.back().shape = {3};
    st::write_tensors(folder / "a", tensors);
    const st::reader reader(folder / "a");
    st::write_tensors(folder / "b", reader.tensors());
    BOOST_TEST((read_file(folder / "a") == read_file(folder / "b")));
    float value[8] = {};
    BOOST_CHECK_EXCEPTION(st::load(reader, std::vector{named_array{"F4", dtype::float32, {8}, value}},
                                   {.ignore_extra = {"*"}, .rename = {}}),
                          exception, says("dtype of \"F4\": expected F32, found F4"));
    tensors[0].dtype = "F5";
    BOOST_CHECK_EXCEPTION(st::write_tensors(folder / "c", tensors), exception, says("a known dtype, found \"F5\""));
    tensors[0].dtype = "F4";
    tensors[0].shape = {7};
    BOOST_CHECK_EXCEPTION(st::write_tensors(folder / "c", tensors), exception, says("a whole number of bytes"));
    BOOST_TEST(folder.file_count() == 2u);
}

BOOST_AUTO_TEST_CASE(integers_widen_at_any_alignment) {
    for (std::size_t shift = 0; shift < 8; ++shift) {
        const auto at = [&](std::size_t begin, std::size_t end) {
            return "[" + std::to_string(shift + begin) + "," + std::to_string(shift + end) + "]";
        };
        std::string text = shift == 0 ? "{"
                                      : R"({"pad":{"dtype":"U8","shape":[)" + std::to_string(shift) +
                                            R"(],"data_offsets":[0,)" + std::to_string(shift) + "]},";
        text += R"("i":{"dtype":"I8","shape":[2],"data_offsets":)" + at(0, 2) + R"(},"u":{"dtype":"U16","shape":[2],)" +
                R"("data_offsets":)" + at(2, 6) + R"(},"l":{"dtype":"I64","shape":[1],"data_offsets":)" + at(6, 14) +
                R"(},"f":{"dtype":"F8_E4M3","shape":[2],"data_offsets":)" + at(14, 16) + "}}";
        std::string file = file_with(text, shift + 16);
        char* data = file.data() + file.size() - 16;
        std::memcpy(data, "\xff\x7f\xff\xff\x01\x80\0\0\0\0\0\0\0\x80\x38\xfe", 16);
        const st::reader reader(bytes_of(file));
        std::array<std::int32_t, 2> i{}, u{};
        std::int64_t l = 0;
        std::array<double, 2> f{};
        st::load(reader,
                 std::vector{array_of("i", {2}, i.data()), array_of("u", {2}, u.data()), array_of("l", {1}, &l),
                             array_of("f", {2}, f.data())},
                 {.ignore_extra = {"pad"}, .rename = {}});
        BOOST_TEST((i == std::array<std::int32_t, 2>{-1, 127}));
        BOOST_TEST((u == std::array<std::int32_t, 2>{65535, 32769}));
        BOOST_TEST(l == std::numeric_limits<std::int64_t>::min());
        BOOST_TEST((f == std::array<double, 2>{1, -448}));
        BOOST_CHECK_EXCEPTION(
            st::load(reader, std::vector{array_of("l", {1}, i.data())}, {.ignore_extra = {"*"}, .rename = {}}),
            exception, says("dtype of \"l\": expected I32, found I64"));
    }
}

BOOST_AUTO_TEST_CASE(a_reader_moves) {
    temporary_folder folder;
    float value = 2.5f;
    const std::vector arrays{array_of("x", {}, &value)};
    st::write(folder / "a", arrays);
    st::reader first(folder / "a");
    const st::reader second(std::move(first));
    value = 0;
    st::load(second, arrays);
    BOOST_TEST(value == 2.5f);
}

BOOST_AUTO_TEST_CASE(writing_refuses_what_no_file_can_hold_and_keeps_the_old_file) {
    temporary_folder folder;
    write_file(folder / "a", "old");
    float value = 1;
    auto const refuse = [&](std::vector<named_array> const& arrays, std::map<std::string, std::string> const& metadata,
                            std::string const& message) {
        BOOST_CHECK_EXCEPTION(st::write(folder / "a", arrays, metadata), exception, says(message));
        BOOST_TEST(read_file(folder / "a") == "old");
        BOOST_TEST(folder.file_count() == 1u);
    };
    refuse({array_of("x", {}, &value), array_of("x", {1}, &value)}, {}, "\"x\" twice");
    refuse({array_of("__metadata__", {}, &value)}, {}, "reserved");
    refuse({array_of("x\xff", {}, &value)}, {}, "a tensor name in UTF-8");
    refuse({array_of("x", {}, &value)}, {{"k", "\xff"}}, "a metadata value in UTF-8");
    refuse({array_of<float>("x", {2}, nullptr)}, {}, "expected data, found a null pointer");
    refuse({array_of("x", {std::size_t{1} << 40, std::size_t{1} << 40}, &value)}, {}, "fits in 64 bits");
    refuse({named_array{"x", dtype::real, {}, &value}}, {}, "a concrete element type, found real");
}

BOOST_AUTO_TEST_CASE(loading_lists_every_mismatch_and_writes_nothing) {
    temporary_folder folder;
    std::array<float, 4> source{1, 2, 3, 4};
    std::array<std::int32_t, 2> integers{5, 6};
    st::write(folder / "a", std::vector{array_of("right", {4}, source.data()), array_of("shape", {2, 2}, source.data()),
                                        array_of("type", {2}, integers.data()), array_of("extra", {1}, source.data())});
    std::array<float, 4> right{}, shape{}, type{}, missing{};
    const std::vector to{array_of("right", {4}, right.data()), array_of("shape", {4}, shape.data()),
                         array_of("type", {2}, type.data()), array_of("missing", {3}, missing.data())};
    const st::reader reader(folder / "a");
    try {
        st::load(reader, to);
        BOOST_ERROR("accepted");
    } catch (exception const& e) {
        const std::string expected = (folder / "a").string() +
                                     ": expected the model's tensors, found 4 mismatches:\n"
                                     "  shape of \"shape\": expected [4], found [2, 2]\n"
                                     "  dtype of \"type\": expected F32, found I32\n"
                                     "  missing: \"missing\" [3]\n"
                                     "  unexpected: \"extra\" [1]";
        BOOST_TEST(e.what() == expected);
    }
    const std::array<float, 4> untouched{};
    BOOST_TEST((right == untouched && shape == untouched && type == untouched && missing == untouched));
    BOOST_CHECK_EXCEPTION(st::load(reader, std::vector{to[0], to[0]}, {.ignore_extra = {"*"}, .rename = {}}), exception,
                          says("\"right\" is given twice"));
    BOOST_CHECK_EXCEPTION(
        st::load(reader, std::vector{array_of<float>("right", {4}, nullptr)}, {.ignore_extra = {"*"}, .rename = {}}),
        exception, says("expected memory, found a null pointer"));
    BOOST_TEST((right == untouched));
    st::load(reader, std::vector{to[0]}, {.ignore_extra = {"shape", "t*", "*tra"}, .rename = {}});
    BOOST_TEST((right == source));
}

BOOST_AUTO_TEST_CASE(loading_renames_and_ignores) {
    temporary_folder folder;
    std::array<float, 2> w{1, 2}, bias{3, 4}, mask{5, 6};
    st::write(folder / "a", std::vector{array_of("transformer.h.0.w", {2}, w.data()),
                                        array_of("transformer.h.0.attn.bias", {2}, mask.data()),
                                        array_of("transformer.h.0.attn.c_attn.bias", {2}, bias.data())});
    std::array<float, 2> to_w{}, to_bias{};
    const std::vector to{array_of("h.0.w", {2}, to_w.data()), array_of("h.0.attn.c_attn.bias", {2}, to_bias.data())};
    st::load_options options;
    options.rename = [](std::string const& name) { return name.starts_with("transformer.") ? name.substr(12) : name; };
    const st::reader reader(folder / "a");
    BOOST_CHECK_EXCEPTION(st::load(reader, to, options), exception, says("unexpected: \"transformer.h.0.attn.bias\""));
    options.ignore_extra = {"*.attn.bias"};
    st::load(reader, to, options);
    BOOST_TEST((to_w == w && to_bias == bias));
    options.rename = [](std::string const&) { return std::string("same"); };
    BOOST_CHECK_EXCEPTION(st::load(reader, to, options), exception, says("two tensors of the file become \"same\""));
}

BOOST_AUTO_TEST_CASE(patterns) {
    using st::detail::matches;
    BOOST_TEST(matches("", ""));
    BOOST_TEST(matches("*", ""));
    BOOST_TEST(matches("h.*.attn.bias", "h.11.attn.bias"));
    BOOST_TEST(!matches("h.*.attn.bias", "h.11.attn.c_attn.bias"));
    BOOST_TEST(matches("*a*b", "xaybzab"));
    BOOST_TEST(!matches("*a*b", "xaybza"));
    BOOST_TEST(!matches("abc", "abcd"));
    BOOST_TEST(!matches("abcd", "abc"));
    BOOST_TEST(matches("abc**", "abc"));
}

BOOST_AUTO_TEST_CASE(loading_converts_between_floating_types) {
    // One byte before the tensors makes each of them unaligned.
    std::string file = file_with(
        R"({"pad":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"h":{"dtype":"F16","shape":[4],"data_offsets":[1,9]},)"
        R"("b":{"dtype":"BF16","shape":[2],"data_offsets":[9,13]},"f":{"dtype":"F32","shape":[2],"data_offsets":[13,21]},)"
        R"("d":{"dtype":"F64","shape":[2],"data_offsets":[21,37]},"t":{"dtype":"BOOL","shape":[2],"data_offsets":[37,39]}} )",
        39);
    char* data = file.data() + file.size() - 39;
    const std::array<std::uint16_t, 4> h{0x3c00, 0xc100, 0x0001, 0xfc00};  // 1, -2.5, 2^-24, -inf
    const std::array<std::uint16_t, 2> b{0x3fc0, 0x7f80};                  // 1.5, inf
    const std::array<float, 2> f{0.1f, -3.0f};
    const std::array<double, 2> d{0.1, 1e300};
    std::memcpy(data + 1, h.data(), 8);
    std::memcpy(data + 9, b.data(), 4);
    std::memcpy(data + 13, f.data(), 8);
    std::memcpy(data + 21, d.data(), 16);
    data[37] = 0;
    data[38] = 7;
    const st::reader reader(bytes_of(file));
    auto const fill = [&](std::vector<named_array> const& to) {
        st::load(reader, to, {.ignore_extra = {"*"}, .rename = {}});
    };

    constexpr float inf = std::numeric_limits<float>::infinity();
    std::array<float, 4> wide{};
    std::array<double, 4> wider{};
    std::array<std::uint16_t, 4> narrow{};
    std::array<bool, 2> truth{true, false};
    fill({array_of("h", {4}, wide.data()), array_of("t", {2}, truth.data())});
    BOOST_TEST((wide == std::array<float, 4>{1.0f, -2.5f, 0x1p-24f, -inf}));
    BOOST_TEST((truth == std::array<bool, 2>{false, true}));
    fill({array_of("h", {4}, wider.data())});
    BOOST_TEST((wider == std::array<double, 4>{1.0, -2.5, 0x1p-24, -static_cast<double>(inf)}));
    fill({array_of("b", {2}, wide.data()), array_of("d", {2}, wide.data() + 2)});
    BOOST_TEST((wide == std::array<float, 4>{1.5f, inf, 0.1f, inf}));
    fill({array_of("f", {2}, wider.data())});
    BOOST_TEST(wider[0] == static_cast<double>(0.1f));
    fill({named_array{"d", dtype::bfloat16, {2}, narrow.data()},
          named_array{"f", dtype::bfloat16, {2}, narrow.data() + 2}});
    BOOST_TEST((narrow == std::array<std::uint16_t, 4>{0x3dcd, 0x7f80, 0x3dcd, 0xc040}));
    std::int32_t number = 0;
    BOOST_CHECK_EXCEPTION(fill({array_of("f", {2}, &number)}), exception,
                          says("dtype of \"f\": expected I32, found F32"));
}

BOOST_AUTO_TEST_CASE(half_formats_are_exact_both_ways) {
    for (std::uint32_t bits = 0; bits < 0x10000; ++bits) {
        const auto pattern = static_cast<std::uint16_t>(bits);
        const float b = float_from_bfloat16(pattern);
        if (std::isnan(b)) BOOST_REQUIRE(std::isnan(float_from_bfloat16(bfloat16_from_float(b))));
        else
            BOOST_REQUIRE(bfloat16_from_float(b) == pattern && bfloat16_from_double(static_cast<double>(b)) == pattern);

        const std::uint32_t exponent = (bits >> 10) & 31u, mantissa = bits & 1023u;
        const double sign = (bits & 0x8000u) != 0 ? -1.0 : 1.0;
        const float f = float_from_float16(pattern);
        if (exponent == 31) {
            BOOST_REQUIRE(mantissa == 0 ? std::isinf(f) : std::isnan(f));
            BOOST_REQUIRE(std::signbit(f) == (sign < 0));
        } else {
            const double value = exponent == 0 ? mantissa * 0x1p-24
                                               : std::ldexp(1.0 + mantissa / 1024.0, static_cast<int>(exponent) - 15);
            BOOST_REQUIRE(static_cast<double>(f) == sign * value);
            BOOST_REQUIRE(std::signbit(f) == (sign < 0));
        }
    }
    // A tie goes to even; a double just above it does not, though it would as a float first.
    BOOST_TEST(bfloat16_from_float(1.0f + 0x1p-8f) == 0x3f80);
    BOOST_TEST(bfloat16_from_double(1.0 + 0x1p-8 + 0x1p-40) == 0x3f81);
    BOOST_TEST(bfloat16_from_double(1.0 + 0x1p-8 - 0x1p-40) == 0x3f80);
    BOOST_TEST(bfloat16_from_double(-1.0 - 0x1p-7 - 0x1p-8 + 0x1p-40) == 0xbf81);
    BOOST_TEST(bfloat16_from_double(1e300) == 0x7f80);
}
