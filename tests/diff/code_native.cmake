# A few seconds here; by hand as long as one likes: code_native SECONDS SEED.
add_test(NAME diff.code_native COMMAND code_native 3)
set_tests_properties(diff.code_native PROPERTIES SKIP_RETURN_CODE ${FAULTLINE_SKIPPED})
