/* How values read in sentences and tables: sizes with their unit, results of system calls, error codes, page-table
 * entries. Values come in and text goes out; nothing here knows a world. */
#ifndef FAULTLINE_PHRASE_H
#define FAULTLINE_PHRASE_H

#include <stdint.h>

#include "faultline/pte.h"

struct phrase {
	char text[128];
};

/* "100 KiB", "8 B", "1.5 MiB": the largest unit in which at most one decimal is needed, rounded down. */
struct phrase phrase_size(uint64_t bytes);

/* "1 page fault", "22 page faults"; the noun is given in the singular. */
struct phrase phrase_count(uint64_t count, const char *noun);
/* The noun alone, with a blank before it: " page faults"; "" of "". */
struct phrase phrase_nouns(uint64_t count, const char *noun);

/* "12 345 678": digits in groups of three. */
struct phrase phrase_number(uint64_t number);

/* What a system call left in RAX: "-ENOMEM", "7", or from 4096 up "0x555555581000". */
struct phrase phrase_result(uint64_t result);

/* The error code of a page fault bit by bit: "P=0 W=1 U=1 RSVD=0 I=0". SDM 3A 4.7 */
struct phrase phrase_fault_code(uint32_t error_code);
/* The same in words: "write in ring 3 to a page that is not present". */
struct phrase phrase_fault_words(uint32_t error_code);

/* The fields of an entry that are set: "frame 0x1a P RW US A D NX". Level 1 is a PTE, where bit 7 is PAT; an entry
 * that is not present has no fields, "not present". */
struct phrase phrase_entry(struct pte entry, unsigned level);

#endif
