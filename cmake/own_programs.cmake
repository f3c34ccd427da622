# What tenet's own programs (tests, examples, benchmarks) are compiled with. None of it reaches a user of the library.
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin)

add_library(tenet_warnings INTERFACE)
target_compile_options(tenet_warnings INTERFACE
  -Wall -Wextra -Wpedantic -Wconversion -Wsign-conversion -Wshadow -Werror)
# g++ 12 takes the undefined registers inside its own AVX-512 intrinsics for an oversight (GCC bug 105593), and
# sees overlaps in its own string concatenation (GCC bug 105651).
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
  target_compile_options(tenet_warnings INTERFACE -Wno-maybe-uninitialized -Wno-restrict)
endif()

# sqrt becomes one instruction without errno; a * b + c may be rounded once.
add_library(tenet_options INTERFACE)
target_compile_options(tenet_options INTERFACE -fno-math-errno -ffp-contract=fast)
if(TENET_NATIVE)
  target_compile_options(tenet_options INTERFACE -march=native)
endif()
if(TENET_SANITIZE)
  target_compile_options(tenet_options INTERFACE
    -fsanitize=${TENET_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
  target_link_options(tenet_options INTERFACE -fsanitize=${TENET_SANITIZE})
endif()

# tenet_program(<target> <source>... [LINK <library>...]): one of tenet's own programs, in <build>/bin.
function(tenet_program target)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "LINK")
  add_executable(${target} ${arg_UNPARSED_ARGUMENTS})
  target_link_libraries(${target} PRIVATE tenet::tenet tenet::short_errors tenet_options tenet_warnings ${arg_LINK})
endfunction()
