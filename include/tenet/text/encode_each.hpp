// SPDX-License-Identifier: MIT
// text: many documents at once, on all threads of the caller's arena; results lie in the order of the documents.
#pragma once

#include <cstddef>
#include <cstdint>
#include <exception>
#include <span>
#include <string_view>
#include <vector>

#include <tenet/parallel/parallel_for.hpp>
#include <tenet/text/tokenizer.hpp>

namespace tenet {

/// The ids of each document: `encode_each(tokenizer, documents, special_policy::refuse())`; further arguments are
/// passed to `encode`. The first document that cannot be encoded throws its exception.
/// Threads share out runs of documents of equal bytes. tiktoken: Encoding.encode_batch.
template <Tokenizer T, class... Arguments>
std::vector<std::vector<std::int32_t>> encode_each(T const& tokenizer, std::span<std::string_view const> documents,
                                                   Arguments const&... arguments) {
    constexpr std::size_t run_bytes = 65536;
    std::vector<std::size_t> runs{0};
    for (std::size_t i = 0, bytes = 0; i < documents.size(); ++i) {
        bytes += documents[i].size() + 64;
        if (bytes < run_bytes && i + 1 < documents.size()) continue;
        runs.push_back(i + 1);
        bytes = 0;
    }
    std::vector<std::vector<std::int32_t>> ids(documents.size());
    std::vector<std::exception_ptr> errors(runs.size() - 1);
    parallel_for(runs.size() - 1, 1, [&](std::size_t first, std::size_t last) {
        for (std::size_t r = first; r < last; ++r) {
            try {
                for (std::size_t i = runs[r]; i < runs[r + 1]; ++i)
                    ids[i] = tokenizer.encode(documents[i], arguments...);
            } catch (...) {  // which one is thrown must not depend on the threads
                errors[r] = std::current_exception();
            }
        }
    });
    for (std::exception_ptr const& error : errors) {
        if (error) std::rethrow_exception(error);
    }
    return ids;
}

}  // namespace tenet
