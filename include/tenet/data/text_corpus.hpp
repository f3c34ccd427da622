// SPDX-License-Identifier: MIT
// data: a text and its two parts: the first to train on, the last to validate on. The text may be a string or a
// memory-mapped file: a corpus keeps its source alive, whatever it is, and hands out views.
// Source of the split: github.com/karpathy/nanoGPT, data/shakespeare_char/prepare.py.
#pragma once

#include <concepts>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include <tenet/base/exception.hpp>

namespace tenet {

/// Something that owns text and shows it, such as `mapped_file`.
template <class T>
concept TextSource = requires(T const& source) {
    { source.text() } -> std::convertible_to<std::string_view>;
};

/// A text with its training and validation parts.
///
/// `text_corpus corpus{mapped_file("kjv.txt")}; auto tokens = tokenizer.encode(corpus.train());`
/// The training part is the first int(train_fraction * n) bytes, computed in double as nanoGPT does: 1,003,854 and
/// 111,540 of tinyshakespeare's 1,115,394. Copies are cheap and share the source; views live as long as any of them.
/// Throws `exception` for an empty text or a fraction outside [0, 1].
class text_corpus {
public:
    template <TextSource Source>
    explicit text_corpus(Source source, double train_fraction = 0.9) {
        auto kept = std::make_shared<Source const>(std::move(source));
        text_ = kept->text();
        std::string name = "text_corpus";
        if constexpr (requires { kept->path().string(); }) name += ": " + kept->path().string();
        source_ = std::move(kept);
        split(train_fraction, name);
    }
    explicit text_corpus(std::string text, double train_fraction = 0.9) {
        auto kept = std::make_shared<std::string const>(std::move(text));
        text_ = *kept;
        source_ = std::move(kept);
        split(train_fraction, "text_corpus");
    }

    /// The whole text.
    std::string_view text() const { return text_; }
    /// The first part, to train on.
    std::string_view train() const { return text_.substr(0, train_size_); }
    /// The last part, to validate on.
    std::string_view validation() const { return text_.substr(train_size_); }

private:
    void split(double train_fraction, std::string const& name) {
        if (text_.empty()) fail_expectation(name, "a text", "an empty one");
        if (!(train_fraction >= 0.0 && train_fraction <= 1.0)) {
            fail_expectation(name, "a training fraction in [0, 1]", std::to_string(train_fraction));
        }
        train_size_ = static_cast<std::size_t>(train_fraction * static_cast<double>(text_.size()));
    }

    std::shared_ptr<void const> source_;
    std::string_view text_;
    std::size_t train_size_ = 0;
};

}  // namespace tenet
