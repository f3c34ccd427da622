// SPDX-License-Identifier: MIT
// io: safetensors files: `safetensors::reader`, `safetensors::write`, `safetensors::load`, and the same for checkpoints
// in several files: `safetensors::sharded_reader`, `safetensors::write_sharded`.
#pragma once

#include <tenet/io/safetensors_format.hpp>
#include <tenet/io/safetensors_load.hpp>
#include <tenet/io/safetensors_reader.hpp>
#include <tenet/io/safetensors_sharded_reader.hpp>
#include <tenet/io/safetensors_sharded_writer.hpp>
#include <tenet/io/safetensors_writer.hpp>
