// SPDX-License-Identifier: MIT
#include "declaration.hpp"

#include <algorithm>
#include <map>
#include <memory>
#include <utility>
#include <vector>

#include <tenet/base/reflect.hpp>
#include <tenet/graph/node.hpp>
#include <tenet/io/elements.hpp>
#include <tenet/program/layout.hpp>

#include "axis_roles.hpp"
#include "cpp_text.hpp"

namespace tensor_files {
namespace {

namespace st = tenet::safetensors;

[[noreturn]] void fail(std::string const& expected, std::string const& found) {
    tenet::fail_expectation("checkpoint describe --cpp", expected, found);
}

constexpr std::size_t most_children = 10'000;

/// A module, or a parameter (`tensor` is set), of the tree that the dots of names make.
struct tree {
    std::vector<std::pair<std::string, std::unique_ptr<tree>>> children;
    tensor_entry const* tensor = nullptr;

    tree& child(std::string const& name) {
        for (auto& [known, node] : children)
            if (known == name) return *node;
        if (children.size() == most_children) fail("at most " + std::to_string(most_children) + " layers", "more");
        children.emplace_back(name, std::make_unique<tree>());
        return *children.back().second;
    }
    tree const* find(std::string_view name) const {
        for (auto const& [known, node] : children)
            if (known == name) return node.get();
        return nullptr;
    }
    bool is_parameter() const { return children.empty(); }
    std::vector<std::size_t> const& shape() const { return tensor->shape; }

    /// Names and shapes of all that is below: equal for the layers of a stack.
    std::string signature() const {
        std::string text = tensor != nullptr ? st::detail::shape_text(tensor->shape) : "";
        for (auto const& [name, node] : children) text += "{" + name + ":" + node->signature() + "}";
        return text;
    }
};

// "h.3.attn.bias" to "h.*.attn.bias".
std::string without_numbers(std::string const& name) {
    std::string pattern;
    for (std::string const& part : split_name(name)) {
        const bool number =
            !part.empty() && std::all_of(part.begin(), part.end(), [](char c) { return c >= '0' && c <= '9'; });
        pattern += (pattern.empty() ? "" : ".") + (number ? "*" : part);
    }
    return pattern;
}

class declaration {
public:
    declaration(std::span<tensor_entry const> tensors, declaration_options const& options)
        : options_(options), roles_(tensors, options.heads) {
        for (tensor_entry const& tensor : tensors) {
            for (std::string const& part : split_name(tensor.name)) roles_.reserve(part);
            if (!is_parameter(tensor)) {
                aside_.emplace(without_numbers(tensor.name), tensor.dtype);
                continue;
            }
            check(tensor);
            count_ += size_of(tensor);
            tree* at = &root_;
            for (std::string const& part : split_name(tensor.name)) at = &at->child(part);
            at->tensor = &tensor;
        }
        // Llama's files have a member called model.
        if (options_.name.empty()) options_.name = roles_.is_taken("model") ? "network" : "model";
        roles_.reserve(options_.name);
        roles_.reserve(options_.space);
        if (root_.children.empty()) fail("tensors of floating numbers", "none");
        // What is read first stands first: tables, stacks, the rest.
        decltype(root_.children) ordered;
        for (int rank : {0, 1, 2})
            for (auto& child : root_.children)
                if (child.second != nullptr && rank_of(child.first, *child.second) == rank)
                    ordered.push_back(std::move(child));
        root_.children = std::move(ordered);
    }

    std::string text(std::string const& source) {
        const std::string members = members_of(root_, "", options_.name);
        std::string out = "// Made from " + tenet::detail::quoted(source) +
                          " by `checkpoint describe --cpp`: axes and parameters.\n// Axes are named by role and size; "
                          "correct them, then give each module its call operator.\n";
        for (auto const& [pattern, dtype] : aside_)
            out +=
                "// Left aside (load_options::ignore_extra): " + tenet::detail::quoted(pattern) + ", " + dtype + "\n";
        out += "#pragma once\n\n#include <tenet/nn.hpp>\n#include <tenet/program.hpp>\n\nnamespace " + options_.space +
               " {\nusing namespace tenet;\n\n";
        for (auto const& [name, size] : roles_.axes())
            out += "struct " + name + " : axis<" + std::to_string(size) + "> {};\n";
        out += "\n" + structs_ + "struct " + options_.name + " {\n" + members + "};\n";
        out += "static_assert(parameter_count<" + options_.name + "> == " + std::to_string(count_) +
               ");\n\n}  // namespace " + options_.space + "\n";
        return out;
    }

private:
    static bool is_parameter(tensor_entry const& tensor) {
        const auto type = st::dtype_named(tensor.dtype);
        return type && tenet::is_floating(*type) && !is_buffer(tensor);
    }

    static void check(tensor_entry const& tensor) {
        const std::string name = tenet::detail::quoted(tensor.name);
        if (tensor.shape.size() > tenet::graph::max_rank)
            fail("at most " + std::to_string(tenet::graph::max_rank) + " axes",
                 name + " with " + std::to_string(tensor.shape.size()));
        if (size_of(tensor) == 0) fail("elements", name + " of shape " + st::detail::shape_text(tensor.shape));
        if (tensor.name.find('*') != std::string::npos || tensor.name.find('\0') != std::string::npos)
            fail("names without * and zero bytes", name);
        constexpr std::size_t longest = sizeof(tenet::path_text::text) - 8;  // room for what makes a name unique
        if (without_numbers(tensor.name).size() > longest)
            fail("names of at most " + std::to_string(longest) + " characters", name);
    }

