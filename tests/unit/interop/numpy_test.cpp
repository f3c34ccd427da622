// SPDX-License-Identifier: MIT
// NumPy's files: what numpy wrote (numpy_*, by numpy 1.24.2), what xtensor writes and reads, what nobody should have
// written.
#define BOOST_TEST_MODULE interop_numpy
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <string>

#include <tenet/interop/compare.hpp>
#include <tenet/interop/npy.hpp>
#include <tenet/interop/npz.hpp>
#include <tenet/interop/npz_writer.hpp>

#include "../io/temporary_folder.hpp"

using namespace tenet;

namespace {

struct Rows : axis<2> {};
struct Cols : axis<3> {};
struct Batch : at_most<4> {};

const std::filesystem::path here = std::filesystem::path(__FILE__).parent_path();

std::string header(std::string const& text) {
    const std::string padded = text + std::string(118 - text.size() - 1, ' ') + "\n";
    return std::string("\x93NUMPY\x01\x00\x76\x00", 10) + padded;
}
std::string floats(std::size_t n) {
    return std::string(4 * n, '\0');
}

std::string changed(std::string text, std::size_t at, std::string const& bytes) {
    return text.replace(at, bytes.size(), bytes);
}

void check_npy(std::string const& bytes, std::string const& message) {
    temporary_folder folder;
    write_file(folder / "x.npy", bytes);
    BOOST_CHECK_EXCEPTION(load_npy(folder / "x.npy"), exception, says(message));
}
void check_npz(std::string const& bytes, std::string const& message) {
    temporary_folder folder;
    write_file(folder / "x.npz", bytes);
    BOOST_CHECK_EXCEPTION(load_npz(folder / "x.npz"), exception, says(message));
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_tensor_survives_a_file) {
    temporary_folder folder;
    const tensor<float, Rows, Cols> t{1, 2, 3, 4, 5, 6};
    save_npy(folder / "t.npy", t);
    BOOST_TEST((allclose(load_npy<tensor<float, Rows, Cols>>(folder / "t.npy"), t, 0, 0)));
    BOOST_TEST(allclose(t, xt::load_npy<float>((folder / "t.npy").string()), 0, 0));
    tensor<std::int32_t, Batch> tokens(extent<Batch>(3));
    tokens(2) = -7;
    save_npy(folder / "i.npy", tokens);
    const auto back = load_npy<tensor<std::int32_t, Batch>>(folder / "i.npy");
    BOOST_TEST(back.extent<Batch>() == 3u);
    BOOST_TEST(back(2) == -7);
}

BOOST_AUTO_TEST_CASE(xtensors_files_are_read) {
    temporary_folder folder;
    const xt::xtensor<double, 2> a = {{1, 2, 3}, {4, 5, 6}};
    xt::dump_npy((folder / "a.npy").string(), a);
    const npy_array found = load_npy(folder / "a.npy");
    BOOST_TEST((found.type == dtype::float64));
    BOOST_TEST(found.shape == (std::vector<std::size_t>{2, 3}), boost::test_tools::per_element());
    BOOST_TEST(found.values<float>()[4] == 5);
}

BOOST_AUTO_TEST_CASE(column_major_files_are_put_in_order) {
    const auto t = load_npy<tensor<double, Rows, Cols>>(here / "numpy_fortran.npy");
    for (std::size_t i = 0; i < 6; ++i) BOOST_TEST(t.data()[i] == static_cast<double>(i));
}

BOOST_AUTO_TEST_CASE(elements_are_converted_where_nothing_is_lost) {
    temporary_folder folder;
    save_npy(folder / "f.npy", tensor<float, Rows>{1, 2});
    save_npy(folder / "i.npy", tensor<std::int64_t, Rows>{1, std::int64_t{1} << 40});
    save_npy(folder / "b.npy", tensor<bool, Rows>{true, false});
    BOOST_TEST((load_npy<tensor<double, Rows>>(folder / "f.npy")(1) == 2));
    BOOST_TEST((load_npy<tensor<bool, Rows>>(folder / "b.npy")(0)));
    BOOST_CHECK_EXCEPTION((load_npy<tensor<std::int32_t, Rows>>(folder / "f.npy")), exception,
                          says("expected integers, found elements of type float32"));
    BOOST_CHECK_EXCEPTION((load_npy<tensor<std::int32_t, Rows>>(folder / "i.npy")), exception,
                          says("expected integers of type int32, found 1099511627776"));
    BOOST_CHECK_EXCEPTION((load_npy<tensor<float, Cols>>(folder / "f.npy")), exception,
                          says("extent of axis Cols: expected 3, found 2"));
    BOOST_CHECK_EXCEPTION((load_npy<tensor<float, Cols>>(folder / "f.npy")), exception, says("f.npy"));
    BOOST_CHECK_EXCEPTION(load_npy(folder / "none.npy"), exception, says("none.npy"));
}

BOOST_AUTO_TEST_CASE(every_element_type_of_numpy_is_read_and_written) {
    const auto bytes_file = load_npy(here / "numpy_uint8.npy");
    BOOST_TEST((bytes_file.type == dtype::uint8));
    BOOST_TEST(bytes_file.values<std::int32_t>() == (std::vector<std::int32_t>{0, 1, 2}),
               boost::test_tools::per_element());

    temporary_folder folder;
    std::array<std::uint64_t, 6> memory{1, 2, 3, 4, 5, 6};
    std::vector<named_array> arrays;
    for (auto const& [type, text] : detail::npy_types)
        arrays.push_back({std::string(text), type, {1, 2}, memory.data()});
    std::array<float, 4> values{1, -2, 3, 4};
    arrays.push_back({"scalar", dtype::float32, {}, values.data()});
    arrays.push_back({"vector \xc3\xa4", dtype::float32, {4}, values.data()});
    arrays.push_back({"none", dtype::float64, {0, 3}, nullptr});
    arrays.push_back({"cube", dtype::float32, {1, 2, 2}, values.data()});
    save_npz(folder / "a.npz", arrays);
    const auto back = load_npz(folder / "a.npz");
    BOOST_TEST(back.size() == arrays.size());
    for (auto const& array : arrays) {
        auto const& found = back.at(array.name);
        BOOST_TEST_CONTEXT(array.name) {
            BOOST_TEST((found.type == array.type));
            BOOST_TEST(found.shape == array.shape, boost::test_tools::per_element());
            BOOST_REQUIRE(found.bytes.size() == array.size() * size_of(array.type));
            if (!found.bytes.empty()) BOOST_TEST(std::memcmp(found.bytes.data(), array.data, found.bytes.size()) == 0);
        }
    }
    // xtensor reads the same bytes.
    for (named_array const& array : {arrays[12], arrays[13], arrays[15]}) {
        std::string text = detail::npy_header_text(array.type, array.shape, "here");
        BOOST_TEST(text.size() % 64 == 0u);
        text.append(static_cast<char const*>(array.data), array.size() * 4);
        write_file(folder / "x.npy", text);
        const auto read = xt::load_npy<float>((folder / "x.npy").string());
        BOOST_TEST(read.dimension() == array.shape.size());
        BOOST_TEST(std::equal(read.begin(), read.end(), values.begin()));
    }
    std::uint16_t half = 0xc100;  // -2.5
    save_npz(folder / "h.npz", std::vector{named_array{"h", dtype::float16, {}, &half}});
    BOOST_TEST(load_npz(folder / "h.npz").at("h").values<float>()[0] == -2.5f);
}

BOOST_AUTO_TEST_CASE(archives_that_numpy_could_not_read_are_not_written) {
    temporary_folder folder;
    write_file(folder / "a.npz", "old");
    float value = 1;
    const auto refuse = [&](std::vector<named_array> const& arrays, std::string const& message) {
        BOOST_CHECK_EXCEPTION(save_npz(folder / "a.npz", arrays), exception, says(message));
        BOOST_TEST(read_file(folder / "a.npz") == "old");
        BOOST_TEST(folder.file_count() == 1u);
    };
    refuse({{"x", dtype::bfloat16, {1}, &value}}, "\"x\": expected an element type that NumPy knows, found bfloat16");
    refuse({{"x", dtype::float32, {1}, &value}, {"x", dtype::float32, {}, &value}}, "expected every name once");
    refuse({{std::string(70000, 'n'), dtype::float32, {1}, &value}}, "expected a shorter name, found 70000 bytes");
    npz_writer file(folder / "b.npz");
    BOOST_CHECK_EXCEPTION(
        file.add("x", dtype::float32, std::vector<std::size_t>{2}, std::as_bytes(std::span(&value, 1))), exception,
        says("expected 8 bytes, found 4"));
}

BOOST_AUTO_TEST_CASE(entries_that_share_bytes_are_refused) {
    temporary_folder folder;
    std::vector<float> values(1000);
    save_npz(folder / "a.npz", std::vector{named_array{"a", dtype::float32, {1000}, values.data()},
                                           named_array{"b", dtype::float32, {1000}, values.data()},
                                           named_array{"c", dtype::float32, {1000}, values.data()}});
    // The three entries of the directory lead to the first array, whose bytes the others have too; then the other two
    // arrays are cut out.
    std::string file = read_file(folder / "a.npz");
    const std::size_t entry = 30 + 5 + 128 + 4000, directory = 3 * entry, one = 46 + 5;
    for (std::size_t i = 0; i < 3; ++i) file.replace(directory + i * one + 42, 4, std::string(4, '\0'));
    file.erase(entry, 2 * entry);
    file.replace(file.size() - 6, 4, std::string("\x43\x10\0\0", 4));
    BOOST_TEST(entry == 0x1043u);
    check_npz(file, "expected entries that do not overlap");
}

BOOST_AUTO_TEST_CASE(hostile_npy_files_are_refused) {
    const std::string good = "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }";
    {
        temporary_folder folder;
        write_file(folder / "x.npy", header(good) + floats(6));
        BOOST_TEST(load_npy(folder / "x.npy").size() == 6u);
        write_file(folder / "x.npy", header("{\"shape\":(2,),'fortran_order':True,'descr':'<f4'}") + floats(2));
        BOOST_TEST(load_npy(folder / "x.npy").size() == 2u);
        write_file(folder / "x.npy", header("{'descr': '<f4', 'fortran_order': False, 'shape': (), }") + floats(1));
        BOOST_TEST(load_npy(folder / "x.npy").size() == 1u);
        write_file(folder / "x.npy", header("{'descr': '<f4', 'fortran_order': False, 'shape': (0, 3), }"));
        BOOST_TEST(load_npy(folder / "x.npy").size() == 0u);
    }
    check_npy("", "expected a NumPy file");
    check_npy("PK\x03\x04 something else", "expected a NumPy file");
    check_npy(changed(header(good), 6, "\x09") + floats(6), "version 9");
    check_npy(header(good) + floats(5), "expected 24 bytes of float32 for shape [2, 3], found 20");
    check_npy(header(good) + floats(7), "expected 24 bytes");
    check_npy(changed(header(good), 8, "\xff\xff"), "expected a NumPy header of 65535 bytes");
    const auto with_shape = [](std::string const& shape) {
        return header("{'descr': '<f4', 'fortran_order': False, 'shape': " + shape + "}") + floats(6);
    };
    check_npy(with_shape("(4294967296, 4294967296, 4294967296)"), "expected an array that fits into memory");
    check_npy(with_shape("(99999999999999999999999,)"), "one beyond 64 bits");
    check_npy(with_shape("(-1,)"), "expected an extent");
    check_npy(with_shape("(2, 3"), "header");
    check_npy(with_shape("[2, 3]"), "header");
    check_npy(header("{'descr': '>f4', 'fortran_order': False, 'shape': (2, 3)}") + floats(6), "\">f4\"");
    check_npy(header("{'descr': [('x', '<f4')], 'fortran_order': False, 'shape': (6,)}") + floats(6), "element type");
    check_npy(header("{'descr': '<f4', 'shape': (2, 3)}") + floats(6), "without one of them");
    check_npy(header("{'descr': '<f4', 'fortran_order': 1, 'shape': (6,)}") + floats(6), "True or False");
    check_npy(header("import os"), "header");
    check_npy(header("{'descr': '<c8', 'fortran_order': False, 'shape': (2, 3)}") + floats(12), "\"<c8\"");
    check_npy(header("{'descr': '<f4', 'descr': '<f4', 'fortran_order': False, 'shape': (2, 3)}") + floats(6),
              "\"descr\" twice");
}

BOOST_AUTO_TEST_CASE(numpys_archives_are_read) {
    const auto arrays = load_npz(here / "numpy_savez.npz");
    BOOST_TEST(arrays.size() == 2u);
    const auto a = arrays.at("a").as<tensor<float, Rows, Cols>>();
    for (std::size_t i = 0; i < 6; ++i) BOOST_TEST(a.data()[i] == static_cast<float>(i));
    BOOST_TEST(arrays.at("b").values<std::int32_t>() == (std::vector<std::int32_t>{1, -2, 3}),
               boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(compressed_archives_are_named) {
    BOOST_CHECK_EXCEPTION(load_npz(here / "numpy_savez_compressed.npz"), exception, says("numpy.savez_compressed"));
}

BOOST_AUTO_TEST_CASE(hostile_archives_are_refused) {
    const std::string good = read_file(here / "numpy_savez.npz");
    const std::size_t end = good.size() - 22, directory = 0x19e;
    check_npz("", "expected a ZIP archive");
    check_npz(std::string(100, 'x'), "without an archive's end record");
    check_npz(good.substr(0, good.size() - 1), "without an archive's end record");
    check_npz(changed(good, 0xc0, "\x01"), "checksum");
    check_npz(changed(good, end + 16, "\xf0\xff\xff\x7f"), "expected a directory before byte");
    check_npz(changed(good, end + 12, "\xf0\xff\xff\x7f"), "expected a directory before byte");
    check_npz(changed(good, end + 16, "\xff\xff\xff\xff"), "ZIP64");
    check_npz(changed(good, end + 10, "\x03"), "expected a directory of 3 entries, found 2");
    check_npz(changed(good, directory + 8, "\x01"), "encrypted");
    check_npz(changed(good, directory + 10, "\x08"), "compression method 8");
    check_npz(changed(good, directory + 20, "\x99"), "stored bytes");
    check_npz(changed(changed(good, directory + 20, "\xff\xff\xff\x7f"), directory + 24, "\xff\xff\xff\x7f"),
              "of 2147483647 bytes");
    check_npz(changed(good, directory + 42, "\xff\xff\xff\x7f"), "a number of 4 bytes");
    check_npz(changed(good, directory + 42, "\x01"), "expected a ZIP entry");
    check_npz(changed(good, directory + 28, "\xff\xff"), "a name of 65535 bytes");
    check_npz(changed(good, directory + 46, "a.txt"), "ends in .npy");
    check_npz(changed(changed(good, directory + 51 + 46, "a.npy"), directory + 51 + 46, "a"),
              "expected every name once");
    // Every prefix and every changed byte is read or refused, and never more than that.
    temporary_folder folder;
    for (std::size_t i = 0; i < good.size(); ++i) {
        write_file(folder / "x.npz", good.substr(0, i));
        BOOST_CHECK_THROW(load_npz(folder / "x.npz"), exception);
        write_file(folder / "x.npz", changed(good, i, std::string(1, static_cast<char>(good[i] ^ 0x55))));
        try {
            BOOST_TEST(load_npz(folder / "x.npz").size() <= 2u);
        } catch (exception const& e) {
            BOOST_TEST(std::string(e.what()).find("x.npz") != std::string::npos);
        }
    }
}
