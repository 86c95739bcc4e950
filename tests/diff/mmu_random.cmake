# Looks inside: it loads control registers that the processor refuses.
target_include_directories(mmu_random PRIVATE ${PROJECT_SOURCE_DIR}/sim/machine)
add_test(NAME diff.mmu_random COMMAND mmu_random)
