// SPDX-License-Identifier: MIT
// Checkpoints in several files: hostile indexes, disagreements of index and files, where files begin and end.
#define BOOST_TEST_MODULE io_shards
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include <tenet/io/safetensors.hpp>

#include "temporary_folder.hpp"

using namespace tenet;
namespace st = tenet::safetensors;

namespace {

struct some_arrays {
    std::array<float, 4> a{1, 2, 3, 4};
    std::array<std::int64_t, 2> b{5, 6};
    std::array<float, 3> c{7, 8, 9};

    std::vector<named_array> arrays() {
        return {{"a", dtype::float32, {2, 2}, a.data()},
                {"b", dtype::int64, {2}, b.data()},
                {"c", dtype::float32, {3}, c.data()}};
    }
};

void refuses(std::string const& text, std::string const& message) {
    BOOST_TEST_CONTEXT("index " << text.substr(0, 200)) {
        BOOST_CHECK_EXCEPTION(st::parse_index(text, "here"), exception, says("here: "));
        BOOST_CHECK_EXCEPTION(st::parse_index(text, "here"), exception, says(message));
    }
}

std::vector<std::string> files_in(std::filesystem::path const& folder) {
    std::vector<std::string> names;
    for (auto const& file : std::filesystem::directory_iterator(folder))
        names.push_back(file.path().filename().string());
    std::sort(names.begin(), names.end());
    return names;
}

}  // namespace

BOOST_AUTO_TEST_CASE(an_index_is_parsed) {
    const auto index = st::parse_index(
        R"( {"extra": [1, {"weight_map": {"x": 3}}], "metadata": {"total_size": 12, "format": "pt", "n": 3,)"
        R"( "list": ["a"], "inner": {"total_size": "no"}}, "weight_map": {"b": "2.safetensors", "a": "1.safetensors"},)"
        R"( "more": null} )",
        "here");
    BOOST_TEST(index.files.size() == 2u);
    BOOST_TEST(index.files[0].first == "a");
    BOOST_TEST(index.files[1].second == "2.safetensors");
    BOOST_TEST((index.total_size == 12u));
    BOOST_TEST((index.metadata == std::map<std::string, std::string>{{"format", "pt"}}));
    BOOST_TEST((st::parse_index(R"({"weight_map":{}})", "here").total_size == std::nullopt));
    BOOST_TEST((st::parse_index(R"({"weight_map":{},"metadata":{"total_size":1.5e3}})", "here").total_size == 1500u));
}

BOOST_AUTO_TEST_CASE(bad_indexes_are_refused) {
    refuses("", "valid JSON");
    refuses("[]", "an object, found an array");
    refuses("3", "an object, found 3");
    refuses("{}", "an object \"weight_map\", found none");
    refuses(R"({"weight_map":{"a":"f"})", "valid JSON");
    refuses(R"({"weight_map":{"a":"f"}} x)", "valid JSON");
    refuses(std::string("{\"weight_map\":{}}\0{", 18), "a zero byte");
    refuses(R"({"weight_map":[]})", "weight_map to be an object, found an array");
    refuses(R"({"weight_map":"f"})", "weight_map to be an object, found the string \"f\"");
    refuses(R"({"weight_map":{"a":1}})", "the name of a file for \"a\", found 1");
    refuses(R"({"weight_map":{"a":{}}})", "the name of a file for \"a\", found an object");
    refuses(R"({"weight_map":{"a":["f"]}})", "the name of a file for \"a\", found an array");
    refuses(R"({"weight_map":{"a":null}})", "found null");
    refuses(R"({"weight_map":{"a":"f","a":"f"}})", "each tensor once, found \"a\" twice");
    refuses(R"({"weight_map":{"a":"f","b":"f","\u0061":"g"}})", "each tensor once, found \"a\" twice");
    refuses(R"({"weight_map":{},"weight_map":{}})", "\"weight_map\" twice");
    refuses(R"({"metadata":{},"metadata":{},"weight_map":{}})", "\"metadata\" twice");
    refuses(R"({"metadata":{"total_size":1,"total_size":2},"weight_map":{}})", "\"total_size\" twice");
    refuses(R"({"metadata":7,"weight_map":{}})", "metadata to be an object, found 7");
    for (std::string number : {"-1", "1.5", "1e300", "true", "\"1\"", "[1]", "{}", "18446744073709551616"})
        refuses(R"({"metadata":{"total_size":)" + number + R"(},"weight_map":{}})",
                "total_size to be a number of bytes");
    for (std::string name : {"", ".", "..", "/etc/passwd", "../model.safetensors", "a/b", "a\\\\b", "a\\u0000b"})
        refuses(R"({"weight_map":{"a":")" + name + R"("}})", "a file beside the index");
    refuses(R"({"weight_map":{"a":")" + std::string(256, 'n') + R"("}})", "a file beside the index");
    std::string deep = R"({"x":)";
    deep.append(1'000'000, '[');
    refuses(deep, "valid JSON");
}

