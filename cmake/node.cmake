# The addon of the npm package sluice-db: src/node over the library as others get it, in one file that
# needs nothing of ours beside it.
set(node_modules ${PROJECT_SOURCE_DIR}/node/node_modules)
foreach(package node-api-headers/include/node_api.h node-addon-api/napi.h)
    if(NOT EXISTS ${node_modules}/${package})
        message(FATAL_ERROR "SLUICE_BUILD_NODE needs ${package}: run `npm install` in node/ first")
    endif()
endforeach()

file(GLOB sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/src/node/*.cpp)
add_library(sluice_addon MODULE ${sources})
target_include_directories(sluice_addon PRIVATE ${PROJECT_SOURCE_DIR}/src)
target_include_directories(sluice_addon SYSTEM PRIVATE
    ${node_modules}/node-api-headers/include ${node_modules}/node-addon-api)
target_compile_definitions(sluice_addon PRIVATE NAPI_VERSION=8 NODE_ADDON_API_CPP_EXCEPTIONS)
target_link_libraries(sluice_addon PRIVATE sluice::sluice sluice_options)
target_precompile_headers(sluice_addon PRIVATE <napi.h>)
set_target_properties(sluice_addon PROPERTIES
    PREFIX "" SUFFIX ".node" OUTPUT_NAME sluice CXX_VISIBILITY_PRESET hidden
    LIBRARY_OUTPUT_DIRECTORY ${PROJECT_SOURCE_DIR}/node/sluice-db/build)
