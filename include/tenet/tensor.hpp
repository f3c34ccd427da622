// SPDX-License-Identifier: MIT
// tensor: everything of the floor of storage.
#pragma once

#include <tenet/tensor/dtype.hpp>
#include <tenet/tensor/memory.hpp>
#include <tenet/tensor/named_array.hpp>
#include <tenet/tensor/tensor.hpp>
#include <tenet/tensor/view.hpp>
