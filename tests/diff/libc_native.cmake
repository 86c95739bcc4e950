# Random op lists, here and on this computer's own glibc. The recorded program is linked with nothing else, and bound
# at its start, so that no fault is the loader's.
target_sources(libc_native PRIVATE diff/native/generate.c diff/native/list.c diff/native/pagemap.c diff/native/record.c
                                   diff/native/shrink.c)
add_executable(libc_native_child diff/native/child.c)
target_compile_options(libc_native_child PRIVATE -O2)
target_link_options(libc_native_child PRIVATE -Wl,-z,now)
add_dependencies(libc_native libc_native_child)
target_compile_definitions(libc_native PRIVATE LIBC_NATIVE_CHILD="$<TARGET_FILE:libc_native_child>")
set(FAULTLINE_NATIVE_SECONDS 15 CACHE STRING "Seconds for which diff.libc_native compares random lists")
add_test(NAME diff.libc_native COMMAND libc_native --threads --seconds ${FAULTLINE_NATIVE_SECONDS})
set_tests_properties(diff.libc_native PROPERTIES SKIP_RETURN_CODE ${FAULTLINE_SKIPPED} TIMEOUT 240)
