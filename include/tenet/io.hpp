// SPDX-License-Identifier: MIT
// io: everything of files, logs and plots.
#pragma once

#include <tenet/io/atomic_file.hpp>
#include <tenet/io/axis_ticks.hpp>
#include <tenet/io/checkpoint.hpp>
#include <tenet/io/elements.hpp>
#include <tenet/io/file_error.hpp>
#include <tenet/io/float_formats.hpp>
#include <tenet/io/interrupt.hpp>
#include <tenet/io/json_lines.hpp>
#include <tenet/io/line_plot.hpp>
#include <tenet/io/llama2c_file.hpp>
#include <tenet/io/mapped_file.hpp>
#include <tenet/io/progress.hpp>
#include <tenet/io/safetensors.hpp>
#include <tenet/io/safetensors_format.hpp>
#include <tenet/io/safetensors_header.hpp>
#include <tenet/io/safetensors_index.hpp>
#include <tenet/io/safetensors_load.hpp>
#include <tenet/io/safetensors_reader.hpp>
#include <tenet/io/safetensors_sharded_reader.hpp>
#include <tenet/io/safetensors_sharded_writer.hpp>
#include <tenet/io/safetensors_tensor.hpp>
#include <tenet/io/safetensors_writer.hpp>
