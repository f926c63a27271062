# One archive with all layers but the programs, the public headers, and what find_package(sluice) and
# pkg-config need. tests/install builds a program against the result.
include(CMakePackageConfigHelpers)

get_property(layers GLOBAL PROPERTY SLUICE_LAYERS)
list(REMOVE_ITEM layers sluice_cli)
list(TRANSFORM layers REPLACE "(.+)" "$<TARGET_OBJECTS:\\1>" OUTPUT_VARIABLE objects)

add_library(sluice STATIC ${objects})
set_target_properties(sluice PROPERTIES LINKER_LANGUAGE CXX)
target_compile_features(sluice INTERFACE cxx_std_20)
target_include_directories(sluice INTERFACE
    $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include>
    $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
target_link_libraries(sluice INTERFACE
    simdjson::simdjson PkgConfig::sodium PkgConfig::xxhash PkgConfig::utf8proc stemmer
    Threads::Threads)
if(SLUICE_SANITIZE)
    target_link_options(sluice INTERFACE -fsanitize=${SLUICE_SANITIZE})
endif()
add_library(sluice::sluice ALIAS sluice)

set(package_folder ${CMAKE_INSTALL_LIBDIR}/cmake/sluice)
install(TARGETS sluice EXPORT sluiceTargets ARCHIVE)
install(DIRECTORY include/sluice TYPE INCLUDE)
install(EXPORT sluiceTargets NAMESPACE sluice:: DESTINATION ${package_folder})
write_basic_package_version_file(sluiceConfigVersion.cmake COMPATIBILITY SameMinorVersion)
file(RELATIVE_PATH pc_to_include
    ${CMAKE_INSTALL_FULL_LIBDIR}/pkgconfig ${CMAKE_INSTALL_FULL_INCLUDEDIR})
configure_file(cmake/sluice.pc.in sluice.pc @ONLY)
install(FILES cmake/sluiceConfig.cmake ${PROJECT_BINARY_DIR}/sluiceConfigVersion.cmake
        DESTINATION ${package_folder})
install(FILES ${PROJECT_BINARY_DIR}/sluice.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
install(FILES LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR})
