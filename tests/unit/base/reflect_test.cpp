// SPDX-License-Identifier: MIT
// The members of an aggregate: their number, their names, access to them in order.
#define BOOST_TEST_MODULE reflect
#include <boost/test/unit_test.hpp>

#include <tenet/base/reflect.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace {

struct nothing {};
struct attention {
    int c_attn, c_proj;
};
struct block {
    int ln_1;
    attention attn;
    std::string mlp2;
};
template <class Blocks>
struct model {
    double wte;
    Blocks h;
    const char* _tail = "end";
};

template <class T>
std::vector<std::string_view> names() {
    return {tenet::member_names<T>.begin(), tenet::member_names<T>.end()};
}

using words = std::vector<std::string_view>;

}  // namespace

BOOST_AUTO_TEST_CASE(counts_members) {
    static_assert(tenet::member_count<nothing>() == 0);
    static_assert(tenet::member_count<attention>() == 2);
    static_assert(tenet::member_count<block>() == 3);
    BOOST_TEST(tenet::member_count<model<block>>() == 3u);
}

BOOST_AUTO_TEST_CASE(names_members_in_order) {
    BOOST_TEST(names<attention>() == (words{"c_attn", "c_proj"}), boost::test_tools::per_element());
    BOOST_TEST(names<block>() == (words{"ln_1", "attn", "mlp2"}), boost::test_tools::per_element());
    BOOST_TEST(names<model<block>>() == (words{"wte", "h", "_tail"}), boost::test_tools::per_element());
    BOOST_TEST(names<nothing>().empty());
}

BOOST_AUTO_TEST_CASE(reaches_members_by_reference) {
    attention a{1, 2};
    tenet::apply_to_members(a, [](int& c_attn, int& c_proj) { std::swap(c_attn, c_proj); });
    BOOST_TEST(a.c_attn == 2);
    BOOST_TEST(a.c_proj == 1);
    const block b{3, {4, 5}, "six"};
    const std::string text =
        tenet::apply_to_members(b, [](int const& ln_1, attention const& attn, std::string const& mlp) {
            return std::to_string(ln_1) + std::to_string(attn.c_proj) + mlp;
        });
    BOOST_TEST(text == "35six");
}
