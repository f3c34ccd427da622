// SPDX-License-Identifier: MIT
// op: what can be done with a module (a struct with parameters and a call operator) besides calling it: stacking it,
// recomputing it, freezing it, adapting it, differentiating through it in place.
#pragma once

#include <tuple>
#include <utility>

#include <tenet/graph/differentiate.hpp>
#include <tenet/graph/rearrange.hpp>
#include <tenet/op/apply.hpp>

namespace tenet {
namespace error {
/// stack<Body, N>: the body's result has other axes or another element type than its operand.
template <class OperandAxes, class ResultAxes>
struct stack_body_changes_axes;
/// grad(y, x...): y is not a scalar.
template <class Axes>
struct gradient_of_a_tensor;
}  // namespace error

namespace detail {

template <class X>
inline constexpr bool any_poison = std::is_same_v<std::remove_cvref_t<X>, poison>;

template <class... X>
constexpr graph::builder& builder_of(X const&... x) {
    return *graph_of(x...);
}

}  // namespace detail

/// `Layers` copies of `Body`, one after the other: traced once, run in a loop, so that neither compile time nor code
/// grows with depth. Its parameters are called "<member>.<layer>.<...>". Further operands are given to every layer.
/// Stacks nest.
template <class Body, int Layers>
struct stack {
    static_assert(Layers > 0, "stack<Body, Layers>: Layers must be positive");
    using body_type = Body;
    static constexpr int layers = Layers;

    Body body{};
    int number = -1;  ///< set while tracing

    template <class X, class... Shared>
    constexpr auto operator()(X const& x, Shared const&... shared) const {
        if constexpr (detail::any_poison<X> || (detail::any_poison<Shared> || ...)) {
            return poison{};
        } else {
            graph::builder& g = detail::builder_of(x, shared...);
            const auto start = detail::lift(g, x);
            using carried = std::remove_const_t<decltype(start)>;
            const graph::value init = graph::own_copy(start.value());
            graph::carry c;
            c.init = init.id();
            c.region = g.open_loop(Layers, -1, false);
            g.regions[static_cast<std::size_t>(c.region)].stack = number;
            graph::node in;
            in.op = graph::kind::carry_in;
            in.shared = false;
            in.axes = init.axes();
            in.add_input(init.id());
            c.in = g.emit(in);
            const auto y = body(carried(graph::value(g, c.in)), shared...);
            using result = std::remove_const_t<decltype(y)>;
            static_assert(detail::is_symbol<result> || std::is_same_v<result, poison>,
                          "stack<Body, Layers>: Body's call operator must return a symbol");
            if constexpr (!detail::is_symbol<result>) {
                return poison{};
            } else if constexpr (!shape::same_set<typename result::axes_type, typename carried::axes_type> ||
                                 result::type != carried::type) {
                static_cast<void>(
                    sizeof(error::stack_body_changes_axes<typename carried::axes_type, typename result::axes_type>));
                return poison{};
            } else {
                c.out = graph::own_copy(graph::arrange(graph::in_memory(y.value()), init.axes())).id();
                g.close_region();
                graph::node out;
                out.op = graph::kind::carry_result;
                out.shared = false;
                out.axes = init.axes();
                out.add_input(c.out);
                out.add_input(c.in);
                c.result = g.emit(out);
                g.carries.push_back(c);
                return carried(graph::value(g, c.result));
            }
        }
    }
};

/// A body whose intermediate values are computed again in the backward pass instead of being kept:
/// `stack<checkpoint<block>, 12>` keeps one value a layer. Costs one more forward pass.
/// Chen et al.: Training Deep Nets with Sublinear Memory Cost (2016). PyTorch: torch.utils.checkpoint.
template <class Body>
struct checkpoint {
    using body_type = Body;
    Body body{};

    template <class... X>
    constexpr auto operator()(X const&... x) const {
        if constexpr ((detail::any_poison<X> || ...)) {
            return poison{};
        } else {
            graph::builder& g = detail::builder_of(x...);
            g.open_checkpoint();
            auto y = body(x...);
            g.close_region();
            return y;
        }
    }
};

/// A module traced as not trainable: its parameters get no gradient, their backward is never instantiated.
template <class Module>
class frozen_module {
public:
    constexpr explicit frozen_module(Module const& m) : module_(&m) {}
    constexpr Module const& module() const { return *module_; }

