// SPDX-License-Identifier: MIT
// graph: parameters that are stored in fewer bits. Every use sees the numbers, a node of its own; contractions and
// look-ups go behind that node and take the stored parameter, so that the node is dead and the numbers never exist.
#pragma once

#include <tenet/graph/value.hpp>
#include <tenet/kernel/storage.hpp>

namespace tenet::graph {

/// How the elements of a parameter are stored; plain for every other node.
constexpr storage storage_format(node const& n) {
    return n.op == kind::parameter ? static_cast<storage>(n.integer[1]) : storage::plain;
}

/// `x` as numbers: a node that computes them if `x` is a stored parameter.
constexpr value dequantized(value x) {
    if (storage_format(x.get()) == storage::plain) return x;
    node n;
    n.op = kind::dequantize;
    n.axes = x.axes();
    n.packed = x.get().packed;
    n.add_input(x.id());
    return {x.graph(), x.graph().emit(n)};
}

/// The stored parameter that `x` is the numbers of; any other `x` itself.
constexpr value stored(value x) {
    return x.get().op == kind::dequantize ? value(x.graph(), x.get().input[0]) : x;
}

}  // namespace tenet::graph
