// SPDX-License-Identifier: MIT
// adapt: several adapters of one type on one base, by name, switched at run time: a program takes whichever is active.
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <tenet/base/exception.hpp>
#include <tenet/base/quoted.hpp>
#include <tenet/program/parameters.hpp>

namespace tenet {

/// Named parameter blocks of the adapter type `Adapter`. The base is not copied; switching costs nothing.
///
///     adapter_set<adapter> tuned;
///     load_adapter("poems", tuned.add("poems"));
///     load_adapter("code", tuned.add("code"));
///     tuned.activate("code");
///     run(base, tuned.active(), tokens);
///
/// PEFT: load_adapter(path, name), set_adapter(name).
template <class Adapter, class T = float>
class adapter_set {
public:
    /// A new adapter, zero at first, which becomes the active one if there was none. `exception` if the name is taken.
    parameters<Adapter, T>& add(std::string const& name) {
        const auto [place, fresh] = adapters_.try_emplace(name);
        if (!fresh) fail_expectation("adapter_set::add", "a name that is not taken", detail::quoted(name));
        if (adapters_.size() == 1) active_ = name;
        return place->second;
    }
    void remove(std::string_view name) {
        static_cast<void>(at(name));
        adapters_.erase(std::string(name));
        if (name == active_) active_.clear();
    }
    /// Makes an adapter the active one. `exception` if there is none of this name.
    void activate(std::string_view name) {
        static_cast<void>(at(name));
        active_ = name;
    }
    std::string const& active_name() const { return active_; }
    /// The active adapter. `exception` if there is none.
    parameters<Adapter, T>& active() { return at(active_); }
    parameters<Adapter, T>& at(std::string_view name) {
        const auto found = adapters_.find(std::string(name));
        if (found == adapters_.end())
            fail_expectation("adapter_set", names().empty() ? "an adapter to be added first" : "one of " + names(),
                             detail::quoted(name));
        return found->second;
    }
    std::size_t size() const { return adapters_.size(); }

private:
    std::map<std::string, parameters<Adapter, T>> adapters_;
    std::string active_;

    std::string names() const {
        std::string all;
        for (auto const& [name, block] : adapters_) all += (all.empty() ? "" : ", ") + detail::quoted(name);
        return all;
    }
};

}  // namespace tenet
