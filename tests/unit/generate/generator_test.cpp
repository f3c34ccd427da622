// SPDX-License-Identifier: MIT
// Generation with cached keys and values against the same model computed whole: logits, greedy tokens, ragged batches,
// windows that slide, stops, seeds, streams; and the loss of texts.
#define BOOST_TEST_MODULE generate_generator
#include <boost/test/unit_test.hpp>

#include <cmath>
#include <limits>

#include <tenet/generate/generator.hpp>
#include <tenet/generate/perplexity.hpp>
#include <tenet/models/gpt2.hpp>
#include <tenet/models/llama.hpp>
#include <tenet/nn/init.hpp>
#include <tenet/parallel/threads.hpp>

using namespace tenet;

namespace {

using ids = std::vector<std::int32_t>;

struct small_gpt2 {
    static constexpr std::size_t layers = 3, heads = 2, width = 16, context = 24, vocabulary = 50;
};
struct small_llama {
    static constexpr std::size_t layers = 2, heads = 4, key_heads = 2, width = 32, hidden = 40, context = 80,
                                 vocabulary = 50;
    static constexpr bool tied_head = false;
    static constexpr rotary_pairs pairs = rotary_pairs::halves;
    static constexpr double rotary_base = 1000, norm_eps = 1e-5;
};

template <class Model>
parameters<Model> trained_enough(unsigned seed) {
    parameters<Model> theta;
    initialize(theta, init::gpt2{.std = 0.4}, seed);
    return theta;
}

ids some_tokens(std::size_t n, std::int32_t from) {
    ids all;
    for (std::size_t i = 0; i < n; ++i) all.push_back((from + 17 * static_cast<std::int32_t>(i * i)) % 50);
    return all;
}

/// The whole text at once, without a cache.
template <class Model>
class plain_model {
public:
    explicit plain_model(parameters<Model> const& theta) : theta_(theta) {}

    std::vector<float> all_logits(ids const& text) {
        tensor<std::int32_t, Batch, Time> t(extent<Time>(text.size())), p(extent<Time>(text.size()));
        for (std::size_t i = 0; i < text.size(); ++i) {
            t(0, i) = text[i];
            p(0, i) = static_cast<std::int32_t>(i);
        }
        run_(theta_, t, p);
        const auto y = run_.template view<0>();
        return {y.begin(), y.end()};
    }
    std::vector<float> logits(ids const& text) {
        const auto all = all_logits(text);
        return {all.end() - Model::Vocab::capacity, all.end()};
    }
    ids greedy(ids text, std::size_t n, std::size_t window = Model::context, std::size_t keep = 0) {
        ids fresh;
        std::size_t begin = 0;
        for (std::size_t i = 0; i < n; ++i) {
            if (text.size() - begin > window) begin = text.size() - keep;
            const auto last = logits({text.begin() + static_cast<std::ptrdiff_t>(begin), text.end()});
            fresh.push_back(static_cast<std::int32_t>(std::max_element(last.begin(), last.end()) - last.begin()));
            text.push_back(fresh.back());
        }
        return fresh;
    }

private:
    struct Batch : axis<1> {};
    struct Time : at_most<Model::context>, sequence {};
    parameters<Model> const& theta_;
    evaluation<Model, call_model, tokens<Batch, Time>, tokens<Batch, Time>> run_;
};

double greatest_difference(std::span<float const> a, std::span<float const> b) {
    BOOST_TEST_REQUIRE(a.size() == b.size());
    double worst = 0;
    for (std::size_t i = 0; i < a.size(); ++i) {
        const double d = std::fabs(static_cast<double>(a[i]) - static_cast<double>(b[i]));
        if (!(d <= worst)) worst = d;
    }
    return worst;
}

const sampling_options greedy{.temperature = 0};

template <class Model, std::size_t Rows, std::size_t Chunk>
void expect_cached_equals_plain(unsigned seed) {
    const auto theta = trained_enough<Model>(seed);
    plain_model<Model> plain(theta);
    generator<Model, Rows, Model::context, Chunk> write(theta);
    const std::vector<ids> prompts{some_tokens(7, 3), some_tokens(1, 20), some_tokens(12, 41), some_tokens(5, 8)};
    for (ids const& p : prompts) BOOST_TEST(greatest_difference(write.logits(p), plain.logits(p)) <= 1e-4);
    const auto texts = write(prompts, {.sampling = greedy, .max_tokens = 10});
    for (std::size_t i = 0; i < prompts.size(); ++i) {
        BOOST_TEST(texts[i].tokens == plain.greedy(prompts[i], 10), boost::test_tools::per_element());
        BOOST_TEST((texts[i].why == finish::length));
        // Logits at the end of the text, whose keys came one by one.
        ids whole = prompts[i];
        whole.insert(whole.end(), texts[i].tokens.begin(), texts[i].tokens.end());
        BOOST_TEST(greatest_difference(write.logits(whole), plain.logits(whole)) <= 1e-4);
    }
}

struct Batch : axis<1> {};
struct Prompt : axis<5>, sequence {};
struct Single : axis<1>, sequence {};
struct Past : axis<24> {};
struct Shorter : axis<23> {};
struct with_past {
    constexpr auto operator()(auto const& m, auto t, auto p, auto start) const { return cached<Past>(m, start)(t, p); }
};
struct with_shorter_past {
    constexpr auto operator()(auto const& m, auto t, auto p, auto start) const {
        return cached<Shorter>(m, start)(t, p);
    }
};

using gpt2_model = gpt2<small_gpt2>;
using gpt2_writer = generator<gpt2_model, 2, 24, 8>;

}  // namespace

