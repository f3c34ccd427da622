// SPDX-License-Identifier: MIT
// io: Ctrl-C as a question instead of a death: the training loop asks `interrupted()` between two steps, saves its
// checkpoint and ends. A second Ctrl-C ends the process at once.
#pragma once

#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstddef>

#include <signal.h>

#include <tenet/base/exception.hpp>

namespace tenet {
namespace detail {

// Only lock-free atomics may be touched by a signal handler.
static_assert(std::atomic<int>::is_always_lock_free);
inline std::atomic<int> interrupt_signal{0};
inline std::atomic<int> interrupt_scopes{0};

extern "C" inline void tenet_on_interrupt(int signal_number) {
    interrupt_signal.store(signal_number);
}

}  // namespace detail

/// While one lives, the first SIGINT or SIGTERM only raises a flag; the second of the same kind terminates the
/// process as it would have without. The former handlers come back at the end of the scope. A signal that the
/// parent chose to ignore (nohup, a background job) stays ignored. Scopes nest; POSIX only.
///
/// Example: `interrupt_scope guard; while (step < steps && !guard.interrupted()) train(step++);`
class interrupt_scope {
public:
    interrupt_scope() {
        if (detail::interrupt_scopes.fetch_add(1) == 0) detail::interrupt_signal.store(0);
        for (std::size_t i = 0; i < signals.size(); ++i) {
            struct ::sigaction action{};
            action.sa_handler = detail::tenet_on_interrupt;
            // SA_RESETHAND gives the second signal its default effect; SA_RESTART keeps file writes whole.
            action.sa_flags = static_cast<int>(static_cast<unsigned>(SA_RESTART) | static_cast<unsigned>(SA_RESETHAND));
            ::sigemptyset(&action.sa_mask);
            if (::sigaction(signals[i], nullptr, &former_[i]) == 0 && former_[i].sa_handler != SIG_IGN) {
                installed_[i] = ::sigaction(signals[i], &action, nullptr) == 0;
            }
        }
    }
    interrupt_scope(interrupt_scope const&) = delete;
    interrupt_scope& operator=(interrupt_scope const&) = delete;
    ~interrupt_scope() {
        for (std::size_t i = 0; i < signals.size(); ++i) {
            if (installed_[i]) ::sigaction(signals[i], &former_[i], nullptr);
        }
        detail::interrupt_scopes.fetch_sub(1);
    }

    /// Whether a signal arrived since the outermost scope began.
    bool interrupted() const { return signal_number() != 0; }

    /// The signal that arrived (SIGINT, SIGTERM), or 0. A program ends by custom with 128 + this number.
    int signal_number() const { return detail::interrupt_signal.load(); }

private:
    static constexpr std::array<int, 2> signals{SIGINT, SIGTERM};
    std::array<struct ::sigaction, 2> former_{};
    std::array<bool, 2> installed_{};
};

}  // namespace tenet