    int rank_of(std::string const& name, tree const& node) const {
        if (is_table(name)) return 0;
        return stack_layers(node) > 0 ? 1 : 2;
    }

    /// The number of layers if the children are numbered from 0 and all alike; else 0.
    static std::size_t stack_layers(tree const& node) {
        if (node.children.empty() || node.tensor != nullptr) return 0;
        const std::string first = node.children.front().second->signature();
        for (std::size_t i = 0; i < node.children.size(); ++i) {
            auto const& [name, child] = node.children[i];
            if (name != std::to_string(i) || (i > 0 && child->signature() != first)) return 0;
        }
        return node.children.size();
    }

    /// Whether `name` can be a member's name that leads to all that is below it.
    bool usable(std::string const& name, tree const& node) const {
        return is_identifier(name) && (node.tensor == nullptr || node.children.empty()) && !ends_in_a_dot(node);
    }
    static bool ends_in_a_dot(tree const& node) {
        return std::any_of(node.children.begin(), node.children.end(), [](auto const& child) {
            return child.first.empty() ? child.second->tensor != nullptr : ends_in_a_dot(*child.second);
        });
    }

    /// The members of a module. `where` is its path.
    std::string members_of(tree const& node, std::string const& where, std::string const& owner) {
        std::string text;
        std::size_t count = 0;
        for (auto const& [name, child] : node.children) {
            if (usable(name, *child)) {
                text += "    " + type_of(*child, joined(where, name)) + " " + name + ";\n";
                ++count;
            } else {
                add_literals(*child, where, name, text, count);
            }
        }
        if (count > tenet::max_reflected_members) {
            fail("modules of at most " + std::to_string(tenet::max_reflected_members) + " members",
                 std::to_string(count) + " in " + (where.empty() ? owner : tenet::detail::quoted(where)) +
                     " (numbered layers that differ cannot be a stack)");
        }
        return text;
    }

    /// Parameters whose path is no path of members: their names become literals.
    void add_literals(tree const& node, std::string const& where, std::string const& rest, std::string& text,
                      std::size_t& count) {
        if (node.tensor != nullptr) {
            const std::string base = identifier_of(rest);
            const std::string member = roles_.unique(is_identifier(base) ? base : "p_" + base);
            text += "    " + roles_.parameter_type(joined(where, rest), node.shape()) + " " + member + "{" +
                    string_literal(rest) + "};\n";
            ++count;
        }
        for (auto const& [name, child] : node.children) add_literals(*child, where, rest + "." + name, text, count);
    }

    static std::string joined(std::string const& where, std::string const& name) {
        return where.empty() ? name : where + "." + name;
    }

    std::string type_of(tree const& node, std::string const& where) {
        if (node.is_parameter()) return roles_.parameter_type(where, node.shape());
        if (const std::size_t layers = stack_layers(node)) {
            const auto parts = split_name(where);
            if (std::count(parts.begin(), parts.end(), "*") == 4)
                fail("stacks at most 4 deep", tenet::detail::quoted(where));
            return "stack<" + type_of(*node.children.front().second, joined(where, "*")) + ", " +
                   std::to_string(layers) + ">";
        }
        if (const std::string layer = layer_type(node, where); !layer.empty()) return layer;
        return struct_type(node, where);
    }

    /// A layer of tenet::nn, or nothing.
    std::string layer_type(tree const& node, std::string const& where) {
        tree const* const weight = node.find("weight");
        tree const* const bias = node.find("bias");
        if (weight == nullptr || !weight->is_parameter() || node.children.size() != (bias == nullptr ? 1u : 2u))
            return "";
        if (bias != nullptr && !bias->is_parameter()) return "";
        return roles_.layer_type(where, weight->shape(), bias == nullptr ? nullptr : &bias->shape());
    }

    std::string struct_type(tree const& node, std::string const& where) {
        std::string wanted = "block";
        const auto parts = split_name(where);
        if (parts.back() != "*") wanted = parts.back() + "_layer";
        else if (parts.size() > 1 && !is_plural_of_block(parts[parts.size() - 2]))
            wanted = parts[parts.size() - 2] + "_layer";
        if (!is_identifier(wanted)) wanted = "layer";
        const std::string members = members_of(node, where, wanted);
        if (const auto known = types_.find(members); known != types_.end()) return known->second;
        const std::string name = roles_.unique(wanted);
        types_.emplace(members, name);
        structs_ += "struct " + name + " {\n" + members + "};\n";
        return name;
    }

    static bool is_plural_of_block(std::string const& name) {
        return name == "h" || name == "layers" || name == "blocks" || name == "layer" || name == "block";
    }

    declaration_options options_;
    axis_roles roles_;
    tree root_;
    std::map<std::string, std::string> aside_;  // pattern, element type
    std::map<std::string, std::string> types_;  // members, name
    std::string structs_;
    std::size_t count_ = 0;
};

}  // namespace

std::string declare_model(std::span<tensor_entry const> tensors, std::string const& source,
                          declaration_options const& options) {
    if (!options.name.empty() && !is_identifier(options.name))
        fail("an identifier as the model's name", tenet::detail::quoted(options.name));
    if (!is_identifier(options.space) || options.space == options.name)
        fail("an identifier as the namespace", tenet::detail::quoted(options.space));
    return declaration(tensors, options).text(source);
}

}  // namespace tensor_files
