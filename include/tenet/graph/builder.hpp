// SPDX-License-Identifier: MIT
// graph: the builder holds a growing graph during constant evaluation. Equal nodes are merged as they are emitted
// (common subexpressions), within what is visible from the region that is being traced.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <tenet/base/list.hpp>

#include <tenet/graph/node.hpp>
#include <tenet/kernel/storage.hpp>

namespace tenet {
struct adapter_site;
}

namespace tenet::graph {

class value;

/// Where a parameter lies: in the block of its set, one after the other for the layers of the stacks around it.
struct parameter_slot {
    int set = 0;               ///< which parameter block
    int leaf = 0;              ///< which leaf of the model's type
    std::size_t offset = 0;    ///< in elements, within the block
    std::size_t elements = 0;  ///< of one layer, without padding
    std::size_t padded = 0;    ///< of one layer, with padding
    int levels = 0;            ///< number of stacks around it, outermost first
    int trips[4] = {};
    int stack = -1;  ///< the innermost stack around it, by its number in the trace
    storage format = storage::plain;
    std::size_t columns = 0;  ///< of the matrix as it is stored
    std::string_view path;    ///< with '*' for the layers
    std::string_view role;    ///< of an adapter's parameter
    std::string_view adapts;  ///< the path of the weight that it adapts
};

/// What a module is traced under: frozen, with an adapter, with a cache. Entered and left by `frozen(m)`, `with(a, m)`
/// and `cached<Past>(m, start)`.
struct scope {
    bool frozen = false;                                        ///< parameters are not trained
    bool adapter_frozen = false;                                ///< nor are the adapter's
    int adapter_set = -1;                                       ///< the adapter's parameter set
    value (*substitute)(adapter_site const&) = nullptr;         ///< for contractions with a parameter
    value (*substitute_lookup)(adapter_site const&) = nullptr;  ///< for rows of a parameter
    axis_info const* cache_axis = nullptr;   ///< causal attention keeps keys and values along this axis
    int cache_start = -1, cache_count = -1;  ///< nodes: the first new row of an entry, and how many are new
};

/// The state of one reverse sweep: the cotangent of every node, and which nodes need one.
struct sweep {
    list<int> cotangent;  ///< by node; -1: none yet
    list<char> active;    ///< by node: a cotangent leads to something wanted
    list<char> reached;   ///< by node: one of its further results has a cotangent
    bool sinks = false;   ///< cotangents of parameters go straight into the gradient block
    int forward_end = 0;  ///< nodes from here on are of the backward pass

    /// A value of the forward pass that is computed again.
    struct copy {
        int of, id;
    };
    list<copy> copies;
};

/// A graph under construction. All members are constexpr; nothing here exists at run time.
class builder {
public:
    list<node> nodes;
    list<axis_info const*> axes;
    list<region> regions;
    list<carry> carries;
    list<extent_rule> rules;
    list<int> outputs;
    list<parameter_slot> parameters;
    list<scope> scopes{scope{}};
    int current_region = 0;
    int families = 0;
    int random_streams = 0;
    sweep* cotangents = nullptr;    ///< of the sweep under way
    bool merging = true;            ///< equal nodes are merged
    bool external_outputs = false;  ///< results are written to memory that the caller gives
    bool training = false;          ///< dropout is the identity otherwise
    failure problem = failure::none;
    std::string_view problem_at;

    constexpr builder() { regions.push_back(region{}); }

    /// Notes the first thing that went wrong; tracing goes on so that one mistake stays one error.
    constexpr void fail(failure what, std::string_view where) {
        if (problem == failure::none) {
            problem = what;
            problem_at = where;
        }
    }

    /// The position of an axis in the table; added if it is new.
    constexpr int axis_id(axis_info const* info) {
        for (std::size_t i = 0; i < axes.size(); ++i)
            if (axes[i] == info) return static_cast<int>(i);
        axes.push_back(info);
        return static_cast<int>(axes.size()) - 1;
    }

    constexpr std::size_t capacity(int axis) const { return axes[static_cast<std::size_t>(axis)]->capacity; }
    constexpr bool is_static(int axis) const { return axes[static_cast<std::size_t>(axis)]->is_static; }
    constexpr node const& at(int id) const { return nodes[static_cast<std::size_t>(id)]; }
    constexpr node& at(int id) { return nodes[static_cast<std::size_t>(id)]; }
    constexpr region const& region_at(int id) const { return regions[static_cast<std::size_t>(id)]; }

