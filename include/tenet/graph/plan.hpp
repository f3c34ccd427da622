// SPDX-License-Identifier: MIT
// graph: what a planned program is: its steps in order, and where every value lies.
#pragma once

#include <cstddef>
#include <cstdint>

#include <tenet/base/list.hpp>
#include <tenet/graph/node.hpp>

namespace tenet::graph {

/// The memory that a location is in.
enum class space : std::uint8_t { none, arena, parameters, gradients, input, output, state };

/// One loop index in an address: the slot is the iteration (counted by the loop that wrote it), in a ring if `mod` > 0.
struct address_level {
    std::int32_t family = 0;
    std::int32_t trips = 1;
    std::int32_t shift = 0;
    std::int32_t mod = 0;
    bool reversed = false;
    std::size_t stride = 0;  ///< in bytes
};

/// An address: `base(space, set) + offset + sum over levels of slot * stride`.
struct location {
    space in = space::none;
    std::int32_t set = 0;    ///< parameter set, or number of the input or output
    std::size_t offset = 0;  ///< in bytes
    std::int32_t level_count = 0;
    address_level levels[4];
};

/// What the executor does, in order.
enum class step_kind : std::uint8_t { node, group, loop_begin, loop_end };
struct step {
    step_kind what = step_kind::node;
    std::int32_t id = 0;     ///< node, group (its last member) or region
    std::int32_t match = 0;  ///< loop_begin: the step of its loop_end
};

/// A trainable parameter: where its gradient lies in the compact block.
struct trainable_slot {
    std::int32_t parameter = 0;  ///< in the table of parameters
    std::size_t offset = 0;      ///< in elements
    std::size_t elements = 0;    ///< over all layers, with padding
};

/// A buffer of the arena, as the plan shows it.
struct buffer {
    std::int32_t node = 0;
    std::size_t offset = 0, bytes = 0;
    std::int32_t begin = 0, end = 0;  ///< first and last step that it is live in
};

/// A planned program, still growing; offsets into the arena are relative to the buffers until these are placed.
struct plan {
    list<location> locations;  ///< by node
    list<int> buffer_of;       ///< by node: the buffer it lies in, or -1
    list<char> rounded;        ///< by node: its elements are of bfloat16
    list<step> steps;
    list<char> skipped;     ///< by node: a sink whose operand is computed in place
    list<int> direct_sink;  ///< by node: the sink that it is computed for in place, or -1
    list<trainable_slot> trainable;
    list<buffer> buffers;
    std::size_t gradient_elements = 0;
    std::size_t state_bytes = 0;
};

/// The node whose memory `id` lies in: follows aliases and views.
template <class Graph>
constexpr int storage_of(Graph const& graph, int id) {
    for (;;) {
        node const& n = graph.nodes[static_cast<std::size_t>(id)];
        if (n.op != kind::alias && n.op != kind::view) return id;
        id = n.input[0];
    }
}

}  // namespace tenet::graph
