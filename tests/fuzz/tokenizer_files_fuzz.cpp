// SPDX-License-Identifier: MIT
// libFuzzer entry: any bytes, read as each format of tokenizer files, either are refused with a tenet::exception or
// give a tokenizer that keeps every byte of a text. The first byte chooses the format. clang++ -std=c++20 -g -O1
// -fsanitize=fuzzer,address,undefined -Iinclude tests/fuzz/tokenizer_files_fuzz.cpp -lpcre2-8
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include <tenet/base/exception.hpp>
#include <tenet/text/byte_pair_tokenizer.hpp>
#include <tenet/text/gpt2_files.hpp>
#include <tenet/text/minbpe_model.hpp>
#include <tenet/text/score_tokenizer.hpp>
#include <tenet/text/tiktoken_ranks.hpp>
#include <tenet/text/tokenizer_format.hpp>
#include <tenet/text/tokenizer_json.hpp>

namespace {

void require(bool condition) {
    if (!condition) std::abort();
}

constexpr std::string_view text = "the theme: th\xc3\xa9me 123\r\n  <s> \xff\xfe<0x41>";

template <class T>
void check(T const& tokenizer) {
    require(T::from_string(tokenizer.to_string()) == tokenizer);
    try {
        require(tokenizer.decode(tokenizer.encode(text)) == text);
    } catch (tenet::exception const& e) {
        // A file's own pattern may be beyond PCRE2's limits.
        require(std::string_view(e.what()).starts_with("text_splitter"));
    }
}

// A byte-pair tokenizer that a format can hold is read back as it was written.
void check_formats(tenet::byte_pair_tokenizer const& tokenizer) {
    check(tokenizer);
    const auto attempt = [](auto const& f) {
        try {
            f();
        } catch (tenet::exception const&) {
        }
    };
    attempt([&] { require(tenet::read_minbpe(tenet::write_minbpe(tokenizer)) == tokenizer); });
    attempt([&] {
        const std::string file = tenet::write_tiktoken(tokenizer);
        auto const& v = tokenizer.vocabulary();
        require(tenet::write_tiktoken(tenet::read_tiktoken(file, {v.pattern, v.special})) == file);
    });
    attempt([&] { tenet::read_tokenizer_json(tenet::write_tokenizer_json(tokenizer)); });
    attempt([&] {
        const tenet::gpt2_files files = tenet::write_gpt2(tokenizer);
        tenet::read_gpt2(files.vocab_json, files.merges_txt);
    });
}

void read(std::uint8_t format, std::string_view file) {
    switch (format % 6) {
    case 0: return check_formats(tenet::read_tiktoken(file, tenet::tiktoken_encoding::r50k_base()));
    case 1: {
        // Both files in one, parted by an empty line.
        const std::size_t end = file.find("\n\n");
        const std::size_t next = end == file.npos ? file.size() : end + 2;
        return check_formats(tenet::read_gpt2(file.substr(0, end), file.substr(next)));
    }
    case 2: return check_formats(tenet::read_tokenizer_json(file));
    case 3: return check_formats(tenet::read_minbpe(file));
    case 4: return check(tenet::score_tokenizer::read(file));
    default: return check_formats(tenet::byte_pair_tokenizer::from_string(file));
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
    if (size == 0) return 0;
    const std::string_view file(reinterpret_cast<char const*>(data + 1), size - 1);
    tenet::guess_tokenizer_format(file);
    try {
        read(data[0], file);
    } catch (tenet::exception const&) {
    }
    return 0;
}
