// SPDX-License-Identifier: MIT
// What is trained on and measured: running text, or tasks with answers. Batches are functions of a number, so that a
// run that was interrupted goes on with the batches that it would have had.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <tenet/data/instruction_data.hpp>
#include <tenet/text/prompt_template.hpp>

#include "model.hpp"

namespace adaptation {

/// A task of the held-out part.
struct held_out_task {
    std::vector<std::int32_t> prompt;
    std::string instruction, input, answer;
};

class data_set {
public:
    virtual ~data_set() = default;
    /// All rows of `batch`: those of batch `number` of the training part.
    virtual void fill(rows& batch, std::uint64_t number) const = 0;
    /// The held-out part, or a sample spread over all of it.
    std::vector<rows> const& validation() const { return validation_; }
    /// Its tasks, if it is tasks.
    std::vector<held_out_task> const& tasks() const { return tasks_; }
    /// One line about it.
    std::string const& description() const { return description_; }

protected:
    std::vector<rows> validation_;
    std::vector<held_out_task> tasks_;
    std::string description_;
};

/// Windows of a text, whose first byte is given; the last tenth is held out. Borrows the text's copy of tokens alone.
std::unique_ptr<data_set> running_text(std::string_view text, std::uint64_t seed);

/// Tasks, whose answers are trained; the last tenth is held out. Those that are longer than a row are left out. With
/// `packing` several share a row of the training part.
std::unique_ptr<data_set> answers(std::vector<instruction_example> const& examples, prompt_template const& shape,
                                  bool packing, std::uint64_t seed);

/// Tasks made of a text by rule: some words of it, to be written in capitals, backwards, counted, or the first or the
/// last of them to be named.
std::vector<instruction_example> tasks_by_rule(std::string_view text, std::size_t count, std::uint64_t seed);

/// "4332481 bytes, 3e5a...": enough to notice that a text is another one.
std::string fingerprint(std::string_view text);

}  // namespace adaptation
