// SPDX-License-Identifier: MIT
// dpo: fine-tunes a small model on the chosen completions, then teaches it to prefer them by a low-rank adapter, whose
// reference is the model without it.
#include <cstdio>
#include <exception>
#include <filesystem>
#include <thread>

#include <CLI/CLI.hpp>
#include <tenet/adapt.hpp>
#include <tenet/align.hpp>
#include <tenet/generate.hpp>
#include <tenet/io/checkpoint.hpp>
#include <tenet/nn/init.hpp>
#include <tenet/optim.hpp>
#include <tenet/parallel/threads.hpp>
#include <tenet/program/program.hpp>

#include "model.hpp"

namespace {

using namespace alignment;

struct fine_tuning {
    constexpr auto operator()(auto const& model, auto tokens, auto targets) const {
        return completion_cross_entropy<Vocab>(model(tokens, places_of(tokens)), targets);
    }
};
using tune_step = program<gpt, fine_tuning, tokens<Rows, Time>, completions<Rows, Time>>;

using adapter = lora<gpt, 8, all_linear, lora_options{.alpha = 16}>;

struct preference_loss {
    constexpr auto operator()(auto const& base, auto const& delta, auto tokens, auto targets, auto reference,
                              auto beta) const {
        using pair = policy_and_reference<adapter_off>;
        const auto policy =
            sequence_log_probability<Vocab, Time>(pair::policy(base, delta)(tokens, places_of(tokens)), targets);
        // beta is an input, so that one program serves all: the margin is scaled, and so is the loss's 0.
        const auto scaled = beta * policy;
        const auto held = beta * reference;
        return std::tuple{dpo_loss<Pairs>(chosen(scaled), rejected(scaled), chosen(held), rejected(held), {.beta = 1}),
                          policy};
    }
};
struct reference_of {
    constexpr auto operator()(auto const& base, auto tokens, auto targets) const {
        return sequence_log_probability<Vocab, Time>(base(tokens, places_of(tokens)), targets);
    }
};
using pair_tokens = tokens<Pairs, preference_side, Time>;
using pair_targets = completions<Pairs, preference_side, Time>;
using pair_values = values<Pairs, preference_side>;
using dpo_step = program<models<gpt, adapter>, preference_loss, pair_tokens, pair_targets, pair_values, values<>>;
using test_step = evaluation<models<gpt, adapter>, preference_loss, pair_tokens, pair_targets, pair_values, values<>>;
using reference_step = evaluation<gpt, reference_of, pair_tokens, pair_targets>;
static_assert(dpo_step::gradient_elements == parameter_elements<adapter>);

struct settings {
    std::filesystem::path data, text, out;
    std::size_t tune_epochs = 6, epochs = 3, pairs = 1200, samples = 3;
    double tune_rate = 1e-3, rate = 1e-3, beta = 0.1;
    std::uint64_t seed = 1;
};

void fine_tune(parameters<gpt>& theta, std::vector<preference> const& pairs, settings const& s) {
    tune_step step;
    adamw optimiser(step, {.weight_decay = 0.1});
    completion_batch<Rows, Time> batch(row_options);
    const std::size_t each = (pairs.size() + Rows::capacity - 1) / Rows::capacity, all = each * s.tune_epochs;
    const schedule::cosine rate{static_cast<float>(s.tune_rate), static_cast<float>(s.tune_rate / 10), all / 20, all};
    std::size_t steps = 0;
    for (std::size_t epoch = 0; epoch < s.tune_epochs; ++epoch) {
        const auto order = order_of(pairs.size(), s.seed, epoch);
        double loss = 0;
        for (std::size_t at = 0; at < pairs.size(); at += Rows::capacity) {
            batch.resize(std::min(Rows::capacity, pairs.size() - at));
            for (std::size_t i = 0; i < batch.tokens().extent<Rows>(); ++i)
                batch.set(i, ids_of(pairs[order[at + i]].prompt), ids_of(pairs[order[at + i]].chosen));
            loss += static_cast<double>(step.value_and_grad(theta, batch.tokens(), batch.targets()));
            optimiser.step(theta, step, static_cast<double>(rate(steps++)), clip_factor(gradient_norm(step), 1));
        }
        std::printf("fine-tuning, epoch %zu: loss %.4f\n", epoch + 1, loss / static_cast<double>(each));
    }
}

/// The reference's log-probabilities of all pairs, once: the reference does not change.
reference_cache<float> references(parameters<gpt> const& base, std::vector<preference> const& pairs) {
    reference_step step;
    reference_cache<float> cache(pairs.size());
    preference_batch<Pairs, Time> batch(row_options);
    std::vector<std::size_t> order(pairs.size());
    for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
    for (std::size_t at = 0; at < pairs.size(); at += Pairs::capacity) {
        const std::size_t n = fill(batch, pairs, order, at);
        step(base, batch.tokens(), batch.targets());
        const auto r = step.result();
        for (std::size_t i = 0; i < n; ++i) cache.set(at + i, {r(i, 0), r(i, 1)});
    }
    return cache;
}

/// A run over all pairs in an order: `step` is called on each batch, and gives the log-probabilities of the policy.
template <class Step>
preference_metrics over(std::vector<preference> const& pairs, reference_cache<float> const& cache,
                        std::vector<std::size_t> const& order, double beta, double& loss, Step&& step) {
    preference_batch<Pairs, Time> batch(row_options);
    tensor<float, Pairs, preference_side> reference;
    tensor<float> scale;
    *scale.data() = static_cast<float>(beta);
    std::vector<float> sides[4];
    loss = 0;
    for (std::size_t at = 0; at < pairs.size(); at += Pairs::capacity) {
        const std::size_t n = fill(batch, pairs, order, at);
        reference.set_extent<Pairs>(n);
        for (std::size_t i = 0; i < n; ++i)
            for (std::size_t k = 0; k < 2; ++k) reference(i, k) = cache.get(order[at + i], k);
        const auto [value, policy] = step(batch, reference, scale);
        loss += static_cast<double>(value) * static_cast<double>(n) / static_cast<double>(pairs.size());
        for (std::size_t i = 0; i < n; ++i)
            for (std::size_t k = 0; k < 2; ++k) {
                sides[k].push_back(policy(i, k));
                sides[2 + k].push_back(reference(i, k));
            }
    }
    return metrics_of_policy(sides[0], sides[1], sides[2], sides[3], beta);
}

void show(char const* what, double loss, preference_metrics const& m) {
    std::printf(
        "%s loss %.4f, rewards/chosen %.3f, rewards/rejected %.3f, rewards/accuracies %.3f, rewards/margins %.3f\n",
        what, loss, m.chosen, m.rejected, m.accuracy, m.margin);
}

void train(parameters<gpt> const& base, parameters<adapter>& delta, preference_set const& set, settings const& s) {
    const auto train_cache = references(base, set.train), test_cache = references(base, set.test);
    dpo_step step;
    test_step judge;
    adamw<dpo_step, 1> optimiser({.weight_decay = 0});
    const auto tested = [&](char const* what) {
        double loss = 0;
        const auto m = over(set.test, test_cache, order_of(set.test.size(), 0, 0), s.beta, loss,
                            [&](auto const& batch, auto const& reference, auto const& beta) {
                                judge(base, delta, batch.tokens(), batch.targets(), reference, beta);
                                return std::pair{*judge.result<0>().data(), judge.result<1>()};
                            });
        show(what, loss, m);
    };
    tested("tests before:  ");
    const std::size_t all = (set.train.size() + Pairs::capacity - 1) / Pairs::capacity * s.epochs;
    const schedule::cosine rate{static_cast<float>(s.rate), static_cast<float>(s.rate / 10), all / 20, all};
    std::size_t steps = 0;
    for (std::size_t epoch = 0; epoch < s.epochs; ++epoch) {
        double loss = 0;
        const auto m = over(
            set.train, train_cache, order_of(set.train.size(), s.seed, epoch), s.beta, loss,
            [&](auto const& batch, auto const& reference, auto const& beta) {
                const float value = step.value_and_grad(base, delta, batch.tokens(), batch.targets(), reference, beta);
                if (steps == 0) expect_some_gradient(step);
                optimiser.step(delta, step, static_cast<double>(rate(steps++)), clip_factor(gradient_norm(step), 10));
                return std::pair{value, step.result<1>()};
            });
        std::printf("epoch %zu\n", epoch + 1);
        show("  training:    ", loss, m);
        tested("  tests:       ");
    }
}

void write(parameters<gpt> const& theta, std::vector<preference> const& pairs, settings const& s) {
    generator<gpt, 4> writer(theta);
    for (std::size_t i = 0; i < std::min(s.samples, pairs.size()); ++i) {
        auto prompt = ids_of(pairs[i].prompt);
        if (prompt.size() > 96) prompt.erase(prompt.begin(), prompt.end() - 96);
        const generated said =
            writer(prompt, {.sampling = {.temperature = 0}, .max_tokens = 96, .stop = {{end_of_text}}});
        std::printf("> %s| %s\n", text_of(prompt).c_str(), text_of(said.tokens).c_str());
    }
}

void run(settings const& s) {
    const preference_set set = s.data.empty() ? make_pairs(s.text, s.pairs, s.seed) : read_pairs(s.data);
    std::printf("%zu pairs to learn from, %zu for tests; parameters: %zu, of the adapter: %zu\n", set.train.size(),
                set.test.size(), parameter_count<gpt>, parameter_count<adapter>);
    parameters<gpt> base;
    parameters<adapter> delta;
    initialize(base, init::gpt2{}, s.seed);
    initialize_adapter(delta, s.seed + 1);
    fine_tune(base, set.train, s);
    std::printf("fine-tuned:\n");
    write(base, set.test, s);
    train(base, delta, set, s);
    std::printf("the longer or shorter completion is the chosen one in %.3f\n", length_baseline(set.test));
    const auto merged = merge(std::move(base), delta);
    std::printf("after preferences:\n");
    write(merged.weights(), set.test, s);
    if (!s.out.empty()) {
        parameters<gpt> all = merged.weights();
        save_checkpoint(s.out, all, {}, {{"model", "dpo"}});
    }
}

}  // namespace

