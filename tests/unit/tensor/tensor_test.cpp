// SPDX-License-Identifier: MIT
// Tensors: construction, extents, copies and moves, alignment, errors, positional axes.
#define BOOST_TEST_MODULE tensor
#include <boost/test/unit_test.hpp>

#include <cstdint>
#include <limits>
#include <numeric>
#include <string>
#include <vector>

#include <tenet/tensor/tensor.hpp>
#include <tenet/tensor/view.hpp>

using namespace tenet;

namespace {

struct Batch : at_most<4> {};
struct Time : at_most<5> {};
struct Rows : axis<2> {};
struct Cols : axis<3> {};

auto says(std::string text) {
    return [text](exception const& e) { return text == e.what(); };
}
template <class T>
bool aligned(T const* p) {
    return reinterpret_cast<std::uintptr_t>(p) % alignment == 0;
}

template <class Tensor, class... I>
concept Indexable = requires(Tensor t, I... i) { t(i...); };

static_assert(tensor<float, Rows, Cols>::rank == 2);
static_assert(tensor<float, Batch, Cols>::capacity == 12);
static_assert(tensor<float>::capacity == 1);
static_assert(std::is_same_v<tensor<double, Rows>::value_type, double>);
static_assert(std::is_same_v<tensor<float, Rows, Cols>::axes_type, axes<Rows, Cols>>);
static_assert(std::is_nothrow_move_constructible_v<tensor<float, Rows>>);
static_assert(std::is_same_v<ndarray<float, 2, 3>, tensor<float, dim<1, 2>, dim<0, 3>>>);
static_assert(std::is_same_v<ndarray<float>, tensor<float>>);
static_assert(same_axis<dim<0, 3>, dim<0, 4>> && !same_axis<dim<0, 3>, dim<1, 3>> && !same_axis<Rows, Cols>);
static_assert(Indexable<tensor<float, Rows>, int> && !Indexable<tensor<float, Rows>, char const*>);
static_assert(!std::is_convertible_v<extent_value<Batch>, tensor<float, Batch>>);

}  // namespace

BOOST_AUTO_TEST_CASE(a_new_tensor_is_full_and_zero) {
    tensor<float, Batch, Cols> t;
    BOOST_TEST(t.size() == 12u);
    BOOST_TEST(t.extent<Batch>() == 4u);
    for (float v : t) BOOST_TEST(v == 0);
    tensor<std::int64_t> scalar;
    BOOST_TEST(scalar.size() == 1u);
    BOOST_TEST(scalar() == 0);
}

BOOST_AUTO_TEST_CASE(elements_are_row_major) {
    const tensor<float, Rows, Cols> t{1, 2, 3, 4, 5, 6};
    BOOST_TEST(t(0, 2) == 3);
    BOOST_TEST(t(1, 0) == 4);
    BOOST_TEST(&t(1, 2) == t.data() + 5);
    BOOST_TEST(t.end() - t.begin() == 6);
    const tensor<bool, Rows> mask{true, false};
    BOOST_TEST(mask(0));
    BOOST_TEST(!mask(1));
}

BOOST_AUTO_TEST_CASE(elements_are_packed_by_the_extents) {
    tensor<float, Time, Batch, Cols> t(extent<Batch>(2), extent<Time>(3));
    BOOST_TEST(t.extents() == (std::array<std::size_t, 3>{3, 2, 3}), boost::test_tools::per_element());
    BOOST_TEST(t.size() == 18u);
    std::iota(t.begin(), t.end(), 0.0f);
    BOOST_TEST(t(2, 1, 2) == 17);
    BOOST_TEST(t(1, 0, 0) == 6);
    t.set_extent<Batch>(1);
    BOOST_TEST(t.size() == 9u);
    t.set_extents({5, 4, 3});
    BOOST_TEST(t.size() == 60u);
}

