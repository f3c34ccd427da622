// SPDX-License-Identifier: MIT
// Instruction data in all its forms, the texts that templates make of it, and the errors of both.
#define BOOST_TEST_MODULE data_instruction_data
#include <boost/test/unit_test.hpp>

#include <string>

#include <tenet/data/instruction_data.hpp>
#include <tenet/text/prompt_template.hpp>

using namespace tenet;

namespace {

template <class F>
void expect_error(std::string const& text, F&& f) {
    BOOST_CHECK_EXCEPTION(f(), exception, [&](exception const& e) {
        BOOST_TEST_MESSAGE(e.what());
        return std::string(e.what()).find(text) != std::string::npos;
    });
}
void expect_error_of_line(std::string const& text, std::string const& line) {
    expect_error("tasks.jsonl: line 3: expected " + text,
                 [&] { parse_instructions("{\"prompt\": \"a\", \"output\": \"b\"}\n\n" + line, "tasks.jsonl"); });
}

}  // namespace

BOOST_AUTO_TEST_CASE(all_forms_of_a_line) {
    const auto all = parse_instructions(
        "{\"instruction\": \"Add\", \"input\": \"1 2\", \"output\": \"3\", \"id\": 7}\r\n"
        "  \n"
        "{\"instruction\": \"Greet\", \"output\": \"h\\u00e9\", \"input\": null}\n"
        "{\"prompt\": \"p\", \"chosen\": \"c\", \"rejected\": \"r\"}\n"
        "{\"prompt\": \"p\", \"chosen\": \"c\", \"output\": \"o\", \"system\": \"s\"}\n"
        "{\"instruction\": \"i\", \"instances\": [{\"input\": \"\", \"output\": \"1\"}, {\"input\": \"x\", \"output\": "
        "\"2\"}]}");
    const std::vector<instruction_example> expected{{{}, "Add", "1 2", "3"}, {{}, "Greet", "", "h\xc3\xa9"},
                                                    {{}, "p", "", "c"},      {{{"system", "s"}}, "p", "", "o"},
                                                    {{}, "i", "", "1"},      {{}, "i", "x", "2"}};
    BOOST_TEST((all == expected));
}

// Every answer is trained once, with all that was said before it; what the model did not say is never an answer.
BOOST_AUTO_TEST_CASE(every_answer_of_a_chat_is_an_example) {
    const auto all = parse_instructions(
        R"({"messages": [{"role": "system", "content": "Be brief."}, {"role": "assistant", "content": "Hello."}, )"
        R"({"role": "user", "content": "a"}, {"role": "assistant", "content": "A"}, )"
        R"({"role": "user", "content": "b"}, {"role": "assistant", "content": "B"}, )"
        R"({"role": "user", "content": "c"}]})");
    const std::vector<chat_turn> start{{"system", "Be brief."}, {"assistant", "Hello."}};
    std::vector<chat_turn> second = start;
    second.push_back({"user", "a"});
    second.push_back({"assistant", "A"});
    const std::vector<instruction_example> expected{{start, "a", "", "A"}, {second, "b", "", "B"}};
    BOOST_TEST((all == expected));
}

BOOST_AUTO_TEST_CASE(errors_name_the_line) {
    expect_error_of_line("a JSON object in UTF-8, found a mistake at byte 12, in \"{\\\"prompt\\\": \"",
                         "{\"prompt\": ");
    expect_error_of_line("a JSON object in UTF-8, found a mistake at byte 13, in ", "{\"prompt\": \"\xff\"}");
    expect_error_of_line("a JSON object, found \"{\\\"prompt\\\": 1e999}\"", "{\"prompt\": 1e999}");
    expect_error_of_line("a JSON object, found \"[1]\"", "[1]");
    expect_error_of_line("a field \"instruction\" or \"prompt\", found \"question\"", "{\"question\": \"a\"}");
    expect_error_of_line("a field \"output\" or \"response\" or \"completion\" or \"chosen\", found \"prompt\"",
                         "{\"prompt\": \"a\"}");
    expect_error_of_line("a string under \"prompt\", found 4", "{\"prompt\": 4, \"output\": \"\"}");
    expect_error_of_line("a list under \"messages\", found {}", "{\"messages\": {}}");
    expect_error_of_line("a turn of \"assistant\" after one of \"user\", found 1 turns without one",
                         R"({"messages": [{"role": "user", "content": "a"}]})");
    expect_error_of_line("a field \"content\", found \"role\"", R"({"messages": [{"role": "user"}]})");
    expect_error_of_line("an object in \"instances\", found 1", R"({"instruction": "a", "instances": [1]})");
    expect_error("instructions: expected at least one example", [] { parse_instructions("\n \n"); });
}

BOOST_AUTO_TEST_CASE(alpaca) {
    const prompt_template make = prompt_template::alpaca();
    const instruction_example with{{}, "Add.", "1 2", "3"}, without{{}, "Greet.", "", "Hello"};
    BOOST_TEST(
        make(with).prompt ==
        "Below is an instruction that describes a task, paired with an input that provides further context. Write "
        "a response that appropriately completes the request.\n\n### Instruction:\nAdd.\n\n### Input:\n1 2\n\n### "
        "Response:");
    BOOST_TEST(make(without).prompt ==
               "Below is an instruction that describes a task. Write a response that appropriately completes the "
               "request.\n\n### Instruction:\nGreet.\n\n### Response:");
    BOOST_TEST(make(with).response == "3");
    // What a template has no place for is not dropped silently.
    expect_error("a template with {history}", [&] { make(instruction_example{{{"user", "x"}}, "y", "", "z"}); });
}

BOOST_AUTO_TEST_CASE(chatml_keeps_the_turns_before) {
    const instruction_example e{{{"system", "Be brief."}, {"user", "a"}, {"assistant", "A"}}, "b", "c", "B"};
    const prompt_text t = prompt_template::chatml()(e);
    BOOST_TEST(t.prompt ==
               "<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\na<|im_end|>\n<|im_start|>assistant\nA"
               "<|im_end|>\n<|im_start|>user\nb\n\nc<|im_end|>\n<|im_start|>assistant\n");
    BOOST_TEST(t.response == "B<|im_end|>");
    BOOST_TEST(prompt_template::chatml()(instruction_example{{}, "b", "", "B"}).prompt ==
               "<|im_start|>user\nb<|im_end|>\n<|im_start|>assistant\n");
}

// What an example says is never taken for a place.
BOOST_AUTO_TEST_CASE(braces_of_an_example_are_text) {
    const prompt_template t = prompt_template::custom("{instruction} {x} {{input}} {", ">{output}<");
    const prompt_text got = t(instruction_example{{}, "{input}", "{output}", "{instruction}"});
    BOOST_TEST(got.prompt == "{input} {x} {{output}} {");
    BOOST_TEST(got.response == ">{instruction}<");
}

BOOST_AUTO_TEST_CASE(a_template_that_would_lose_the_example) {
    expect_error("expected a text with {input}", [] { prompt_template::custom("{instruction}"); });
    expect_error("expected a text with {instruction}", [] { prompt_template::custom("{input}"); });
    expect_error("expected a text with {output}", [] { prompt_template::custom("{instruction}{input}", "yes"); });
    expect_error("expected a text with {content}",
                 [] { prompt_template({"{history}{instruction}{input}", "{history}{instruction}", "{output}", "x"}); });
}
