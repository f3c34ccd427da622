// SPDX-License-Identifier: MIT
// generate: text from pretrained models, and how well they predict one.
#include <cstdio>
#include <exception>
#include <thread>

#include <CLI/CLI.hpp>
#include <tenet/parallel/threads.hpp>

#include "commands.hpp"

namespace {

void add_write(CLI::App& app, generate::write_options& o) {
    tenet::generation_options& g = o.generation;
    tenet::sampling_options& s = g.sampling;
    g.max_tokens = 0;  // until it is given
    app.add_option("--prompt", o.prompts, "Text to continue; several are continued side by side")->take_all();
    app.add_option("--ids", o.ids, "A prompt as tokens: \"1 2 3\". What follows is printed as tokens too")->take_all();
    app.add_option("--tokens", g.max_tokens,
                   "Most new tokens of a text; default: 128, or as many as fit into the context")
        ->check(CLI::PositiveNumber);
    app.add_option("--temperature", s.temperature, "Below 1 bolder choices get rarer; 0: always the likeliest")
        ->capture_default_str();
    app.add_option("--top-k", s.top_k, "Choose among the k likeliest tokens; 0: all")->capture_default_str();
    app.add_option("--top-p", s.top_p, "Choose among the fewest tokens that are together so likely")
        ->capture_default_str();
    app.add_option("--min-p", s.min_p, "Choose among tokens at least so likely, relative to the likeliest")
        ->capture_default_str();
    app.add_option("--repetition-penalty", s.repetition_penalty, "Above 1, what occurred gets rarer")
        ->capture_default_str();
    app.add_option("--stop", o.stop, "Text that ends the continuation, and is not part of it")->take_all();
    app.add_option("--stop-ids", o.stop_ids, "The same as tokens: \"13 10\"")->take_all();
    app.add_flag("--ignore-end", o.ignore_end, "Go on after the tokens that end a text by convention");
    app.add_option("--seed", g.seed, "Seed of the choices")->capture_default_str();
    app.add_flag("--stream", o.stream, "Print tokens as they come");
    app.add_flag("--slide", o.slide, "When the context is full, go on with its last half; without it: an error");
    app.add_option("--keep", g.keep, "With --slide: how many tokens are kept; 0: half of the context")
        ->capture_default_str();
    app.add_flag("--quiet", o.quiet, "Say nothing about speed");
}

}  // namespace

int main(int argc, char** argv) {
    CLI::App app("Text from pretrained models of the GPT-2 and Llama kinds.", "generate");
    int count = static_cast<int>(std::thread::hardware_concurrency());
    generate::write_options write;
    generate::perplexity_options perplexity;
    generate::model_options model;
    app.add_option(
           "--weights", model.weights,
           "Weights: a safetensors file of Hugging Face, the .index.json of several, or a .bin of llama2.c. The sizes "
           "are read from it")
        ->required()
        ->check(CLI::ExistingFile);
    app.add_option("--model", model.family, "gpt2 or llama, to be sure; default: what the file is of")
        ->check(CLI::IsMember({"gpt2", "llama"}));
    app.add_option("--tokenizer", model.tokenizer,
                   "tokenizer.json, vocab.json, tiktoken ranks, a minbpe .model or a llama2.c tokenizer.bin")
        ->check(CLI::ExistingFile);
    app.add_option("--merges", model.merges, "merges.txt, if it is not beside the vocab.json")
        ->check(CLI::ExistingFile);
    app.add_option("--threads", count, "Threads; the text does not depend on it")
        ->capture_default_str()
        ->check(CLI::PositiveNumber);
    add_write(app, write);
    CLI::App* const measure = app.add_subcommand("perplexity", "Measure how well the model predicts a text");
    measure->fallthrough();
    measure->add_option("--text", perplexity.text, "The text")->check(CLI::ExistingFile);
    measure->add_option("--ids", perplexity.ids, "The text as tokens: \"1 2 3\"");
    measure->add_option("--window", perplexity.window.window, "Tokens seen at a time; 0: the model's context")
        ->capture_default_str();
    measure
        ->add_option("--stride", perplexity.window.stride,
                     "Tokens from one window to the next; 0: half a window. Smaller is more exact and slower")
        ->capture_default_str();
    CLI11_PARSE(app, argc, argv);
    write.model = perplexity.model = model;
    try {
        tenet::threads pool(count);
        return pool.run([&] { return *measure ? generate::perplexity(perplexity) : generate::write(write); });
    } catch (std::exception const& e) {
        std::fprintf(stderr, "generate: %s\n", e.what());
        return 1;
    }
}
