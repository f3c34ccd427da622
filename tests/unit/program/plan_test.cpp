// SPDX-License-Identifier: MIT
// What a compiled program promises: no dead node, common subexpressions once, no two live buffers at the same place,
// nothing read that the step has not written, bitwise equal results for any number of threads, no allocation.
#define BOOST_TEST_MODULE program_plan
#include "../../support/program_check.hpp"

#include <atomic>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <new>

#include <tenet/parallel/threads.hpp>

// Inlined, a replaced operator new looks to g++ like the aligned_alloc inside of it.
#pragma GCC diagnostic ignored "-Wmismatched-new-delete"

namespace {
std::atomic<long> allocations{0};
void* counted(std::size_t n, std::size_t alignment) {
    ++allocations;
    void* const p = std::aligned_alloc(alignment, (n + alignment - 1) / alignment * alignment);
    if (p == nullptr) throw std::bad_alloc();
    return p;
}
}  // namespace
void* operator new(std::size_t n) {
    return counted(n, 16);
}
void* operator new[](std::size_t n) {
    return counted(n, 16);
}
void* operator new(std::size_t n, std::align_val_t a) {
    return counted(n, static_cast<std::size_t>(a));
}
void* operator new[](std::size_t n, std::align_val_t a) {
    return counted(n, static_cast<std::size_t>(a));
}
void operator delete(void* p) noexcept {
    std::free(p);
}
void operator delete[](void* p) noexcept {
    std::free(p);
}
void operator delete(void* p, std::size_t) noexcept {
    std::free(p);
}
void operator delete[](void* p, std::size_t) noexcept {
    std::free(p);
}
void operator delete(void* p, std::align_val_t) noexcept {
    std::free(p);
}
void operator delete[](void* p, std::align_val_t) noexcept {
    std::free(p);
}
void operator delete(void* p, std::size_t, std::align_val_t) noexcept {
    std::free(p);
}
void operator delete[](void* p, std::size_t, std::align_val_t) noexcept {
    std::free(p);
}

using namespace program_check;

struct Batch : at_most<4> {};
struct Time : at_most<32> {};
struct Vocab : axis<100> {};
struct Embed : axis<32> {};
struct Hidden : axis<128> {};
struct Heads : axis<2> {};
struct HeadDim : axis<16> {};
struct QKV : axis<3> {};
struct A : axis<8> {};

namespace plan_test {

struct self_attention {
    parameter<Embed, QKV, Heads, HeadDim> in{};
    parameter<Heads, HeadDim, Embed> out{};
    constexpr auto operator()(auto x) const {
        return dot<Heads, HeadDim>(causal_attention<Time, HeadDim>(dot<Embed>(x, in)), out);
    }
};
struct block {
    parameter<Embed> gain{};
    self_attention attend{};
    residual<Embed, Hidden> mlp{};
    constexpr auto operator()(auto x) const { return mlp(dropout(x + attend(rms_norm<Embed>(x, gain)), 0.1)); }
};
struct model {
    parameter<Vocab, Embed> wte{};
    parameter<Time, Embed> wpe{};
    stack<block, 3> h{};
    constexpr auto operator()(auto t) const { return dot<Embed>(h(lookup(wte, t) + wpe), wte); }
};
struct loss {
    constexpr auto operator()(auto const& m, auto t, auto y) const { return cross_entropy<Vocab>(m(t), y); }
};
using step = program<model, loss, tokens<Batch, Time>, tokens<Batch, Time>>;

struct plain {
    constexpr auto operator()(auto x) const { return sum(sin(x) * x); }
};
struct with_dead_code {
    constexpr auto operator()(auto x) const {
        const auto dead = softmax<A>(exp(x)) + dot<A>(x, x);
        static_cast<void>(dead);
        return sum(sin(x) * x);
    }
};
struct repeated {
    constexpr auto operator()(auto x) const { return sum(sin(x) * x + cos(sin(x)) * sin(x)); }
};
struct repeated_by_hand {
    constexpr auto operator()(auto x) const {
        const auto y = sin(x);
        return sum(y * x + cos(y) * y);
    }
};
template <class F>
using small = basic_program<double, program_mode::gradients, models<>, F, variable<A>>;

struct outcome {
    float loss;
    std::vector<float> gradients;
    bool operator==(outcome const& other) const {
        return std::memcmp(&loss, &other.loss, sizeof loss) == 0 && gradients.size() == other.gradients.size() &&
               std::memcmp(gradients.data(), other.gradients.data(), gradients.size() * sizeof(float)) == 0;
    }
};

struct fixture {
    parameters<model> theta = random_parameters<model, float>(1);
    tensor<std::int32_t, Batch, Time> x = random_tokens<tensor<std::int32_t, Batch, Time>>(2, 100, extent<Time>(30));
    tensor<std::int32_t, Batch, Time> y = random_tokens<tensor<std::int32_t, Batch, Time>>(3, 100, extent<Time>(30));
    step p;
    outcome run() {
        const float l = p.value_and_grad(theta, x, y);
        return {l, {p.gradients().begin(), p.gradients().end()}};
    }
};

}  // namespace plan_test
using namespace plan_test;

