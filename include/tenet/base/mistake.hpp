// SPDX-License-Identifier: MIT
// base: how a violated rule becomes one readable compile error. The rule's function object returns `broken_rule` with
// an undefined template named after the mistake; the front door that called it asks for that template's size, which
// makes the compiler print its arguments: the axis, the sizes. What comes out is a poison, and stays one.
#pragma once

namespace tenet {

/// The result of an operation whose shape rule was violated. Every later operation swallows it, so that one mistake
/// deep in a model is one error.
struct poison {};

namespace detail {

// A mistake is reported by `static_cast<void>(sizeof(Error))`, in a statement of its own (g++ would go on to complain
// about whatever used it), in code that is never evaluated (a call of it in a constant expression would be a further
// error), and not in a function for it (a frame is three lines of clang's message).

/// What a rule returns in place of a symbol: `Error` is an undefined template of the namespace `error`. It is kept as
/// a pointer and not as a member type, which g++ would print together with the alias.
template <class Error>
struct broken_rule {
    Error* error = nullptr;
};

template <class X>
inline constexpr bool is_broken_rule = false;
template <class Error>
inline constexpr bool is_broken_rule<broken_rule<Error>> = true;

}  // namespace detail
}  // namespace tenet
