// SPDX-License-Identifier: MIT
// base: the one exception type of the library. Every run-time error says what was expected and what was found.
#pragma once

#include <stdexcept>
#include <string>
#include <utility>

namespace tenet {

/// The only exception thrown by tenet itself (the standard library's `std::bad_alloc` aside).
/// `what()` is one sentence of the form "<place>: expected <this>, found <that>".
class exception : public std::runtime_error {
public:
    explicit exception(std::string const& message) : std::runtime_error(message) {}
};

/// Throws `exception` with the sentence "<place>: expected <expected>, found <found>".
[[noreturn]] inline void fail_expectation(std::string const& place, std::string const& expected,
                                          std::string const& found) {
    throw exception(place + ": expected " + expected + ", found " + found);
}

}  // namespace tenet
