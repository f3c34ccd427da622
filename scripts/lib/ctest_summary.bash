# Sourced by the scripts: runs ctest and counts.
passed=0 failed=0

# run_ctest <build folder> [ctest option...]: shows ctest's output; adds to `passed` and `failed`.
run_ctest() {
    local folder=$1 log total broken
    shift
    log=$(mktemp)
    ctest --test-dir "$folder" --output-on-failure --no-tests=error "$@" 2>&1 | tee "$log" || true
    total=$(sed -n -E 's/.* tests failed out of ([0-9]+).*/\1/p' "$log" | tail -n 1)
    broken=$(sed -n -E 's/.*tests passed, ([0-9]+) tests failed out of.*/\1/p' "$log" | tail -n 1)
    rm -f "$log"
    if [ -z "$total" ]; then
        echo "expected a summary from ctest in $folder, found none"
        failed=$((failed + 1))
        return 0
    fi
    passed=$((passed + total - broken)) failed=$((failed + broken))
}

# must <what> <command...>: a step that counts only when it fails.
must() {
    local what=$1
    shift
    "$@" && return 0
    echo "FAILED: $what"
    failed=$((failed + 1))
    return 1
}
