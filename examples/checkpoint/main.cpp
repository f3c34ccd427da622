// SPDX-License-Identifier: MIT
// checkpoint describe | convert | diff: files of tensors, looked at, changed and compared.
#include <cstdio>
#include <exception>
#include <iostream>

#include <CLI/CLI.hpp>

#include "commands.hpp"

namespace {

void add_describe(CLI::App& app, tensor_files::describe_options& o) {
    app.add_option("file", o.file, "A .safetensors, .safetensors.index.json, .npz, .npy or llama2.c .bin file")
        ->required();
    app.add_flag("--stats", o.statistics, "Also the least, the greatest and the mean element; reads the whole file");
    app.add_flag("--cpp", o.cpp, "Print axes and a model that has these parameters, as C++ to paste");
    app.add_option("--name", o.name, "With --cpp: the name of the model; default: model");
    app.add_option("--namespace", o.space, "With --cpp: the namespace around it")->capture_default_str();
    app.add_option(
        "--heads", o.heads,
        "With --cpp: heads of attention, which no shape tells; default: as config.json beside the file says");
}

void add_convert(CLI::App& app, tensor_files::convert_options& o) {
    app.add_option("in", o.from, "Any file that describe reads")->required();
    app.add_option("out", o.to, "The new file; its ending decides: .safetensors, .safetensors.index.json, .npz")
        ->required();
    app.add_option("--dtype", o.dtype, "Type of all floating tensors: f64, f32, f16 or bf16; default: as they are");
    app.add_option("--shard-size", o.shard_size,
                   "With .safetensors.index.json: most bytes of tensors in a file, e.g. 500MB or 2GiB")
        ->transform(CLI::AsSizeValue(false))
        ->capture_default_str();
}

void add_diff(CLI::App& app, tensor_files::diff_options& o) {
    app.add_option("left", o.left, "Any file that describe reads")->required();
    app.add_option("right", o.right, "Another")->required();
    app.add_option("--atol", o.absolute, "Tolerated difference: atol + rtol * |right|")
        ->capture_default_str()
        ->check(CLI::NonNegativeNumber);
    app.add_option("--rtol", o.relative, "See --atol")->capture_default_str()->check(CLI::NonNegativeNumber);
    app.add_flag("--all", o.all, "Also list what is equal");
    app.footer(
        "- only in left, + only in right, ! different, = equal. Exit code 0: no difference, 1: some, 2: an error.");
}

}  // namespace

int main(int argc, char** argv) {
    CLI::App app("Looks at, changes and compares files of tensors.", "checkpoint");
    app.require_subcommand(1);
    tensor_files::describe_options describe;
    tensor_files::convert_options convert;
    tensor_files::diff_options diff;
    CLI::App* const describe_command = app.add_subcommand("describe", "Print what is in a file");
    CLI::App* const convert_command = app.add_subcommand("convert", "Write a file's tensors to another kind of file");
    CLI::App* const diff_command = app.add_subcommand("diff", "Compare two files");
    add_describe(*describe_command, describe);
    add_convert(*convert_command, convert);
    add_diff(*diff_command, diff);
    CLI11_PARSE(app, argc, argv);
    try {
        if (*describe_command) return tensor_files::describe(describe, std::cout);
        if (*convert_command) return tensor_files::convert(convert, std::cout);
        return tensor_files::diff(diff, std::cout);
    } catch (std::exception const& e) {
        std::fprintf(stderr, "checkpoint: %s\n", e.what());
        return 2;
    }
}
