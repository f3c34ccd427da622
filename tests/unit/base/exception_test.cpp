// SPDX-License-Identifier: MIT
// The one exception type: its sentence, and that it is caught as the standard's.
#define BOOST_TEST_MODULE exception
#include <boost/test/unit_test.hpp>

#include <tenet/base/exception.hpp>

#include <stdexcept>
#include <string>

BOOST_AUTO_TEST_CASE(says_what_was_expected_and_what_was_found) {
    BOOST_CHECK_EXCEPTION(
        tenet::fail_expectation("load", "12 tensors", "11"), tenet::exception,
        [](tenet::exception const& e) { return std::string(e.what()) == "load: expected 12 tensors, found 11"; });
}

BOOST_AUTO_TEST_CASE(is_a_runtime_error) {
    BOOST_CHECK_THROW(throw tenet::exception("words"), std::runtime_error);
}
