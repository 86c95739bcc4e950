# Looks inside the kernel: a deadly access is one that it would refuse. What the host says is its kernel's business, of
# release 6.x; on another system the test is skipped.
target_sources(vma_native PRIVATE diff/vma/sequence.c diff/vma/native.c diff/vma/simulated.c)
target_include_directories(vma_native PRIVATE ${PROJECT_SOURCE_DIR}/sim/kernel diff/vma)
add_test(NAME diff.vma_native COMMAND vma_native)
add_test(NAME diff.vma_native_huge COMMAND vma_native 60 1 huge)
add_test(NAME diff.vma_native_hugetlb COMMAND vma_native 60 1 hugetlb)
set_tests_properties(diff.vma_native diff.vma_native_huge diff.vma_native_hugetlb PROPERTIES SKIP_RETURN_CODE 77)
