# Sourced by the scripts: what they need from Debian 12.

library_packages=(cmake ninja-build g++ libtbb-dev libxsimd-dev libxtensor-dev nlohmann-json3-dev librandom123-dev
    libpcre2-dev)
test_packages=(libboost-test-dev)
example_packages=(libcli11-dev)
benchmark_packages=(libbenchmark-dev libcli11-dev)
corpus_packages=(bible-kjv bible-kjv-text)
modern_corpus_packages=(fortunes)
ci_packages=(python3-minimal clang-16 clang-19 libclang-rt-19-dev clang-format-19)

# ensure_packages <package>...: installs those that are missing; needs no network when none is.
ensure_packages() {
    local package missing=() as_root=()
    for package in "$@"; do
        dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null | grep -q '^installed$' || missing+=("$package")
    done
    [ ${#missing[@]} -eq 0 ] && return 0
    echo "Installing: ${missing[*]}"
    if [ "$(id -u)" -ne 0 ]; then
        command -v sudo >/dev/null || { echo "$0: expected root or sudo to install packages, found neither" >&2; return 1; }
        as_root=(sudo)
    fi
    "${as_root[@]}" apt-get update -q
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends "${missing[@]}"
}
