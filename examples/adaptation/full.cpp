// SPDX-License-Identifier: MIT
#include <tenet/models/gpt2_files.hpp>

#include "tuner_of.hpp"

namespace adaptation {
namespace {

class full_tuner : public tuner {
public:
    explicit full_tuner(parameters<model> const& base) : theta_(base) {}

    tuner_costs costs() const override {
        return {parameter_count<model>, sizeof(float) * parameter_elements<model>,
                stepper<full_step, 0>::optimizer_bytes, full_step::activation_bytes};
    }
    step_outcome step(std::span<rows const> batches, double rate, double clip) override {
        return stepper_.step(batches, rate, clip, theta_, theta_);
    }
    double loss(rows const& batch) override { return stepper_.loss(batch, theta_); }
    parameters<model> weights() const override { return theta_; }
    std::vector<named_array> state() override {
        std::vector<named_array> all = stepper_.state();
        for (named_array const& a : file_arrays(theta_)) all.push_back(a);
        return all;
    }
    void save(std::filesystem::path const& folder) override {
        std::filesystem::create_directories(folder);
        save_gpt2(folder / "model.safetensors", theta_);
    }

private:
    parameters<model> theta_;
    stepper<full_step, 0> stepper_;
};

}  // namespace

std::unique_ptr<tuner> full(parameters<model> const& base, std::uint64_t) {
    return std::make_unique<full_tuner>(base);
}

}  // namespace adaptation
