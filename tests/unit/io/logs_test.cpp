// SPDX-License-Identifier: MIT
// JSON lines, line plots and the progress line.
#define BOOST_TEST_MODULE io_logs
#include <boost/test/unit_test.hpp>

#include <chrono>
#include <cmath>
#include <cstdio>
#include <limits>
#include <string>
#include <vector>

#include <tenet/io/json_lines.hpp>
#include <tenet/io/line_plot.hpp>
#include <tenet/io/progress.hpp>

#include "temporary_folder.hpp"

using namespace tenet;
using nlohmann::json;
using nlohmann::ordered_json;

namespace {

std::size_t count(std::string const& text, std::string const& part) {
    std::size_t n = 0;
    for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++n;
    return n;
}

}  // namespace

BOOST_AUTO_TEST_CASE(rows_are_in_the_file_as_soon_as_they_are_appended) {
    temporary_folder folder;
    json_lines log(folder / "m.jsonl");
    log.append(ordered_json{{"step", 1}, {"loss", 2.5}});
    BOOST_TEST(read_file(folder / "m.jsonl") == "{\"step\":1,\"loss\":2.5}\n");
    log.append(json{{"text", "a\nb"}, {"bad", std::nan("")}});
    BOOST_TEST(read_file(folder / "m.jsonl") == "{\"step\":1,\"loss\":2.5}\n{\"bad\":null,\"text\":\"a\\nb\"}\n");
    BOOST_CHECK_EXCEPTION(log.append(json::array()), exception, says("expected an object, found array"));
    BOOST_CHECK_EXCEPTION(log.append(json{{"a", "\xff"}}), exception, says("strings in UTF-8"));
    json_lines again(folder / "m.jsonl");
    again.append(json{{"step", 2}});
    BOOST_TEST(read_file(folder / "m.jsonl").ends_with("\"a\\nb\"}\n{\"step\":2}\n"));
}

BOOST_AUTO_TEST_CASE(a_line_torn_at_any_byte_is_dropped) {
    temporary_folder folder;
    const std::string first = "{\"step\":1}\n", second = "{\"step\":2,\"loss\":1.25}";
    for (std::size_t n = 0; n <= second.size(); ++n) {
        write_file(folder / "m", first + second.substr(0, n));
        json_lines(folder / "m").append(json{{"step", 3}});
        // The whole object with only its newline missing is no loss.
        const std::string kept = n == second.size() ? second + "\n" : "";
        BOOST_TEST(read_file(folder / "m") == first + kept + "{\"step\":3}\n");
    }
    write_file(folder / "m", first + std::string(10, '\0') + "\n");
    json_lines(folder / "m").append(json{{"step", 3}});
    BOOST_TEST(read_file(folder / "m") == first + "{\"step\":3}\n");
    BOOST_TEST(folder.file_count() == 1u);
}

BOOST_AUTO_TEST_CASE(rows_of_a_resumed_run_are_dropped) {
    temporary_folder folder;
    write_file(folder / "m",
               "{\"step\":9}\n{\"note\":\"kept\"}\n{\"step\":10}\n{\"step\":11.0}\n{\"step\":-3}\n{\"step\":8}\n{\"st");
    json_lines log(folder / "m", json_lines_cut{"step", 10});
    log.append(json{{"step", 10}});
    BOOST_TEST(read_file(folder / "m") ==
               "{\"step\":9}\n{\"note\":\"kept\"}\n{\"step\":-3}\n{\"step\":8}\n{\"step\":10}\n");
    json_lines(folder / "m", json_lines_cut{"step", 0});
    BOOST_TEST(read_file(folder / "m") == "{\"note\":\"kept\"}\n{\"step\":-3}\n");
}

BOOST_AUTO_TEST_CASE(a_damaged_line_before_the_last_is_an_error) {
    temporary_folder folder;
    const std::string text = "{\"step\":1}\nnot json\n{\"step\":2}\n";
    write_file(folder / "m", text);
    BOOST_CHECK_EXCEPTION(json_lines(folder / "m"), exception,
                          says("m: line 2: expected a JSON object, found \"not json\""));
    BOOST_TEST(read_file(folder / "m") == text);
    BOOST_CHECK_EXCEPTION(json_lines(folder / "none/m"), exception, says("No such file or directory"));
}

BOOST_AUTO_TEST_CASE(ticks_are_round_numbers) {
    auto const labels = [](axis_ticks const& axis) {
        std::string out;
        for (auto const& tick : axis.ticks) out += tick.second + " ";
        return out;
    };
    BOOST_TEST(labels(axis_ticks(0, 2000, false, 8, false)) == "0 500 1000 1500 2000 ");
    BOOST_TEST(labels(axis_ticks(1.43, 4.2, false, 6, true)) == "1.0 1.5 2.0 2.5 3.0 3.5 4.0 4.5 ");
    BOOST_TEST(labels(axis_ticks(-0.25, 0.25, false, 5, false)) == "-0.2 -0.1 0 0.1 0.2 ");
    BOOST_TEST(labels(axis_ticks(0.0001, 0.001, false, 5, true)) == "0 0.0002 0.0004 0.0006 0.0008 0.0010 ");
    BOOST_TEST(labels(axis_ticks(1, 1000, true, 8, false)) == "1 2 5 10 20 50 100 200 500 1000 ");
    BOOST_TEST(labels(axis_ticks(1e-6, 1e2, true, 8, false)) == "1e-06 0.00001 0.0001 0.001 0.01 0.1 1 10 100 ");
    const axis_ticks axis(1.43, 4.2, false, 6, true);
    BOOST_TEST(axis.low == 1.0);
    BOOST_TEST(axis.high == 4.5);
    BOOST_TEST(axis.fraction(1.0) == 0.0);
    BOOST_TEST(axis.fraction(4.5) == 1.0);
    const axis_ticks decades(1, 10000, true, 8, false);
    BOOST_TEST(std::fabs(decades.fraction(100) - 0.5) < 1e-12);
    for (bool logarithmic : {false, true}) {
        for (auto [low, high] :
             {std::pair{3.0, 3.0}, {1.0, -1.0}, {1e-300, 1e300}, {1e-12, 2e-12}, {5.0, 5.0 + 1e-14}}) {
            const axis_ticks odd(low, high, logarithmic, 6, true);
            BOOST_TEST(odd.low < odd.high);
            BOOST_TEST(odd.ticks.size() <= 12u);
            if (low <= high) BOOST_TEST((odd.fraction(low) >= 0.0 && odd.fraction(high) <= 1.0));
        }
    }
}

