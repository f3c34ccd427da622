// SPDX-License-Identifier: MIT
// checkpoint diff: names, element types, shapes, and the largest difference of each tensor.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <limits>
#include <type_traits>
#include <utility>

#include <tenet/io/elements.hpp>

#include "commands.hpp"
#include "tensor_file.hpp"

namespace tensor_files {
namespace {

namespace st = tenet::safetensors;

std::string number(double value) {
    char text[32];
    std::snprintf(text, sizeof text, "%.4g", value);
    return text;
}

struct distance {
    double largest = 0;              // of |a - b|; infinite where only one is a number
    std::size_t at = 0, beyond = 0;  // its element; elements beyond the tolerance
    double left = 0, right = 0;      // the two values there
};

template <class A, class B>
bool same(A a, B b) {
    if constexpr (std::is_same_v<A, bool> || std::is_same_v<B, bool> || std::is_floating_point_v<A> ||
                  std::is_floating_point_v<B>) {
        const double x = static_cast<double>(a), y = static_cast<double>(b);
        return x == y || (std::isnan(x) && std::isnan(y));
    } else {
        return std::cmp_equal(a, b);
    }
}

distance compare(tensor_entry const& a, tensor_entry const& b, diff_options const& options) {
    distance found;
    tenet::visit_elements(*st::dtype_named(a.dtype), a.bytes.data(), [&](auto const& left) {
        tenet::visit_elements(*st::dtype_named(b.dtype), b.bytes.data(), [&](auto const& right) {
            for (std::size_t i = 0, n = size_of(a); i < n; ++i) {
                if (same(left(i), right(i))) continue;
                const double x = static_cast<double>(left(i)), y = static_cast<double>(right(i));
                double d = std::fabs(x - y);
                if (std::isnan(d)) d = std::numeric_limits<double>::infinity();
                if (d == 0) d = 1;  // integers beyond 2^53
                if (d > found.largest) {
                    found.largest = d;
                    found.at = i;
                    found.left = x;
                    found.right = y;
                }
                if (d > options.absolute + options.relative * std::fabs(y) || std::isinf(d)) ++found.beyond;
            }
        });
    });
    return found;
}

std::string index_text(std::size_t at, std::vector<std::size_t> const& shape) {
    std::vector<std::size_t> index(shape.size());
    for (std::size_t k = shape.size(); k-- > 0; at /= shape[k]) index[k] = at % shape[k];
    return st::detail::shape_text(index);
}

}  // namespace

int diff(diff_options const& options, std::ostream& out) {
    const tensor_file left(options.left), right(options.right);
    std::size_t equal = 0, different = 0;
    double largest = 0;
    std::string where;
    const auto report = [&](char const* mark, std::string const& name, std::string const& text) {
        out << mark << ' ' << tenet::detail::quoted(name) << ' ' << text << '\n';
        ++different;
    };
    for (tensor_entry const& a : left.tensors()) {
        tensor_entry const* const b = right.find(a.name);
        if (b == nullptr) {
            report("-", a.name, a.dtype + ' ' + st::detail::shape_text(a.shape));
            continue;
        }
        if (a.shape != b->shape) {
            report("!", a.name, st::detail::shape_text(a.shape) + " -> " + st::detail::shape_text(b->shape));
            continue;
        }
        const std::string types = a.dtype == b->dtype ? a.dtype : a.dtype + " -> " + b->dtype;
        if (!st::dtype_named(a.dtype) || !st::dtype_named(b->dtype)) {
            if (a.dtype == b->dtype && std::equal(a.bytes.begin(), a.bytes.end(), b->bytes.begin(), b->bytes.end())) {
                ++equal;
                if (options.all) out << "= " << tenet::detail::quoted(a.name) << ' ' << types << '\n';
            } else {
                report("!", a.name, types + ", other bytes");
            }
            continue;
        }
        const distance d = compare(a, *b, options);
        const std::string text =
            types + (d.largest == 0 ? std::string(" equal")
                                    : " largest difference " + number(d.largest) + " at " + index_text(d.at, a.shape) +
                                          " (" + number(d.left) + ", " + number(d.right) + ")");
        if (d.largest > largest) {
            largest = d.largest;
            where = a.name;
        }
        if (d.beyond != 0 || a.dtype != b->dtype) {
            report("!", a.name, text + (d.beyond != 0 ? ", " + std::to_string(d.beyond) + " elements" : ""));
        } else {
            ++equal;
            if (options.all) out << "= " << tenet::detail::quoted(a.name) << ' ' << text << '\n';
        }
    }
    for (tensor_entry const& b : right.tensors())
        if (left.find(b.name) == nullptr) report("+", b.name, b.dtype + ' ' + st::detail::shape_text(b.shape));
    out << equal << " equal, " << different << " different";
    if (largest > 0) out << "; largest difference " << number(largest) << " in " << tenet::detail::quoted(where);
    out << '\n';
    return different == 0 ? 0 : 1;
}

}  // namespace tensor_files
