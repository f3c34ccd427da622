// SPDX-License-Identifier: MIT
// program: the plan as a person reads it, a table of steps.
#pragma once

#include <cstdio>
#include <string>
#include <vector>

#include <tenet/program/plan_cards.hpp>

namespace tenet {
namespace detail {

inline std::string bytes_text(double bytes) {
    char text[32];
    if (bytes >= 1 << 20) std::snprintf(text, sizeof text, "%.1f MiB", bytes / (1 << 20));
    else if (bytes >= 1 << 10) std::snprintf(text, sizeof text, "%.1f KiB", bytes / (1 << 10));
    else std::snprintf(text, sizeof text, "%.0f B", bytes);
    return text;
}

inline std::string place_text(node_card const& c) {
    switch (c.where) {
    case graph::space::arena: return "arena + " + std::to_string(c.offset);
    case graph::space::gradients: return "gradients + " + std::to_string(c.offset);
    case graph::space::output: return "result";
    case graph::space::state: return "state + " + std::to_string(c.offset);
    default: return "";
    }
}

inline std::string padded(std::string text, std::size_t width) {
    if (text.size() < width) text.append(width - text.size(), ' ');
    return text;
}

}  // namespace detail

/// The plan of a program as a table: one line a step, with the operations fused into it, their shapes, where the
/// result lies and how many floating-point operations it takes; loops are indented.
template <class Program>
std::string describe() {
    using P = typename Program::code;
    constexpr auto const& cards = detail::node_cards<P>;
    const auto card = [&](int id) -> detail::node_card const& { return cards[static_cast<std::size_t>(id)]; };
    const auto label = [&](int id) {
        const std::string_view name = card(id).name;
        return card(id).op == graph::kind::parameter ? std::string(name) : "%" + std::to_string(id);
    };
    char flops[32];
    std::snprintf(flops, sizeof flops, "%.3g", Program::flops);
    std::string text = "activations " + detail::bytes_text(static_cast<double>(Program::activation_bytes)) +
                       ", gradients " + std::to_string(Program::gradient_elements) + " elements, " + flops +
                       " flop a step\n" + detail::padded("step", 6) + detail::padded("operation", 62) +
                       detail::padded("result", 52) + detail::padded("place", 24) + "flop\n";
    std::size_t depth = 0;
    for (std::size_t s = 0; s < detail::step_cards<P>.size(); ++s) {
        graph::step const step = detail::step_cards<P>[s];
        const std::string number = detail::padded(std::to_string(s), 6);
        if (step.what == graph::step_kind::loop_end) {
            --depth;
            continue;
        }
        const std::string indent(2 * depth, ' ');
        if (step.what == graph::step_kind::loop_begin) {
            graph::region const r = detail::region_cards<P>[static_cast<std::size_t>(step.id)];
            text += number + indent + "for " + std::to_string(r.trips) + " layers" +
                    (r.reversed ? ", last first" : "") + "\n";
            ++depth;
            continue;
        }
        detail::node_card const& last = card(step.id);
        std::string operation;
        double cost = 0;
        if (step.what == graph::step_kind::group) {
            auto const& [begin, members] = detail::member_cards<P>;
            std::vector<std::pair<std::string_view, int>> counted;
            for (int m = begin[static_cast<std::size_t>(last.group)];
                 m < begin[static_cast<std::size_t>(last.group) + 1]; ++m) {
                const int id = members[static_cast<std::size_t>(m)];
                auto known = counted.begin();
                while (known != counted.end() && known->first != card(id).name) ++known;
                if (known == counted.end()) counted.emplace_back(card(id).name, 1);
                else ++known->second;
                cost += card(id).flops;
            }
            for (auto const& [name, times] : counted)
                operation +=
                    (operation.empty() ? "" : " ") + std::string(name) + (times > 1 ? "*" + std::to_string(times) : "");
        } else {
            operation = last.name;
            if (last.skipped) operation += " (in place)";
            cost = last.flops;
        }
        std::string inputs;
        if (step.what == graph::step_kind::node)
            for (int k = 0; k < last.input_count; ++k) inputs += (k > 0 ? ", " : "") + label(last.input[k]);
        if (step.what == graph::step_kind::node) operation += " (" + inputs + ")";
        std::snprintf(flops, sizeof flops, "%.3g", cost);
        text += number + detail::padded(indent + operation, 61) + " " +
                detail::padded("%" + std::to_string(step.id) + (last.rounded ? " bfloat16 " : " ") +
                                   detail::axes_text<P>(last.axes),
                               51) +
                " " + detail::padded(detail::place_text(last), 23) + " " + flops + "\n";
    }
    return text;
}
template <class Program>
std::string describe(Program const&) {
    return describe<Program>();
}

}  // namespace tenet
