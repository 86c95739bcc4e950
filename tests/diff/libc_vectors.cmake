# Lists on which every operation agrees with the recording.
faultline_vectors_test(diff.libc libc_vectors libc/fuzz-*-tcache.ops libc/fuzz-*-fastbin.ops libc/fuzz-*-small.ops
                       libc/trace-tar.ops.gz libc/trace-gs.ops.gz libc/trace-perl.ops.gz)
