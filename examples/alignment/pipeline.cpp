// SPDX-License-Identifier: MIT
#include "pipeline.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <limits>
#include <sstream>

#include <tenet/data/text_corpus.hpp>
#include <tenet/data/token_windows.hpp>
#include <tenet/io/atomic_file.hpp>
#include <tenet/io/progress.hpp>
#include <tenet/nn/init.hpp>
#include <tenet/optim/schedule.hpp>
#include <tenet/text/tokenizer_json.hpp>

#include "policy.hpp"
#include "preference_tuner.hpp"
#include "rule.hpp"
#include "tuner.hpp"

namespace alignment {
namespace {

using row = nlohmann::ordered_json;

constexpr std::size_t completions_a_prompt = 4;

schedule::cosine rate_of(double peak, std::size_t steps) {
    return {static_cast<float>(peak), static_cast<float>(peak / 10), steps / 20, steps};
}
/// Whether something is looked at after this step: eight times in a stage.
bool due(std::size_t step, std::size_t steps) {
    return (step + 1) % std::max<std::size_t>(1, steps / 8) == 0 || step + 1 == steps;
}

template <class T>
std::vector<T> spread(std::vector<T> const& all, std::size_t most) {
    std::vector<T> some;
    const std::size_t n = std::min(all.size(), most);
    for (std::size_t i = 0; i < n; ++i) some.push_back(all[i * all.size() / n]);
    return some;
}

std::vector<completion_row> windows_of(std::span<std::int32_t const> tokens, std::size_t most) {
    std::vector<completion_row> rows;
    for (std::size_t at = 0; at + Time::capacity <= tokens.size(); at += Time::capacity)
        rows.push_back({{tokens.begin() + static_cast<std::ptrdiff_t>(at),
                         tokens.begin() + static_cast<std::ptrdiff_t>(at + Time::capacity)},
                        1});
    return spread(rows, most);
}

std::vector<completion_row> rows_of(std::vector<rollout> const& said) {
    std::vector<completion_row> rows;
    for (rollout const& r : said) rows.push_back(r.row);
    return rows;
}

/// The settings of a stage that follows one with the settings `before`.
template <class... Parts>
std::string settled(std::string const& before, Parts const&... parts) {
    std::ostringstream text;
    ((text << parts), ...);
    text << "; after " << fingerprint(before);
    return text.str();
}

std::size_t count_cut(std::vector<encoded_pair> const& pairs) {
    return static_cast<std::size_t>(std::count_if(pairs.begin(), pairs.end(), [](encoded_pair const& p) {
        return p.prompt.size() + std::max(p.chosen.size(), p.rejected.size()) + 1 > Time::capacity;
    }));
}

double mean_of_all(std::vector<double> const& values) {
    double sum = 0;
    for (double v : values) sum += v;
    return sum / static_cast<double>(values.size());
}

}  // namespace

double pipeline::rule_of(rollout const& r) const {
    return rule_score(text_of(*tokenizer_, r.completion()));
}

pipeline::pipeline(options const& o, std::filesystem::path const& folder, std::uint64_t seed)
    : o_(o), seed_(seed), folder_(folder, o.stop_after) {
    if (o.text.empty() && o.data.empty()) fail_expectation("options", "--text or --data", "neither");
    if (o.fresh)
        for (auto const& entry : std::filesystem::directory_iterator(folder))
            for (char const* end : {".safetensors", ".jsonl", ".done"})
                if (entry.path().extension() == end) std::filesystem::remove(entry.path());
    if (!o.text.empty()) file_.emplace(o.text);
    if (!o.data.empty()) {
        pairs_ = read_preferences(o.data);
        tasks_ = {tasks_of(pairs_.train), tasks_of(pairs_.test)};
        for (preference const& p : pairs_.train)
            if (!file_) own_text_ += p.prompt + p.chosen + "\n" + p.prompt + p.rejected + "\n";
    } else {
        tasks_ = tasks_of_lines(text());
    }
    settings_ = "text of " + fingerprint(text()) + ", seed " + std::to_string(seed);
    if (!o.data.empty()) settings_ += ", pairs of " + fingerprint(mapped_file(o.data).text());
    tokenizer_ = make_tokenizer(text());
    atomic_file tokenizer_file(folder / "tokenizer.json");
    tokenizer_file.write(write_tokenizer_json(*tokenizer_));
    tokenizer_file.commit();
    std::fprintf(stderr, "%zu bytes of text; a model of %zu parameters; %zu prompts to learn from, %zu for tests\n",
                 text().size(), parameter_count<gpt>, tasks_.train.size(), tasks_.test.size());
    for (auto const* from : {&tasks_.train, &tasks_.test})
        for (task const& t : *from) {
            ids prompt = tokenizer_->encode(t.prompt);
            // As make_completion_row cuts what does not fit.
            if (prompt.size() > most_prompt)
                prompt.erase(prompt.begin(), prompt.end() - static_cast<std::ptrdiff_t>(most_prompt));
            (from == &tasks_.train ? prompts_.train : prompts_.test).push_back(std::move(prompt));
        }
}

bool pipeline::pretrain() {
    const text_corpus corpus{std::string(text())};
    const ids train = tokenizer_->encode(corpus.train());
    const std::vector<row_batch> test =
        in_batches(windows_of(tokenizer_->encode(corpus.validation()), 128), Rows::capacity);
    if (train.size() <= 2 * Time::capacity || test.empty())
        fail_expectation((file_ ? o_.text : o_.data).string(),
                         "a text of at least " + std::to_string(20 * Time::capacity) + " tokens to pretrain on",
                         std::to_string(train.size()));
    const std::size_t steps = o_.pretrain_steps.value_or(pretraining.of(train.size() / Time::capacity, o_.batch));
    settings_ = settled(settings_, "pretraining, ", steps, " steps of ", o_.batch, " rows, rate ", o_.pretrain_rate);
    const token_windows windows(train, Time::capacity, seed_);
    initialize(tuned_, init::gpt2{}, seed_);
    tuner t(tuned_);
    const auto rate = rate_of(o_.pretrain_rate, steps);
    row_batch batch(row_options, o_.batch);
    const auto step = [&](std::size_t number) {
        for (std::size_t r = 0; r < o_.batch; ++r) {
            const auto first = train.begin() + static_cast<std::ptrdiff_t>(windows.start(number, r));
            batch.set(r, completion_row{{first, first + Time::capacity}, 1});
        }
        row log{{"loss", t.step(batch, static_cast<double>(rate(number)))}};
        if (due(number, steps)) log["validation"] = t.loss(test);
        return log;
    };
    if (!folder_.run({"pretrain", steps, settings_, {"loss", "validation"}}, {t.state(), step})) return false;
    tuned_ = t.weights();
    return true;
}

std::vector<completion_row> pipeline::rows_of_tasks(std::vector<task> const& tasks) const {
    std::vector<completion_row> rows;
    for (task const& t : tasks)
        rows.push_back(make_completion_row(tokenizer_->encode(t.prompt), tokenizer_->encode(t.completion),
                                           Time::capacity, row_options));
    return rows;
}

bool pipeline::fine_tune() {
    const std::vector<completion_row> train = rows_of_tasks(tasks_.train);
    const std::size_t steps = o_.tune_steps.value_or(fine_tuning.of(train.size(), o_.batch));
    settings_ = settled(settings_, "fine-tuning, ", steps, " steps of ", o_.batch, " rows, rate ", o_.tune_rate);
    const std::vector<row_batch> test = in_batches(rows_of_tasks(spread(tasks_.test, 256)), Rows::capacity);
    tuner t(tuned_);
    const auto rate = rate_of(o_.tune_rate, steps);
    row_batch batch(row_options, o_.batch);
    std::size_t epoch = std::numeric_limits<std::size_t>::max();
    std::vector<std::size_t> order;
    const auto step = [&](std::size_t number) {
        for (std::size_t r = 0; r < o_.batch; ++r) {
            const std::size_t at = number * o_.batch + r;
            if (at / train.size() != epoch) order = order_of(train.size(), seed_, epoch = at / train.size());
            batch.set(r, train[order[at % train.size()]]);
        }
        row log{{"loss", t.step(batch, static_cast<double>(rate(number)))}};
        if (due(number, steps)) log["validation"] = t.loss(test);
        return log;
    };
    if (!folder_.run({"sft", steps, settings_, {"loss", "validation"}}, {t.state(), step})) return false;
    tuned_ = t.weights();
    return true;
}

bool pipeline::compare_by_rule(std::vector<ids> const& prompts, std::string const& what, std::vector<preference>& to) {
    constexpr std::size_t each = 128;
    writer write(tuned_);
    progress bar(prompts.size());
    for (std::size_t at = 0; at < prompts.size(); at += each) {
        if (folder_.interrupted()) return false;
        const std::vector<ids> some(prompts.begin() + static_cast<std::ptrdiff_t>(at),
                                    prompts.begin() + static_cast<std::ptrdiff_t>(std::min(at + each, prompts.size())));
        const std::vector<rollout> said = write(some, completions_a_prompt, seed_);
        for (std::size_t i = 0; i < said.size(); i += completions_a_prompt) {
            std::vector<std::pair<double, std::string>> scored;
            for (std::size_t k = i; k < i + completions_a_prompt; ++k) {
                std::string text = text_of(*tokenizer_, said[k].completion());
                // A completion that was cut says nothing about its end.
                if (said[k].finished && !text.empty()) scored.emplace_back(rule_score(text), std::move(text));
            }
            if (scored.size() < 2) continue;
            const auto less = [](auto const& a, auto const& b) { return a.first < b.first; };
            const auto [worst, best] = std::minmax_element(scored.begin(), scored.end(), less);
            if (best->first > worst->first)
                to.push_back({text_of(*tokenizer_, some[i / completions_a_prompt]), best->second, worst->second});
        }
        bar.update(std::min(at + each, prompts.size()),
                   "completions for " + what + ": " + std::to_string(to.size()) + " pairs");
    }
    return true;
}

bool pipeline::make_pairs() {
    tuned_by_ = settings_;
    if (by_rule()) {
        settings_ = settled(settings_, "pairs by rule, of ", o_.prompts, " prompts");
        const auto train = folder_.path() / "pairs.train.jsonl", test = folder_.path() / "pairs.test.jsonl";
        const bool made = folder_.make("pairs", settings_, [&] {
            parts<preference> all;
            std::vector<ids> prompts;
            for (std::size_t i : order_of(prompts_.train.size(), seed_, 0)) prompts.push_back(prompts_.train[i]);
            prompts.resize(std::min(prompts.size(), o_.prompts));
            if (!compare_by_rule(prompts, "training", all.train) ||
                !compare_by_rule(spread(prompts_.test, std::max<std::size_t>(o_.prompts / 6, 20)), "tests", all.test))
                return false;
            write_preferences(train, all.train);
            write_preferences(test, all.test);
            return true;
        });
        if (!made) return false;
        pairs_ = {read_written_preferences(train), read_written_preferences(test)};
        if (pairs_.train.empty() || pairs_.test.empty())
            fail_expectation("pairs by rule", "completions that differ by the rule (more --prompts, a longer training)",
                             std::to_string(pairs_.train.size()) + " pairs to learn from, " +
                                 std::to_string(pairs_.test.size()) + " for tests");
    }
    encoded_ = {encoded(*tokenizer_, pairs_.train), encoded(*tokenizer_, pairs_.test)};
    const std::size_t cut = count_cut(encoded_.train) + count_cut(encoded_.test);
    std::fprintf(stderr, "%zu pairs to learn from, %zu for tests%s\n", pairs_.train.size(), pairs_.test.size(),
                 cut == 0 ? "" : ("; " + std::to_string(cut) + " longer than a row, and cut").c_str());
    return true;
}

bool pipeline::reward() {
    const std::size_t steps = (encoded_.train.size() + Pairs::capacity - 1) / Pairs::capacity * o_.reward_epochs;
    settings_ = settled(settings_, "reward model, ", o_.reward_epochs, " epochs, rate ", o_.reward_rate);
    rewarder_ = std::make_unique<rewarder>(tuned_, seed_);
    const auto rate = rate_of(o_.reward_rate, steps);
    const auto step = [&](std::size_t number) {
        const auto numbers = numbers_of_step(encoded_.train.size(), seed_, number);
        const auto o = rewarder_->step(some_of(encoded_.train, numbers), static_cast<double>(rate(number)));
        row log{{"loss", o.loss}, {"accuracy", o.accuracy}};
        if (due(number, steps)) log["validation"] = rewarder_->metrics(encoded_.test).accuracy;
        return log;
    };
    // Scores of what the tuned model says get the mean 0 and the deviation 1: a unit that all methods share.
    const auto normalise = [&] {
        writer write(tuned_);
        rewarder_->normalise(rows_of(write(spread(prompts_.train, 512), 1, seed_)));
    };
    return folder_.run({"reward", steps, settings_, {"loss", "accuracy", "validation"}},
                       {rewarder_->state(), step, normalise});
}

bool pipeline::ppo(std::string const& name, judge who, double kl) {
    const std::string settings = settled(who == judge::rule ? tuned_by_ : settings_, name, ", ", o_.rounds,
                                         " rounds of ", o_.rollouts, " completions, rate ", o_.ppo_rate, ", kl ", kl,
                                         ", target ", o_.kl_target, ", horizon ", o_.kl_horizon);
    policy p(tuned_, {.rate = o_.ppo_rate,
                      .kl_coefficient = kl,
                      .kl_target = o_.kl_target,
                      .kl_horizon = o_.kl_horizon,
                      .seed = seed_});
    writer write(p.weights());
    const auto round = [&](std::size_t number) {
        std::vector<ids> prompts;
        for (std::size_t i = 0; i < o_.rollouts; ++i) {
            const std::size_t at = number * o_.rollouts + i, n = prompts_.train.size();
            prompts.push_back(prompts_.train[order_of_epoch(n, at / n)[at % n]]);
        }
        std::vector<rollout> said = write(prompts, 1, seed_ + 1000 * (number + 1));
        std::vector<double> rules(said.size(), 0);
        if (by_rule())
            for (std::size_t i = 0; i < said.size(); ++i) rules[i] = rule_of(said[i]);
        const std::vector<double> scores = who == judge::rule ? rules : rewarder_->rewards(rows_of(said));
        for (std::size_t i = 0; i < said.size(); ++i) said[i].score = scores[i];
        const ppo_diagnostics d = p.round(said, number);
        row log{{"score", d.score},
                {"kl", d.kl},
                {"coefficient", d.coefficient},
                {"objective", d.reward},
                {"length", d.length},
                {"finished", d.finished},
                {"entropy", d.steps.entropy},
                {"value_loss", d.steps.value_loss},
                {"divergence", d.steps.divergence},
                {"clip_fraction", d.steps.clip_fraction}};
        if (std::isfinite(d.explained_variance)) log["explained_variance"] = d.explained_variance;
        if (by_rule()) log["rule"] = mean_of_all(rules);
        return log;
    };
    if (!folder_.run({name, o_.rounds, settings, {"score", "rule", "kl", "length", "finished"}}, {p.state(), round}))
        return false;
    models_.emplace_back(name, std::make_shared<parameters<gpt>>(p.weights()));
    return true;
}

std::vector<std::size_t> const& pipeline::order_of_epoch(std::size_t n, std::size_t epoch) {
    if (order_.size() != n || epoch != epoch_) order_ = order_of(n, seed_ + 77, epoch_ = epoch);
    return order_;
}

bool pipeline::dpo() {
    const std::size_t steps = (encoded_.train.size() + Pairs::capacity - 1) / Pairs::capacity * o_.dpo_epochs;
    const std::string settings =
        settled(settings_, "dpo, ", o_.dpo_epochs, " epochs, rate ", o_.dpo_rate, ", beta ", o_.beta);
    using reference = preference_tuner::reference;
    preference_tuner t(tuned_, o_.beta, seed_);
    // The reference does not change: what it says of the pairs is computed once, when there is something to do.
    std::vector<reference> references;
    const auto compute_references = [&] {
        const auto chosen = read_.log_probabilities(tuned_, rows_of(encoded_.train, 0)),
                   rejected = read_.log_probabilities(tuned_, rows_of(encoded_.train, 1));
        for (std::size_t i = 0; i < chosen.size(); ++i) references.push_back({chosen[i], rejected[i]});
    };
    const auto rate = rate_of(o_.dpo_rate, steps);
    const auto step = [&](std::size_t number) {
        if (references.empty()) compute_references();
        const auto numbers = numbers_of_step(encoded_.train.size(), seed_, number);
        const auto o =
            t.step(some_of(encoded_.train, numbers), some_of(references, numbers), static_cast<double>(rate(number)));
        row log{{"loss", o.loss},
                {"accuracy", o.metrics.accuracy},
                {"margin", o.metrics.margin},
                {"chosen", o.metrics.chosen},
                {"rejected", o.metrics.rejected}};
        if (due(number, steps)) log["validation"] = preference_accuracy(t.weights());
        return log;
    };
    if (!folder_.run({"dpo", steps, settings, {"loss", "margin", "validation"}}, {t.state(), step})) return false;
    models_.emplace_back("dpo", std::make_shared<parameters<gpt>>(t.weights()));
    return true;
}

double pipeline::preference_accuracy(parameters<gpt> const& theta) {
    for (int side : {0, 1})
        if (reference_[side].empty()) reference_[side] = read_.log_probabilities(tuned_, rows_of(encoded_.test, side));
    const auto chosen = read_.log_probabilities(theta, rows_of(encoded_.test, 0)),
               rejected = read_.log_probabilities(theta, rows_of(encoded_.test, 1));
    return metrics_of_policy(chosen, rejected, reference_[0], reference_[1], 1).accuracy;
}

model_result pipeline::measured(std::string const& name, parameters<gpt> const* theta,
                                std::vector<rollout> const& said) {
    model_result m;
    m.name = name;
    const double each = 1 / static_cast<double>(said.size());
    const std::vector<completion_row> rows = rows_of(said);
    if (rewarder_) m.reward = mean_of_all(rewarder_->rewards(rows));
    if (by_rule()) m.rule = 0;
    for (rollout const& r : said) {
        const std::string text = text_of(*tokenizer_, r.completion());
        if (by_rule()) *m.rule += each * rule_score(text);
        m.length += each * static_cast<double>(r.completion().size());
        m.finished += r.finished ? each : 0;
        m.different += each * different_words(text);
        if (m.samples.size() < o_.samples) m.samples.push_back(text);
    }
    if (theta == nullptr) return m;
    m.kl = mean_of_all(read_.log_probabilities(*theta, rows)) - mean_of_all(read_.log_probabilities(tuned_, rows));
    m.accuracy = preference_accuracy(*theta);
    return m;
}

std::vector<double> pipeline::scores(std::string const& prompt, std::vector<std::string> const& completions) {
    std::vector<completion_row> rows;
    const ids asked = tokenizer_->encode(by_rule() ? prompt : prompt + "\n");
    for (std::string const& c : completions)
        rows.push_back(make_completion_row(asked, tokenizer_->encode(c), Time::capacity, row_options));
    return rewarder_->rewards(rows);
}

run_result pipeline::evaluate() {
    run_result result;
    result.seed = seed_;
    result.train_pairs = pairs_.train.size();
    result.test_pairs = pairs_.test.size();
    result.reward_accuracy = rewarder_->metrics(encoded_.test).accuracy;
    result.length_accuracy = length_baseline(pairs_.test);
    const std::vector<ids> prompts = spread(prompts_.test, o_.tests);
    for (std::size_t i = 0; i < std::min(prompts.size(), o_.samples); ++i)
        result.prompts.push_back(text_of(*tokenizer_, prompts[i]));
    const std::uint64_t draws = seed_ + 500;
    writer write(tuned_);
    result.models.push_back(measured("sft", nullptr, write(prompts, 1, draws)));
    if (models_.empty()) return result;
    // What a reward model is worth without any training: the best of several completions.
    std::vector<rollout> best;
    const std::vector<rollout> said = write(prompts, completions_a_prompt, draws);
    const std::vector<double> scores = rewarder_->rewards(rows_of(said));
    for (std::size_t i = 0; i < said.size(); i += completions_a_prompt) {
        const auto first = scores.begin() + static_cast<std::ptrdiff_t>(i);
        best.push_back(said[static_cast<std::size_t>(
            std::max_element(first, first + static_cast<std::ptrdiff_t>(completions_a_prompt)) - scores.begin())]);
    }
    result.models.push_back(measured("best of 4", nullptr, best));
    constexpr double n = completions_a_prompt;
    result.models.back().kl = std::log(n) - (n - 1) / n;
    for (auto const& [name, theta] : models_) {
        writer its(*theta);
        result.models.push_back(measured(name, theta.get(), its(prompts, 1, draws)));
    }
    return result;
}

}  // namespace alignment
