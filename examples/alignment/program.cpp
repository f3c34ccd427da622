// SPDX-License-Identifier: MIT
#include "program.hpp"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <exception>
#include <optional>
#include <thread>

#include <CLI/CLI.hpp>
#include <tenet/io/atomic_file.hpp>
#include <tenet/io/progress.hpp>
#include <tenet/parallel/threads.hpp>

#include "page.hpp"
#include "pipeline.hpp"

namespace alignment {
namespace {

void write_file(std::filesystem::path const& path, std::string const& text) {
    atomic_file file(path);
    file.write(text);
    file.commit();
}

void show(std::vector<run_result> const& runs) {
    run_result const& r = runs.front();
    for (std::size_t i = 0; i < std::min<std::size_t>(3, r.prompts.size()); ++i) {
        std::printf("\n> %s\n", r.prompts[i].c_str());
        for (model_result const& m : r.models) std::printf("  %-9s |%s\n", m.name.c_str(), m.samples[i].c_str());
    }
    std::printf("\n%s\n%s\n", judged(runs).c_str(), markdown(comparison(runs)).c_str());
}

/// All stages of one run; false if it was interrupted.
bool run_stages(pipeline& p, options const& o, stages const& which) {
    if (!p.pretrain() || !p.fine_tune() || !p.make_pairs() || !p.reward()) return false;
    if (which.ppo && !p.ppo("ppo", judge::reward_model, o.kl_coefficient)) return false;
    if (which.ppo_free && !p.ppo("ppo-free", judge::reward_model, 0)) return false;
    if (which.ppo_rule && p.by_rule() && !p.ppo("ppo-rule", judge::rule, o.kl_coefficient)) return false;
    return !which.dpo || p.dpo();
}

int run(options const& o, stages const& which) {
    const auto begin = std::chrono::steady_clock::now();
    std::vector<run_result> runs;
    std::optional<pipeline> first;
    for (std::size_t i = 0; i < o.seeds; ++i) {
        const std::uint64_t seed = o.seed + i;
        const auto folder = o.seeds == 1 ? o.out : o.out / ("seed-" + std::to_string(seed));
        std::filesystem::create_directories(folder);
        pipeline* p = nullptr;
        std::optional<pipeline> other;
        if (i == 0) p = &first.emplace(o, folder, seed);
        else p = &other.emplace(o, folder, seed);
        if (!run_stages(*p, o, which)) return p->folder().exit_code();
        if (!o.scored.empty()) {
            const std::vector<double> scores = p->scores(o.prompt, o.scored);
            for (std::size_t k = 0; k < scores.size(); ++k) std::printf("%7.2f  %s\n", scores[k], o.scored[k].c_str());
            return 0;
        }
        runs.push_back(p->evaluate());
        write_file(folder / "results.json", to_json(runs.back()).dump(2) + "\n");
    }
    write_file(o.out / "table.md", judged(runs) + "\n\n" + markdown(comparison(runs)));
    write_page(o.out / "report.html", first->folder(), runs);
    show(runs);
    std::printf("See %s\n", (o.out / "report.html").c_str());
    const std::chrono::duration<double> time = std::chrono::steady_clock::now() - begin;
    std::fprintf(stderr, "%s in all\n", progress::duration_text(time.count()).c_str());
    return 0;
}

}  // namespace

int run_program(int argc, char** argv, char const* name, char const* summary, stages const& which) {
    CLI::App app(summary, name);
    options o;
    o.threads = static_cast<int>(std::max(1u, std::thread::hardware_concurrency()));
    add_options(app, o, {which.ppo, which.dpo, which.seeds, which.scores});
    CLI11_PARSE(app, argc, argv);
    try {
        threads pool(o.threads);
        return pool.run([&] { return run(o, which); });
    } catch (std::exception const& e) {
        std::fprintf(stderr, "%s: %s\n", name, e.what());
        return 1;
    }
}

}  // namespace alignment
