// SPDX-License-Identifier: MIT
// io: safetensors files: `safetensors::reader`, `safetensors::write`, `safetensors::load`.
#pragma once

#include <tenet/io/safetensors_format.hpp>
#include <tenet/io/safetensors_load.hpp>
#include <tenet/io/safetensors_reader.hpp>
#include <tenet/io/safetensors_writer.hpp>
