# sluice_layer(name [layers it links]): src/name/*.cpp is one static library, src/name/*_test.cpp one
# test program beside it, src/name/main.cpp the program `sluice`. A folder without sources is no
# target yet, and linking it means nothing.
if(SLUICE_BUILD_TESTS)
    enable_testing()
    find_package(GTest REQUIRED)
    include(GoogleTest)
endif()

# sluice_test(target [libraries]): what every test program has in common.
function(sluice_test target)
    target_include_directories(${target} PRIVATE ${PROJECT_SOURCE_DIR}/tests)
    target_compile_definitions(${target} PRIVATE SLUICE_SOURCE_DIR="${PROJECT_SOURCE_DIR}")
    target_link_libraries(${target} PRIVATE ${ARGN} sluice_options GTest::gtest_main)
    # Most tests run for less time than it takes to optimize them. Histories do not.
    if(SLUICE_SANITIZE)
        target_compile_options(${target} PRIVATE -O0)
        get_target_property(tests ${target} SOURCES)
        list(FILTER tests INCLUDE REGEX "/(property|crash|kill)/|_property_test\\.cpp$")
        set_source_files_properties(${tests} PROPERTIES COMPILE_OPTIONS -O1)
    endif()
    target_compile_options(${target} PRIVATE $<$<CONFIG:RelWithDebInfo>:-O1>)
    gtest_discover_tests(${target} DISCOVERY_TIMEOUT 120 PROPERTIES TIMEOUT 600)
endfunction()

function(sluice_layer name)
    set(folder ${PROJECT_SOURCE_DIR}/src/${name})
    file(GLOB sources CONFIGURE_DEPENDS ${folder}/*.cpp)
    set(tests ${sources})
    list(FILTER tests INCLUDE REGEX "_test\\.cpp$")
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