BOOST_AUTO_TEST_CASE(extents_beyond_the_axes_are_errors) {
    tensor<float, Batch, Cols> t;
    BOOST_CHECK_EXCEPTION(t.set_extent<Batch>(5), exception, says("extent of Batch: expected 1 to 4, found 5"));
    BOOST_CHECK_EXCEPTION(t.set_extent<Batch>(0), exception, says("extent of Batch: expected 1 to 4, found 0"));
    BOOST_CHECK_EXCEPTION((tensor<float, Batch>(extent<Batch>(std::numeric_limits<std::size_t>::max()))), exception,
                          says("extent of Batch: expected 1 to 4, found 18446744073709551615"));
    BOOST_CHECK_EXCEPTION(t.set_extents({2, 2}), exception, says("extent of axis 1: expected 3, found 2"));
    BOOST_CHECK_EXCEPTION(t.set_extents({5, 3}), exception, says("extent of axis 0: expected 1 to 4, found 5"));
    BOOST_TEST(t.size() == 12u);
}

BOOST_AUTO_TEST_CASE(values_must_be_as_many_as_the_elements) {
    using small = tensor<float, Rows>;
    BOOST_CHECK_EXCEPTION((small{1, 2, 3}), exception, says("values of a tensor: expected 2 elements, found 3"));
    small t;
    const std::vector<double> values{0.5, 1.5};
    t.assign(values.begin(), values.end());
    BOOST_TEST(t(1) == 1.5f);
    BOOST_CHECK_EXCEPTION(t.assign(values.begin(), values.begin() + 1), exception,
                          says("values of a tensor: expected 2 elements, found 1"));
    t.fill(3);
    BOOST_TEST(t(0) == 3);
}

BOOST_AUTO_TEST_CASE(copies_are_independent_and_keep_the_extents) {
    tensor<float, Batch, Rows> a(extent<Batch>(3));
    a.fill(1);
    tensor<float, Batch, Rows> b = a;
    b(2, 1) = 5;
    BOOST_TEST(a(2, 1) == 1);
    BOOST_TEST(b.extent<Batch>() == 3u);
    BOOST_TEST(b.data() != a.data());

    tensor<float, Batch, Rows> c;
    float const* const place = c.data();
    c = b;
    BOOST_TEST(c.data() == place);
    BOOST_TEST(c.size() == 6u);
    BOOST_TEST(c(2, 1) == 5);
    tensor<float, Batch, Rows>& same = c;
    c = same;
    BOOST_TEST(c(2, 1) == 5);
}

BOOST_AUTO_TEST_CASE(moves_take_the_memory) {
    tensor<float, Batch> a(extent<Batch>(2));
    a.fill(4);
    float const* const place = a.data();
    tensor<float, Batch> b = std::move(a);
    BOOST_TEST(b.data() == place);
    BOOST_TEST(b.size() == 2u);
    tensor<float, Batch> c;
    c = std::move(b);
    BOOST_TEST(c.data() == place);
    BOOST_TEST(c(1) == 4);
}

BOOST_AUTO_TEST_CASE(memory_is_aligned) {
    struct Huge : axis<3 << 20> {};
    BOOST_TEST(aligned(tensor<float>().data()));
    BOOST_TEST(aligned(tensor<bool, Cols>().data()));
    BOOST_TEST(aligned(tensor<double, Batch, Cols>().data()));
    const tensor<float, Huge> big;
    BOOST_TEST(aligned(big.data()));
    BOOST_TEST(reinterpret_cast<std::uintptr_t>(big.data()) % (std::size_t{2} << 20) == 0u);
    BOOST_TEST(big.data()[big.size() - 1] == 0);
}

BOOST_AUTO_TEST_CASE(positional_tensors_index_like_others) {
    ndarray<float, 2, 3> t{1, 2, 3, 4, 5, 6};
    BOOST_TEST(t(1, 1) == 5);
    BOOST_TEST((t.extent<dim<0, 3>>() == 3u));
}

BOOST_AUTO_TEST_CASE(views_borrow) {
    float memory[] = {1, 2, 3, 4, 5, 6};
    tensor_view<float, Batch, Cols> v(memory, {2, 3});
    v(1, 2) = 60;
    BOOST_TEST(memory[5] == 60);
    BOOST_TEST(v.size() == 6u);
    BOOST_TEST(v.extent<Batch>() == 2u);
    BOOST_TEST(std::accumulate(v.begin(), v.end(), 0.0f) == 75);
}
