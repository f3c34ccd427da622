// SPDX-License-Identifier: MIT
// reward_model: learns which of two completions is the better one, and says how often it is right on pairs that it has
// not seen, beside a judge that only looks at lengths.
#include <cstdio>
#include <exception>
#include <filesystem>
#include <optional>
#include <thread>

#include <CLI/CLI.hpp>
#include <tenet/align.hpp>
#include <tenet/io/checkpoint.hpp>
#include <tenet/nn/init.hpp>
#include <tenet/optim.hpp>
#include <tenet/parallel/threads.hpp>
#include <tenet/program/program.hpp>

#include "../dpo/model.hpp"

namespace {

using namespace alignment;

struct reward_model {
    gpt trunk;
    nn::scalar_head<gpt::Embed> score;
    constexpr auto operator()(auto tokens, auto last) const {
        return score(last_token<Time>(trunk.hidden(tokens, places_of(tokens)), last));
    }
};
struct pairwise {
    constexpr auto operator()(auto const& model, auto tokens, auto last) const {
        auto reward = model(tokens, last);
        return std::tuple{reward_pairwise_loss<Pairs>(chosen(reward), rejected(reward), {.centering = 0.01}),
                          chosen(reward), rejected(reward)};
    }
};
using train_step =
    program<reward_model, pairwise, tokens<Pairs, preference_side, Time>, tokens<Pairs, preference_side>>;
using test_step =
    evaluation<reward_model, pairwise, tokens<Pairs, preference_side, Time>, tokens<Pairs, preference_side>>;

struct settings {
    std::filesystem::path data, text, out;
    std::size_t epochs = 2, pairs = 1200;
    double rate = 1e-3;
    std::uint64_t seed = 1;
};

struct outcome {
    preference_metrics metrics;
    double loss = 0;
    std::vector<float> rewards;
};

outcome test(test_step& step, parameters<reward_model> const& theta, std::vector<preference> const& pairs) {
    preference_batch<Pairs, Time> batch(row_options);
    const auto order = order_of(pairs.size(), 0, 0);
    std::vector<float> better, worse;
    outcome o;
    for (std::size_t at = 0; at < pairs.size(); at += Pairs::capacity) {
        const std::size_t n = fill(batch, pairs, order, at);
        o.loss += static_cast<double>(step(theta, batch.tokens(), batch.last())) * static_cast<double>(n);
        const auto c = step.result<1>(), r = step.result<2>();
        better.insert(better.end(), c.begin(), c.end());
        worse.insert(worse.end(), r.begin(), r.end());
    }
    o.loss /= static_cast<double>(pairs.size());
    o.metrics = metrics_of_rewards(better, worse);
    o.rewards = better;
    return o;
}

void run(settings const& s) {
    const preference_set set = s.data.empty() ? make_pairs(s.text, s.pairs, s.seed) : read_pairs(s.data);
    std::printf("%zu pairs to learn from, %zu for tests; parameters: %zu\n", set.train.size(), set.test.size(),
                parameter_count<reward_model>);
    parameters<reward_model> theta;
    initialize(theta, init::gpt2{}, s.seed);
    train_step step;
    test_step judge;
    adamw optimiser(step, {.weight_decay = 0.1});
    preference_batch<Pairs, Time> batch(row_options);
    const std::size_t each = (set.train.size() + Pairs::capacity - 1) / Pairs::capacity, all = each * s.epochs;
    const schedule::cosine rate{static_cast<float>(s.rate), static_cast<float>(s.rate / 10), all / 20, all};
    std::size_t steps = 0;
    for (std::size_t epoch = 0; epoch < s.epochs; ++epoch) {
        const auto order = order_of(set.train.size(), s.seed, epoch);
        double loss = 0;
        for (std::size_t at = 0; at < set.train.size(); at += Pairs::capacity) {
            fill(batch, set.train, order, at);
            loss += static_cast<double>(step.value_and_grad(theta, batch.tokens(), batch.last()));
            optimiser.step(theta, step, static_cast<double>(rate(steps++)), clip_factor(gradient_norm(step), 1));
        }
        const outcome o = test(judge, theta, set.test);
        std::printf("epoch %zu: loss %.4f; tests: loss %.4f, accuracy %.3f, margin %.3f\n", epoch + 1,
                    loss / static_cast<double>(each), o.loss, o.metrics.accuracy, o.metrics.margin);
    }
    std::printf("accuracy of the longer or shorter completion: %.3f\n", length_baseline(set.test));
    // Only differences of rewards mean something: their mean on chosen completions becomes 0.
    theta.span("score.bias")[0] += static_cast<float>(reward_scale::centred(test(judge, theta, set.test).rewards).bias);
    std::printf("mean reward of the chosen completions, centred: %.4f\n",
                std::abs(mean_of(test(judge, theta, set.test).rewards)));
    if (!s.out.empty()) save_checkpoint(s.out, theta, {}, {{"model", "reward_model"}});
}

}  // namespace

int main(int argc, char** argv) {
    CLI::App app("reward_model: learns which of two completions is the better one");
    settings s;
    int count = static_cast<int>(std::thread::hardware_concurrency());
    auto* const data = app.add_option("--data", s.data, "Pairs: JSON lines with prompt, chosen and rejected")
                           ->check(CLI::ExistingFile);
    auto* const text = app.add_option("--text", s.text, "Instead: a text, whose lines become pairs by a rule")
                           ->check(CLI::ExistingFile);
    data->excludes(text);
    app.add_option("--out", s.out, "A safetensors file for the model");
    app.add_option("--pairs", s.pairs, "Pairs made of a text")->capture_default_str()->check(CLI::Range(20, 100000));
    app.add_option("--epochs", s.epochs, "Times that all pairs are seen")
        ->capture_default_str()
        ->check(CLI::Range(1, 1000));
    app.add_option("--lr", s.rate, "Learning rate")->capture_default_str()->check(CLI::PositiveNumber);
    app.add_option("--seed", s.seed, "Of first weights and orders")->capture_default_str();
    app.add_option("--threads", count, "Threads; the numbers do not depend on it")
        ->capture_default_str()
        ->check(CLI::PositiveNumber);
    CLI11_PARSE(app, argc, argv);
    try {
        if (s.data.empty() && s.text.empty()) fail_expectation("options", "--data or --text", "neither");
        threads pool(count);
        pool.run([&] { run(s); });
        return 0;
    } catch (std::exception const& e) {
        std::fprintf(stderr, "reward_model: %s\n", e.what());
        return 1;
    }
}
