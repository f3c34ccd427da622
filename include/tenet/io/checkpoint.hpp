// SPDX-License-Identifier: MIT
// io: a training run in one safetensors file: parameters under their names, the optimiser's state beside them, and the
// rest of what a run must know as text. Written whole or not at all; read strictly.
#pragma once

#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <vector>

#include <tenet/io/safetensors_load.hpp>
#include <tenet/io/safetensors_sharded_reader.hpp>
#include <tenet/io/safetensors_writer.hpp>
#include <tenet/program/parameter_role.hpp>
#include <tenet/program/parameters.hpp>

namespace tenet {

/// What a checkpoint says beside numbers, e.g. {"step", "2000"}.
using checkpoint_metadata = std::map<std::string, std::string>;

/// The parameters as a file holds them: a linear layer's weight is [in, out] and its bias [out], however many axes the
/// model gives them. Borrowed from `theta`.
template <class Model, class T>
std::vector<named_array> file_arrays(parameters<Model, T>& theta) {
    static_assert(!QuantizedModel<Model>,
                  "file_arrays(theta): theta is quantized; use save_quantized(path, theta) and load_quantized");
    std::vector<named_array> all;
    for (parameter_leaf const& leaf : parameter_leaves<Model>)
        for (std::size_t layer = 0; layer < leaf.layers(); ++layer)
            all.push_back({leaf_name(leaf, layer), dtype_of<T>, file_shape(leaf),
                           theta.data() + leaf.offset + layer * leaf.padded});
    return all;
}

namespace detail {

inline constexpr char const* optimizer_prefix = "optimizer.";

template <class Model, class T>
std::vector<named_array> checkpoint_arrays(parameters<Model, T>& theta, std::span<named_array const> optimizer_state) {
    std::vector<named_array> all = file_arrays(theta);
    for (named_array state : optimizer_state) {
        state.name.insert(0, optimizer_prefix);
        all.push_back(std::move(state));
    }
    return all;
}

}  // namespace detail

/// Writes `theta`, the arrays of an optimiser (as "optimizer.m.<parameter>", ...; none: pass {}) and the metadata to
/// `path`. An old file is replaced only when the new one is on the disk.
///
///     save_checkpoint("model.safetensors", theta, optimiser.arrays(), {{"step", "2000"}});
///
/// Errors: `exception` for every failing system call. PyTorch: torch.save of model.state_dict() and
/// optimizer.state_dict().
template <class Model, class T>
void save_checkpoint(std::filesystem::path const& path, parameters<Model, T>& theta,
                     std::vector<named_array> const& optimizer_state = {}, checkpoint_metadata const& metadata = {}) {
    safetensors::write(path, detail::checkpoint_arrays(theta, optimizer_state), metadata);
}

/// Reads a checkpoint, or the files of an index ("model.safetensors.index.json"), into `theta` and, if arrays are
/// given, into an optimiser's state; returns the metadata. Without arrays the file may hold an optimiser's state, which
/// is left aside.
///
/// Errors: one `exception` that lists every tensor that is missing, left over, or of another shape or type; nothing is
/// written then.
template <class Model, class T>
checkpoint_metadata load_checkpoint(std::filesystem::path const& path, parameters<Model, T>& theta,
                                    std::vector<named_array> const& optimizer_state = {}) {
    const safetensors::sharded_reader file(path);
    safetensors::load_options options;
    if (optimizer_state.empty()) options.ignore_extra.push_back(std::string(detail::optimizer_prefix) + "*");
    safetensors::load(file, detail::checkpoint_arrays(theta, optimizer_state), options);
    return file.metadata();
}

/// The metadata alone: what a file says of itself before anything is read into a model.
inline checkpoint_metadata read_checkpoint_metadata(std::filesystem::path const& path) {
    return safetensors::sharded_reader(path).metadata();
}

}  // namespace tenet
