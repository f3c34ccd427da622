// SPDX-License-Identifier: MIT
// graph: where every value lies. Live intervals over the straight-line program, first fit by size into one arena;
// what a backward loop reads again has a slot an iteration, temporaries are shared by all iterations, and a carried
// value moves through a ring of slots.
#pragma once

#include <algorithm>
#include <cstddef>
#include <tenet/base/list.hpp>

#include <tenet/graph/fuse.hpp>
#include <tenet/graph/geometry.hpp>
#include <tenet/graph/prune.hpp>

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

/// Lays out a pruned graph whose elements of type `real` take `real_bytes`, or two bytes in the nodes of `rounded`.
class planner {
public:
    constexpr planner(builder& graph, fusion const& groups, std::size_t real_bytes, list<char> const& rounded)
        : graph_(graph), groups_(groups), real_bytes_(real_bytes), count_(graph.nodes.size()) {
        plan_.rounded = rounded;
    }

    constexpr plan run() {
        plan_.locations.resize(count_);
        plan_.skipped.assign(count_, 0);
        plan_.direct_sink.assign(count_, -1);
        step_of_.assign(count_, 0);
        schedule();
        lay_out_parameters();
        lay_out_states();
        lay_out_gradients();
        lay_out_arena();
        return plan_;
    }

    constexpr std::size_t bytes_of(int id) const {
        node const& n = graph_.at(id);
        const std::size_t elements = n.elements > 0 ? n.elements : graph_.capacity(n.axes);
        const std::size_t real_bytes = plan_.rounded[at(id)] ? sizeof(std::uint16_t) : real_bytes_;
        const std::size_t each = n.type == dtype::real ? real_bytes : size_of(n.type);
        return (elements * each + 63) / 64 * 64;
    }

private:
    builder& graph_;
    fusion const& groups_;
    std::size_t real_bytes_;
    std::size_t count_;
    plan plan_;
    list<int> step_of_;                // by node: the step that computes it
    list<int> loop_begin_, loop_end_;  // by region

    static constexpr std::size_t at(int i) { return static_cast<std::size_t>(i); }

    constexpr bool computes(node const& n) const { return detail::owns_memory(n.op) || n.op == kind::sink; }

    // The innermost loop around a region, or -1.
    constexpr int loop_around(int r) const {
        while (r >= 0 && !graph_.region_at(r).loop) r = graph_.region_at(r).parent;
        return r;
    }
    constexpr int parent_loop(int r) const { return loop_around(graph_.region_at(r).parent); }

    constexpr void enter_and_leave(list<int>& open, int target) {
        // Close loops that do not contain the target, then open those that do, outermost first.
        const auto contains = [&](int loop) {
            for (int r = target; r >= 0; r = parent_loop(r))
                if (r == loop) return true;
            return false;
        };
        while (!open.empty() && !contains(open.back())) {
            loop_end_[at(open.back())] = static_cast<int>(plan_.steps.size());
            plan_.steps[at(loop_begin_[at(open.back())])].match = static_cast<int>(plan_.steps.size());
            plan_.steps.push_back({step_kind::loop_end, open.back(), loop_begin_[at(open.back())]});
            open.pop_back();
        }
        list<int> chain;
        for (int r = target; r >= 0; r = parent_loop(r)) {
            bool is_open = false;
            for (int o : open) is_open = is_open || o == r;
            if (!is_open) chain.push_back(r);
        }
        for (std::size_t i = chain.size(); i-- > 0;) {
            open.push_back(chain[i]);
            loop_begin_[at(chain[i])] = static_cast<int>(plan_.steps.size());
            plan_.steps.push_back({step_kind::loop_begin, chain[i], 0});
        }
    }

