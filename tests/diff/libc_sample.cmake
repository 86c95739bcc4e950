# A few recordings of the real libc lie in the tree, so that a lone clone compares too. Format: tests/data/libc/README.md.
file(GLOB samples CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/data/libc/*.ops)
add_test(NAME diff.libc_sample COMMAND libc_vectors ${samples})
