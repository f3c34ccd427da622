// SPDX-License-Identifier: MIT
// io: the model files of github.com/karpathy/llama2.c (version 0, as run.c reads them): seven numbers, then floats. The
// tensors are shown under the names of the Hugging Face Llama, so that they are loaded like those of any other file.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <tenet/base/exception.hpp>
#include <tenet/io/mapped_file.hpp>
#include <tenet/io/safetensors_reader.hpp>

namespace tenet {

/// The sizes that such a file begins with.
struct llama2c_sizes {
    std::size_t width = 0, hidden = 0, layers = 0, heads = 0, key_heads = 0, vocabulary = 0, context = 0;
    bool tied_head = false;  ///< the output shares the token table
};

/// A checked llama2.c model file.
///
/// Checked at construction: seven int32 that are positive (a negative vocabulary means a head of its own), heads that
/// divide the width into even parts and are a multiple of the heads of keys, products that fit, and a file exactly as
/// long as they say. Any violation throws `exception`. `tensors()` are spans into the mapped file; the tables of
/// cosines and sines at its end are left out. Its rotary pairs are neighbours. Little-endian machines only, as the
/// format.
class llama2c_file {
public:
    explicit llama2c_file(std::filesystem::path const& path) : file_(std::in_place, path), place_(path.string()) {
        parse(file_->bytes());
    }
    /// Checks the file held in `bytes`, which must outlive this object.
    explicit llama2c_file(std::span<std::byte const> bytes) : place_("llama2.c model") { parse(bytes); }

    llama2c_sizes const& sizes() const { return sizes_; }
    /// "model.embed_tokens.weight", "model.layers.0.self_attn.q_proj.weight", ..., in the order of the file by kind.
    std::span<safetensors::tensor_entry const> tensors() const { return tensors_; }
    std::string const& place() const { return place_; }

private:
    std::optional<mapped_file> file_;
    std::string place_;
    llama2c_sizes sizes_;
    std::vector<safetensors::tensor_entry> tensors_;

    [[noreturn]] void fail(std::string const& expected, std::string const& found) const {
        fail_expectation(place_, expected, found);
    }

    void parse(std::span<std::byte const> bytes) {
        constexpr std::size_t header = 7 * sizeof(std::int32_t);
        if (bytes.size() < header) fail("a llama2.c header of 28 bytes", std::to_string(bytes.size()) + " bytes");
        std::int32_t raw[7];
        std::memcpy(raw, bytes.data(), header);
        if (raw[0] == 0x616b3432) fail("a llama2.c model of version 0", "the magic number of a later version");
        static constexpr char const* names[] = {"width",           "hidden width",        "number of layers",
                                                "number of heads", "number of key heads", "vocabulary",
                                                "context"};
        for (int i = 0; i < 7; ++i)
            if (raw[i] == 0 || (raw[i] < 0 && i != 5) || raw[i] == std::numeric_limits<std::int32_t>::min())
                fail("a positive " + std::string(names[i]), std::to_string(raw[i]));
        const auto size = [&](int i) { return static_cast<std::size_t>(raw[i] < 0 ? -raw[i] : raw[i]); };
        sizes_ = {size(0), size(1), size(2), size(3), size(4), size(5), size(6), raw[5] > 0};
        if (sizes_.width % sizes_.heads != 0 || sizes_.width / sizes_.heads % 2 != 0)
            fail("heads that divide the width into even parts",
                 std::to_string(sizes_.heads) + " heads, width " + std::to_string(sizes_.width));
        if (sizes_.heads % sizes_.key_heads != 0)
            fail("heads that are a multiple of the heads of keys",
                 std::to_string(sizes_.heads) + " and " + std::to_string(sizes_.key_heads));
        place_tensors(bytes.subspan(header));
    }

    /// One kind of tensor, of every layer or (`layers` 0) of the model.
    struct kind {
        char const* name;
        std::size_t layers, rows, columns;  ///< columns 0: a vector
    };

    void place_tensors(std::span<std::byte const> data) {
        llama2c_sizes const& s = sizes_;
        const std::size_t head = s.width / s.heads, keys = s.key_heads * head;
        std::vector<kind> kinds{
            {"model.embed_tokens.weight", 0, s.vocabulary, s.width},
            {"input_layernorm.weight", s.layers, s.width, 0},
            {"self_attn.q_proj.weight", s.layers, s.width, s.width},
            {"self_attn.k_proj.weight", s.layers, keys, s.width},
            {"self_attn.v_proj.weight", s.layers, keys, s.width},
            {"self_attn.o_proj.weight", s.layers, s.width, s.width},
            {"post_attention_layernorm.weight", s.layers, s.width, 0},
            {"mlp.gate_proj.weight", s.layers, s.hidden, s.width},
            {"mlp.down_proj.weight", s.layers, s.width, s.hidden},
            {"mlp.up_proj.weight", s.layers, s.hidden, s.width},
            {"model.norm.weight", 0, s.width, 0},
            {"", 0, s.context, head},  // cosines and sines, half a head each
        };
        if (!s.tied_head) kinds.push_back({"lm_head.weight", 0, s.vocabulary, s.width});
        // The whole length first: nothing is allocated for what the file does not hold.
        std::uint64_t floats = 0;
        for (kind const& k : kinds)
            floats = sum(floats, product(product(k.rows, std::max<std::size_t>(k.columns, 1)),
                                         std::max<std::size_t>(k.layers, 1)));
        if (product(floats, 4) != data.size())
            fail(std::to_string(product(floats, 4)) + " bytes of weights for the sizes in its header",
                 std::to_string(data.size()));
        std::size_t offset = 0;
        for (kind const& k : kinds)
            for (std::size_t layer = 0; layer < std::max<std::size_t>(k.layers, 1); ++layer) {
                const std::size_t bytes = k.rows * std::max<std::size_t>(k.columns, 1) * 4;
                if (*k.name != '\0') {
                    std::vector<std::size_t> shape{k.rows};
                    if (k.columns != 0) shape.push_back(k.columns);
                    const std::string where = k.layers == 0 ? "" : "model.layers." + std::to_string(layer) + ".";
                    tensors_.push_back({where + k.name, "F32", std::move(shape), offset, data.subspan(offset, bytes)});
                }
                offset += bytes;
            }
    }

    std::uint64_t product(std::uint64_t a, std::uint64_t b) const {
        if (b != 0 && a > std::numeric_limits<std::uint64_t>::max() / b)
            fail("sizes whose products fit", "too large ones");
        return a * b;
    }
    std::uint64_t sum(std::uint64_t a, std::uint64_t b) const {
        if (a > std::numeric_limits<std::uint64_t>::max() - b) fail("sizes whose products fit", "too large ones");
        return a + b;
    }
};

}  // namespace tenet