    constexpr void schedule() {
        loop_begin_.assign(graph_.regions.size(), -1);
        loop_end_.assign(graph_.regions.size(), -1);
        list<int> open;
        for (std::size_t i = 0; i < count_; ++i) {
            node const& n = graph_.nodes[i];
            if (!computes(n)) continue;
            const int g = groups_.group[i];
            if (g >= 0 && groups_.members[at(g)].back() != static_cast<int>(i)) continue;
            enter_and_leave(open, loop_around(n.region));
            const int s = static_cast<int>(plan_.steps.size());
            if (g >= 0) {
                for (int m : groups_.members[at(g)]) step_of_[at(m)] = s;
                plan_.steps.push_back({step_kind::group, static_cast<int>(i), 0});
            } else {
                step_of_[i] = s;
                plan_.steps.push_back({step_kind::node, static_cast<int>(i), 0});
            }
        }
        enter_and_leave(open, -1);
        for (std::size_t i = 0; i < count_; ++i)
            if (graph_.nodes[i].op == kind::output) step_of_[i] = step_of_[at(graph_.nodes[i].input[0])];
    }

    constexpr location parameter_location(parameter_slot const& p, int r, space in, std::size_t offset) const {
        location l;
        l.in = in;
        l.set = p.set;
        l.offset = offset * real_bytes_;
        std::size_t stride = p.padded * real_bytes_;
        int loop = loop_around(r);
        // Innermost level first: a layer is `padded` elements after the one before.
        for (int k = p.levels - 1; k >= 0; --k) {
            address_level& level = l.levels[l.level_count++];
            level.family = graph_.region_at(loop).family;
            level.trips = p.trips[k];
            level.stride = stride;
            stride *= at(p.trips[k]);
            loop = parent_loop(loop);
        }
        return l;
    }

    // One slot an iteration of every loop around it, in a block that outlives the step.
    constexpr void lay_out_states() {
        for (std::size_t i = 0; i < count_; ++i) {
            node const& n = graph_.nodes[i];
            if (n.op != kind::state) continue;
            location& l = plan_.locations[i];
            l.in = space::state;
            l.offset = plan_.state_bytes;
            std::size_t bytes = bytes_of(static_cast<int>(i));
            for (int r = loop_around(n.region); r >= 0; r = parent_loop(r)) {
                address_level& level = l.levels[l.level_count++];
                level.family = graph_.region_at(r).family;
                level.trips = graph_.region_at(r).trips;
                level.stride = bytes;
                bytes *= at(level.trips);
            }
            plan_.state_bytes += bytes;
        }
    }

    constexpr std::size_t all_elements(parameter_slot const& p) const {
        std::size_t n = p.padded;
        for (int k = 0; k < p.levels; ++k) n *= at(p.trips[k]);
        return n;
    }

    constexpr void lay_out_parameters() {
        for (std::size_t i = 0; i < count_; ++i) {
            node const& n = graph_.nodes[i];
            if (n.op == kind::parameter) {
                parameter_slot const& p = graph_.parameters[at(n.integer[0])];
                plan_.locations[i] = parameter_location(p, n.region, space::parameters, p.offset);
            } else if (n.op == kind::input) {
                plan_.locations[i].in = space::input;
                plan_.locations[i].set = n.integer[0];
            }
        }
    }

