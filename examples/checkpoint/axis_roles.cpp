// SPDX-License-Identifier: MIT
#include "axis_roles.hpp"

#include <algorithm>
#include <initializer_list>
#include <map>

#include "cpp_text.hpp"

namespace tensor_files {
namespace {

using word_list = std::initializer_list<std::string_view>;

bool is_any(std::string_view name, word_list words) {
    return std::find(words.begin(), words.end(), name) != words.end();
}
bool is_token_table(std::string_view name) {
    return is_any(name, {"wte", "tok_embeddings", "embed_tokens", "token_embedding", "token_embedding_table", "tok_emb",
                         "word_embeddings", "embedding", "embeddings", "embed_in", "shared"});
}
bool is_position_table(std::string_view name) {
    return is_any(name, {"wpe", "position_embedding", "position_embeddings", "position_embedding_table",
                         "embed_positions", "pos_emb", "pos_embed"});
}
bool is_head(std::string_view name) {
    return is_any(name, {"lm_head", "output", "head", "embed_out", "score", "classifier"});
}
// Weights of these lie [in, out], as in OpenAI's files; elsewhere [out, in] is usual.
bool is_conv1d(std::string_view name) {
    return is_any(name, {"c_attn", "c_proj", "c_fc"});
}
bool is_norm(std::string_view name) {
    return name.starts_with("ln") || name.find("norm") != std::string_view::npos;
}

// The module and the one around it, numbers left out: "h.*.attn.c_attn" gives c_attn and attn.
std::pair<std::string, std::string> last_modules(std::string const& where) {
    auto parts = split_name(where);
    std::erase(parts, "*");
    const std::size_t n = parts.size();
    return {n > 0 ? parts[n - 1] : "", n > 1 ? parts[n - 2] : ""};
}

std::string listed(std::vector<std::string> const& names) {
    std::string text;
    for (std::string const& name : names) text += (text.empty() ? "" : ", ") + name;
    return text;
}

std::vector<std::string> without(std::vector<std::string> names, std::vector<std::string> const& used) {
    std::erase_if(names, [&](std::string const& n) { return std::find(used.begin(), used.end(), n) != used.end(); });
    return names;
}

}  // namespace

bool is_table(std::string_view name) {
    return is_token_table(name) || is_position_table(name);
}

bool is_buffer(tensor_entry const& tensor) {
    if (tensor.name.starts_with("optimizer.")) return true;
    const auto parts = split_name(tensor.name);
    const std::string_view last = parts.back();
    if (is_any(last, {"inv_freq", "freqs_cis", "freqs_cos", "freqs_sin", "masked_bias"})) return true;
    // GPT-2's causal mask has the name of a bias.
    auto const& s = tensor.shape;
    return last == "bias" && s.size() == 4 && s[0] == 1 && s[1] == 1 && s[2] == s[3];
}

axis_roles::axis_roles(std::span<tensor_entry const> tensors, std::size_t heads) : heads_(heads) {
    std::map<std::size_t, std::size_t> norms;
    std::map<std::string, std::size_t> biases;
    for (tensor_entry const& tensor : tensors) {
        const auto parts = split_name(tensor.name);
        const std::string module =
            parts.size() > 1 && parts.back() == "weight" ? parts[parts.size() - 2] : parts.back();
        auto const& s = tensor.shape;
        if (s.size() == 2 && is_table(module)) {
            if (embed_ == 0 || is_token_table(module)) embed_ = s[1];
            if (is_token_table(module) && vocabulary_ == 0) vocabulary_ = s[0];
        }
        if (s.size() == 1 && is_norm(module)) ++norms[s[0]];
        if (s.size() == 1 && parts.back() == "bias") biases[tensor.name.substr(0, tensor.name.size() - 4)] = s[0];
    }
    if (embed_ == 0)
        for (auto const& [size, count] : norms)
            if (embed_ == 0 || count > norms[embed_]) embed_ = size;
    if (heads_ != 0 && embed_ % heads_ == 0) head_width_ = embed_ / heads_;
    // Biases tell which side is the output; names do where there are none.
    int votes = 0;
    for (tensor_entry const& tensor : tensors) {
        if (tensor.shape.size() != 2 || !tensor.name.ends_with(".weight")) continue;
        const std::string module = tensor.name.substr(0, tensor.name.size() - 6);
        if (tensor.shape[0] != tensor.shape[1])
            if (const auto bias = biases.find(module); bias != biases.end())
                votes += bias->second == tensor.shape[0] ? 1 : bias->second == tensor.shape[1] ? -1 : 0;
        if (is_conv1d(split_name(tensor.name.substr(0, tensor.name.size() - 7)).back())) --votes;
    }
    outputs_first_ = votes >= 0;
}

std::string axis_roles::unique(std::string const& wanted) {
    const std::string base = is_identifier(wanted) ? wanted : "axis_" + wanted;
    std::string name = base;
    for (int k = 2; taken_.contains(name); ++k) name = base + std::to_string(k);
    taken_.insert(name);
    return name;
}

// The axis of this role and size.
std::string axis_roles::named(std::string const& role, std::size_t size) {
    for (auto const& [key, name] : by_role_)
        if (key.first == role && key.second == size) return name;
    const std::string name = unique(role);
    by_role_.push_back({{role, size}, name});
    axes_.emplace_back(name, size);
    return name;
}

// An axis of this size that exists, the model's width first, then the latest; else a new one. Axes of a meaning of
// their own are not taken for others that happen to have their size.
std::string axis_roles::by_size(std::size_t size, std::string const& otherwise, names const& used) {
    const auto is_used = [&](std::string const& name) {
        return std::find(used.begin(), used.end(), name) != used.end();
    };
    if (size == embed_)
        if (const std::string embed = named("Embed", size); !is_used(embed)) return embed;
    for (std::size_t k = by_role_.size(); k-- > 0;) {
        auto const& [role, name] = by_role_[k];
        if (role.second == size && !is_used(name) &&
            !is_any(role.first, {"Vocab", "Time", "Class", "Heads", "KeyHeads", "QueryHeads", "HeadDim"}))
            return name;
    }
    return named(otherwise, size);
}

// The outputs of a projection to heads.
axis_roles::names axis_roles::split_heads(std::size_t size, char const* role, char const* otherwise) {
    if (head_width_ == 0 || size % head_width_ != 0) return {named(otherwise, size)};
    const std::size_t count = size / head_width_;
    return {named(count == heads_ ? "Heads" : role, count), named("HeadDim", head_width_)};
}

std::pair<axis_roles::names, axis_roles::names> axis_roles::sides(std::string const& where, std::size_t in,
                                                                  std::size_t out) {
    const auto [m, parent] = last_modules(where);
    const bool in_attention = parent.find("attn") != std::string::npos || parent.find("attention") != std::string::npos;
    const auto width = [&](std::size_t size) { return names{by_size(size, pascal_case(m) + "In", {})}; };
    if (is_any(m, {"q_proj", "query", "wq", "to_q", "q_lin"}))
        return {width(in), split_heads(out, "QueryHeads", "Query")};
    if (is_any(m, {"k_proj", "key", "wk", "to_k", "k_lin"})) return {width(in), split_heads(out, "KeyHeads", "Key")};
    if (is_any(m, {"v_proj", "value", "wv", "to_v", "v_lin"}))
        return {width(in), split_heads(out, "KeyHeads", "Value")};
    if (m == "c_attn" && out == 3 * in && head_width_ * heads_ == in && in != 0)
        return {width(in), {"nn::QKV", named("Heads", heads_), named("HeadDim", head_width_)}};
    if (is_any(m, {"c_attn", "qkv", "qkv_proj", "query_key_value", "Wqkv"})) return {width(in), {named("Qkv", out)}};
    if (is_any(m, {"o_proj", "wo"}) || (in_attention && is_any(m, {"c_proj", "out_proj", "dense", "proj", "out_lin"})))
        return {split_heads(in, "Heads", "Attended"), width(out)};
    if (is_any(m, {"c_fc", "fc1", "up_proj", "gate_proj", "w1", "w3", "fc_in", "dense_h_to_4h", "lin1"}))
        return {width(in), {named("Hidden", out)}};
    if (is_any(m, {"c_proj", "fc2", "down_proj", "w2", "fc_out", "dense_4h_to_h", "lin2"}))
        return {{named("Hidden", in)}, width(out)};
    if (is_head(m)) return {width(in), {out == vocabulary_ ? named("Vocab", out) : named("Class", out)}};
    const names left = width(in);
    return {left, {by_size(out, pascal_case(m) + "Out", left)}};
}

axis_roles::names axis_roles::table_axes(std::string const& name, std::vector<std::size_t> const& shape) {
    return {named(is_token_table(name) ? "Vocab" : "Time", shape[0]),
            by_size(shape[1], pascal_case(name) + "Width", {named(is_token_table(name) ? "Vocab" : "Time", shape[0])})};
}

std::string axis_roles::parameter_type(std::string const& where, std::vector<std::size_t> const& shape) {
    const auto [m, parent] = last_modules(where);
    if (shape.size() == 2 && is_table(m)) return "parameter<" + listed(table_axes(m, shape)) + ">";
    const std::string stem = pascal_case(is_any(m, {"weight", "bias"}) && !parent.empty() ? parent : m);
    names all(shape.size());
    // From the last axis: it is the one that parameters share most.
    for (std::size_t k = shape.size(); k-- > 0;)
        all[k] = by_size(shape[k], shape.size() == 1 ? stem : stem + std::to_string(k), all);
    return "parameter<" + listed(all) + ">";
}

std::string axis_roles::layer_type(std::string const& where, std::vector<std::size_t> const& weight,
                                   std::vector<std::size_t> const* bias) {
    const std::string m = last_modules(where).first;
    if (weight.size() == 1 && is_norm(m) && (bias == nullptr || *bias == weight)) {
        const std::string axis = by_size(weight[0], pascal_case(m), {});
        if (bias != nullptr) return "nn::layer_norm<" + axis + ">";
        return m.starts_with("ln") ? "nn::layer_norm<" + axis + ", nn::no_bias>" : "nn::rms_norm<" + axis + ">";
    }
    if (weight.size() != 2 || is_norm(m)) return "";
    if (bias == nullptr && is_table(m)) {
        const names axes = table_axes(m, weight);
        return "nn::embedding<" + listed(axes) + ">";
    }
    bool outputs_first = outputs_first_;
    if (bias == nullptr && is_head(m) && weight[0] == vocabulary_) outputs_first = true;
    if (bias != nullptr) {
        if (bias->size() != 1) return "";
        const bool first = (*bias)[0] == weight[0], second = (*bias)[0] == weight[1];
        if (!first && !second) return "";
        if (first != second) outputs_first = first;
    }
    const std::size_t in = weight[outputs_first ? 1 : 0], out = weight[outputs_first ? 0 : 1];
    auto [left, right] = sides(where, in, out);
    // An axis that is on both sides would be contracted with itself.
    if (without(right, left).size() != right.size()) right = {named(pascal_case(m) + "Out", out)};
    return "nn::linear<axes<" + listed(left) + ">, axes<" + listed(right) + ">" +
           (bias == nullptr || outputs_first ? (bias == nullptr ? ", nn::no_bias" : ", nn::with_bias") : "") +
           (outputs_first ? ", nn::weight_layout::out_in" : "") + ">";
}

}  // namespace tensor_files
