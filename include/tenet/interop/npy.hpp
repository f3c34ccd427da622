// SPDX-License-Identifier: MIT
// interop: tensors in .npy files. xtensor writes them; they are read by a reader that trusts no header.
#pragma once

#if __has_include(<xtensor/io/xnpy.hpp>)
#include <xtensor/io/xnpy.hpp>
#else
#include <xtensor/xnpy.hpp>
#endif

#include <filesystem>

#include <tenet/interop/npy_array.hpp>
#include <tenet/io/atomic_file.hpp>
#include <tenet/io/mapped_file.hpp>

namespace tenet {

/// Writes `t` to a .npy file, which appears whole or not at all. Errors: `exception` if the system refuses.
/// NumPy: numpy.save.
template <class T, class... A>
void save_npy(std::filesystem::path const& path, tensor<T, A...> const& t) {
    atomic_file out(path);
    out.write(xt::dump_npy(view(t)));
    out.commit();
}

/// The array in a .npy file, whatever its shape and element type. NumPy: numpy.load.
inline npy_array load_npy(std::filesystem::path const& path) {
    const mapped_file file(path);
    return detail::read_npy(file.bytes(), path.string());
}

/// The array in a .npy file as a tensor: `load_npy<tensor<float, Rows, Cols>>("x.npy")`. Shapes are checked as by
/// `from_xtensor`, elements converted as by `npy_array::values`. Errors: `exception`.
template <class Tensor>
requires detail::is_tensor<Tensor>
Tensor load_npy(std::filesystem::path const& path) {
    try {
        return load_npy(path).template as<Tensor>();
    } catch (exception const& e) {
        const std::string text = e.what();
        throw exception(text.find(path.string()) == std::string::npos ? path.string() + ": " + text : text);
    }
}

}  // namespace tenet
