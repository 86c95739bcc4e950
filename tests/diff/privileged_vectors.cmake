# The sample in the tree runs everywhere; all recordings where they are.
add_test(NAME diff.privileged_sample COMMAND privileged_vectors ${CMAKE_CURRENT_SOURCE_DIR}/data/mmu/privileged.jsonl)
faultline_vectors_test(diff.privileged privileged_vectors mmu/privileged.jsonl)