int main(int argc, char** argv) {
    CLI::App app("dpo: fine-tunes a small model, then teaches it to prefer some completions to others");
    settings s;
    int count = static_cast<int>(std::thread::hardware_concurrency());
    auto* const data = app.add_option("--data", s.data, "Pairs: JSON lines with prompt, chosen and rejected")
                           ->check(CLI::ExistingFile);
    auto* const text = app.add_option("--text", s.text, "Instead: a text, whose lines become pairs by a rule")
                           ->check(CLI::ExistingFile);
    data->excludes(text);
    app.add_option("--out", s.out, "A safetensors file for the model with its adapter merged");
    app.add_option("--pairs", s.pairs, "Pairs made of a text")->capture_default_str()->check(CLI::Range(20, 100000));
    app.add_option("--tune-epochs", s.tune_epochs, "Of fine-tuning")->capture_default_str()->check(CLI::Range(0, 1000));
    app.add_option("--epochs", s.epochs, "Of preferences")->capture_default_str()->check(CLI::Range(1, 1000));
    app.add_option("--tune-lr", s.tune_rate, "Learning rate of fine-tuning")->capture_default_str();
    app.add_option("--lr", s.rate, "Learning rate of the adapter")->capture_default_str();
    app.add_option("--beta", s.beta, "How dear it is to leave the reference")->capture_default_str();
    app.add_option("--samples", s.samples, "Completions to show")->capture_default_str();
    app.add_option("--seed", s.seed, "Of first weights and orders")->capture_default_str();
    app.add_option("--threads", count, "Threads; the numbers do not depend on it")
        ->capture_default_str()
        ->check(CLI::PositiveNumber);
    CLI11_PARSE(app, argc, argv);
    try {
        if (s.data.empty() && s.text.empty()) fail_expectation("options", "--data or --text", "neither");
        if (!(s.beta > 0)) fail_expectation("options", "beta > 0", std::to_string(s.beta));
        threads pool(count);
        pool.run([&] { run(s); });
        return 0;
    } catch (std::exception const& e) {
        std::fprintf(stderr, "dpo: %s\n", e.what());
        return 1;
    }
}
