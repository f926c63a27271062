# The program `sluice` (src/cli): its version, and the man page and completions that it prints of itself.
target_compile_definitions(sluice_cli PRIVATE SLUICE_VERSION="${PROJECT_VERSION}")
# CLI11 is most of what its sources take to compile: it is compiled for eight of them at once.
if(NOT CMAKE_CXX_CLANG_TIDY)
    set_target_properties(sluice_cli PROPERTIES UNITY_BUILD ON UNITY_BUILD_BATCH_SIZE 8)
endif()

set(self_description ${PROJECT_BINARY_DIR}/self-description)
file(MAKE_DIRECTORY ${self_description})
add_custom_command(
    OUTPUT ${self_description}/sluice.1 ${self_description}/sluice ${self_description}/_sluice
           ${self_description}/sluice.fish
    COMMAND cli_main man > ${self_description}/sluice.1
    COMMAND cli_main completion bash > ${self_description}/sluice
    COMMAND cli_main completion zsh > ${self_description}/_sluice
    COMMAND cli_main completion fish > ${self_description}/sluice.fish
    DEPENDS cli_main
    COMMENT "Man page and shell completions"
    VERBATIM)
add_custom_target(sluice_self_description ALL DEPENDS ${self_description}/sluice.1)

install(FILES ${self_description}/sluice.1 DESTINATION ${CMAKE_INSTALL_MANDIR}/man1)
install(FILES ${self_description}/sluice
        DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions)
install(FILES ${self_description}/_sluice DESTINATION ${CMAKE_INSTALL_DATADIR}/zsh/site-functions)
install(FILES ${self_description}/sluice.fish
        DESTINATION ${CMAKE_INSTALL_DATADIR}/fish/vendor_completions.d)
