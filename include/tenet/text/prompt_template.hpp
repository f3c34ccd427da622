// SPDX-License-Identifier: MIT
// text: how a task becomes the text that a model reads and the text that it is to answer. The two come apart, so that
// each can be turned into tokens by itself and the boundary between them is never guessed.
#pragma once

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

#include <tenet/base/exception.hpp>
#include <tenet/base/quoted.hpp>

namespace tenet {

/// A task with its answer, such as `instruction_example` (data/instruction_data.hpp): an instruction, perhaps material
/// that it is about, the answer, and the turns of a conversation that came before.
template <class T>
concept InstructionExample = requires(T const& e) {
    { e.instruction } -> std::convertible_to<std::string_view>;
    { e.input } -> std::convertible_to<std::string_view>;
    { e.output } -> std::convertible_to<std::string_view>;
    { e.history.begin()->role } -> std::convertible_to<std::string_view>;
    { e.history.begin()->content } -> std::convertible_to<std::string_view>;
};

/// What a model reads, and what it is to say.
struct prompt_text {
    std::string prompt, response;

    friend bool operator==(prompt_text const&, prompt_text const&) = default;
};

/// Texts with places for `{history}`, `{instruction}`, `{input}` and `{output}`, and in a turn `{role}`, `{content}`.
///
///     prompt_text t = prompt_template::alpaca()(example);
///     batch.set(row, tokenizer.encode(t.prompt), tokenizer.encode(t.response));
///
/// Every place is filled once: braces within an example stay as they are, and so do names that are none of these.
/// Texts that stand for special tokens (ChatML's) are for a tokenizer that recognises them.
class prompt_template {
public:
    /// The texts of a template. `turn` is what each earlier turn becomes within `{history}`.
    struct parts {
        std::string with_input, without_input;
        std::string response = "{output}";
        std::string turn = {};
    };

    /// Errors: `exception` if a text lacks a place without which the example would be lost.
    explicit prompt_template(parts p) : parts_(std::move(p)) {
        require(parts_.with_input, "{instruction}");
        require(parts_.with_input, "{input}");
        require(parts_.without_input, "{instruction}");
        require(parts_.response, "{output}");
        if (keeps_history()) require(parts_.turn, "{content}");
    }

    /// A template of one's own: the same text with an input and without one, where `{input}` is then empty.
    static prompt_template custom(std::string prompt, std::string response = "{output}") {
        return prompt_template({prompt, prompt, std::move(response), "{role}: {content}\n"});
    }

    /// Taori et al.: Stanford Alpaca (2023), github.com/tatsu-lab/stanford_alpaca, train.py, PROMPT_DICT.
    static prompt_template alpaca() {
        return prompt_template(
            {"Below is an instruction that describes a task, paired with an input that provides further context. "
             "Write a response that appropriately completes the request.\n\n"
             "### Instruction:\n{instruction}\n\n### Input:\n{input}\n\n### Response:",
             "Below is an instruction that describes a task. "
             "Write a response that appropriately completes the request.\n\n"
             "### Instruction:\n{instruction}\n\n### Response:"});
    }

    /// OpenAI's Chat Markup Language, as chat models' tokenizers spell it out; earlier turns, a system's among them,
    /// are kept. transformers: apply_chat_template with a ChatML template.
    static prompt_template chatml() {
        const std::string answer = "<|im_end|>\n<|im_start|>assistant\n";
        return prompt_template({"{history}<|im_start|>user\n{instruction}\n\n{input}" + answer,
                                "{history}<|im_start|>user\n{instruction}" + answer, "{output}<|im_end|>",
                                "<|im_start|>{role}\n{content}<|im_end|>\n"});
    }

    /// Errors: `exception` for an example with earlier turns if the template has no place for them.
    template <InstructionExample Example>
    prompt_text operator()(Example const& e) const {
        const std::string_view input = e.input;
        std::string const& text = input.empty() ? parts_.without_input : parts_.with_input;
        std::string history;
        for (auto const& turn : e.history)
            history += filled(parts_.turn, {{"role", turn.role}, {"content", turn.content}});
        if (e.history.begin() != e.history.end() && text.find("{history}") == std::string::npos)
            fail_expectation("prompt_template", "a template with {history} for a conversation of several turns",
                             detail::quoted(text));
        return {filled(text, {{"history", history}, {"instruction", e.instruction}, {"input", input}}),
                filled(parts_.response, {{"output", e.output}})};
    }

private:
    struct place {
        std::string_view name, text;
    };

    bool keeps_history() const { return parts_.without_input.find("{history}") != std::string::npos; }

    static void require(std::string const& text, char const* name) {
        if (text.find(name) == std::string::npos)
            fail_expectation("prompt_template", std::string("a text with ") + name, detail::quoted(text));
    }

    static std::string filled(std::string_view text, std::initializer_list<place> places) {
        std::string out;
        while (!text.empty()) {
            const std::size_t open = std::min(text.find('{'), text.size());
            out += text.substr(0, open);
            text.remove_prefix(open);
            const place* found = nullptr;
            for (place const& p : places)
                if (text.size() > p.name.size() + 1 && text.substr(1, p.name.size()) == p.name &&
                    text[p.name.size() + 1] == '}')
                    found = &p;
            if (found != nullptr) {
                out += found->text;
                text.remove_prefix(found->name.size() + 2);
            } else if (!text.empty()) {
                out += '{';
                text.remove_prefix(1);
            }
        }
        return out;
    }

    parts parts_;
};

}  // namespace tenet
