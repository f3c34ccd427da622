# SPDX-License-Identifier: MIT
# build_example <target>: a program of examples/, whatever the preset's folder was used for before.
build_example() {
    cmake --preset release -DTENET_BUILD_EXAMPLES=ON -DTENET_BUILD_TESTS=OFF -DTENET_BUILD_BENCHMARKS=OFF &&
        cmake --build --preset release --target "$1"
}
