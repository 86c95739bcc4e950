# Flags that hold for every target: warnings, sanitizers, coverage, link-time optimisation.
include(CheckCCompilerFlag)
include(CheckIPOSupported)

set(FAULTLINE_WARNINGS
    -Wall -Wextra -Wpedantic -Wconversion -Wsign-conversion -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wundef
    -Wswitch-enum -Wcast-qual -Wwrite-strings -Wvla -Werror)

# -O0 makes a simulator too slow to test; -Og keeps every variable visible to the debugger.
set(CMAKE_C_FLAGS_DEBUG "-Og -g")

if(FAULTLINE_SANITIZERS)
  add_compile_options(-fsanitize=${FAULTLINE_SANITIZERS} -fno-sanitize-recover=all -fno-omit-frame-pointer)
  add_link_options(-fsanitize=${FAULTLINE_SANITIZERS})
endif()

if(FAULTLINE_COVERAGE)
  set(CMAKE_C_FLAGS_DEBUG "-O0 -g")
  # Worlds run in several threads: a counter that is not atomic can even turn negative, which gcovr refuses to read.
  add_compile_options(--coverage -fprofile-update=atomic)
  add_link_options(--coverage)
endif()

# Same document, same bytes: a fused multiply-add rounds once where two operations round twice.
add_compile_options(-ffp-contract=off)

# The harnesses bring libFuzzer's main; everything else only needs to tell it where it has been.
if(FAULTLINE_FUZZ)
  if(NOT CMAKE_C_COMPILER_ID MATCHES "Clang")
    message(FATAL_ERROR "FAULTLINE_FUZZ needs clang: libFuzzer is part of it")
  endif()
  add_compile_options(-fsanitize=fuzzer-no-link)
endif()

# Link-time optimisation where the objects stay usable without it: an installed archive of pure intermediate code could
# only be linked by the very compiler that made it.
set(FAULTLINE_LTO OFF)
if(CMAKE_BUILD_TYPE STREQUAL "Release" AND NOT FAULTLINE_SANITIZERS)
  check_c_compiler_flag(-ffat-lto-objects FAULTLINE_HAS_FAT_LTO)
  check_ipo_supported(RESULT ipo_works LANGUAGES C)
  # clang before 17 takes the flag and ignores it.
  if(FAULTLINE_HAS_FAT_LTO AND ipo_works AND CMAKE_C_COMPILER_ID STREQUAL "GNU")
    set(FAULTLINE_LTO ON)
  endif()
endif()
