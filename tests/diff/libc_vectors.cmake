# All recordings of the real libc on the real kernel.
faultline_vectors_test(diff.libc libc_vectors libc/*.ops libc/*.ops.gz)
