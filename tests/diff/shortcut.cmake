# Every lesson and every recording in the tree, with the MMU's shortcut and without; and the large recordings.
file(GLOB lessons CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/workloads/*.json ${CMAKE_CURRENT_SOURCE_DIR}/data/libc/*.ops)
add_test(NAME diff.shortcut COMMAND shortcut ${lessons})
set_tests_properties(diff.shortcut PROPERTIES TIMEOUT 600)
faultline_vectors_test(diff.shortcut_recordings shortcut libc/*.ops libc/trace-*.ops.gz)
