// SPDX-License-Identifier: MIT
// io: how failures of the operating system are reported.
#pragma once

#include <filesystem>
#include <string>
#include <system_error>

#include <tenet/base/exception.hpp>
#include <tenet/base/quoted.hpp>  // what reports about files quotes them

namespace tenet::detail {

/// Throws "cannot <action> <path>: <text of errno> (errno <n>)".
[[noreturn]] inline void fail_file(std::string const& action, std::filesystem::path const& path, int error) {
    throw exception("cannot " + action + " " + path.string() + ": " + std::generic_category().message(error) +
                    " (errno " + std::to_string(error) + ")");
}

}  // namespace tenet::detail
