// SPDX-License-Identifier: MIT
// The shape rules, each by one line of a program whose result is checked.
#include <tenet/op.hpp>
#include <tenet/program/program.hpp>

#include <concepts>
#include <cstdio>

using namespace tenet;

// [axes]
struct Batch : at_most<8> {};  // at run time, 1 to 8
struct Time : axis<4> {};
struct Keys : axis<4> {};
struct Embed : axis<6> {};
struct Heads : axis<2> {};
struct HeadDim : axis<3> {};
struct Vocab : axis<10> {};
// [axes]
struct Front : axis<2> {};
struct Padded : axis<7> {};
struct Both : axis<8> {};

// The axes of a symbol.
template <class... A, dtype T, class L>
constexpr bool has_axes(symbol<T, L> const&) {
    return std::same_as<L, axes<A...>>;
}

struct rules {
    constexpr auto operator()(auto x, auto w, auto table, auto index) const {
        // x: [Batch, Time, Embed]   w: [Embed, Vocab]   table: [Vocab, Embed]   index: [Batch, Time], int32
        // [broadcast]
        auto scale = mean<Batch, Time>(x);        // [Embed]
        auto scaled = x * scale;                  // [Batch, Time, Embed]
        auto flipped = scale * x;                 // [Batch, Time, Embed]: the order of the operand that has all axes
        auto outer = scale + positions<Time>(x);  // [Embed, Time]: the left one's, then the right one's own
        // [broadcast]
        static_assert(has_axes<Batch, Time, Embed>(decltype(scaled){}) &&
                      has_axes<Batch, Time, Embed>(decltype(flipped){}));
        static_assert(has_axes<Embed, Time>(decltype(outer){}));

        // [dot]
        auto logits = dot<Embed>(x, w);                      // [Batch, Time, Vocab]
        auto tied = dot<Embed>(x, table);                    // [Batch, Time, Vocab]: no transpose
        auto scores = dot<Embed>(x, rename<Time, Keys>(x));  // [Batch, Time, Keys]: Batch is in both, so a batch axis
        auto trace = einsum<axes<Batch>>(x, table, logits);  // [Batch]: summed over Time, Embed and Vocab
        // [dot]
        static_assert(has_axes<Batch, Time, Vocab>(decltype(logits){}) &&
                      has_axes<Batch, Time, Vocab>(decltype(tied){}));
        static_assert(has_axes<Batch, Time, Keys>(decltype(scores){}) && has_axes<Batch>(decltype(trace){}));

        // [reduce]
        auto total = sum(x);                     // a scalar: []
        auto pooled = max<Time>(x);              // [Batch, Embed]
        auto spread = variance<Time, Embed>(x);  // [Batch]
        auto chance = softmax<Vocab>(logits);    // [Batch, Time, Vocab]
        auto best = argmax<Vocab>(logits);       // [Batch, Time], int32
        // [reduce]
        static_assert(has_axes<>(decltype(total){}) && has_axes<Batch, Embed>(decltype(pooled){}));
        static_assert(has_axes<Batch>(decltype(spread){}) && has_axes<Batch, Time>(decltype(best){}));
        static_assert(decltype(best)::type == dtype::int32);

        // [rearrange]
        auto heads = split<Embed, Heads, HeadDim>(x);             // [Batch, Time, Heads, HeadDim]
        auto joined_again = merge<Embed, Heads, HeadDim>(heads);  // [Batch, Time, Embed]
        auto last = select<Time, 3>(x);                           // [Batch, Embed]
        auto front = slice<Time, Front, 0>(x);                    // [Batch, Front, Embed]
        auto padded = pad<Time, Padded, 2>(x);                    // [Batch, Padded, Embed]: 2 before, 1 after
        auto twice = concat<Both, Time, Time>(x, scaled);         // [Batch, Both, Embed]
        auto turned = arrange<Embed, Batch, Time>(x);  // [Embed, Batch, Time]: the same values, another layout
        // [rearrange]
        static_assert(has_axes<Batch, Time, Heads, HeadDim>(decltype(heads){}));
        static_assert(has_axes<Batch, Time, Embed>(decltype(joined_again){}) &&
                      has_axes<Batch, Embed>(decltype(last){}));
        static_assert(has_axes<Batch, Front, Embed>(decltype(front){}) &&
                      has_axes<Batch, Padded, Embed>(decltype(padded){}));
        static_assert(has_axes<Batch, Both, Embed>(decltype(twice){}) &&
                      has_axes<Embed, Batch, Time>(decltype(turned){}));

        // [gather]
        auto rows = lookup(table, index);                                // [Batch, Time, Embed]
        auto picked = gather<Vocab>(log_softmax<Vocab>(logits), index);  // [Batch, Time]
        auto marked = one_hot<Vocab>(index);                             // [Batch, Time, Vocab]
        auto mask = less_equal(positions<Time>(x), 2);                   // [Time], boolean
        auto masked = where(mask, x, 0);                                 // [Batch, Time, Embed]
        // [gather]
        static_assert(has_axes<Batch, Time, Embed>(decltype(rows){}) && has_axes<Batch, Time>(decltype(picked){}));
        static_assert(has_axes<Batch, Time, Vocab>(decltype(marked){}) && has_axes<Time>(decltype(mask){}));
        static_assert(has_axes<Batch, Time, Embed>(decltype(masked){}));

        return std::tuple{sum(joined_again - x) + sum(flipped - scaled), sum<Vocab>(chance), sum(turned) - total,
                          max(padded) - max(x), sum<Vocab>(marked * log_softmax<Vocab>(logits)) - picked};
    }
};