    /// Number of elements of a list of axes at full capacity.
    constexpr std::size_t capacity(axis_list const& list) const {
        std::size_t n = 1;
        for (int i = 0; i < list.rank; ++i) n *= capacity(list[i]);
        return n;
    }
    constexpr bool is_static(axis_list const& list) const {
        for (int i = 0; i < list.rank; ++i)
            if (!is_static(list[i])) return false;
        return true;
    }

    /// Whether region `inner` is `outer` or lies within it.
    constexpr bool within(int inner, int outer) const {
        for (int r = inner; r >= 0; r = region_at(r).parent)
            if (r == outer) return true;
        return false;
    }
    /// Whether region `r` is within a loop over `family`.
    constexpr bool indexed_by(int r, int family) const {
        for (; r >= 0; r = region_at(r).parent)
            if (region_at(r).loop && region_at(r).family == family) return true;
        return false;
    }

    /// Adds a node to the current region, or returns an equal one that is already there.
    constexpr int emit(node n) {
        n.region = n.op == kind::parameter || n.op == kind::input ? n.region : current_region;
        n.hash = hash_of(n);
        if (!merging && n.op != kind::parameter && n.op != kind::input) n.shared = false;
        if (n.shared) {
            const int found = find_equal(n);
            if (found >= 0) return found;
        }
        const int id = static_cast<int>(nodes.size());
        nodes.push_back(n);
        if (n.shared) {
            next_.resize(nodes.size(), -1);
            next_.back() = heads_[n.hash % buckets];
            heads_[n.hash % buckets] = id;
        }
        return id;
    }

    constexpr int open_loop(int trips, int family, bool reversed) {
        region r;
        r.loop = true;
        r.reversed = reversed;
        r.parent = current_region;
        r.family = family >= 0 ? family : families++;
        r.trips = trips;
        return open(r);
    }
    constexpr int open_checkpoint() {
        region r;
        r.checkpoint = true;
        r.parent = current_region;
        return open(r);
    }
    constexpr void close_region() {
        regions[static_cast<std::size_t>(current_region)].end = static_cast<int>(nodes.size());
        current_region = region_at(current_region).parent;
    }

private:
    static constexpr std::uint32_t buckets = 256;
    list<int> heads_ = list<int>(buckets, -1);
    list<int> next_;

    constexpr int open(region r) {
        r.begin = static_cast<int>(nodes.size());
        regions.push_back(r);
        current_region = static_cast<int>(regions.size()) - 1;
        return current_region;
    }

    static constexpr std::uint32_t mix(std::uint32_t h, std::uint32_t x) { return (h ^ x) * 16777619u; }
    static constexpr std::uint32_t hash_of(node const& n) {
        std::uint32_t h = mix(2166136261u, static_cast<std::uint32_t>(n.op));
        for (int i = 0; i < n.input_count; ++i) h = mix(h, static_cast<std::uint32_t>(n.input[i] + 1));
        for (int i = 0; i < n.axes.rank; ++i) h = mix(h, static_cast<std::uint32_t>(n.axes[i]));
        h = mix(h, static_cast<std::uint32_t>(n.integer[0]));
        return mix(h, static_cast<std::uint32_t>(n.integer[1]));
    }
    static constexpr bool equal(node const& a, node const& b) {
        if (a.hash != b.hash || a.op != b.op || a.type != b.type || a.function != b.function ||
            a.primitive != b.primitive || a.input_count != b.input_count || a.frozen != b.frozen ||
            a.elements != b.elements || a.packed != b.packed || !(a.axes == b.axes) || !(a.over == b.over) ||
            !(a.physical == b.physical) || a.tap != b.tap)
            return false;
        for (int i = 0; i < a.input_count; ++i)
            if (a.input[i] != b.input[i]) return false;
        for (int i = 0; i < 2; ++i)
            if (a.number[i] != b.number[i]) return false;
        for (int i = 0; i < 4; ++i)
            if (a.integer[i] != b.integer[i]) return false;
        for (int i = 0; i < max_rank; ++i)
            if (a.position[i] != b.position[i] || a.start[i] != b.start[i]) return false;
        return true;
    }
    constexpr int find_equal(node const& n) const {
        for (int id = heads_[n.hash % buckets]; id >= 0; id = next_[static_cast<std::size_t>(id)]) {
            node const& other = at(id);
            const bool visible = other.op == kind::parameter || other.op == kind::input
                                     ? other.region == n.region
                                     : within(current_region, other.region);
            if (visible && equal(other, n)) return id;
        }
        return -1;
    }
};

}  // namespace tenet::graph
