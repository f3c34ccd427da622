// SPDX-License-Identifier: MIT
#include "experiment.hpp"

#include <cmath>
#include <cstdio>
#include <exception>
#include <thread>

#include <CLI/CLI.hpp>
#include <tenet/io/checkpoint.hpp>
#include <tenet/io/mapped_file.hpp>
#include <tenet/nn/init.hpp>
#include <tenet/parallel/threads.hpp>

#include "report.hpp"
#include "stage.hpp"
#include "writer.hpp"

namespace adaptation {
namespace {

prompt_template shape_of(std::string const& name) {
    if (name == "alpaca") return prompt_template::alpaca();
    if (name == "chatml") return prompt_template::chatml();
    if (name == "short") return prompt_template::custom("Task: {instruction}\nText: {input}\nAnswer: ");
    return prompt_template::custom(std::string(mapped_file(name).text()));
}

std::unique_ptr<data_set> new_data(options const& o, std::string_view old_text, std::string& print) {
    if (o.data.empty()) {
        print = "tasks by rule";
        return answers(tasks_by_rule(old_text, 20000, o.seed), shape_of(o.shape), o.packing, o.seed);
    }
    const mapped_file file(o.data);
    print = fingerprint(file.text());
    if (o.data.extension() != ".jsonl") return running_text(file.text(), o.seed + 1);
    return answers(parse_instructions(file.text(), o.data.string()), shape_of(o.shape), o.packing, o.seed);
}

std::string settings_text(options const& o, std::size_t steps, double rate, std::string const& data) {
    char text[300];
    std::snprintf(text, sizeof text, "%zu steps in %zu evaluations, %zu x %zu rows, rate %g, clip %g, seed %llu, ",
                  steps, o.evaluations, o.accumulate, o.batch, rate, o.clip, static_cast<unsigned long long>(o.seed));
    return text + data;
}

/// A held-out task and what the model says to it, after each evaluation.
void show_answer(tuner const& t, std::vector<held_out_task> const& tasks, std::size_t& turn) {
    if (tasks.empty()) return;
    const std::vector<held_out_task> one{tasks[turn++ * 7 % tasks.size()]};
    const std::string said = written_answers(t.weights(), one).front();
    std::fprintf(stderr, "    %s %s -> %s%s\n", one[0].instruction.c_str(), one[0].input.c_str(), said.c_str(),
                 said == one[0].answer ? "" : ("   (wanted: " + one[0].answer + ")").c_str());
}

std::size_t right_answers(parameters<model> const& theta, std::vector<held_out_task> const& tasks) {
    if (tasks.empty()) return 0;
    const std::vector<std::string> said = written_answers(theta, tasks);
    std::size_t right = 0;
    for (std::size_t i = 0; i < tasks.size(); ++i) right += said[i] == tasks[i].answer;
    return right;
}

class experiment {
public:
    experiment(options const& o, std::vector<method> const& methods)
        : o_(o), text_(o.text), old_(running_text(text_.text(), o.seed)), new_(new_data(o, text_.text(), print_)) {
        std::filesystem::create_directories(o.out);
        if (o.base.empty())
            stages_.push_back({"base", o.base_steps, 0, o.base_rate, old_.get(),
                               settings_text(o, o.base_steps, o.base_rate, fingerprint(text_.text()))});
        const std::string base = o.base.empty() ? stages_[0].settings : "base " + o.base.string();
        for (method const& m : methods) {
            const double rate = m.adapter ? o.adapter_rate : o.rate;
            const std::string shape =
                new_->tasks().empty() ? "" : ", template " + o.shape + (o.packing ? ", packed" : "");
            stages_.push_back({m.name, o.steps, stages_.empty() ? 0 : stages_.back().first + stages_.back().steps, rate,
                               new_.get(), settings_text(o, o.steps, rate, print_) + shape + "; on: " + base});
        }
        if (!o.resume) {
            for (stage const& s : stages_)
                for (char const* end : {".safetensors", ".best.safetensors"})
                    std::filesystem::remove(o.out / (s.name + end));
        }
        std::fprintf(stderr, "old: %s; new: %s; a model of %zu parameters\n", old_->description().c_str(),
                     new_->description().c_str(), parameter_count<model>);
    }

    int run(std::vector<method> const& methods) {
        interrupt_scope guard;
        run_log log(o_.out, kept_steps());
        const run_parts parts{o_, guard, log, measure_, *old_};
        const auto interrupted = [&] { return guard.interrupted() ? 128 + guard.signal_number() : 0; };
        std::size_t next = 0;

        parameters<model> base;
        if (!o_.base.empty()) {
            load_checkpoint(o_.base / "base.best.safetensors", base);
        } else {
            initialize(base, init::gpt2{}, o_.seed);
            const std::unique_ptr<tuner> t = full(base, o_.seed);
            stage const& s = stages_[next++];
            if (run_stage(parts, s, *t, {}).step < s.steps) return interrupted();
            base = t->weights();
            t->save(o_.out / "base");
        }
        report results(*new_);
        results.add_base(outcome_of(base));

        for (method const& m : methods) {
            stage const& s = stages_[next++];
            const std::unique_ptr<tuner> t = m.make(base, o_.seed);
            const outcome before = outcome_of(t->weights());
            std::size_t turn = 0;
            const stage_state state = run_stage(parts, s, *t, [&] { show_answer(*t, new_->tasks(), turn); });
            if (state.step < s.steps) return interrupted();
            t->save(o_.out / s.name);
            const parameters<model> weights = t->weights();
            check_merged(s.name, *t, weights);
            results.add(s.name, t->costs(), 1000 * state.seconds, before, outcome_of(weights), log.of(s.name));
        }
        results.write(o_.out);
        return 0;
    }

private:
    options const& o_;
    mapped_file text_;
    std::string print_;
    std::unique_ptr<data_set> old_, new_;
    std::vector<stage> stages_;
    evaluator measure_;

    /// The step of the run at which it goes on.
    std::size_t kept_steps() const {
        for (stage const& s : stages_) {
            const std::size_t step = saved_state(o_, s).step;
            if (step < s.steps) return s.first + step;
        }
        return stages_.back().first + stages_.back().steps;
    }

    outcome outcome_of(parameters<model> const& theta) {
        return {measure_.loss(theta, old_->validation()), measure_.loss(theta, new_->validation()),
                right_answers(theta, new_->tasks())};
    }

    // What training computed, base and adapter apart, is what the merged weights compute.
    void check_merged(std::string const& name, tuner& t, parameters<model> const& merged) {
        rows const& batch = new_->validation().front();
        const double apart = t.loss(batch), together = measure_.loss(merged, {&batch, 1});
        if (!(std::fabs(apart - together) < 1e-3 * std::max(1.0, apart)))
            fail_expectation(name + ", merged", "the loss of before, " + std::to_string(apart),
                             std::to_string(together));
    }
};

}  // namespace

int run_program(int argc, char** argv, char const* name, char const* summary, options const& defaults,
                std::vector<method> const& methods) {
    CLI::App app(summary, name);
    options o = defaults;
    o.threads = static_cast<int>(std::max(1u, std::thread::hardware_concurrency()));
    add_options(app, o);
    CLI11_PARSE(app, argc, argv);
    try {
        tenet::threads pool(o.threads);
        return pool.run([&] { return experiment(o, methods).run(methods); });
    } catch (std::exception const& e) {
        std::fprintf(stderr, "%s: %s\n", name, e.what());
        return 1;
    }
}

}  // namespace adaptation
