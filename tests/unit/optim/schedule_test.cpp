// SPDX-License-Identifier: MIT
// Learning-rate schedules against their formulas and published values.
#define BOOST_TEST_MODULE optim_schedule
#include <boost/test/unit_test.hpp>

#include <cmath>
#include <numbers>
#include <string>

#include <tenet/optim/schedule.hpp>

using namespace tenet;

static_assert(Schedule<schedule::constant> && Schedule<schedule::linear_warmup> && Schedule<schedule::cosine>);
static_assert(Schedule<schedule::inverse_sqrt> && Schedule<schedule::linear_decay> && Schedule<schedule::step_decay>);
static_assert(!Schedule<float>);

namespace {

void check_near(float found, double expected, double relative = 1e-6) {
    BOOST_TEST_CONTEXT("found " << found << ", expected " << expected) {
        BOOST_TEST(std::fabs(static_cast<double>(found) - expected) <= relative * std::fabs(expected));
    }
}

}  // namespace

BOOST_AUTO_TEST_CASE(constant_is_constant) {
    const schedule::constant s{2e-4f};
    BOOST_TEST(s(0) == 2e-4f);
    BOOST_TEST(s(1'000'000) == 2e-4f);
    BOOST_TEST(s.describe() == "constant(rate=2e-04)");
}

BOOST_AUTO_TEST_CASE(cosine_follows_nanogpt) {
    const schedule::cosine s{.peak = 1e-3f, .minimum = 1e-4f, .warmup = 100, .decay = 2000};
    for (std::size_t it = 0; it < 2200; ++it) {
        double expected = 0;
        if (it < 100) {
            expected = 1e-3 * (static_cast<double>(it) + 1) / 101;
        } else if (it > 2000) {
            expected = 1e-4;
        } else {
            const double ratio = (static_cast<double>(it) - 100) / (2000 - 100);
            expected = 1e-4 + 0.5 * (1.0 + std::cos(std::numbers::pi * ratio)) * (1e-3 - 1e-4);
        }
        check_near(s(it), expected);
    }
    BOOST_TEST(s(100) == 1e-3f);
    BOOST_TEST(s(2000) == 1e-4f);
    BOOST_TEST(s(~std::size_t{0}) == 1e-4f);
    BOOST_TEST(s.describe() == "cosine(peak=0.001,minimum=1e-04,warmup=100,decay=2000)");
    const schedule::cosine no_warmup{.peak = 1.0f, .minimum = 0.0f, .warmup = 0, .decay = 10};
    BOOST_TEST(no_warmup(0) == 1.0f);
    check_near(no_warmup(5), 0.5);
    const schedule::cosine only_warmup{.peak = 1.0f, .minimum = 0.25f, .warmup = 10, .decay = 10};
    check_near(only_warmup(9), 10.0 / 11.0);
    BOOST_TEST(only_warmup(10) == 0.25f);
}

BOOST_AUTO_TEST_CASE(inverse_sqrt_follows_the_transformer_paper) {
    const schedule::inverse_sqrt s{.model = 512, .warmup = 4000};
    check_near(s(1), 1.747e-7, 5e-4);
    check_near(s(4000), 6.988e-4, 1e-4);
    check_near(s(8000), 4.941e-4, 1e-4);
    for (std::size_t step : {1u, 17u, 3999u, 4000u, 4001u, 100'000u}) {
        const double d = static_cast<double>(step);
        check_near(s(step), std::pow(512, -0.5) * std::min(std::pow(d, -0.5), d * std::pow(4000, -1.5)));
    }
    BOOST_TEST(s(0) == s(1));
    check_near((schedule::inverse_sqrt{.model = 512, .warmup = 4000, .factor = 2.0f}(4000)), 2 * 6.98771e-4, 1e-5);
    BOOST_TEST(s.describe() == "inverse_sqrt(model=512,warmup=4000,factor=1)");
}

BOOST_AUTO_TEST_CASE(linear_warmup_follows_pytorch) {
    // The example of torch.optim.lr_scheduler.LinearLR: 0.05, start_factor 0.5, total_iters 4.
    const schedule::linear_warmup s{.rate = 0.05f, .warmup = 4, .start_factor = 0.5f};
    check_near(s(0), 0.025);
    check_near(s(1), 0.03125);
    check_near(s(2), 0.0375);
    check_near(s(3), 0.04375);
    check_near(s(4), 0.05);
    check_near(s(400), 0.05);
    const schedule::linear_warmup falling{.rate = 1.0f, .warmup = 2, .start_factor = 1.0f, .end_factor = 0.0f};
    check_near(falling(1), 0.5);
    BOOST_TEST(falling(2) == 0.0f);
    BOOST_TEST((schedule::linear_warmup{.rate = 1.0f, .warmup = 0}(0)) == 1.0f);
    BOOST_TEST(s.describe() == "linear_warmup(rate=0.05,warmup=4,start_factor=0.5,end_factor=1)");
}

BOOST_AUTO_TEST_CASE(linear_decay_ends_at_its_minimum) {
    const schedule::linear_decay s{.peak = 5e-6f, .total = 100};
    check_near(s(0), 5e-6);
    check_near(s(25), 3.75e-6);
    BOOST_TEST(s(100) == 0.0f);
    BOOST_TEST(s(101) == 0.0f);
    const schedule::linear_decay warm{.peak = 1.0f, .total = 110, .warmup = 10, .minimum = 0.5f};
    BOOST_TEST(warm(0) == 0.0f);
    check_near(warm(5), 0.5);
    BOOST_TEST(warm(10) == 1.0f);
    check_near(warm(60), 0.75);
    BOOST_TEST(warm(110) == 0.5f);
    BOOST_TEST(warm.describe() == "linear_decay(peak=1,total=110,warmup=10,minimum=0.5)");
}

BOOST_AUTO_TEST_CASE(step_decay_falls_in_steps) {
    // The example of torch.optim.lr_scheduler.StepLR: 0.05, step_size 30, gamma 0.1.
    const schedule::step_decay s{.rate = 0.05f, .every = 30, .factor = 0.1f};
    BOOST_TEST(s(0) == 0.05f);
    BOOST_TEST(s(29) == 0.05f);
    check_near(s(30), 0.005);
    check_near(s(59), 0.005);
    check_near(s(60), 0.0005);
    BOOST_TEST((schedule::step_decay{.rate = 1.0f, .every = 0}(5)) == 1.0f);
    BOOST_TEST(s.describe() == "step_decay(rate=0.05,every=30,factor=0.1)");
}

BOOST_AUTO_TEST_CASE(descriptions_tell_schedules_apart) {
    const schedule::cosine a{}, b{.peak = std::nextafter(1e-3f, 1.0f)};
    BOOST_TEST(a.describe() != b.describe());
    BOOST_TEST(a.describe() == schedule::cosine{}.describe());
}