    constexpr void lay_out_gradients() {
        list<char> reached(graph_.parameters.size(), 0);
        for (node const& n : graph_.nodes)
            if (n.op == kind::sink) reached[at(graph_.at(n.input[1]).integer[0])] = 1;
        list<std::size_t> offset(graph_.parameters.size(), 0);
        for (std::size_t p = 0; p < graph_.parameters.size(); ++p) {
            if (!reached[p]) continue;
            offset[p] = plan_.gradient_elements;
            plan_.trainable.push_back({static_cast<int>(p), offset[p], all_elements(graph_.parameters[p])});
            plan_.gradient_elements += all_elements(graph_.parameters[p]);
        }
        list<int> uses(count_, 0);
        for (node const& n : graph_.nodes)
            for (int k = 0; n.op != kind::output && k < n.input_count; ++k) ++uses[at(n.input[k])];
        for (int id : graph_.outputs) uses[at(id)] += 2;
        for (carry const& c : graph_.carries)
            for (int id : {c.init, c.out}) uses[at(id)] += 2;
        list<char> seen(graph_.parameters.size(), 0);
        for (std::size_t i = 0; i < count_; ++i) {
            node& n = graph_.nodes[i];
            if (n.op != kind::sink) continue;
            node const& leaf = graph_.at(n.input[1]);
            const std::size_t p = at(leaf.integer[0]);
            parameter_slot const& slot = graph_.parameters[p];
            // In a loop over something else than the parameter's layers, the same gradient is met again and again.
            int loops = 0;
            for (int r = loop_around(n.region); r >= 0; r = parent_loop(r)) ++loops;
            n.mode =
                seen[p] ? sink_mode::add : (loops > slot.levels ? sink_mode::store_first_iteration : sink_mode::store);
            seen[p] = 1;
            plan_.locations[i] = parameter_location(slot, leaf.region, space::gradients, offset[p]);

            // The operand is computed in place if it lies like the parameter and nothing else reads it.
            const int root = storage_of(graph_, n.input[0]);
            bool direct = uses[at(n.input[0])] == 1 && graph_.is_static(leaf.axes);
            for (int x = n.input[0]; x != root; x = graph_.at(x).input[0])
                direct = direct && graph_.at(x).op == kind::alias && uses[at(graph_.at(x).input[0])] == 1;
            node const& source = graph_.at(root);
            direct = direct && (detail::owns_memory(source.op) || source.op == kind::output) &&
                     source.region == n.region && source.type == dtype::real;
            if (n.mode != sink_mode::store)
                direct = direct && (source.op == kind::dot || source.op == kind::reduce_sum ||
                                    source.op == kind::scatter_add_rows);
            if (!direct) continue;
            plan_.skipped[i] = 1;
            plan_.direct_sink[at(root)] = static_cast<int>(i);
            plan_.locations[at(root)] = plan_.locations[i];
        }
    }

    constexpr bool saved_over(int use_region, int loop) const { return !graph_.within(use_region, loop); }

