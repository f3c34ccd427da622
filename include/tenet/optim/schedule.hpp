// SPDX-License-Identifier: MIT
// optim: learning rates as functions of the step. A schedule is a small value: it has no state, so that a resumed run
// continues by asking for its step, and it describes itself in one line, so that a checkpoint can say what it was.
#pragma once

#include <algorithm>
#include <charconv>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <numbers>
#include <string>
#include <string_view>
#include <utility>

namespace tenet {

/// A learning-rate schedule: a rate for every step, and a description equal only for equal schedules of one kind.
template <class T>
concept Schedule = requires(T const& schedule, std::size_t step) {
    { schedule(step) } -> std::same_as<float>;
    { schedule.describe() } -> std::same_as<std::string>;
};

/// Learning-rate schedules. All are aggregates: `schedule::cosine{.peak = 1e-3f, .minimum = 1e-4f, ...}`.
/// Steps count from 0 unless said otherwise. Rates are computed in double and rounded once.
namespace schedule {
namespace detail {

// The shortest digits that read back as the same float.
inline std::string number(float value) {
    char out[32];
    return {out, std::to_chars(out, out + sizeof out, value).ptr};
}
inline std::string number(std::size_t value) {
    return std::to_string(value);
}

template <class... Values>
std::string describe(std::string_view name, std::pair<std::string_view, Values>... fields) {
    std::string out(name);
    char separator = '(';
    ((out += std::exchange(separator, ','), out += fields.first, out += '=', out += number(fields.second)), ...);
    return out + ")";
}

// step / steps, where no steps at all are over at once.
inline double progress(std::size_t step, std::size_t steps) {
    return step >= steps ? 1.0 : static_cast<double>(step) / static_cast<double>(steps);
}

using field_f = std::pair<std::string_view, float>;
using field_n = std::pair<std::string_view, std::size_t>;

}  // namespace detail

/// The same rate always.
struct constant {
    float rate = 1e-3f;

    float operator()(std::size_t) const { return rate; }
    std::string describe() const { return detail::describe("constant", detail::field_f{"rate", rate}); }
};

/// rate * (start_factor + (end_factor - start_factor) * min(step, warmup) / warmup).
/// PyTorch: torch.optim.lr_scheduler.LinearLR(start_factor, end_factor, total_iters = warmup).
struct linear_warmup {
    float rate = 1e-3f;
    std::size_t warmup = 5;
    float start_factor = 1.0f / 3.0f;
    float end_factor = 1.0f;

    float operator()(std::size_t step) const {
        const double start = start_factor, end = end_factor;
        return static_cast<float>(rate * (start + (end - start) * detail::progress(step, warmup)));
    }
    std::string describe() const {
        return detail::describe("linear_warmup", detail::field_f{"rate", rate}, detail::field_n{"warmup", warmup},
                                detail::field_f{"start_factor", start_factor},
                                detail::field_f{"end_factor", end_factor});
    }
};

/// peak * (step + 1) / (warmup + 1) while step < warmup; minimum once step > decay; between them
/// minimum + (peak - minimum) * (1 + cos(pi * (step - warmup) / (decay - warmup))) / 2.
/// Source: github.com/karpathy/nanoGPT, train.py, `get_lr` (learning_rate, min_lr, warmup_iters, lr_decay_iters).
struct cosine {
    float peak = 1e-3f;
    float minimum = 1e-4f;
    std::size_t warmup = 100;
    std::size_t decay = 5000;  ///< the step at which the minimum is reached

    float operator()(std::size_t step) const {
        if (step < warmup) {
            return static_cast<float>(peak * static_cast<double>(step + 1) / static_cast<double>(warmup + 1));
        }
        if (step >= decay) return minimum;
        const double way = detail::progress(step - warmup, decay - warmup);
        const double share = 0.5 * (1.0 + std::cos(std::numbers::pi * way));
        return static_cast<float>(minimum + share * (static_cast<double>(peak) - static_cast<double>(minimum)));
    }
    std::string describe() const {
        return detail::describe("cosine", detail::field_f{"peak", peak}, detail::field_f{"minimum", minimum},
                                detail::field_n{"warmup", warmup}, detail::field_n{"decay", decay});
    }
};

/// factor * model^-0.5 * min(step^-0.5, step * warmup^-1.5), with steps counted from 1 (0 is taken as 1).
/// Source: Vaswani et al., "Attention Is All You Need" (2017), equation 3 (d_model, warmup_steps).
struct inverse_sqrt {
    std::size_t model = 512;  ///< the width of the model
    std::size_t warmup = 4000;
    float factor = 1.0f;

    float operator()(std::size_t step) const {
        const double s = static_cast<double>(std::max<std::size_t>(step, 1));
        const double w = static_cast<double>(std::max<std::size_t>(warmup, 1));
        const double rising = s / (w * std::sqrt(w)), falling = 1.0 / std::sqrt(s);
        return static_cast<float>(factor * std::min(rising, falling) / std::sqrt(static_cast<double>(model)));
    }
    std::string describe() const {
        return detail::describe("inverse_sqrt", detail::field_n{"model", model}, detail::field_n{"warmup", warmup},
                                detail::field_f{"factor", factor});
    }
};

/// peak * step / warmup while step < warmup, then in a straight line to `minimum`, reached at step `total`.
/// PyTorch (transformers): get_linear_schedule_with_warmup(warmup, total), whose minimum is 0.
struct linear_decay {
    float peak = 1e-3f;
    std::size_t total = 1000;
    std::size_t warmup = 0;
    float minimum = 0.0f;

    float operator()(std::size_t step) const {
        if (step < warmup) return static_cast<float>(peak * detail::progress(step, warmup));
        if (step >= total) return minimum;
        const double left = 1.0 - detail::progress(step - warmup, total - warmup);
        return static_cast<float>(minimum + left * (static_cast<double>(peak) - static_cast<double>(minimum)));
    }
    std::string describe() const {
        return detail::describe("linear_decay", detail::field_f{"peak", peak}, detail::field_n{"total", total},
                                detail::field_n{"warmup", warmup}, detail::field_f{"minimum", minimum});
    }
};

/// rate * factor^floor(step / every).
/// PyTorch: torch.optim.lr_scheduler.StepLR(step_size = every, gamma = factor).
struct step_decay {
    float rate = 1e-3f;
    std::size_t every = 1000;
    float factor = 0.1f;

    float operator()(std::size_t step) const {
        const std::size_t times = every == 0 ? 0 : step / every;
        return static_cast<float>(rate * std::pow(static_cast<double>(factor), static_cast<double>(times)));
    }
    std::string describe() const {
        return detail::describe("step_decay", detail::field_f{"rate", rate}, detail::field_n{"every", every},
                                detail::field_f{"factor", factor});
    }
};

}  // namespace schedule
}  // namespace tenet
