# What optimized builds are compiled and linked with so that a mistake of ours in memory ends the
# program instead of serving whoever wrote the message that found it. Not in builds with sanitizers,
# which see more, nor in those without optimization, where glibc's checks do nothing.
# scripts/check-hardening looks for the traces of each in the program.
include(CheckCXXCompilerFlag)
include(CheckPIESupported)

option(SLUICE_HARDENING "Compile and link with the compiler's defences (cmake/hardening.cmake)" ON)

# Programs at an address that nobody knows beforehand.
check_pie_supported(LANGUAGES CXX)

function(sluice_harden target)
    if(NOT SLUICE_HARDENING OR SLUICE_SANITIZE)
        return()
    endif()
    set(optimized $<CONFIG:Release,RelWithDebInfo,MinSizeRel>)

    # A return address that was overwritten is noticed before it is used; a large frame touches each
    # of its pages, so that the stack cannot jump over its guard into the heap.
    set(flags -fstack-protector-strong -fstack-clash-protection)
    # Indirect jumps lead to the beginnings of functions only, where processor, kernel and C library
    # take part. Debian 12's do not yet; the marks cost nothing, and wait.
    check_cxx_compiler_flag(-fcf-protection SLUICE_HAS_CF_PROTECTION)
    if(SLUICE_HAS_CF_PROTECTION)
        list(APPEND flags -fcf-protection)
    endif()
    target_compile_options(${target} INTERFACE "$<${optimized}:${flags}>")

    # memcpy(), read() and the like check the sizes that the compiler knows. Level 3 knows those of
    # allocations whose size is computed, too: from gcc 12 on. Undefined first, because
    # distributions define a level of their own.
    set(level 2)
    if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_GREATER_EQUAL 12)
        set(level 3)
    endif()
    target_compile_options(${target} INTERFACE
        "$<${optimized}:-U_FORTIFY_SOURCE;-D_FORTIFY_SOURCE=${level}>")

    # operator[], front() and the like of the standard library check what they are given: where people
    # work and test. What is shipped goes without (docs/dead-ends.md has the cost), and has the
    # asserts and checks of our own.
    target_compile_definitions(${target} INTERFACE "$<$<CONFIG:RelWithDebInfo>:_GLIBCXX_ASSERTIONS>")

    # The table of functions of shared libraries is filled at the start and read-only afterwards; no
    # stack is executable.
    target_link_options(${target} INTERFACE
        "$<${optimized}:-Wl,-z,relro,-z,now,-z,noexecstack>")
endfunction()

# A test that the program has them, where it is to have them.
function(sluice_test_hardening program)
    if(NOT SLUICE_HARDENING OR SLUICE_SANITIZE OR NOT CMAKE_BUILD_TYPE MATCHES "^(Release|RelWithDebInfo|MinSizeRel)$")
        return()
    endif()
    add_test(NAME Hardening.OfTheProgramIsThere
             COMMAND ${PROJECT_SOURCE_DIR}/scripts/check-hardening $<TARGET_FILE:${program}>)
endfunction()