    constexpr void lay_out_arena() {
        // Carried values share one ring of slots.
        list<int> ring(count_, -1);
        for (std::size_t c = 0; c < graph_.carries.size(); ++c)
            for (int id :
                 {graph_.carries[c].init, graph_.carries[c].in, graph_.carries[c].out, graph_.carries[c].result})
                ring[at(id)] = static_cast<int>(c);

        const int last = static_cast<int>(plan_.steps.size());
        list<int> uses_begin(count_ + 1, 0);
        // Readers by storage: (root, region, step).
        struct use {
            int root, region, step;
        };
        list<use> uses;
        const auto add_use = [&](int id, int region, int s) { uses.push_back({storage_of(graph_, id), region, s}); };
        for (std::size_t i = 0; i < count_; ++i) {
            node const& n = graph_.nodes[i];
            if (n.op == kind::carry_in || n.op == kind::carry_result || n.op == kind::output || n.op == kind::alias ||
                n.op == kind::view)
                continue;
            if (!computes(n)) continue;
            for (int k = 0; k < n.input_count; ++k) {
                const int x = n.input[k];
                // Inside a group, values stay in registers.
                if (groups_.group[i] >= 0 && groups_.group[at(x)] == groups_.group[i]) continue;
                add_use(x, n.region, step_of_[i]);
            }
        }
        for (int id : graph_.outputs) add_use(id, 0, last);
        for (std::size_t i = 0; i < count_; ++i)
            if (!graph_.nodes[i].tap.empty()) add_use(static_cast<int>(i), 0, last);
        // Uses in the order of their roots: counted, then placed.
        list<int> order(uses.size(), 0);
        for (use const& u : uses) ++uses_begin[at(u.root) + 1];
        for (std::size_t i = 0; i < count_; ++i) uses_begin[i + 1] += uses_begin[i];
        {
            list<int> next = uses_begin;
            for (std::size_t u = 0; u < uses.size(); ++u) order[at(next[at(uses[u].root)]++)] = static_cast<int>(u);
        }
        const auto uses_of = [&](int id, auto&& f) {
            for (int u = uses_begin[at(id)]; u < uses_begin[at(id) + 1]; ++u) f(uses[at(order[at(u)])]);
        };

        list<int>& buffer_of = plan_.buffer_of;
        buffer_of.assign(count_, -1);
        const auto add_buffer = [&](int id, std::size_t bytes, int begin, int end) {
            buffer_of[at(id)] = static_cast<int>(plan_.buffers.size());
            plan_.buffers.push_back({id, 0, bytes, begin, end});
        };
        // Extends a life from region `home` over every loop around the reader that does not hold the home.
        const auto extend = [&](int home, use const& u, int& begin, int& end) {
            end = std::max(end, u.step);
            for (int l = loop_around(u.region); l >= 0; l = parent_loop(l))
                if (!graph_.within(home, l)) end = std::max(end, loop_end_[at(l)]);
            for (int l = loop_around(home); l >= 0; l = parent_loop(l))
                if (saved_over(u.region, l)) {
                    begin = std::min(begin, loop_begin_[at(l)]);
                    end = std::max(end, loop_end_[at(l)]);
                }
        };
        // One slot an iteration of every loop around `home` that a reader lies outside of.
        const auto add_levels = [&](location& l, int home, std::size_t& bytes, auto&& is_saved) {
            for (int r = loop_around(home); r >= 0; r = parent_loop(r)) {
                if (!is_saved(r)) continue;
                region const& loop = graph_.region_at(r);
                address_level& level = l.levels[l.level_count++];
                level.family = loop.family;
                level.trips = loop.trips;
                level.stride = bytes;
                bytes *= at(loop.trips);
            }
        };

        for (std::size_t i = 0; i < count_; ++i) {
            node const& n = graph_.nodes[i];
            if (!(detail::owns_memory(n.op) || n.op == kind::output)) continue;
            if (ring[i] >= 0 || plan_.locations[i].in == space::gradients) continue;
            if (groups_.group[i] >= 0 && uses_begin[i] == uses_begin[i + 1]) continue;  // lives in registers
            int begin = step_of_[i], end = step_of_[i];
            uses_of(static_cast<int>(i), [&](use const& u) { extend(n.region, u, begin, end); });
            location& l = plan_.locations[i];
            l.in = space::arena;
            std::size_t bytes = bytes_of(static_cast<int>(i));
            add_levels(l, n.region, bytes, [&](int loop) {
                bool saved = false;
                uses_of(static_cast<int>(i), [&](use const& u) { saved = saved || saved_over(u.region, loop); });
                return saved;
            });
            add_buffer(static_cast<int>(i), bytes, begin, end);
        }

        for (carry const& c : graph_.carries) {
            const int home = c.region;
            region const& loop = graph_.region_at(home);
            int begin = std::min(step_of_[at(c.init)], loop_begin_[at(home)]), end = loop_end_[at(home)];
            bool kept = false;
            const auto note = [&](use const& u, int from) {
                if (from == home && saved_over(u.region, home)) kept = true;
                extend(from, u, begin, end);
            };
            const int parent = loop.parent;
            uses_of(c.in, [&](use const& u) { note(u, home); });
            uses_of(c.out, [&](use const& u) { note(u, home); });
            uses_of(c.result, [&](use const& u) { note(u, parent); });
            uses_of(c.init, [&](use const& u) { note(u, parent); });
            const auto outer_saved = [&](int outer) {
                bool saved = false;
                const auto check = [&](use const& u) { saved = saved || saved_over(u.region, outer); };
                for (int id : {c.in, c.out, c.result, c.init}) uses_of(id, check);
                return saved;
            };
            const int mod = kept ? loop.trips + 1 : 2;
            const std::size_t slot = bytes_of(c.in);
            std::size_t bytes = slot * at(mod);
            location base;
            base.in = space::arena;
            add_levels(base, parent, bytes, outer_saved);
            // If the initial value is read after the loop began, a ring of two would overwrite it.
            const auto ring_location = [&](int shift) {
                location l = base;
                address_level& level = l.levels[l.level_count++];
                level.family = loop.family;
                level.trips = loop.trips;
                level.shift = shift;
                level.mod = mod;
                level.reversed = loop.reversed;
                level.stride = slot;
                return l;
            };
            plan_.locations[at(c.in)] = ring_location(0);
            plan_.locations[at(c.out)] = ring_location(1);
            plan_.locations[at(c.init)] = base;
            plan_.locations[at(c.result)] = base;
            plan_.locations[at(c.result)].offset = slot * at(loop.trips % mod);
            buffer_of[at(c.in)] = static_cast<int>(plan_.buffers.size());
            buffer_of[at(c.out)] = buffer_of[at(c.init)] = buffer_of[at(c.result)] = buffer_of[at(c.in)];
            plan_.buffers.push_back({c.in, 0, bytes, begin, end});
        }

        if (graph_.external_outputs)
            for (std::size_t k = 0; k < graph_.outputs.size(); ++k) {
                location& l = plan_.locations[at(graph_.outputs[k])];
                l = location{};
                l.in = space::output;
                l.set = static_cast<int>(k);
                buffer& b = plan_.buffers[at(buffer_of[at(graph_.outputs[k])])];
                b.bytes = 0;
                buffer_of[at(graph_.outputs[k])] = -1;
            }
    }
};