BOOST_AUTO_TEST_CASE(gpt2_with_a_cache_equals_gpt2_without) {
    expect_cached_equals_plain<gpt2_model, 2, 8>(1);
}
BOOST_AUTO_TEST_CASE(llama_with_a_cache_equals_llama_without) {
    expect_cached_equals_plain<llama<small_llama>, 3, 4>(2);
}

BOOST_AUTO_TEST_CASE(a_step_reads_nothing_that_it_does_not_own) {
    // Padding, rows at rest and what other texts left behind: with NaN in the arena, logits stay the same.
    const auto theta = trained_enough<gpt2_model>(3);
    using sizes = detail::generation_axes<3, 24, 6>;
    evaluation<gpt2_model, detail::next_logits<sizes>, tokens<sizes::Batch, sizes::Time>,
               tokens<sizes::Batch, sizes::Time>, tokens<sizes::Batch>, tokens<sizes::Batch>, tokens<sizes::Batch>>
        step;
    static_assert(decltype(step)::state_bytes == 3 * 2 * 3 * 2 * 24 * 8 * sizeof(float));  // layers, k and v, rows, ...
    std::fill_n(reinterpret_cast<float*>(step.state()->data()), step.state()->size() / sizeof(float),
                std::numeric_limits<float>::quiet_NaN());
    plain_model<gpt2_model> plain(theta);
    const std::vector<ids> texts{some_tokens(20, 1), some_tokens(20, 2), some_tokens(20, 3)};
    std::size_t at[3] = {};
    const std::size_t plan[][3] = {{4, 6, 1}, {2, 0, 1}, {1, 1, 1}, {0, 5, 6}, {6, 1, 0}};
    for (auto const& news : plan) {
        const std::size_t longest = std::max({news[0], news[1], news[2]});
        tensor<std::int32_t, sizes::Batch, sizes::Time> t(extent<sizes::Time>(longest)),
            p(extent<sizes::Time>(longest));
        tensor<std::int32_t, sizes::Batch> start, count, last;
        for (std::size_t b = 0; b < 3; ++b) {
            start(b) = static_cast<std::int32_t>(at[b]);
            count(b) = static_cast<std::int32_t>(news[b]);
            last(b) = std::max(0, count(b) - 1);
            for (std::size_t i = 0; i < news[b]; ++i) {
                t(b, i) = texts[b][at[b] + i];
                p(b, i) = static_cast<std::int32_t>(at[b] + i);
            }
            at[b] += news[b];
        }
        std::fill(step.arena().begin(), step.arena().end(), std::byte{0xff});
        step(theta, t, p, start, count, last);
        const auto found = step.view<0>();
        for (std::size_t b = 0; b < 3; ++b) {
            if (news[b] == 0) continue;
            const ids text(texts[b].begin(), texts[b].begin() + static_cast<std::ptrdiff_t>(at[b]));
            BOOST_TEST(greatest_difference({found.data() + 50 * b, 50}, plain.logits(text)) <= 1e-4);
        }
    }
}

