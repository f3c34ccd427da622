// SPDX-License-Identifier: MIT
// checkpoint describe: what is in a file, as a table or as C++.
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <iomanip>
#include <limits>
#include <map>
#include <vector>

#include <tenet/io/elements.hpp>

#include "commands.hpp"
#include "declaration.hpp"
#include "tensor_file.hpp"

namespace tensor_files {
namespace {

namespace st = tenet::safetensors;

using row = std::vector<std::string>;

// Text as it may be printed on a terminal: names come from files that nobody vouches for.
std::string printable(std::string const& text) {
    const std::string quoted = tenet::detail::quoted(text);
    return quoted == '"' + text + '"' ? text : quoted;
}

std::string with_commas(std::uint64_t n) {
    std::string digits = std::to_string(n);
    for (std::size_t at = digits.size(); at > 3; at -= 3) digits.insert(at - 3, ",");
    return digits;
}

template <class... X>
std::string formatted(char const* format, X... x) {
    char text[64];
    std::snprintf(text, sizeof text, format, x...);
    return text;
}

std::string size_text(std::uint64_t bytes) {
    static constexpr char const* units[] = {"bytes", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
    double value = static_cast<double>(bytes);
    std::size_t unit = 0;
    for (; value >= 1024; value /= 1024) ++unit;
    return unit == 0 ? with_commas(bytes) + " bytes" : formatted("%.4g ", value) + units[unit];
}

// Least, greatest and mean of the numbers among the elements, and how many are none.
row statistics(tensor_entry const& tensor) {
    const auto type = st::dtype_named(tensor.dtype);
    const std::size_t n = size_of(tensor);
    if (!type || n == 0) return {"-", "-", "-", ""};
    double least = std::numeric_limits<double>::infinity(), greatest = -least, sum = 0;
    std::size_t nans = 0, infinities = 0;
    tenet::visit_elements(*type, tensor.bytes.data(), [&](auto const& element) {
        for (std::size_t i = 0; i < n; ++i) {
            const double x = static_cast<double>(element(i));
            if (std::isnan(x)) {
                ++nans;
                continue;
            }
            least = std::min(least, x);
            greatest = std::max(greatest, x);
            if (std::isinf(x)) ++infinities;
            else sum += x;
        }
    });
    const std::size_t finite = n - nans - infinities;
    std::string flaws;
    if (nans != 0) flaws += with_commas(nans) + " NaN ";
    if (infinities != 0) flaws += with_commas(infinities) + " infinite";
    if (nans == n) return {"-", "-", "-", flaws};
    return {formatted("%.4g", least), formatted("%.4g", greatest),
            finite == 0 ? "-" : formatted("%.4g", sum / static_cast<double>(finite)), flaws};
}

// `left` columns are aligned left, the others right.
void print_table(std::vector<row> const& rows, std::size_t left, std::ostream& out) {
    std::vector<std::size_t> width(rows.front().size());
    for (row const& r : rows)
        for (std::size_t k = 0; k < r.size(); ++k) width[k] = std::max(width[k], r[k].size());
    for (row const& r : rows) {
        std::string line;
        for (std::size_t k = 0; k < r.size(); ++k) {
            const std::string fill(width[k] - r[k].size(), ' ');
            line += k < left ? r[k] + fill : fill + r[k];
            line += "  ";
        }
        line.erase(line.find_last_not_of(' ') + 1);
        out << line << '\n';
    }
}

void print_tensors(tensor_file const& file, bool with_statistics, std::ostream& out) {
    std::uint64_t bytes = 0, elements = 0;
    std::map<std::string, std::uint64_t> by_type;
    for (tensor_entry const& t : file.tensors()) {
        bytes += t.bytes.size();
        elements += size_of(t);
        by_type[t.dtype] += t.bytes.size();
    }
    std::vector<row> rows{{"tensor", "dtype", "shape", "bytes", "share"}};
    if (with_statistics) rows[0].insert(rows[0].end(), {"min", "max", "mean", ""});
    for (tensor_entry const& t : file.tensors()) {
        rows.push_back({printable(t.name), t.dtype, st::detail::shape_text(t.shape), with_commas(t.bytes.size()),
                        bytes == 0 ? "-"
                                   : formatted("%.1f%%", 100.0 * static_cast<double>(t.bytes.size()) /
                                                             static_cast<double>(bytes))});
        if (with_statistics)
            for (std::string& text : statistics(t)) rows.back().push_back(std::move(text));
    }
    if (!file.tensors().empty()) print_table(rows, 3, out);
    out << with_commas(file.tensors().size()) << " tensors, " << with_commas(elements) << " elements, "
        << size_text(bytes);
    if (by_type.size() > 1)
        for (auto const& [type, size] : by_type)
            out << (type == by_type.begin()->first ? " (" : ", ") << type << ' ' << size_text(size);
    out << (by_type.size() > 1 ? ")\n" : "\n");
}

}  // namespace

int describe(describe_options const& options, std::ostream& out) {
    const tensor_file file(options.file);
    if (options.cpp) {
        declaration_options declaration{options.name, options.space, options.heads};
        if (declaration.heads == 0) declaration.heads = file.heads().value_or(0);
        out << declare_model(file.tensors(), options.file.filename().string(), declaration);
        return 0;
    }
    for (auto const& [key, value] : file.metadata()) out << printable(key) << ": " << printable(value) << '\n';
    for (std::string const& note : file.notes()) out << "note: " << note << '\n';
    print_tensors(file, options.statistics, out);
    return 0;
}

}  // namespace tensor_files