    template <class... X>
    constexpr auto operator()(X const&... x) const {
        if constexpr ((detail::any_poison<X> || ...)) {
            return poison{};
        } else {
            graph::builder& g = detail::builder_of(x...);
            graph::scope s = g.scopes.back();
            s.frozen = true;
            g.scopes.push_back(s);
            auto y = (*module_)(x...);
            g.scopes.pop_back();
            return y;
        }
    }

private:
    Module const* module_;
};

/// `frozen(m)(x)` traces `m` with all its parameters frozen; the same module may be traced trainable elsewhere in the
/// same program. Gradients still pass through to x.
template <class Module>
constexpr frozen_module<Module> frozen(Module const& m) {
    return frozen_module<Module>(m);
}
template <class Module>
constexpr auto frozen(Module&&) = delete;  // a temporary module has no parameters of the program

/// A module traced with an adapter.
template <class Adapter, class Module>
class adapted_module {
public:
    constexpr adapted_module(Module const& m, Adapter const& a) : module_(&m), adapter_(&a) {}

    template <class... X>
    constexpr auto operator()(X const&... x) const {
        if constexpr ((detail::any_poison<X> || ...)) {
            return poison{};
        } else {
            graph::builder& g = detail::builder_of(x...);
            graph::scope s = g.scopes.back();
            s.adapter_frozen = s.frozen;
            s.adapter_set = adapter_->set;
            s.substitute = &Adapter::substitute;
            s.substitute_lookup = nullptr;
            if constexpr (requires { &Adapter::substitute_lookup; }) s.substitute_lookup = &Adapter::substitute_lookup;
            g.scopes.push_back(s);
            auto y = (*module_)(x...);
            g.scopes.pop_back();
            return y;
        }
    }

private:
    Module const* module_;
    Adapter const* adapter_;
};

/// `with(adapter, m)(x)` traces `m` with the contractions and look-ups of the adapter's targets replaced; `m` may be
/// `frozen(...)`, which freezes the base and not the adapter.
template <class Adapter, class Module>
constexpr auto with(Adapter const& a, Module const& m) {
    return adapted_module<Adapter, Module>(m, a);
}

namespace detail {

template <class Y, class... X>
constexpr auto gradients_in_place(Y y, X... x) {
    const auto found = graph::gradients(y.value(), {x.id()...});
    return [&]<std::size_t... I>(std::index_sequence<I...>) {
        return std::tuple<symbol<dtype::real, typename X::axes_type>...>{
            typed<dtype::real, typename X::axes_type>(found[I])...};
    }(std::index_sequence_for<X...>{});
}

// As many poisons as `grad` would return symbols.
template <class>
using poison_for = poison;
template <class... X>
using poisons = std::conditional_t<sizeof...(X) == 1, poison, std::tuple<poison_for<X>...>>;

}  // namespace detail

/// The gradients of the scalar `y` with respect to `x...` (symbols or parameters) as further symbols of the program:
/// differentiable again. One `x` gives one symbol, several give a tuple. PyTorch:
/// torch.autograd.grad(create_graph=True).
template <class Y, class... X>
requires(detail::is_symbol<Y> && (detail::is_symbolic<X> && ...))
constexpr auto grad(Y const& y, X const&... x) {
    static_assert(sizeof...(X) > 0, "grad(y, x...): name what to differentiate by");
    if constexpr (!std::is_same_v<typename Y::axes_type, axes<>>) {
        static_cast<void>(sizeof(error::gradient_of_a_tensor<typename Y::axes_type>));
        return detail::poisons<X...>{};
    } else {
        graph::builder& g = y.graph();
        auto all = detail::gradients_in_place(y, detail::lift(g, x)...);
        if constexpr (sizeof...(X) == 1) return std::get<0>(all);
        else return all;
    }
}
template <class Y, class... X>
requires(detail::any_poison<Y> || (detail::any_poison<X> || ...))
constexpr auto grad(Y const&, X const&...) {
    return detail::poisons<X...>{};
}

}  // namespace tenet