/// Gives every buffer its offset: first fit, the largest first. Returns the bytes of the arena.
template <class Buffers>
constexpr std::size_t place_buffers(Buffers& buffers) {
    list<int> order(buffers.size(), 0);
    for (std::size_t i = 0; i < order.size(); ++i) order[i] = static_cast<int>(i);
    std::sort(order.begin(), order.end(), [&](int a, int b) {
        buffer const &x = buffers[static_cast<std::size_t>(a)], &y = buffers[static_cast<std::size_t>(b)];
        return x.bytes != y.bytes ? x.bytes > y.bytes : a < b;
    });
    std::size_t arena_bytes = 0;
    list<buffer> placed;  // by offset
    placed.reserve(buffers.size());
    for (int i : order) {
        buffer& b = buffers[static_cast<std::size_t>(i)];
        std::size_t offset = 0;
        // Evaluated for every pair of buffers: written for few steps.
        for (buffer const& other : placed) {
            if (other.end < b.begin || b.end < other.begin) continue;
            if (offset + b.bytes <= other.offset) break;
            if (offset < other.offset + other.bytes) offset = other.offset + other.bytes;
        }
        b.offset = offset;
        placed.push_back(b);
        buffer* const first = placed.begin();
        std::size_t k = placed.size() - 1;
        for (; k > 0 && first[k - 1].offset > offset; --k) first[k] = first[k - 1];
        first[k] = b;
        arena_bytes = std::max(arena_bytes, offset + b.bytes);
    }
    return arena_bytes;
}

/// Turns offsets within buffers into offsets within the arena; aliases and views lie where their memory is.
template <class Image>
constexpr void resolve_locations(Image& image) {
    for (std::size_t i = 0; i < image.nodes.size(); ++i)
        if (image.buffer_of[i] >= 0)
            image.locations[i].offset += image.buffers[static_cast<std::size_t>(image.buffer_of[i])].offset;
    for (std::size_t i = 0; i < image.nodes.size(); ++i)
        if (image.nodes[i].op == kind::alias || image.nodes[i].op == kind::view)
            image.locations[i] = image.locations[static_cast<std::size_t>(storage_of(image, static_cast<int>(i)))];
}

}  // namespace tenet::graph
