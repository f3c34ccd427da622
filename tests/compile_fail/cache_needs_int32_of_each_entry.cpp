// SPDX-License-Identifier: MIT
// error-regex: cache_needs_int32_of_each_entry<.*axes<Batch> ?>
// max-lines: 30
#include <tenet/op.hpp>
#include <tenet/program.hpp>

using namespace tenet;

struct Batch : at_most<4> {};
struct Time : at_most<16>, sequence {};
struct Heads : axis<2> {};
struct HeadDim : axis<8> {};
struct Past : axis<64> {};
struct Someday : at_most<64> {};
struct Beam : axis<3> {};

struct attend {
    constexpr auto operator()(auto x) const { return causal_attention<sequence, HeadDim>(x, x, x); }
};
struct step {
    constexpr auto operator()(auto x, auto start) const {
#ifdef TENET_MISTAKE
        return cached<Past>(attend{}, start)(x);
#else
        return cached<Past>(attend{}, start)(x);
#endif
    }
};

#ifdef TENET_MISTAKE
using start_input = values<Batch>;
#else
using start_input = tokens<Batch>;
#endif

evaluation<models<>, step, values<Batch, Time, Heads, HeadDim>, start_input> run;
