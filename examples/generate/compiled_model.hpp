// SPDX-License-Identifier: MIT
// The programs of one model type: generation with its cache, and the loss of a text.
#pragma once

#include <optional>

#include <tenet/generate/generator.hpp>
#include <tenet/generate/perplexity.hpp>
#include <tenet/models/gpt2_files.hpp>
#include <tenet/models/llama_files.hpp>

#include "language_model.hpp"

namespace generate {

using namespace tenet;

template <class Config, class T>
void load_weights(std::filesystem::path const& weights, parameters<gpt2<Config>, T>& theta) {
    load_gpt2(weights, theta);
}
template <class Config, class T>
void load_weights(std::filesystem::path const& weights, parameters<llama<Config>, T>& theta) {
    if (weights.extension() == ".bin") load_llama2c(weights, theta);
    else load_llama(weights, theta);
}

/// `Rows` texts are written at a time.
template <class Model, std::size_t Rows>
class compiled_model final : public language_model {
public:
    std::size_t context() const override { return Model::context; }
    std::size_t vocabulary() const override { return Model::Vocab::capacity; }
    void load(std::filesystem::path const& weights) override { load_weights(weights, theta_); }

    std::vector<generated> write(std::vector<std::vector<std::int32_t>> const& prompts,
                                 generation_options const& options, token_callback const& callback) override {
        // Made when it is needed: the memory of keys and values is large.
        if (!writer_) writer_.emplace(theta_);
        return (*writer_)(prompts, options, callback);
    }
    text_loss measure(std::span<std::int32_t const> text, window_options const& o) override {
        if (!meter_) meter_.emplace(theta_);
        const std::size_t window = o.window == 0 ? Model::context : o.window;
        return (*meter_)(text, {window, o.stride == 0 ? window / 2 : o.stride});
    }

private:
    parameters<Model> theta_;
    std::optional<generator<Model, Rows>> writer_;
    std::optional<perplexity_meter<Model>> meter_;
};

}  // namespace generate
