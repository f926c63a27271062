# sluice_layer(name [layers it links]): src/name/*.cpp is one static library, src/name/*_test.cpp one
# test program beside it, src/name/main.cpp the program `sluice`. A folder without sources is no
# target yet, and linking it means nothing.
if(SLUICE_BUILD_TESTS)
    enable_testing()
    find_package(GTest REQUIRED)
    include(GoogleTest)
endif()

# sluice_precompile(target first [headers]): parses what nearly every file includes once for all targets
# that are compiled like `first`. Another build has to show that every file includes what it needs.
function(sluice_precompile target first)
    if(NOT SLUICE_PRECOMPILE OR target STREQUAL "sluice_cli") # That has its own: program.cmake.
        return()
    endif()
    if(target STREQUAL first)
        target_precompile_headers(${target} PRIVATE
            <algorithm> <array> <atomic> <cstdint> <cstring> <filesystem> <functional> <map> <memory> <mutex>
            <optional> <span> <string> <string_view> <thread> <unordered_map> <variant> <vector> ${ARGN})
    else()
        target_precompile_headers(${target} REUSE_FROM ${first})
    endif()
endfunction()

# Leaves the files of tests that the build is about: all, or those with a test named like SLUICE_TESTS_ABOUT.
function(keep_wanted_tests list)
    if(NOT SLUICE_TESTS_ABOUT)
        return()
    endif()
    set(wanted)
    foreach(test ${${list}})
        file(STRINGS ${test} found REGEX "^TEST(_[FP])?\\([^)]*${SLUICE_TESTS_ABOUT}" LIMIT_COUNT 1)
        if(found)
            list(APPEND wanted ${test})
        endif()
    endforeach()
    set(${list} ${wanted} PARENT_SCOPE)
endfunction()

# sluice_test(target [libraries]): what every test program has in common.
function(sluice_test target)
    target_include_directories(${target} PRIVATE ${PROJECT_SOURCE_DIR}/tests)
    target_compile_definitions(${target} PRIVATE SLUICE_SOURCE_DIR="${PROJECT_SOURCE_DIR}")
    target_link_libraries(${target} PRIVATE ${ARGN} sluice_options GTest::gtest_main)
    # Most tests run for less time than it takes to optimize them. Histories do not.
    # And what is undefined is looked for in what they test.
    if(SLUICE_SANITIZE)
        if(target MATCHES "_(store|property|crash|kill)_test$")
            target_compile_options(${target} PRIVATE -O1)
        else()
            target_compile_options(${target} PRIVATE -O0)
            sluice_precompile(${target} sluice_base_test <fstream> <gtest/gtest.h>)
        endif()
        target_compile_options(${target} PRIVATE -fno-sanitize=undefined,fuzzer-no-link)
    endif()
    target_compile_options(${target} PRIVATE $<$<CONFIG:RelWithDebInfo>:-O1>)
    # The longest begin first, so that none is left to run alone.
    set(cost 1)
    if(target MATCHES "_(property|crash|kill)_test$")
        set(cost 100)
    endif()
    gtest_discover_tests(${target} DISCOVERY_TIMEOUT 120 PROPERTIES TIMEOUT 600 COST ${cost})
endfunction()

function(sluice_layer name)
    if(name STREQUAL "node")
        return() # cmake/node.cmake builds it, over the library as others install it: it knows no layer.
    endif()
    if(name STREQUAL "cli" AND NOT SLUICE_BUILD_PROGRAM)
        return()
    endif()
    set(folder ${PROJECT_SOURCE_DIR}/src/${name})
    file(GLOB sources CONFIGURE_DEPENDS ${folder}/*.cpp)
    set(tests ${sources})
    list(FILTER tests INCLUDE REGEX "_test\\.cpp$")
    keep_wanted_tests(tests)
    list(FILTER sources EXCLUDE REGEX "(_test|/main)\\.cpp$")
    if(NOT sources)
        return()
    endif()

    add_library(sluice_${name} STATIC ${sources})
    target_include_directories(sluice_${name}
        PUBLIC $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include>
               $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>
        PRIVATE ${PROJECT_SOURCE_DIR}/src)
    target_link_libraries(sluice_${name}
        PRIVATE $<BUILD_INTERFACE:sluice_options> simdjson::simdjson PkgConfig::sodium PkgConfig::xxhash
                PkgConfig::utf8proc $<BUILD_INTERFACE:${STEMMER_LIBRARY}>)
    sluice_precompile(sluice_${name} sluice_base)
    foreach(layer ${ARGN})
        if(TARGET sluice_${layer})
            target_link_libraries(sluice_${name} PUBLIC sluice_${layer})
        endif()
    endforeach()
    set_property(GLOBAL APPEND PROPERTY SLUICE_LAYERS sluice_${name})

    if(EXISTS ${folder}/main.cpp)
        add_executable(${name}_main ${folder}/main.cpp)
        target_include_directories(${name}_main PRIVATE ${PROJECT_SOURCE_DIR}/src)
        target_link_libraries(${name}_main PRIVATE sluice_${name} sluice_options)
        set_target_properties(${name}_main PROPERTIES OUTPUT_NAME sluice)
        install(TARGETS ${name}_main RUNTIME)
    endif()

    if(SLUICE_BUILD_TESTS AND tests)
        add_executable(sluice_${name}_test ${tests})
        target_include_directories(sluice_${name}_test PRIVATE ${PROJECT_SOURCE_DIR}/src)
        sluice_test(sluice_${name}_test sluice_${name} sluice_test_support)
    endif()
endfunction()