BOOST_AUTO_TEST_CASE(what_no_result_needs_is_gone) {
    static_assert(small<plain>::image.nodes.size() == small<with_dead_code>::image.nodes.size());
    static_assert(count_of<small<with_dead_code>>(graph::kind::softmax) == 0);
    small<plain> a;
    small<with_dead_code> b;
    const auto x = random_tensor<tensor<double, A>>(1);
    BOOST_TEST(a(x) == b(x));
}

BOOST_AUTO_TEST_CASE(common_subexpressions_are_computed_once) {
    static_assert(small<repeated>::image.nodes.size() == small<repeated_by_hand>::image.nodes.size());
    static_assert(small<repeated>::activation_bytes == small<repeated_by_hand>::activation_bytes);
}

BOOST_AUTO_TEST_CASE(live_buffers_do_not_overlap) {
    BOOST_TEST(expect_no_overlap<step>() > 100u);
}

BOOST_AUTO_TEST_CASE(the_loss_stays_to_the_end) {
    const int id = graph::storage_of(step::image, step::image.outputs[0]);
    bool found = false;
    for (graph::buffer const& b : step::image.buffers)
        if (b.node == id) {
            found = true;
            BOOST_TEST(b.end >= static_cast<int>(step::image.steps.size()) - 1);
        }
    BOOST_TEST(found);
}

BOOST_FIXTURE_TEST_CASE(a_step_reads_nothing_that_it_has_not_written, fixture) {
    const outcome first = run();
    BOOST_TEST(std::isfinite(first.loss));
    std::memset(p.arena().data(), 0xff, p.arena().size());  // NaN throughout
    for (float& g : p.gradients()) g = std::numeric_limits<float>::quiet_NaN();
    const float l = p.value_and_grad(theta, x, y);
    BOOST_TEST(l == first.loss);
    std::size_t wrong = 0;
    for (graph::trainable_slot const& slot : step::image.trainable) {
        graph::parameter_slot const& where = step::image.parameters[static_cast<std::size_t>(slot.parameter)];
        for (std::size_t k = 0; k < slot.elements; ++k)
            if (k % where.padded < where.elements)
                wrong += !(p.gradients()[slot.offset + k] == first.gradients[slot.offset + k]);
    }
    BOOST_TEST(wrong == 0u);
}

BOOST_FIXTURE_TEST_CASE(any_number_of_threads_gives_the_same_bits, fixture) {
    const outcome one = with_threads(1, [&] { return run(); });
    for (int n : {2, 4})
        for (int again = 0; again < 3; ++again) BOOST_TEST((with_threads(n, [&] { return run(); }) == one));
}

// On one thread TBB has nothing to allocate for, so that every allocation would be ours.
BOOST_FIXTURE_TEST_CASE(a_step_allocates_nothing, fixture) {
    threads one(1);
    one.run([&] {
        p.value_and_grad(theta, x, y);
        const long before = allocations;
        for (int i = 0; i < 3; ++i) p.value_and_grad(theta, x, y);
        BOOST_TEST(allocations - before == 0);
        return 0;
    });
}
