// SPDX-License-Identifier: MIT
#include "writer.hpp"

#include <algorithm>

#include <tenet/align/sample_rollouts.hpp>
#include <tenet/align/sequence_log_probability.hpp>
#include <tenet/generate/generator.hpp>
#include <tenet/program.hpp>

namespace alignment {
namespace {

struct probability {
    constexpr auto operator()(auto const& model, auto tokens, auto targets) const {
        return sequence_log_probability<Vocab, Time>(model(tokens, places_of(tokens)), targets);
    }
};

}  // namespace

struct writer::implementation {
    generator<gpt, 64, sizes::context, most_prompt> write;
};

writer::writer(parameters<gpt> const& theta)
    : implementation_(new implementation{generator<gpt, 64, sizes::context, most_prompt>(theta)}) {}
writer::~writer() = default;

std::vector<rollout> writer::operator()(std::vector<ids> const& prompts, std::size_t each, std::uint64_t seed) {
    return sample_rollouts(implementation_->write, prompts,
                           {.each = each, .max_tokens = most_completion, .end_of_text = end_of_text, .seed = seed});
}

struct reader::implementation {
    evaluation<gpt, probability, tokens<Rows, Time>, completions<Rows, Time>> run{};
};

reader::reader() : implementation_(new implementation) {}
reader::~reader() = default;

std::vector<double> reader::log_probabilities(parameters<gpt> const& theta, std::vector<completion_row> const& rows) {
    std::vector<double> all;
    row_batch batch(row_options);
    for (std::size_t at = 0; at < rows.size(); at += Rows::capacity) {
        batch.resize(std::min(Rows::capacity, rows.size() - at));
        for (std::size_t i = 0; i < batch.targets().rows(); ++i) batch.set(i, rows[at + i]);
        implementation_->run(theta, batch.tokens(), batch.targets());
        const auto r = implementation_->run.result();
        all.insert(all.end(), r.begin(), r.end());
    }
    return all;
}

}  // namespace alignment
