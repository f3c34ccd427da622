// SPDX-License-Identifier: MIT
// libFuzzer entry: the input is a text to train on and, after the first 0xfe, a text to encode: all bytes come out
// again and special tokens follow the policy. clang++ -std=c++20 -g -O1 -fsanitize=fuzzer,address,undefined -Iinclude
// tests/fuzz/tokenizer_text_fuzz.cpp -lpcre2-8
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include <tenet/base/exception.hpp>
#include <tenet/text/byte_pair_training.hpp>
#include <tenet/text/text_splitter.hpp>
#include <tenet/text/utf8.hpp>

namespace {

void require(bool condition) {
    if (!condition) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
    using namespace tenet;
    if (size == 0) return 0;
    const std::string_view input(reinterpret_cast<char const*>(data + 1), size - 1);
    const std::size_t end = std::min(input.find('\xfe'), input.size());
    const std::string_view lesson = input.substr(0, end), text = input.substr(std::min(end + 1, input.size()));
    constexpr std::array patterns{split_pattern::none, split_pattern::gpt2, split_pattern::cl100k,
                                  split_pattern::gpt4_minbpe};
    byte_pair_training how{256 + data[0] / 4u, std::string(patterns[data[0] % 4]), {"<s>", "<s"}, {}};
    const byte_pair_tokenizer tokenizer = train_byte_pairs(lesson, how);
    for (std::string_view const each : {lesson, text, input}) {
        require(tokenizer.decode(tokenizer.encode(each)) == each);
        require(tokenizer.decode(tokenizer.encode(each, special_policy::recognise())) == each);
        bool refused = false;
        try {
            tokenizer.encode(each, special_policy::refuse());
        } catch (exception const&) {
            refused = true;
        }
        require(refused == (each.find("<s") != each.npos));
        require(is_utf8(to_utf8(each)));
        require(!is_utf8(each) || to_utf8(each) == each);
    }
    return 0;
}
