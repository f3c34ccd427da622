// SPDX-License-Identifier: MIT
// base: everything of the floor of vocabulary: version, constants, strings, reflection, the exception type.
#pragma once

#include <tenet/base/constant.hpp>
#include <tenet/base/exception.hpp>
#include <tenet/base/fixed_string.hpp>
#include <tenet/base/list.hpp>
#include <tenet/base/macros.hpp>
#include <tenet/base/mistake.hpp>
#include <tenet/base/quoted.hpp>
#include <tenet/base/reflect.hpp>
#include <tenet/base/type_name.hpp>
#include <tenet/base/version.hpp>
