/* What can happen in a world, as one list. Names, JSON keys, story sentences, documentation and `list events` are all
 * expansions of it. A fact counted per access (a TLB hit) is a counter of its owner; a fact with a story is an event.
 */
#ifndef FAULTLINE_EVENT_H
#define FAULTLINE_EVENT_H

#include <stdbool.h>
#include <stdint.h>

#define LAYER_LIST(X)                                                                                                  \
	X(APP, app, "the program: its script")                                                                         \
	X(LIBC, libc, "the C library in ring 3: its allocator")                                                        \
	X(KERNEL, kernel, "the operating system in ring 0")                                                            \
	X(HARDWARE, hardware, "the processor and its memory management unit")

enum layer {
#define X(id, name, text) LAYER_##id,
	LAYER_LIST(X)
#undef X
	    LAYER_COUNT
};

/* X(ID, name, layer, fields, sentence)
 * fields: "name:type ..." in the order of event.arg. Types: hex (an address or a word), pfn, dec, bytes (a size),
 * result (a system call's result: a value or -errno), text (a string that lives as long as the world; never NULL).
 * sentence: what the story says; {field} is replaced by the field's value. */
#define EVENT_LIST(X)                                                                                                  \
	X(OP_START, op_start, APP, "op:text detail:text line:dec", "{op} {detail}")                                    \
	X(OP_END, op_end, APP, "op:text result:hex", "{op} is done, result {result}")                                  \
	X(NOTE, note, APP, "text:text", "note: {text}")                                                                \
	X(PHASE, phase, APP, "name:text", "phase {name} begins")                                                       \
	X(CODE, code, APP, "how:text instructions:dec rax:hex",                                                        \
	  "the code {how} after {instructions} instructions, RAX {rax}")                                               \
	X(EXPECT, expect, APP, "that:text verdict:text expected:text actual:text",                                     \
	  "expect {that} {expected}: {verdict}, it is {actual}")                                                       \
	X(ACCESS, access, APP, "kind:text va:hex length:bytes", "the program wants to {kind} {length} at {va}")        \
	X(LIBC_CALL, libc_call, LIBC, "function:text a:hex b:hex", "{function}({a}, {b}) is called in ring 3")         \
	X(LIBC_RETURN, libc_return, LIBC, "function:text result:hex", "{function} returns {result}")                   \
	X(LIBC_SEARCH, libc_search, LIBC, "where:text need:bytes found:hex bin:dec",                                   \
	  "looks in {where} {bin} for {need}: {found}")                                                                \
	X(LIBC_SPLIT, libc_split, LIBC, "chunk:hex bytes:bytes rest:hex rest_bytes:bytes",                             \
	  "splits {bytes} off at {chunk}; {rest_bytes} remain at {rest}")                                              \
	X(LIBC_COALESCE, libc_coalesce, LIBC, "chunk:hex neighbour:hex bytes:bytes",                                   \
	  "joins the free chunk {chunk} with its neighbour {neighbour}: {bytes}")                                      \
	X(LIBC_PLACE, libc_place, LIBC, "chunk:hex bytes:bytes where:text",                                            \
	  "puts the free chunk {chunk} of {bytes} into {where}")                                                       \
	X(LIBC_GROW, libc_grow, LIBC, "how:text bytes:bytes why:text", "{why}: asks the kernel for {bytes} by {how}")  \
	X(LIBC_SHRINK, libc_shrink, LIBC, "how:text bytes:bytes why:text",                                             \
	  "{why}: gives {bytes} back to the kernel by {how}")                                                          \
	X(LIBC_ABORT, libc_abort, LIBC, "message:text", "the C library aborts the program: {message}")                 \
	X(SYSCALL, syscall, KERNEL, "name:text a0:hex a1:hex a2:hex a3:hex",                                           \
	  "the kernel serves {name}({a0}, {a1}, {a2}, {a3})")                                                          \
	X(SYSCALL_RETURN, syscall_return, KERNEL, "name:text result:result", "{name} returns {result}")                \
	X(VMA_ADD, vma_add, KERNEL, "start:hex end:hex prot:text name:text",                                           \
	  "a VMA {start}-{end} {prot} {name} appears: addresses are promised, no frame is given")                      \
	X(VMA_CHANGE, vma_change, KERNEL, "start:hex end:hex prot:text name:text",                                     \
	  "the VMA {name} is now {start}-{end} {prot}; no frame is given")                                             \
	X(VMA_REMOVE, vma_remove, KERNEL, "start:hex end:hex name:text", "the VMA {start}-{end} {name} disappears")    \
	X(BREAK, break, KERNEL, "from:hex to:hex", "the program break moves from {from} to {to}")                      \
	X(FAULT, fault, KERNEL, "va:hex cause:text kind:text", "page fault at {va} resolved: {cause} ({kind} fault)")  \
	X(FRAME_ALLOC, frame_alloc, KERNEL, "frame:pfn use:text order:dec",                                            \
	  "takes frame {frame} (order {order}) for {use}")                                                             \
	X(FRAME_FREE, frame_free, KERNEL, "frame:pfn order:dec", "frame {frame} (order {order}) is free again")        \
	X(PTE_SET, pte_set, KERNEL, "va:hex entry:hex level:dec of:dec",                                               \
	  "writes the level-{level} entry {entry} for {va}")                                                           \
	X(PTE_CLEAR, pte_clear, KERNEL, "va:hex entry:hex level:dec of:dec",                                           \
	  "clears the level-{level} entry for {va}; it was {entry}")                                                   \
	X(SWAP_OUT, swap_out, KERNEL, "frame:pfn slot:dec pid:dec va:hex",                                             \
	  "frame {frame}, the page of process {pid} at {va}, is written to swap slot {slot}")                          \
	X(SWAP_IN, swap_in, KERNEL, "slot:dec frame:pfn why:text",                                                     \
	  "swap slot {slot} is read into frame {frame}: {why}")                                                        \
	X(FILE_OUT, file_out, KERNEL, "frame:pfn page:dec path:text",                                                  \
	  "frame {frame} is written to page {page} of {path}")                                                         \
	X(FILE_IN, file_in, KERNEL, "frame:pfn page:dec path:text",                                                    \
	  "page {page} of {path} is read into frame {frame}")                                                          \
	X(OPEN, open, KERNEL, "path:text descriptor:dec size:bytes",                                                   \
	  "{path}, {size}, is open as descriptor {descriptor}")                                                        \
	X(TRUNCATE, truncate, KERNEL, "path:text from:bytes to:bytes", "{path} changes its size from {from} to {to}")  \
	X(WRITEBACK, writeback, KERNEL, "who:text pages:dec path:text left:dec",                                       \
	  "{who} writes {pages} dirty pages of {path}; {left} pages of files stay dirty")                              \
	X(EVICT, evict, KERNEL, "frame:pfn use:text pid:dec va:hex how:text",                                          \
	  "frame {frame} ({use}) is taken away from process {pid} at {va}: {how}")                                     \
	X(RECLAIM, reclaim, KERNEL, "who:text looked:dec taken:dec free:dec",                                          \
	  "{who} looks at {looked} pages and takes {taken} away; {free} frames are free")                              \
	X(HUGE_SPLIT, huge_split, KERNEL, "what:text pid:dec va:hex frame:pfn why:text",                               \
	  "splits a huge page, its {what}: process {pid} at {va}, frame {frame}: {why}")                               \
	X(COLLAPSE, collapse, KERNEL, "who:text pid:dec va:hex frame:pfn copied:dec",                                  \
	  "{who} makes a huge page, frame {frame}, of process {pid}'s pages at {va}: {copied} are copied")             \
	X(COMPACT, compact, KERNEL, "who:text looked:dec moved:dec result:text",                                       \
	  "{who} compacts memory: it looks at {looked} frames and moves {moved} pages: {result}")                      \
	X(OOM_KILL, oom_kill, KERNEL, "pid:dec name:text points:dec adj:hex of:text",                                  \
	  "the OOM killer chooses process {pid} ({name}) with {points} points: {of} is used up")                       \
	X(IO_WAIT, io_wait, KERNEL, "cycles:dec", "waits {cycles} cycles for a device")                                \
	X(SLEEP, sleep, KERNEL, "cycles:dec", "sleeps {cycles} cycles for a device; the CPU is free for others")       \
	X(SIGNAL, signal, KERNEL, "name:text va:hex why:text", "signal {name} at {va}: {why}")                         \
	X(PROCESS_START, process_start, KERNEL, "pid:dec name:text", "process {pid} ({name}) starts")                  \
	X(FORK, fork, KERNEL, "parent:dec child:dec entries:dec",                                                      \
	  "process {parent} forks process {child}: {entries} entries are copied, no page is")                          \
	X(VFORK, vfork, KERNEL, "parent:dec child:dec",                                                                \
	  "process {parent} makes process {child} in its own memory, and waits: nothing is copied")                    \
	X(VFORK_DONE, vfork_done, KERNEL, "child:dec parent:dec",                                                      \
	  "process {child} has left the memory of process {parent}, which may go on")                                  \
	X(EXEC, exec, KERNEL, "pid:dec path:text",                                                                     \
	  "process {pid} becomes {path}: a new address space, the same descriptors")                                   \
	X(PROCESS_EXIT, process_exit, KERNEL, "pid:dec cause:text status:dec",                                         \
	  "process {pid} ends: {cause}, status {status}; everything it held is freed")                                 \
	X(SWITCH, switch, KERNEL, "from:dec to:dec", "switches from process {from} to process {to}")                   \
	X(CPU, cpu, KERNEL, "from:dec to:dec ring:dec", "the work goes on on CPU {to}")                                \
	X(SHOOTDOWN, shootdown, KERNEL, "cpus:dec pages:dec start:hex end:hex",                                        \
	  "{cpus} of the other CPUs must forget {pages} pages between {start} and {end}")                              \
	X(IPI, ipi, HARDWARE, "to:dec vector:hex", "an interrupt goes to CPU {to}, vector {vector}")                   \
	X(OOM, oom, KERNEL, "what:text", "out of memory: {what}")                                                      \
	X(BOOT, boot, KERNEL, "memory:bytes frames:dec", "the kernel boots on {memory} of RAM: {frames} frames")       \
	X(RING, ring, HARDWARE, "from:dec to:dec how:text rip:hex", "ring {from} -> {to} by {how}, RIP {rip}")         \
	X(PUSH, push, HARDWARE, "rsp:hex words:dec", "{words} words are pushed on the kernel stack, RSP {rsp}")        \
	X(TLB_MISS, tlb_miss, HARDWARE, "va:hex kind:text", "no TLB holds the page of {va}: the tables are walked")    \
	X(WALK, walk, HARDWARE, "va:hex levels:dec entry:hex outcome:text",                                            \
	  "the walk for {va} reads {levels} entries, the last is {entry}: {outcome}")                                  \
	X(TLB_FILL, tlb_fill, HARDWARE, "page:hex frame:pfn bytes:bytes",                                              \
	  "the TLB learns {page} -> frame {frame}, a page of {bytes}")                                                 \
	X(TLB_FLUSH, tlb_flush, HARDWARE, "how:text va:hex", "{how} drops TLB entries ({va})")                         \
	X(EXCEPTION, exception, HARDWARE, "name:text error:hex va:hex rip:hex",                                        \
	  "{name}, error code {error}, address {va}, at RIP {rip}")                                                    \
	X(INSTRUCTION, instruction, HARDWARE, "name:text outcome:text rip:hex",                                        \
	  "instruction {name} at {rip}: {outcome}")