BOOST_AUTO_TEST_CASE(a_plot_shows_series_labels_and_gaps) {
    temporary_folder folder;
    line_plot plot("loss <a & b>");
    plot.x_label = "step";
    plot.y_label = "nats";
    const double nan = std::nan("");
    plot.add("train", {0, 1, 2, 3, 4, 5}, {4, 3, nan, 2, 1.5, 1.4});
    plot.add("validation", {2}, {2.2});
    plot.save(folder / "a.svg");
    const std::string svg = read_file(folder / "a.svg");
    BOOST_TEST(svg == plot.svg());
    BOOST_TEST(count(svg, "<polyline") == 2u);  // the gap splits the line
    BOOST_TEST(count(svg, "<circle") == 1u);    // a single point is a dot
    BOOST_TEST(count(svg, "loss &lt;a &amp; b&gt;") == 1u);
    BOOST_TEST(count(svg, ">validation<") == 1u);
    BOOST_TEST(count(svg, "nan") == 0u);
    BOOST_TEST(count(svg, "inf") == 0u);
    plot.log_y = true;
    BOOST_TEST(plot.svg() != svg);
    BOOST_CHECK_EXCEPTION(plot.add("bad", {1, 2}, {1}), exception, says("bad: expected 2 values of y, found 1"));
    const std::string empty = line_plot("nothing").svg();
    BOOST_TEST(count(empty, "<polyline") == 0u);
    BOOST_TEST(count(empty, "nan") == 0u);
}

BOOST_AUTO_TEST_CASE(long_series_are_thinned_but_keep_their_spikes) {
    std::vector<double> x, y;
    for (int i = 0; i < 200'000; ++i) {
        x.push_back(i);
        y.push_back(i == 123'456 ? 10.0 : 1.0 + 0.5 * std::sin(i * 0.1));
    }
    line_plot plot;
    plot.add("", x, y);
    const std::string svg = plot.svg();
    BOOST_TEST(svg.size() < 150'000u);
    BOOST_TEST(svg.find(",48.00 ") != std::string::npos);  // the top of the frame: y = 10
}

BOOST_AUTO_TEST_CASE(the_progress_line_fits_its_width) {
    progress bar(2000, 0, std::fopen("/dev/null", "w"));
    bar.update(1160, "loss 1.88");
    using namespace std::chrono_literals;
    BOOST_TEST(bar.line(80, 58s) == "[#################-------------]  58%  1160/2000  loss 1.88  0:58 < 0:42");
    BOOST_TEST(bar.line(60, 58s) == "[#########--------]  58%  1160/2000  loss 1.88  0:58 < 0:42");
    BOOST_TEST(bar.line(45, 58s) == " 58%  1160/2000  loss 1.88  0:58 < 0:42");
    BOOST_TEST(bar.line(10, 58s) == " 58%  1160");
    for (std::size_t width = 0; width < 130; ++width) BOOST_TEST(bar.line(width, 58s).size() <= width);
    bar.update(2000);
    BOOST_TEST(bar.line(80, 100s) == "[##############################] 100%  2000/2000  1:40");
    BOOST_TEST(progress::duration_text(7) == "0:07");
    BOOST_TEST(progress::duration_text(3725) == "1:02:05");
    BOOST_TEST(progress::duration_text(200'000) == "2d 07:33");
    BOOST_TEST(progress::duration_text(-1) == "?");
    BOOST_TEST(progress::duration_text(std::numeric_limits<double>::infinity()) == "?");
    BOOST_TEST(progress(0, 0, stderr).line(80, 0s).starts_with("[####"));
}

BOOST_AUTO_TEST_CASE(a_log_file_gets_few_plain_lines) {
    temporary_folder folder;
    std::FILE* stream = std::fopen((folder / "log").c_str(), "w");
    {
        progress bar(1000, 0, stream);
        for (std::size_t step = 1; step <= 1000; ++step) bar.update(step, "loss");
        bar.finish();
        bar.finish();
    }
    std::fclose(stream);
    const std::string log = read_file(folder / "log");
    BOOST_TEST(count(log, "\n") == 2u);  // the first and the last
    BOOST_TEST(count(log, "\r") == 0u);
    BOOST_TEST(count(log, "\x1b") == 0u);
    BOOST_TEST(log.find("1000/1000  loss") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(an_unfinished_progress_ends_with_its_last_state) {
    temporary_folder folder;
    std::FILE* stream = std::fopen((folder / "log").c_str(), "w");
    {
        progress bar(1000, 0, stream);
        for (std::size_t step = 1; step <= 77; ++step) bar.update(step);
    }
    std::fclose(stream);
    BOOST_TEST(count(read_file(folder / "log"), "77/1000") == 1u);
}
