/* A reference string in which the page of rank k is used k^-0.99 times as often as the first. */
#ifndef FAULTLINE_BENCH_ZIPF_H
#define FAULTLINE_BENCH_ZIPF_H

#include <stdint.h>

/* Always the same; to be freed. Ends the program when the host has no memory. */
uint32_t *zipf_string(uint32_t pages, uint32_t references);

#endif