BOOST_AUTO_TEST_CASE(programs_of_other_chunks_share_a_state) {
    const auto theta = trained_enough<gpt2_model>(4);
    evaluation<gpt2_model, with_past, tokens<Batch, Prompt>, tokens<Batch, Prompt>, tokens<Batch>> read;
    using single = evaluation<gpt2_model, with_past, tokens<Batch, Single>, tokens<Batch, Single>, tokens<Batch>>;
    single next(read.state());
    const ids text = some_tokens(6, 9);
    tensor<std::int32_t, Batch, Prompt> t, p;
    tensor<std::int32_t, Batch, Single> one, five{5};
    for (std::size_t i = 0; i < 5; ++i) {
        t(0, i) = text[i];
        p(0, i) = static_cast<std::int32_t>(i);
    }
    one(0, 0) = text[5];
    tensor<std::int32_t, Batch> start{0}, at_five{5};
    read(theta, t, p, start);
    next(theta, one, five, at_five);
    const auto y = next.view<0>();
    BOOST_TEST(greatest_difference({y.data(), 50}, plain_model<gpt2_model>(theta).logits(text)) <= 1e-4);

    using other =
        evaluation<gpt2_model, with_shorter_past, tokens<Batch, Single>, tokens<Batch, Single>, tokens<Batch>>;
    BOOST_CHECK_THROW(other{read.state()}, exception);
    at_five(0) = 24;
    BOOST_CHECK_THROW(next(theta, one, five, at_five), exception);
    at_five(0) = -1;
    BOOST_CHECK_THROW(next(theta, one, five, at_five), exception);
}

BOOST_AUTO_TEST_CASE(a_text_beyond_the_context_is_an_error_or_slides) {
    const auto theta = trained_enough<gpt2_model>(5);
    gpt2_writer write(theta);
    plain_model<gpt2_model> plain(theta);
    const ids prompt = some_tokens(20, 7);
    BOOST_CHECK_THROW(write(prompt, {.sampling = greedy, .max_tokens = 6}), exception);
    BOOST_TEST(write(prompt, {.sampling = greedy, .max_tokens = 5}).tokens.size() == 5u);  // the last is never read
    for (std::size_t keep : {1u, 12u, 23u}) {
        const auto text =
            write(prompt, {.sampling = greedy, .max_tokens = 40, .overflow = context_overflow::slide, .keep = keep});
        BOOST_TEST(text.tokens == plain.greedy(prompt, 40, 24, keep), boost::test_tools::per_element());
    }
    // A prompt that is too long itself: its end counts.
    const ids longer = some_tokens(30, 7);
    const auto text = write(longer, {.sampling = greedy, .max_tokens = 1, .overflow = context_overflow::slide});
    BOOST_TEST(text.tokens == plain.greedy({longer.end() - 24, longer.end()}, 1), boost::test_tools::per_element());
    BOOST_CHECK_THROW(write(prompt, {.overflow = context_overflow::slide, .keep = 24}), exception);
}

BOOST_AUTO_TEST_CASE(draws_depend_on_the_seed_and_the_prompt_alone) {
    const auto theta = trained_enough<gpt2_model>(6);
    gpt2_writer write(theta);
    const std::vector<ids> prompts{some_tokens(3, 1), some_tokens(6, 2), some_tokens(3, 1), some_tokens(4, 5),
                                   some_tokens(2, 30)};
    const generation_options options{.sampling = {.temperature = 1.2, .top_p = 0.95}, .seed = 11, .max_tokens = 15};
    const auto texts = write(prompts, options);
    for (std::size_t i : {0u, 1u, 3u, 4u}) BOOST_TEST((write(prompts[i], options).tokens == texts[i].tokens));
    BOOST_TEST((texts[2].tokens != texts[0].tokens));  // a second copy draws anew
    generation_options other = options;
    other.seed = 12;
    BOOST_TEST((write(prompts[1], other).tokens != texts[1].tokens));
    for (int n : {1, 2, 4}) {
        threads pool(n);
        const auto again = pool.run([&] { return write(prompts, options); });
        for (std::size_t i = 0; i < prompts.size(); ++i) BOOST_TEST((again[i].tokens == texts[i].tokens));
    }
}

