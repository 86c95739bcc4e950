# Recorded answers of the course's simulators; a few lie in the tree, so that a lone clone compares too.
faultline_vectors_test(diff.ostep ostep_vectors ostep/*.json)
file(GLOB samples CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/data/ostep/*.json)
add_test(NAME diff.ostep_sample COMMAND ostep_vectors ${samples})
