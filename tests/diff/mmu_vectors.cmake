# The samples in the tree run everywhere; the other recordings where they are.
file(GLOB samples CONFIGURE_DEPENDS data/mmu/sample*.jsonl.gz)
add_test(NAME diff.mmu_sample COMMAND mmu_vectors ${samples})
foreach(mode 32bit pae 5level)
  faultline_vectors_test(diff.mmu_${mode} mmu_vectors mmu/${mode}.jsonl.gz)
endforeach()