BOOST_AUTO_TEST_CASE(stops_end_a_text_and_are_not_part_of_it) {
    const auto theta = trained_enough<gpt2_model>(7);
    gpt2_writer write(theta);
    const ids prompt = some_tokens(4, 6);
    const generation_options free{.sampling = {.temperature = 1.5}, .seed = 3, .max_tokens = 15};
    const ids whole = write(prompt, free).tokens;
    BOOST_TEST_REQUIRE(whole.size() == 15u);
    generation_options stopped = free;
    stopped.stop = {{whole[6], whole[7]}, {999999}};
    std::size_t first = 0;  // where the pair stands first
    while (whole[first] != whole[6] || whole[first + 1] != whole[7]) ++first;
    ids shown;
    const auto text = write(prompt, stopped, [&](std::size_t, std::int32_t id) {
        shown.push_back(id);
        return true;
    });
    BOOST_TEST((text.why == finish::stop));
    BOOST_TEST(text.tokens == ids(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(first)),
               boost::test_tools::per_element());
    BOOST_TEST(shown == text.tokens, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(the_callback_gets_every_token_once_and_may_end_a_text) {
    const auto theta = trained_enough<gpt2_model>(8);
    gpt2_writer write(theta);
    const std::vector<ids> prompts{some_tokens(4, 6), some_tokens(9, 2), some_tokens(2, 3)};
    std::vector<ids> shown(3);
    const auto texts = write(prompts, {.max_tokens = 7}, [&](std::size_t i, std::int32_t id) {
        shown[i].push_back(id);
        return i != 1 || shown[i].size() < 3;
    });
    for (std::size_t i = 0; i < 3; ++i) BOOST_TEST(shown[i] == texts[i].tokens, boost::test_tools::per_element());
    BOOST_TEST(texts[0].tokens.size() == 7u);
    BOOST_TEST(texts[1].tokens.size() == 3u);
    BOOST_TEST((texts[1].why == finish::cancelled));
    BOOST_TEST(texts[2].tokens.size() == 7u);
}

BOOST_AUTO_TEST_CASE(what_cannot_be_written_is_refused) {
    const auto theta = trained_enough<gpt2_model>(9);
    gpt2_writer write(theta);
    BOOST_CHECK_THROW(write(ids{}), exception);
    BOOST_CHECK_THROW(write(ids{50}), exception);
    BOOST_CHECK_THROW(write(ids{-1}), exception);
    BOOST_CHECK_THROW(write(ids{1}, {.sampling = {.temperature = -1}, .max_tokens = 2}), exception);
    BOOST_CHECK_THROW(write(ids{1}, {.max_tokens = 2, .vocabulary = 51}), exception);
    BOOST_CHECK_THROW(write(ids{10}, {.max_tokens = 2, .vocabulary = 10}), exception);
    BOOST_TEST(write(ids{1}, {.max_tokens = 0}).tokens.empty());
    BOOST_TEST(write(std::vector<ids>{}).empty());
    const auto text = write(ids{1}, {.sampling = {.temperature = 5}, .max_tokens = 20, .vocabulary = 3});
    for (std::int32_t id : text.tokens) BOOST_TEST(id < 3);
}

BOOST_AUTO_TEST_CASE(the_loss_of_a_text_is_that_of_its_windows) {
    const auto theta = trained_enough<gpt2_model>(10);
    plain_model<gpt2_model> plain(theta);
    perplexity_meter<gpt2_model, 24, 7> measure(theta);
    const ids text = some_tokens(61, 4);
    const auto expected = [&](std::size_t window, std::size_t stride) {
        double sum = 0;
        std::size_t done = 1, count = 0;
        for (std::size_t begin = 0; done < text.size(); begin += stride) {
            const std::size_t end = std::min(text.size(), begin + window);
            const ids part(text.begin() + static_cast<std::ptrdiff_t>(begin),
                           text.begin() + static_cast<std::ptrdiff_t>(end));
            const auto logits = plain.all_logits(part);
            for (std::size_t i = 0; i + 1 < part.size(); ++i) {
                if (begin + i + 1 < done) continue;
                float const* const row = logits.data() + 50 * i;
                double all = 0;
                for (std::size_t c = 0; c < 50; ++c) all += std::exp(static_cast<double>(row[c]));
                sum += std::log(all) - static_cast<double>(row[part[i + 1]]);
                ++count;
            }
            done = std::max(done, end);
        }
        return std::pair{sum / static_cast<double>(count), count};
    };
    // 20 divides the places of the text: its last window has one token and nothing to predict.
    for (auto [window, stride] : {std::pair{24u, 12u}, {24u, 24u}, {20u, 20u}, {24u, 1u}, {10u, 3u}, {2u, 1u}}) {
        const text_loss found = measure(text, {.window = window, .stride = stride});
        const auto [mean, count] = expected(window, stride);
        BOOST_TEST(found.tokens == count);
        BOOST_TEST(count == (stride < window ? 60u : window == 24 ? 58u : 57u));
        BOOST_TEST(std::fabs(found.mean - mean) <= 1e-5, "window " << window << ", stride " << stride);
        BOOST_TEST(std::fabs(found.perplexity() - std::exp(found.mean)) <= 1e-9);
    }
    BOOST_CHECK_THROW(measure(ids{1}), exception);
    BOOST_CHECK_THROW(measure(text, {.window = 25}), exception);
    BOOST_CHECK_THROW(measure(text, {.window = 10, .stride = 11}), exception);
    BOOST_CHECK_THROW(measure(text, {.window = 10, .stride = 0}), exception);
}
