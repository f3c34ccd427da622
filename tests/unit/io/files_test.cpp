// SPDX-License-Identifier: MIT
// Atomic files, mapped files and interrupts.
#define BOOST_TEST_MODULE io_files
#include <boost/test/unit_test.hpp>

#include <csignal>
#include <stdexcept>
#include <string>

#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <tenet/io/atomic_file.hpp>
#include <tenet/io/interrupt.hpp>
#include <tenet/io/mapped_file.hpp>

#include "temporary_folder.hpp"

using namespace tenet;

BOOST_AUTO_TEST_CASE(commit_makes_the_file_appear_whole) {
    temporary_folder folder;
    atomic_file file(folder / "a");
    file.write("hello ");
    file.write("world");
    BOOST_TEST(!std::filesystem::exists(folder / "a"));
    file.commit();
    BOOST_TEST(read_file(folder / "a") == "hello world");
    BOOST_TEST(folder.file_count() == 1u);
    BOOST_CHECK_EXCEPTION(file.write("x"), exception, says("expected an open file, found a committed one"));
    BOOST_CHECK_EXCEPTION(file.commit(), exception, says("expected an open file, found a committed one"));
    BOOST_TEST(read_file(folder / "a") == "hello world");
}

BOOST_AUTO_TEST_CASE(a_throw_between_leaves_the_old_file) {
    temporary_folder folder;
    write_file(folder / "a", "old");
    try {
        atomic_file file(folder / "a");
        file.write("new");
        BOOST_TEST(folder.file_count() == 2u);
        throw std::runtime_error("between");
    } catch (std::runtime_error const&) {
    }
    BOOST_TEST(read_file(folder / "a") == "old");
    BOOST_TEST(folder.file_count() == 1u);
}

BOOST_AUTO_TEST_CASE(a_failed_write_leaves_the_old_file) {
    temporary_folder folder;
    write_file(folder / "a", "old");
    // A limit on file sizes stands in for a full disk: the write fails halfway.
    ::rlimit before{};
    ::getrlimit(RLIMIT_FSIZE, &before);
    std::signal(SIGXFSZ, SIG_IGN);
    const ::rlimit small{1000, before.rlim_max};
    ::setrlimit(RLIMIT_FSIZE, &small);
    const std::string text(5000, 'x');
    auto const write = [&] {
        atomic_file file(folder / "a");
        file.write(text);
        file.commit();
    };
    BOOST_CHECK_EXCEPTION(write(), exception, says("File too large"));
    ::setrlimit(RLIMIT_FSIZE, &before);
    BOOST_TEST(read_file(folder / "a") == "old");
    BOOST_TEST(folder.file_count() == 1u);
}

BOOST_AUTO_TEST_CASE(permissions_and_links_are_kept) {
    temporary_folder folder;
    write_file(folder / "real", "old");
    ::chmod((folder / "real").c_str(), 0640);
    std::filesystem::create_symlink("real", folder / "link");
    atomic_file file(folder / "link");
    file.write("new");
    file.commit();
    BOOST_TEST(std::filesystem::is_symlink(folder / "link"));
    BOOST_TEST(read_file(folder / "real") == "new");
    struct ::stat status{};
    ::stat((folder / "real").c_str(), &status);
    BOOST_TEST((status.st_mode & 0777u) == 0640u);
}

BOOST_AUTO_TEST_CASE(two_writers_do_not_meet) {
    temporary_folder folder;
    atomic_file a(folder / "a"), b(folder / "a");
    a.write("from a");
    b.write("from b");
    a.commit();
    BOOST_TEST(read_file(folder / "a") == "from a");
    b.commit();
    BOOST_TEST(read_file(folder / "a") == "from b");
}

BOOST_AUTO_TEST_CASE(atomic_file_errors_name_path_and_reason) {
    temporary_folder folder;
    BOOST_CHECK_EXCEPTION(atomic_file(folder / "none/a"), exception, says("No such file or directory"));
    BOOST_CHECK_EXCEPTION(atomic_file(folder / "none/a"), exception, says("none/a"));
    BOOST_CHECK_EXCEPTION(atomic_file{folder.path}, exception, says("Is a directory"));
}

BOOST_AUTO_TEST_CASE(a_relative_path_without_folder) {
    temporary_folder folder;
    const auto before = std::filesystem::current_path();
    std::filesystem::current_path(folder.path);
    {
        atomic_file file("plain");
        file.write("here");
        file.commit();
    }
    std::filesystem::current_path(before);
    BOOST_TEST(read_file(folder / "plain") == "here");
}

BOOST_AUTO_TEST_CASE(mapped_files) {
    temporary_folder folder;
    write_file(folder / "a", std::string("some\0bytes", 10));
    mapped_file file(folder / "a");
    BOOST_TEST(file.text() == std::string_view("some\0bytes", 10));
    BOOST_TEST(file.bytes().size() == 10u);
    BOOST_TEST(static_cast<int>(file.bytes()[4]) == 0);
    auto const* where = file.bytes().data();
    mapped_file moved(std::move(file));
    BOOST_TEST(moved.bytes().data() == where);
    write_file(folder / "empty", "");
    moved = mapped_file(folder / "empty");
    BOOST_TEST(moved.bytes().empty());
    BOOST_TEST(moved.text().empty());
}

BOOST_AUTO_TEST_CASE(mapped_file_errors_name_path_and_reason) {
    temporary_folder folder;
    BOOST_CHECK_EXCEPTION(mapped_file(folder / "none"), exception, says("none: No such file or directory"));
    BOOST_CHECK_EXCEPTION(mapped_file{folder.path}, exception, says("Is a directory"));
    BOOST_CHECK_EXCEPTION(mapped_file{"/dev/null"}, exception, says("/dev/null"));
}

namespace {
int signals_seen = 0;
void count_signal(int) {
    ++signals_seen;
}
}  // namespace

BOOST_AUTO_TEST_CASE(the_first_signal_raises_a_flag_and_the_former_handler_returns) {
    std::signal(SIGINT, count_signal);
    {
        interrupt_scope outer;
        BOOST_TEST(!outer.interrupted());
        {
            interrupt_scope inner;
            std::raise(SIGINT);
            BOOST_TEST(inner.interrupted());
        }
        BOOST_TEST(outer.interrupted());
        BOOST_TEST(outer.signal_number() == SIGINT);
    }
    BOOST_TEST(signals_seen == 0);
    std::raise(SIGINT);
    BOOST_TEST(signals_seen == 1);
    std::signal(SIGINT, SIG_DFL);
    interrupt_scope again;
    BOOST_TEST(!again.interrupted());
    std::raise(SIGTERM);
    BOOST_TEST(again.signal_number() == SIGTERM);
}

BOOST_AUTO_TEST_CASE(the_second_signal_terminates) {
    const ::pid_t child = ::fork();
    if (child == 0) {
        interrupt_scope guard;
        std::raise(SIGINT);
        if (!guard.interrupted()) ::_exit(3);
        std::raise(SIGINT);
        ::_exit(4);
    }
    int status = 0;
    BOOST_REQUIRE(::waitpid(child, &status, 0) == child);
    BOOST_TEST(WIFSIGNALED(status));
    BOOST_TEST(WTERMSIG(status) == SIGINT);
}

BOOST_AUTO_TEST_CASE(an_ignored_signal_stays_ignored) {
    std::signal(SIGINT, SIG_IGN);
    {
        interrupt_scope guard;
        std::raise(SIGINT);
        BOOST_TEST(!guard.interrupted());
    }
    BOOST_TEST((std::signal(SIGINT, SIG_DFL) == SIG_IGN));
}
