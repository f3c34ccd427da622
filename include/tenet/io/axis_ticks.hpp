// SPDX-License-Identifier: MIT
// io: the axis of a chart: a range, round numbers on it and their labels.
// Source: steps of 1, 2, 5 times a power of ten, P. Heckbert, "Nice numbers for graph labels", Graphics Gems (1990).
#pragma once

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <limits>
#include <string>
#include <utility>
#include <vector>

namespace tenet {

/// An axis from `low` to `high`, linear or logarithmic, with labelled ticks inside.
class axis_ticks {
public:
    double low = 0;
    double high = 1;
    std::vector<std::pair<double, std::string>> ticks;  ///< value, label; ascending

    /// An axis that shows [first, last] with about `wanted` ticks; `widen` moves the ends out to the next ticks.
    /// An empty range (first > last) becomes [0, 1], or [1, 10] when logarithmic.
    axis_ticks(double first, double last, bool logarithmic, std::size_t wanted, bool widen)
        : logarithmic_(logarithmic) {
        if (!(first <= last)) {
            first = logarithmic ? 1 : 0;
            last = logarithmic ? 10 : 1;
        }
        if (logarithmic && !(last / first > 2.5)) {  // too narrow for decades: linear ticks at logarithmic places
            if (first == last) {
                first /= 1.5;
                last *= 1.5;
            }
            set_linear(first, last, wanted, false);
        } else if (logarithmic) {
            set_decades(first, last, wanted, widen);
        } else {
            set_linear(first, last, wanted, widen);
        }
    }

    /// Where `value` lies: 0 at `low`, 1 at `high`.
    double fraction(double value) const {
        if (logarithmic_) return (std::log(value) - std::log(low)) / (std::log(high) - std::log(low));
        return (value - low) / (high - low);
    }

    /// The nearest step of 1, 2 or 5 times a power of ten, not below `rough`.
    static double nice_step(double rough) {
        const double power = std::pow(10.0, std::floor(std::log10(rough)));
        const double lead = rough / power;
        return power * (lead <= 1.0 ? 1.0 : lead <= 2.0 ? 2.0 : lead <= 5.0 ? 5.0 : 10.0);
    }

private:
    void set_linear(double first, double last, std::size_t wanted, bool widen) {
        // A flat line (or one whose height is rounding noise) still needs a visible range around it.
        const double least = std::max(std::fabs(first), std::fabs(last)) * 1e-9;
        if (last - first <= least) {
            const double margin = first == 0.0 ? 1.0 : std::fabs(first) * 0.1;
            first -= margin;
            last += margin;
        }
        const double step = nice_step((last - first) / static_cast<double>(wanted));
        low = widen ? std::floor(first / step + 1e-9) * step : first;
        high = widen ? std::ceil(last / step - 1e-9) * step : last;
        const double from = std::ceil(low / step - 1e-6), to = std::floor(high / step + 1e-6);
        for (double i = from; i <= to; i += 1.0) ticks.emplace_back(i * step, label(i * step, step));
    }

    void set_decades(double first, double last, std::size_t wanted, bool widen) {
        const double decades = std::log10(last) - std::log10(first);
        const double room = widen ? std::pow(10.0, decades * 0.03) : 1.0;
        low = std::max(first / room, std::numeric_limits<double>::min());
        high = std::min(last * room, std::numeric_limits<double>::max());
        const double stride = std::max(1.0, std::ceil(decades / static_cast<double>(wanted)));
        const double from = std::floor(std::log10(low) / stride) * stride;
        for (double exponent = from; exponent <= std::log10(high) + 1e-9; exponent += stride) {
            for (double lead : {1.0, 2.0, 5.0}) {
                const double value = lead * std::pow(10.0, exponent);
                if (lead > 1.0 && decades > 3.0) break;
                if (value >= low * (1 - 1e-9) && value <= high * (1 + 1e-9))
                    ticks.emplace_back(value, label(value, value));
            }
        }
    }

    // As many decimals as the step needs, in exponent form where the number would be long; never the locale's comma.
    static std::string label(double value, double step) {
        const double size = std::fabs(value);
        if (size < step * 1e-6) return "0";
        char out[40];
        auto const text = [&](std::chars_format format, int precision) {
            return std::string(out, std::to_chars(out, out + sizeof out, value, format, precision).ptr);
        };
        if (size >= 1e6 || step < 1e-5) return text(std::chars_format::general, 6);
        return text(std::chars_format::fixed, std::max(0, static_cast<int>(std::ceil(-std::log10(step) - 1e-9))));
    }

    bool logarithmic_;
};

}  // namespace tenet
