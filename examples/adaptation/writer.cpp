// SPDX-License-Identifier: MIT
#include "writer.hpp"

#include <algorithm>

#include <tenet/generate/generator.hpp>
#include <tenet/text/byte_tokenizer.hpp>

namespace adaptation {

std::vector<std::string> written_answers(parameters<model> const& theta, std::vector<held_out_task> const& tasks) {
    std::vector<std::vector<std::int32_t>> prompts;
    std::size_t longest = 0;
    for (held_out_task const& t : tasks) {
        prompts.push_back(t.prompt);
        longest = std::max(longest, t.prompt.size());
    }
    generation_options how;
    how.sampling.temperature = 0;
    how.stop = {{end_of_text}};
    how.max_tokens = std::min(std::size_t{64}, model::context - longest);
    std::vector<std::string> all;
    for (generated const& g : generator<model, Batch::capacity>(theta)(prompts, how))
        all.push_back(byte_tokenizer().decode(g.tokens));
    return all;
}

}  // namespace adaptation
