/* Where the reason of a kind of event does not hold, and what holds there instead. X(ID, kind, why) */
#ifndef FAULTLINE_TUI_REASON_CASES_H
#define FAULTLINE_TUI_REASON_CASES_H

#define REASON_CASE_LIST(X)                                                                                            \
	X(OP_AGAIN, OP_START, "Line {line}: {op} had to wait, and is tried again.")                                    \
	X(WALK_CACHED, WALK, "A paging-structure cache knew what is above. Read in RAM: {levels}, {outcome}.")         \
	X(INTERRUPT, EXCEPTION, "An interrupt, between two instructions; the IDT says where the kernel is.")           \
	X(TRAP, EXCEPTION, "{name} leads to the kernel; the IDT says where that is.")                                  \
	X(RING_OUT, RING, "The kernel lets ring {to} go on by {how}; it has said where.")                              \
	X(TABLE_SET, PTE_SET, "One table more: the walk for {va} gets one level further.")                             \
	X(READ_ONLY_SET, PTE_SET, "R/W=0: the MMU lets {va} be read; a write goes to the kernel.")                     \
	X(ABSENT_SET, PTE_SET, "P=0: a walk for {va} ends here, the other bits are the kernel's.")                     \
	X(SWAP_SET, PTE_SET, "P=0, and the rest names a slot of swap: a touch goes to the kernel.")                    \
	X(KEPT_SET, PTE_SET, "P=0 though the frame stays: PROT_NONE, nobody may touch {va}.")                          \
	X(TABLE_CLEAR, PTE_CLEAR, "A table fewer: a walk for {va} ends one level earlier now.")                        \
	X(ABSENT_CLEAR, PTE_CLEAR, "P was 0 already: for the MMU nothing changes at {va}.")                            \
	X(SWAP_CLEAR, PTE_CLEAR, "P was 0 already, nothing changes for the MMU: it named a swap slot.")                \
	X(KEPT_CLEAR, PTE_CLEAR, "P was 0 already, nothing changes for the MMU: PROT_NONE kept a frame.")              \
	X(EVICT_ASKED, EVICT, "MADV_PAGEOUT: frame {frame}'s page is {how}.")                                          \
	X(EVICT_SHORT, EVICT, "RAM is short: frame {frame}'s page is {how}.")                                          \
	X(EVICT_LIMIT, EVICT, "Memory limit: frame {frame}'s page is {how}.")                                          \
	X(FILE_LONGER, TRUNCATE, "Up to the new end, {to}, it reads as zeros; no frame is taken for that.")            \
	X(FILE_AS_LONG, TRUNCATE, "It has been {to} long already: nothing changes.")                                   \
	X(SIGNAL_FAULT, SIGNAL, "{name} instead of the access: {why}.")                                                \
	X(SIGNAL_EXCEPTION, SIGNAL, "{name} for the exception at {va}: {why}.")                                        \
	X(BRK_ASKS, SYSCALL, "brk(0) moves nothing: it asks where the heap ends.")                                     \
	X(BRK_DOWN, SYSCALL, "brk asks for a lower end of the heap, {a0}: frames may come back.")                      \
	X(MMAP_NOW, SYSCALL, "mmap asks for {a1} bytes of addresses, with frames, at once.")                           \
	X(MSYNC_LATER, SYSCALL, "msync without MS_SYNC: the kernel writes to the file when it likes.")                 \
	X(CALL_REFUSED, SYSCALL_RETURN, "The kernel refuses {name}: {result}.")                                        \
	X(CALL_AGAIN, SYSCALL_RETURN, "{name} must wait: it is called again, and the program never sees this.")        \
	X(FREE_NOTHING, LIBC_CALL, "free(NULL) does nothing.")                                                         \
	X(NULL_BLOCK, LIBC_RETURN, "NULL: there is no such block; if it was refused, errno says why.")                 \
	X(FREE_KEPT, LIBC_RETURN, "For the program it is free, for the kernel still in use.")                          \
	X(FREE_GIVEN_BACK, LIBC_RETURN, "For the program it is free, and the kernel has got memory back, too.")        \
	X(REALLOC_IN_PLACE, LIBC_RETURN, "The block stays at {result}: nothing had to be copied.")                     \
	X(REALLOC_MOVED, LIBC_RETURN, "The block is at {result} now; where it was is no longer its own.")

enum reason_case {
#define X(id, kind, why) REASON_CASE_##id,
	REASON_CASE_LIST(X)
#undef X
	    REASON_CASE_COUNT
};

#endif
