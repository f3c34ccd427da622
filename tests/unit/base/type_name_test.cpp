// SPDX-License-Identifier: MIT
// Readable names of types, the same from every compiler.
#define BOOST_TEST_MODULE type_name
#include <boost/test/unit_test.hpp>

#include <tenet/base/type_name.hpp>

struct Batch {};
namespace user {
struct Embed {};
template <class T>
struct box {};
}  // namespace user

BOOST_AUTO_TEST_CASE(full_names) {
    static_assert(tenet::type_name<int>() == "int");
    static_assert(tenet::type_name<float>() == "float");
    BOOST_TEST(tenet::type_name<Batch>() == "Batch");
    BOOST_TEST(tenet::type_name<user::Embed>() == "user::Embed");
}

BOOST_AUTO_TEST_CASE(short_names_drop_namespaces_but_keep_arguments) {
    BOOST_TEST(tenet::short_type_name<Batch>() == "Batch");
    BOOST_TEST(tenet::short_type_name<user::Embed>() == "Embed");
    BOOST_TEST(tenet::short_type_name<user::box<user::Embed>>() == "box<user::Embed>");
}