BOOST_AUTO_TEST_CASE(files_are_filled_in_order) {
    temporary_folder folder;
    some_arrays from, to;
    // 16, 16 and 12 bytes
    const auto files_for = [&](std::uint64_t most) {
        const temporary_folder inner;
        st::write_sharded(inner / "m.safetensors.index.json", from.arrays(), {}, most);
        return files_in(inner.path).size() - 1;
    };
    BOOST_TEST(files_for(0) == 3u);
    BOOST_TEST(files_for(16) == 3u);
    BOOST_TEST(files_for(27) == 3u);
    BOOST_TEST(files_for(28) == 2u);
    BOOST_TEST(files_for(32) == 2u);
    BOOST_TEST(files_for(43) == 2u);
    BOOST_TEST(files_for(44) == 1u);
    BOOST_TEST(files_for(~std::uint64_t{0}) == 1u);

    st::write_sharded(folder / "model.safetensors.index.json", from.arrays(), {{"format", "pt"}}, 32);
    const std::vector<std::string> expected{"model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors",
                                            "model.safetensors.index.json"};
    BOOST_TEST(files_in(folder.path) == expected, boost::test_tools::per_element());
    const auto json = nlohmann::json::parse(read_file(folder / "model.safetensors.index.json"));
    BOOST_TEST(json["metadata"]["total_size"] == 44);
    BOOST_TEST(json["weight_map"]["a"] == expected[0]);
    BOOST_TEST(json["weight_map"]["b"] == expected[0]);
    BOOST_TEST(json["weight_map"]["c"] == expected[1]);

    const st::sharded_reader file(folder / "model.safetensors.index.json");
    BOOST_TEST(file.shards().size() == 2u);
    BOOST_TEST(file.tensors().size() == 3u);
    BOOST_TEST(file.size() == 44u);
    BOOST_TEST((file.stated_size() == 44u));
    BOOST_TEST(file.metadata().at("format") == "pt");
    BOOST_TEST((file.find("c")->shape == std::vector<std::size_t>{3}));
    BOOST_TEST((file.find("d") == nullptr));
    to.a.fill(0), to.b.fill(0), to.c.fill(0);
    st::load(file, to.arrays());
    BOOST_TEST((to.a == from.a && to.b == from.b && to.c == from.c));
    const st::sharded_reader moved = [&] {
        st::sharded_reader first(folder / "model.safetensors.index.json");
        return st::sharded_reader(std::move(first));
    }();
    to.c.fill(0);
    st::load(moved, to.arrays());
    BOOST_TEST((to.c == from.c));
}

BOOST_AUTO_TEST_CASE(one_file_is_a_checkpoint_too) {
    temporary_folder folder;
    some_arrays from, to;
    st::write(folder / "a.safetensors", from.arrays(), {{"k", "v"}});
    const st::sharded_reader file(folder / "a.safetensors");
    BOOST_TEST(file.metadata().at("k") == "v");
    BOOST_TEST(file.size() == 44u);
    BOOST_TEST((file.stated_size() == std::nullopt));
    to.b.fill(0);
    st::load(file, to.arrays());
    BOOST_TEST((to.b == from.b));
}