// [concepts]
static_assert(Contractible<axes<Batch, Embed>, axes<Embed, Vocab>, Embed>);
static_assert(!Contractible<axes<Batch, Embed>, axes<Embed, Vocab>, Vocab>);
static_assert(Reducible<axes<Batch, Time>, Time> && !Reducible<axes<Batch, Time>, Embed>);
static_assert(Splittable<Embed, Heads, HeadDim> && Renameable<Time, Keys> && !Renameable<Time, Embed>);
static_assert(Broadcastable<axes<Batch, Time>, axes<Embed>>);
static_assert(!Broadcastable<axes<dim<0, 3>>, axes<dim<0, 4>>>);  // positional axes of different sizes
// [concepts]

int main() {
    evaluation<models<>, rules, values<Batch, Time, Embed>, values<Embed, Vocab>, values<Vocab, Embed>,
               tokens<Batch, Time>>
        run;
    // [extents]
    tensor<float, Batch, Time, Embed> x(extent<Batch>(5));
    std::printf("%zu of %zu elements\n", x.size(), x.capacity);  // 120 of 192 elements
    // [extents]
    tensor<float, Embed, Vocab> w;
    tensor<float, Vocab, Embed> table;
    tensor<std::int32_t, Batch, Time> index(extent<Batch>(5));
    for (std::size_t i = 0; i < x.size(); ++i) x.data()[i] = static_cast<float>(i % 7) - 3;
    for (std::size_t i = 0; i < w.size(); ++i) w.data()[i] = static_cast<float>(i % 5) * 0.25f - 0.5f;
    for (std::size_t i = 0; i < table.size(); ++i) table.data()[i] = static_cast<float>(i % 3);
    for (std::size_t i = 0; i < index.size(); ++i) index.data()[i] = static_cast<int>(i % 10);

    bool right = run(x, w, table, index) == 0;
    for (float p : run.result<1>()) right = right && p > 0.99999f && p < 1.00001f;
    right = right && run.result<2>()() == 0 && run.result<3>()() == 0;
    for (float difference : run.result<4>()) right = right && difference > -1e-5f && difference < 1e-5f;
    std::printf("%s\n", right ? "right" : "wrong");
    return right ? 0 : 1;
}
