// SPDX-License-Identifier: MIT
// bpe train | encode | decode | inspect: byte-pair tokenizers on the command line.
#include <cstdio>
#include <exception>
#include <iostream>
#include <thread>

#include <CLI/CLI.hpp>
#include <tenet/parallel/threads.hpp>

#include "commands.hpp"

namespace {

constexpr char pattern_help[] =
    "How text is split before merging: none, gpt2, cl100k, gpt4-minbpe, or a regular expression of PCRE2";

void add_tokenizer(CLI::App& app, bpe::tokenizer_options& o) {
    app.add_option("--ranks", o.ranks,
                   "The tokenizer: tiktoken ranks, GPT-2's vocab.json (merges.txt beside it), Hugging Face's "
                   "tokenizer.json, minbpe's .model or llama2.c's tokenizer.bin; the format is seen from the contents")
        ->required()
        ->check(CLI::ExistingFile);
    app.add_option("--merges", o.merges, "The merges of a vocab.json, if they are elsewhere")->check(CLI::ExistingFile);
    app.add_option("--pattern", o.pattern,
                   std::string(pattern_help) +
                       ". Default: the file's own; rank files have none but those of OpenAI, which are recognised");
    app.add_option("--special-token", o.special_tokens, "TEXT=ID: one more special token; may be repeated")
        ->allow_extra_args(false);
}

void add_train(CLI::App& app, bpe::train_options& o) {
    app.add_option("--text", o.texts, "Text to learn from; several files are several texts")
        ->required()
        ->check(CLI::ExistingFile);
    app.add_option("--vocab", o.vocabulary, "Tokens: 256 bytes, and the rest merges")
        ->capture_default_str()
        ->check(CLI::Range(std::size_t{256}, std::size_t{1} << 24));
    app.add_option("--pattern", o.pattern, pattern_help)->capture_default_str();
    app.add_option("--special-token", o.special_tokens,
                   "Text of a special token, numbered after the rest; may be repeated")
        ->allow_extra_args(false);
    app.add_option("--out", o.out,
                   "Where to: NAME.model (minbpe), NAME.tiktoken, NAME.json (Hugging Face), or a folder (FOLDER/) for "
                   "vocab.json and merges.txt")
        ->required();
}

void add_encode(CLI::App& app, bpe::encode_options& o) {
    add_tokenizer(app, o.tokenizer);
    CLI::Option* const text =
        app.add_option("--text", o.text, "The text; default: standard input")->check(CLI::ExistingFile);
    app.add_option("--special", o.special,
                   "Special tokens in the text: none (they are text), all (they are recognised), refuse (an error)")
        ->capture_default_str()
        ->check(CLI::IsMember({"none", "all", "refuse"}));
    app.add_flag("--hex", o.hex, "One text a line of standard input, as hexadecimal digits; one line of ids for each")
        ->excludes(text);
    app.footer("Ids are written in decimal with spaces between; without --hex the whole input is one text.");
}

void add_decode(CLI::App& app, bpe::decode_options& o) {
    add_tokenizer(app, o.tokenizer);
    app.add_flag("--hex", o.hex, "Write one line of hexadecimal digits for each line of ids, instead of the bytes");
    app.footer("Reads ids in decimal with spaces between from standard input.");
}

void add_inspect(CLI::App& app, bpe::inspect_options& o) {
    add_tokenizer(app, o.tokenizer);
    app.add_option("--text", o.text, "A text whose tokens are to be counted")->check(CLI::ExistingFile);
    app.add_option("ids", o.ids, "Ids whose bytes are to be shown");
}

}  // namespace

int main(int argc, char** argv) {
    std::ios::sync_with_stdio(false);
    CLI::App app("Byte-pair tokenizers: learn one, turn text into ids and back.", "bpe");
    app.require_subcommand(1);
    int count = static_cast<int>(std::thread::hardware_concurrency());
    bpe::train_options train;
    bpe::encode_options encode;
    bpe::decode_options decode;
    bpe::inspect_options inspect;
    CLI::App* const train_command = app.add_subcommand("train", "Learn a vocabulary from texts");
    CLI::App* const encode_command = app.add_subcommand("encode", "Text to ids");
    CLI::App* const decode_command = app.add_subcommand("decode", "Ids to text");
    CLI::App* const inspect_command = app.add_subcommand("inspect", "What is in a tokenizer");
    add_train(*train_command, train);
    add_encode(*encode_command, encode);
    add_decode(*decode_command, decode);
    add_inspect(*inspect_command, inspect);
    encode_command->add_option("--threads", count, "Threads that share the lines of --hex")
        ->capture_default_str()
        ->check(CLI::PositiveNumber);
    try {
        app.parse(argc, argv);
        tenet::threads pool(count);
        return pool.run([&] {
            if (*train_command) return bpe::train(train);
            if (*encode_command) return bpe::encode(encode);
            if (*decode_command) return bpe::decode(decode);
            return bpe::inspect(inspect);
        });
    } catch (CLI::ParseError const& e) {
        return app.exit(e) == 0 ? 0 : 1;
    } catch (std::exception const& e) {
        std::fprintf(stderr, "bpe: %s\n", e.what());
        return 1;
    }
}
