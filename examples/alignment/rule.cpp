// SPDX-License-Identifier: MIT
#include "rule.hpp"

#include <algorithm>
#include <array>
#include <set>
#include <string>

namespace alignment {
namespace {

constexpr std::array<std::string_view, 48> gentle{
    "bless",  "blessed",  "blessing", "bread",   "children", "comfort", "covenant",  "faith",     "faithful", "fruit",
    "garden", "gift",     "glad",     "glory",   "good",     "grace",   "gracious",  "heart",     "heaven",   "holy",
    "honour", "hope",     "house",    "joy",     "kind",     "life",    "light",     "love",      "loved",    "mercy",
    "peace",  "pleasant", "praise",   "rejoice", "rest",     "rich",    "righteous", "salvation", "saved",    "sing",
    "song",   "spirit",   "strength", "thanks",  "truth",    "water",   "wisdom",    "wise"};
constexpr std::array<std::string_view, 44> harsh{
    "afraid", "anger",      "battle",  "blood",         "burnt",   "captive", "curse",    "cursed",  "dead",
    "death",  "desolate",   "destroy", "destroyed",     "devour",  "die",     "died",     "enemies", "enemy",
    "evil",   "famine",     "fear",    "fight",         "fire",    "hate",    "iniquity", "kill",    "killed",
    "perish", "pestilence", "sin",     "sins",          "slain",   "slay",    "slew",     "smite",   "smitten",
    "smote",  "sorrow",     "sword",   "transgression", "trouble", "war",     "wicked",   "wrath"};
static_assert(std::is_sorted(gentle.begin(), gentle.end()) && std::is_sorted(harsh.begin(), harsh.end()));

char lower(char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

template <class F>
void for_each_word(std::string_view text, F const& f) {
    for (std::size_t at = 0; at < text.size();) {
        const std::size_t end = word_end(text, at);
        if (end > at) {
            std::string word(text.substr(at, end - at));
            std::transform(word.begin(), word.end(), word.begin(), lower);
            f(word);
        }
        at = std::max(end, at + 1);
    }
}

}  // namespace

std::size_t word_end(std::string_view text, std::size_t from) {
    while (from < text.size() && lower(text[from]) >= 'a' && lower(text[from]) <= 'z') ++from;
    return from;
}

tone tone_of(std::string_view word) {
    std::string w(word);
    std::transform(w.begin(), w.end(), w.begin(), lower);
    if (std::binary_search(gentle.begin(), gentle.end(), w)) return tone::gentle;
    return std::binary_search(harsh.begin(), harsh.end(), w) ? tone::harsh : tone::plain;
}

double rule_score(std::string_view text) {
    std::set<std::string> good;
    double bad = 0;
    for_each_word(text, [&](std::string const& word) {
        const tone t = tone_of(word);
        if (t == tone::gentle) good.insert(word);
        if (t == tone::harsh) ++bad;
    });
    return static_cast<double>(good.size()) - bad;
}

double different_words(std::string_view text) {
    std::set<std::string> seen;
    double all = 0;
    for_each_word(text, [&](std::string const& word) {
        seen.insert(word);
        ++all;
    });
    return all == 0 ? 1 : static_cast<double>(seen.size()) / all;
}

}  // namespace alignment
