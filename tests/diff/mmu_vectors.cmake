# The sample in the tree runs everywhere; the other recordings where they are.
add_test(NAME diff.mmu_sample COMMAND mmu_vectors ${CMAKE_CURRENT_SOURCE_DIR}/data/mmu/sample.jsonl.gz)
faultline_vectors_test(diff.mmu_5level mmu_vectors mmu/5level.jsonl.gz)