BOOST_AUTO_TEST_CASE(every_disagreement_is_in_one_message) {
    temporary_folder folder;
    some_arrays from;
    const auto arrays = from.arrays();
    st::write(folder / "1", std::span(arrays).first(2));
    st::write(folder / "2", std::span(arrays).last(1));
    const auto with_map = [&](std::string const& map, std::string const& size) {
        write_file(folder / "i.json", R"({"metadata":{"total_size":)" + size + R"(},"weight_map":)" + map + "}");
        return folder / "i.json";
    };
    BOOST_TEST(st::sharded_reader(with_map(R"({"a":"1","b":"1","c":"2"})", "44")).tensors().size() == 3u);
    const auto refused = [&](std::string const& map, std::string const& size, std::string const& expected) {
        BOOST_CHECK_EXCEPTION(st::sharded_reader(with_map(map, size)), exception, [&](exception const& e) {
            const std::string wanted =
                (folder / "i.json").string() + ": expected files that agree with the index, found " + expected;
            BOOST_TEST(e.what() == wanted);
            return true;
        });
    };
    refused(R"({"a":"1","c":"1","b":"2","d":"3"})", "44",
            "5 mismatches:\n"
            "  missing: \"c\", which the index has in \"1\"\n"
            "  unexpected: \"b\" in \"1\", where the index does not have it\n"
            "  missing: \"b\", which the index has in \"2\"\n"
            "  unexpected: \"c\" in \"2\", where the index does not have it\n"
            "  the file \"3\": cannot open " +
                (folder / "3").string() + ": No such file or directory (errno 2)");
    refused(R"({"a":"1","b":"1"})", "45", "1 mismatch:\n  total_size: expected 32, the bytes of all tensors, found 45");
    refused(R"({"a":"1"})", "16", "1 mismatch:\n  unexpected: \"b\" in \"1\", where the index does not have it");
    const st::sharded_reader lenient(with_map(R"({"a":"1","b":"1"})", "45"), st::total_size::may_differ);
    BOOST_TEST((lenient.stated_size() == 45u));
    BOOST_TEST(lenient.size() == 32u);
    write_file(folder / "2", "broken");
    BOOST_CHECK_EXCEPTION(st::sharded_reader(with_map(R"({"a":"1","b":"1","c":"2"})", "44")), exception,
                          says("the file \"2\": "));
    BOOST_CHECK_EXCEPTION(st::sharded_reader(folder / "none.json"), exception, says("none.json"));
}

BOOST_AUTO_TEST_CASE(a_message_stays_short) {
    std::string map = "{";
    for (int i = 0; i < 5000; ++i) map += (i ? ",\"" : "\"") + std::to_string(i) + "\":\"f\"";
    const std::string text = "{\"weight_map\":" + map + "}}", empty("\2\0\0\0\0\0\0\0{}", 10);
    try {
        const st::sharded_reader file(text, "here",
                                      [&](std::string const&) { return st::reader(std::as_bytes(std::span(empty))); });
        BOOST_ERROR("accepted");
    } catch (exception const& e) {
        BOOST_TEST(says("found 5000 mismatches")(e));
        BOOST_TEST(says("and 4900 more")(e));
        BOOST_TEST(std::string(e.what()).size() < 10'000u);
    }
}

BOOST_AUTO_TEST_CASE(a_failed_write_leaves_the_old_checkpoint) {
    temporary_folder folder;
    some_arrays from, other;
    other.a.fill(-1);
    const auto index = folder / "m.safetensors.index.json";
    st::write_sharded(index, from.arrays(), {}, 16);
    auto twice = other.arrays();
    twice.push_back(twice.front());
    BOOST_CHECK_EXCEPTION(st::write_sharded(index, twice, {}, 16), exception, says("\"a\" twice"));
    auto null = other.arrays();
    null.back().data = nullptr;
    BOOST_CHECK_EXCEPTION(st::write_sharded(index, null, {}, 16), exception, says("a null pointer"));
    // A tensor whose bytes do not come is found when the files before it are written already.
    const auto tensors = st::detail::entries_of(std::span<named_array const>(null).first(2));
    std::vector<st::tensor_entry> three{tensors[0], tensors[1], {"c", "F32", {3}, 0, {}}};
    BOOST_CHECK_EXCEPTION(st::write_sharded_tensors(index, three, {}, 16), exception,
                          says("\"c\": expected 12 bytes for shape [3] of F32, found 0"));
    BOOST_TEST(files_in(folder.path).size() == 4u);
    some_arrays back;
    back.a.fill(0);
    st::load(st::sharded_reader(index), back.arrays());
    BOOST_TEST((back.a == from.a));
    for (std::string name : {"model.json", ".safetensors.index.json", "model.safetensors"})
        BOOST_CHECK_EXCEPTION(st::write_sharded(folder / name, from.arrays()), exception,
                              says("a path that ends in a name and .safetensors.index.json"));
}

BOOST_AUTO_TEST_CASE(a_checkpoint_without_tensors) {
    temporary_folder folder;
    st::write_sharded(folder / "m.safetensors.index.json", {}, {{"k", "v"}});
    const st::sharded_reader file(folder / "m.safetensors.index.json");
    BOOST_TEST(file.tensors().empty());
}
