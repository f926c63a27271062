# sluice_layer(name [layers it links]): src/name/*.cpp is one static library, src/name/*_test.cpp one
# test program beside it.
if(SLUICE_BUILD_TESTS)
    enable_testing()
    find_package(GTest REQUIRED)
    include(GoogleTest)
endif()

function(sluice_layer name)
    set(folder ${CMAKE_CURRENT_SOURCE_DIR}/src/${name})
    file(GLOB sources CONFIGURE_DEPENDS ${folder}/*.cpp)
    set(tests ${sources})
    list(FILTER tests INCLUDE REGEX "_test\\.cpp$")
    list(FILTER sources EXCLUDE REGEX "(_test|/main)\\.cpp$")
    if(NOT sources)
        return()
    endif()

    add_library(sluice_${name} STATIC ${sources})
    target_include_directories(sluice_${name}
        PUBLIC ${CMAKE_CURRENT_SOURCE_DIR}/include
        PUBLIC ${CMAKE_CURRENT_SOURCE_DIR}/src)
    target_link_libraries(sluice_${name} PRIVATE sluice_options simdjson::simdjson PkgConfig::sodium PkgConfig::xxhash)
    foreach(layer ${ARGN})
        if(TARGET sluice_${layer})
            target_link_libraries(sluice_${name} PUBLIC sluice_${layer})
        endif()
    endforeach()

    if(EXISTS ${folder}/main.cpp)
        add_executable(${name}_main ${folder}/main.cpp)
        target_link_libraries(${name}_main PRIVATE sluice_${name} sluice_options)
        set_target_properties(${name}_main PROPERTIES OUTPUT_NAME sluice)
    endif()

    if(SLUICE_BUILD_TESTS AND tests)
        add_executable(sluice_${name}_test ${tests})
        target_include_directories(sluice_${name}_test PRIVATE ${CMAKE_CURRENT_SOURCE_DIR}/tests)
        target_link_libraries(sluice_${name}_test PRIVATE sluice_${name} sluice_options GTest::gtest_main)
        target_precompile_headers(sluice_${name}_test PRIVATE <gtest/gtest.h>)
        gtest_discover_tests(sluice_${name}_test DISCOVERY_TIMEOUT 60)
    endif()
endfunction()