enum event_kind {
#define X(id, name, layer, fields, sentence) EVENT_##id,
	EVENT_LIST(X)
#undef X
	    EVENT_COUNT
};

_Static_assert(EVENT_COUNT <= 64, "an event mask is one 64-bit word");

enum { EVENT_ARGS = 5 };

struct event {
	uint64_t number; /* position in the history of the world, from 1; the same whoever listens */
	uint64_t cycle;  /* simulated time */
	uint32_t pid;    /* 0: no process */
	uint8_t kind;    /* enum event_kind */
	uint8_t ring;
	uint8_t cpu;
	uint64_t arg[EVENT_ARGS];
};

/* A string as an event argument, and back. */
static inline uint64_t event_text(const char *text)
{
	return (uint64_t)(uintptr_t)text;
}

static inline const char *event_arg_text(const struct event *event, unsigned index)
{
	return (const char *)(uintptr_t)event->arg[index];
}

/* Whose memory the event is about, by pid: the kernel edits the tables of others than who runs, too. */
static inline uint32_t event_subject(const struct event *event)
{
	bool edits = event->kind == EVENT_PTE_SET || event->kind == EVENT_PTE_CLEAR;
	return edits && event->arg[3] != 0 ? (uint32_t)event->arg[3] : event->pid;
}

/* One row of the list, for outputs and documentation. */
struct event_info {
	const char *name;
	enum layer layer;
	const char *fields;
	const char *sentence;
};

const struct event_info *event_info(enum event_kind kind);
const char *layer_name(enum layer layer);

#endif
