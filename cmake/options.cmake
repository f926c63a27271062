# What every target is compiled with.
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
# A shared object may link our archive: an addon of another language, a plug-in.
set(CMAKE_POSITION_INDEPENDENT_CODE ON)

option(SLUICE_BUILD_TESTS "Build the tests" ON)
option(SLUICE_BUILD_PROGRAM "Build the program `sluice`" ON)
option(SLUICE_BUILD_BENCH "Build the benchmarks (needs SQLite)" OFF)
option(SLUICE_BUILD_NODE "Build the addon of Node.js (after `npm install` in node/)" OFF)
option(SLUICE_BUILD_FUZZERS "Build tests/fuzz (clang only)" OFF)
option(SLUICE_PRECOMPILE "Parse the headers of the standard library once for many files" OFF)
set(SLUICE_TESTS_ABOUT "" CACHE STRING "Build only files with a test that has this in its name")
option(SLUICE_COVERAGE "Count which lines and branches run (clang only)" OFF)
set(SLUICE_MARCH "x86-64-v2" CACHE STRING "Least x86-64 level to run on (simdjson and XXH3 profit from v3)")
set(SLUICE_SANITIZE "" CACHE STRING "Sanitizers, as -fsanitize= takes them")

if(NOT CMAKE_BUILD_TYPE)
    set(CMAKE_BUILD_TYPE RelWithDebInfo CACHE STRING "" FORCE)
endif()
find_program(CCACHE ccache)
if(CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
    set(CMAKE_CXX_COMPILER_LAUNCHER ${CCACHE})
endif()

find_package(Threads REQUIRED)
find_package(simdjson REQUIRED)
find_package(PkgConfig REQUIRED)
pkg_check_modules(sodium REQUIRED IMPORTED_TARGET libsodium)
pkg_check_modules(xxhash REQUIRED IMPORTED_TARGET libxxhash)
pkg_check_modules(utf8proc REQUIRED IMPORTED_TARGET libutf8proc)
find_library(STEMMER_LIBRARY stemmer REQUIRED) # It comes without a .pc file.

add_library(sluice_options INTERFACE)
target_compile_options(sluice_options INTERFACE
    -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wnon-virtual-dtor
    -Woverloaded-virtual -Werror)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    # g++ 12 sees overlaps in "text" + std::to_string(n) that are not there (its bug 105329).
    target_compile_options(sluice_options INTERFACE -Wno-restrict)
endif()
if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64" AND SLUICE_MARCH)
    target_compile_options(sluice_options INTERFACE -march=${SLUICE_MARCH})
endif()
if(SLUICE_SANITIZE)
    target_compile_options(sluice_options INTERFACE
        -fsanitize=${SLUICE_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
    target_link_options(sluice_options INTERFACE -fsanitize=${SLUICE_SANITIZE})
endif()
if(SLUICE_BUILD_FUZZERS)
    target_compile_options(sluice_options INTERFACE -fsanitize=fuzzer-no-link)
endif()
if(SLUICE_COVERAGE)
    target_compile_options(sluice_options INTERFACE -fprofile-instr-generate -fcoverage-mapping)
    target_link_options(sluice_options INTERFACE -fprofile-instr-generate)
endif()
target_link_libraries(sluice_options INTERFACE Threads::Threads)

include(cmake/hardening.cmake)
sluice_harden(sluice_options)
