/* What the files of the kernel share. Nothing outside sim/kernel includes this. */
#ifndef FAULTLINE_KERNEL_PRIVATE_H
#define FAULTLINE_KERNEL_PRIVATE_H

#include "compact.h"
#include "faultline/kernel.h"
#include "faultline/pte.h"
#include "file.h"
#include "folio.h"
#include "hugetlb.h"
#include "layout.h"
#include "reclaim.h"
#include "rmap.h"
#include "swap.h"
#include "thp.h"
#include "vma_tree.h"

/* Resident pages by what they hold: include/linux/mm_types_task.h. */
enum rss_kind { RSS_FILE, RSS_ANON, RSS_SHMEM, RSS_KINDS };

/* One address space. Its id is the pid of the process that it was made for: no other one has it at the same time.
 * Invariants: users counts the processes that have it, of which the owner is one; rss, hugetlb, zero, huge, huge_zero
 * and tables count what the page tables hold; every present user entry lies in a VMA; swapped counts the entries that
 * lead to swap; total_vm, data_vm, exec_vm, stack_vm, locked_vm and committed are sums over the VMAs (mm_check). */
struct mm {
	struct kernel *kernel;
	uint32_t id;
	uint32_t users;              /* processes that have it: one, and children that it has made by vfork */
	struct process *owner;       /* charged for changes that no process running in it makes: mm_process */
	const struct layout *layout; /* the kernel's */
	struct vma_tree vmas;
	struct pfn root;  /* the table of the highest level */
	uint64_t tlb_gen; /* counts the flushes, from 1: see tlb.c */
	struct vaddr start_brk, brk;
	struct vaddr mmap_ceiling;
	struct vaddr start_code, end_code, start_data, end_data, start_stack;
	uint32_t def_flags;      /* of every new mapping: mlockall(MCL_FUTURE) */
	uint32_t anons;          /* numbers given to anonymous memory so far */
	uint64_t rss[RSS_KINDS]; /* pages with a frame */
	uint64_t hugetlb;        /* pages in pages of MAP_HUGETLB, which are not resident ones: hugetlb_usage */
	uint64_t zero;           /* entries that map the shared zero page */
	uint64_t huge;           /* entries that map a transparent huge page */
	uint64_t huge_zero;      /* entries that map the shared huge zero page */
	bool uses_huge_zero;     /* has mapped it once, so that it stays */
	uint64_t swapped;        /* entries that lead to swap */
	struct memgroup *group;  /* whose limit counts its pages */
	uint64_t tables;
	/* In pages. */
	uint64_t total_vm, data_vm, exec_vm, stack_vm, locked_vm, committed;
	uint64_t peak_vm; /* highest total_vm */
	/* The page table (level 1) used last, so that neighbouring faults need no descent. */
	uint64_t cached_region; /* va >> 21, UINT64_MAX: none */
	struct paddr cached_table;
};

/* Per vector, so that one native function serves all gates. */
struct gate {
	struct kernel *kernel;
	unsigned vector;
};

enum { GATES = 256 };

struct kernel_cpu;

/* What translations must go. */
struct flush {
	struct mm *mm;
	struct vaddr start, end;
	uint64_t pages; /* translations to drop, one every `stride` bytes */
	uint64_t stride;
};

struct kernel {
	struct arena *arena;
	struct machine *machine;
	struct physmem *mem;
	struct bus *bus;
	struct frame_pool *frames;
	struct kernel_config config;
	const struct layout *layout;
	struct pfn root;      /* the root of the kernel alone: its upper entries are copied into every process */
	struct pfn zero_page; /* shared, read-only */
	struct vaddr gdt, idt, tss;
	struct vaddr idle_stack_top, double_fault_stack_top;
	struct gate gates[GATES];
	struct pool mm_pool, vma_pool, process_pool, file_pool, node_pool, open_file_pool, descriptors_pool;
	struct file *files; /* all that have pages in the page cache */
	uint64_t inodes;    /* numbers given so far */
	struct process *current;
	struct process *next; /* whom the timer interrupt switches to */
	/* The CPU that executes: current, gdt, tss and the stacks are its own. */
	unsigned cpu;
	unsigned cpu_count;
	struct kernel_cpu *cpus;
	struct flush flush;         /* what the interrupt of a shootdown is about */
	struct process *stopping;   /* whom the reschedule interrupt is about */
	bool stopping_for_good;     /* all of it, not a thread: its tables may not stay loaded */
	struct process **processes; /* by pid - 1 */
	unsigned process_count;
	struct mm **spaces; /* by id - 1, NULL: none; so for ids up to process_count, or of one that is being made */
	uint64_t committed; /* pages promised to all processes, and of shared memory */
	uint64_t boot_free; /* frames that were free after boot */
	uint64_t kernel_tables; /* page tables of the upper half */
	struct rmap rmap;
	struct swap swap;
	struct disk disk;
	uint64_t dirty; /* pages of files in the cache that the disk does not have yet */
	struct reclaim reclaim;
	struct thp thp;
	struct compact compact;
	struct hugetlb hugetlb[HUGETLB_SIZES];
	const struct mm *charging; /* whose page a new one is; NULL: group 0's */
	uint64_t written_until;    /* the cycle when the last page given to a device will have been written */
	struct vm_counts vm;
};

enum { MAX_PROCESSES = 4094 }; /* a PCID each; PCID 0 is the kernel's */

/* ---- boot.c: the upper half ---- */
static inline struct vaddr direct_map(const struct kernel *kernel, struct paddr pa)
{
	return vaddr(kernel->layout->direct_map + pa.v);
}

static inline struct paddr direct_map_target(const struct kernel *kernel, struct vaddr va)
{
	return paddr(va.v - kernel->layout->direct_map);
}

struct vaddr syscall_entry(const struct kernel *kernel);
struct vaddr exception_entry(const struct kernel *kernel, unsigned vector);
/* arch/x86/include/asm/irq_vectors.h */
enum { TIMER_VECTOR = 0xec, FLUSH_VECTOR = 0xfb, RESCHEDULE_VECTOR = 0xfd };
enum { STACK_ORDER = 2 };

enum status boot_build(struct kernel *kernel, struct error *error);

/* ---- descriptors.c ---- */
void descriptors_load(struct kernel *kernel);
void descriptors_load_32bit(struct kernel *kernel);
void boot_set_kernel_stack(struct kernel *kernel, struct vaddr top); /* TSS.RSP0, ESP0 */

/* ---- table.c, table_check.c: page tables in RAM ---- */
/* An entry that is in use but not present keeps its frame for a page that nobody may access (_PAGE_PROTNONE: bit 8,
 * which means G only while P is set). */
#define PTE_PROT_NONE PTE_GLOBAL

static inline bool entry_used(struct pte entry)
{
	return entry.word != 0;
}

static inline struct pte entry_load(const struct kernel *kernel, struct paddr pa)
{
	if (kernel->layout->entry_bytes == 4)
		return (struct pte){physmem_load32(kernel->mem, pa)};
	return (struct pte){physmem_load64(kernel->mem, pa)};
}

static inline void entry_store(struct kernel *kernel, struct paddr pa, struct pte entry)
{
	if (kernel->layout->entry_bytes == 4)
		physmem_store32(kernel->mem, pa, (uint32_t)entry.word);
	else
		physmem_store64(kernel->mem, pa, entry.word);
}

static inline struct paddr entry_at(const struct kernel *kernel, struct paddr table, unsigned index)
{
	return paddr_add(table, (uint64_t)index * kernel->layout->entry_bytes);
}

static inline uint64_t huge_bytes(const struct mm *mm)
{
	return layout_huge_bytes(mm->layout);
}

static inline uint64_t level_bytes(const struct mm *mm, unsigned level)
{
	return (uint64_t)1 << layout_level_shift(mm->layout, level);
}

/* Of the pages that a VMA has. */
static inline uint64_t vma_page_bytes(const struct mm *mm, const struct vma *vma)
{
	return vma->flags & VMA_HUGETLB ? level_bytes(mm, vma->file->huge_level) : PAGE_BYTES;
}

/* A leaf is an entry of level 1, or one of level 2 or 3 with PS (the kernel never sets PAT). The entry does not say of
 * which of these levels it is: the record of a page of hugetlb does. */
static inline uint64_t leaf_bytes(const struct mm *mm, struct pte entry)
{
	if (!pte_page_size(entry))
		return PAGE_BYTES;
	const struct frame *record = frame_peek(mm->kernel->frames, pfn(pte_frame(entry)));
	return record->use == FRAME_HUGETLB ? PAGE_BYTES << record->order : huge_bytes(mm);
}

/* A page stands behind the entry, though perhaps nobody may access it; else, if it is used, it leads to swap. */
static inline bool entry_has_frame(struct pte entry)
{
	return (entry.word & (PTE_PRESENT | PTE_PROT_NONE)) != 0;
}

static inline bool entry_is_swap(struct pte entry)
{
	return entry_used(entry) && !entry_has_frame(entry);
}

/* Address of the level-1 entry of va. With `create` missing tables are made; false: no table, or no frame for one. */
bool table_entry(struct mm *mm, struct vaddr va, bool create, struct paddr *out);
/* The same for the entry of level 2 or 3, where a huge page is mapped. */
bool table_entry_at(struct mm *mm, struct vaddr va, unsigned level, bool create, struct paddr *out);
bool table_huge_entry(struct mm *mm, struct vaddr va, bool create, struct paddr *out);
/* The leaf that serves va, word 0 when there is none; of a huge page with the frame that va lies in. */
struct pte table_get(const struct mm *mm, struct vaddr va);
/* The same as it stands in RAM, and where. False: none. */
bool table_leaf(const struct mm *mm, struct vaddr va, struct paddr *entry_pa, struct pte *out);
void table_set(struct mm *mm, struct vaddr va, struct paddr entry_pa, struct pte entry);
/* Calls fn for every used leaf of [start, end), lowest first. fn may change the entry through table_set. */
typedef void table_fn(struct mm *mm, struct vaddr va, struct paddr entry_pa, struct pte entry, void *self);
void table_for_each(struct mm *mm, struct vaddr start, struct vaddr end, table_fn *fn, void *self);
/* An entry of level 2 that maps a transparent huge page has an empty table behind it, so that the page can be split at
 * any time. entry_pa says which directory keeps it. */
bool table_deposit(struct mm *mm, struct paddr entry_pa); /* false: no frame */
void table_deposit_again(struct mm *mm, struct paddr entry_pa, struct pfn table);
struct pfn table_withdraw(struct mm *mm, struct paddr entry_pa);
void table_free_deposit(struct mm *mm, struct paddr entry_pa);
/* A filled table takes the place of the huge page that entry_pa maps. */
void table_hang(struct mm *mm, struct vaddr va, struct paddr entry_pa, struct pfn table, uint32_t entries);
/* Takes away the table of level 1 at va if it has no entry. The caller frees it once no TLB can reach it. */
bool table_take_empty(struct mm *mm, struct vaddr va, struct pfn *table);
/* Frees the tables that hold no entry any more, within [start, end). */
void table_prune(struct mm *mm, struct vaddr start, struct vaddr end);
bool table_new_root(struct mm *mm);
void table_free_root(struct mm *mm);
bool table_check(const struct mm *mm, const char **why);

/* ---- page.c: what stands behind a page ---- */
/* An anonymous frame, or one of the page cache, that nobody maps: it leaves the swap cache, too. */
void page_free(struct kernel *kernel, struct pfn frame);
/* Nobody else has the anonymous page, neither mapped nor in swap. */
bool page_is_exclusive(const struct kernel *kernel, const struct frame *record);
static inline bool frame_is_zero(const struct kernel *kernel, struct pfn frame)
{
	const struct frame *record = frame_peek(kernel->frames, frame);
	return record && record->use == FRAME_ZERO;
}
static inline bool mm_reads_take_frames(const struct mm *mm)
{
	return mm->kernel->config.zero_page == ZERO_PAGE_FORBIDDEN;
}
/* wp_can_reuse_anon_folio: a write may make it writable again. */
bool page_may_be_reused(const struct kernel *kernel, struct pfn frame);
void page_count_resident(struct mm *mm, enum rss_kind kind, uint64_t pages); /* more of them */
/* Each is false when no frame is left, also for a page table. */
bool page_map_anon(struct mm *mm, struct vma *vma, struct vaddr va); /* a zeroed frame, or a copy of what is there */
/* Resolves a fault that the VMA allows: handle_mm_fault of mm/memory.c. */
enum fault_cause page_fault(struct mm *mm, struct vma *vma, struct vaddr va, bool write);
/* The entry leads to swap: do_swap_page. */
enum fault_cause page_swap_in(struct mm *mm, struct vma *vma, struct vaddr va, struct paddr entry_pa, bool write);
/* do_wp_page: a write to an entry that does not allow it, in a VMA that does. */
enum fault_cause page_fault_protected(struct mm *mm, struct vma *vma, struct vaddr va, struct paddr entry_pa);
void page_zap_range(struct mm *mm, struct vaddr start, struct vaddr end); /* drops the pages, flushes the TLB */
/* MADV_DONTNEED: the page tables that it empties go, too. */
void page_drop_range(struct mm *mm, struct vaddr start, struct vaddr end);
void page_clean_range(struct mm *mm, struct vaddr start,
		      struct vaddr end); /* anonymous pages lose D and A: MADV_FREE */
void page_protect_range(struct mm *mm, const struct vma *vma, struct vaddr start,
			struct vaddr end); /* entries follow vma->flags */
/* Pages of a file leave the page cache, and the entries of all who map them go first. */
void page_remove_range(struct mm *mm, struct file *file, uint64_t first, uint64_t end);
/* The same, but private copies of them stay, and the disk forgets them, too. */
void page_punch_hole(struct kernel *kernel, struct file *file, uint64_t first, uint64_t end);
bool page_move_range(struct mm *mm, struct vaddr from, struct vaddr to, uint64_t bytes);
uint64_t mm_resident(const struct mm *mm);

/* ---- account.c: limits and promises, in pages ---- */
void mm_count(struct mm *mm, uint32_t flags, uint64_t pages, bool add); /* total_vm and its parts */
bool mm_may_expand(const struct mm *mm, uint32_t flags, uint64_t pages);
bool mm_may_lock(const struct mm *mm, uint32_t flags, uint64_t bytes);
bool mm_may_charge(const struct mm *mm, int64_t pages); /* overcommit allows to promise so many */
bool mm_charge(struct mm *mm, int64_t pages);           /* promises pages, if overcommit allows it; negative: fewer */
void mm_charge_again(struct mm *mm, uint64_t pages);    /* for pages whose promise is about to be given back */
bool mm_charge_shared(struct mm *mm, uint64_t pages);   /* for shmem: kept by the file */
uint64_t kernel_commit_limit(const struct kernel *kernel);
uint64_t process_limit(const struct process *process, enum rlimit_index limit);
bool mm_is_full(const struct mm *mm, uint64_t more); /* more VMAs would be above vm.max_map_count */

/* ---- tlb.c ---- */
/* The entries of the range have changed, none of which serves fewer bytes: one INVLPG for each so many. */
void flush_range(struct mm *mm, struct vaddr start, struct vaddr end, uint64_t page_bytes);

/* ---- mm.c: address spaces ---- */
struct placement;
struct mm *mm_new(struct kernel *kernel, struct process *owner, const struct placement *placement);
/* mmget, mmput: one process more has it, or one fewer; with the last one it goes. */
void mm_share(struct mm *mm);
void mm_leave(struct mm *mm, struct process *process);
bool mm_check(const struct mm *mm, struct error *why);
/* Whose doing a change of it is: of the process that runs, if it is its own address space; else of the owner. */
struct process *mm_process(const struct mm *mm);

/* ---- area.c: VMAs come, go, split, merge and change size ---- */
/* What a VMA is or should become, besides its place. */
struct area {
	struct vaddr start, end;
	uint32_t flags;
	uint32_t anon;
	uint64_t pgoff;
	struct file *file;
	const char *name;
	bool reserves; /* as of a VMA */
};

struct area area_of(const struct vma *vma, struct vaddr start, struct vaddr end); /* that part of it */
/* A new mapping in free space: joined with its neighbours where they are of one kind, else a VMA of its own. */
struct vma *mm_map(struct mm *mm, const struct area *area);
struct vma *mm_map_alone(struct mm *mm, const struct area *area);
/* The neighbour that takes the new area in, NULL: none. Counters are the caller's. */
struct vma *mm_merge_new(struct mm *mm, const struct area *area, bool only_below);
/* Makes [start, end) of the VMA, with these flags, a VMA: joins it with neighbours that have them, or splits it off.
 * The flags are not set yet in the latter case. *vma becomes that VMA. -ENOMEM: vm.max_map_count; -EINVAL: it would
 * split a huge page, and perhaps the VMA has been split at the other border. */
int64_t mm_modify(struct mm *mm, struct vma **vma, struct vaddr start, struct vaddr end, uint32_t flags);
void mm_split_at(struct mm *mm, struct vaddr at); /* where it falls into a VMA; nothing is counted */
void mm_unmap(struct mm *mm, struct vaddr start, uint64_t bytes);
int64_t mm_munmap(struct mm *mm, uint64_t start, uint64_t length); /* as munmap(2): checked, 0 or -errno */
/* Whether [start, end) may be cut out: 0, -ENOMEM (vm.max_map_count), -EINVAL (it would split a huge page). Where only
 * the end is to blame the VMA is split at the start, and stays so. */
int64_t mm_prepare_cut(struct mm *mm, struct vaddr start, uint64_t bytes);
void mm_resize(struct mm *mm, struct vma *vma, struct vaddr start, struct vaddr end);
void mm_prepare_anon(struct mm *mm, struct vma *vma); /* before anonymous memory appears in it */

/* ---- place.c ---- */
/* get_unmapped_area: the fixed address, the hint if it is free, else top-down. 0, or -errno. */
int64_t mm_place(const struct mm *mm, uint64_t hint, uint64_t bytes, uint64_t page_bytes, uint64_t map_flags,
		 struct vaddr *out);

/* Rounds a length up to pages; false when it is zero or cannot fit into the address space. */
static inline bool page_length(const struct mm *mm, uint64_t bytes, uint64_t *out)
{
	*out = page_ceil(bytes);
	return bytes != 0 && *out != 0 && *out <= mm->layout->task_size;
}

static inline bool in_user_half(const struct mm *mm, uint64_t start, uint64_t bytes)
{
	return bytes <= mm->layout->task_size && start <= mm->layout->task_size - bytes;
}

/* ---- calls: results as the system call returns them, a value or -errno ---- */
typedef int64_t syscall_fn(struct kernel *kernel, struct process *process, const uint64_t args[6]);
syscall_fn sys_brk, sys_mmap, sys_munmap, sys_mprotect, sys_mremap, sys_madvise, sys_mlock, sys_mlock2, sys_munlock,
    sys_mlockall, sys_munlockall, sys_mincore, sys_msync, sys_prlimit64, sys_fork, sys_vfork, sys_wait4;
syscall_fn sys_openat, sys_close, sys_read, sys_write, sys_lseek, sys_pread64, sys_pwrite64, sys_ftruncate, sys_fsync,
    sys_execve;

/* ---- populate.c: pages that the kernel itself faults in ---- */
/* Each page of [start, end) is faulted in as the VMA wants it: __mm_populate. 0 or -errno, which mmap ignores. */
int64_t mm_populate(struct mm *mm, struct vaddr start, uint64_t bytes, bool ignore_errors);
int64_t mm_populate_vma(struct mm *mm, struct vma *vma, struct vaddr start, struct vaddr end, bool write);
/* Copies between the kernel and user memory, faulting pages in. False: -EFAULT. */
bool copy_from_user(struct mm *mm, uint64_t from, void *to, uint64_t bytes);
bool copy_to_user(struct mm *mm, uint64_t to, const void *from, uint64_t bytes);

/* ---- fault.c, syscall.c, process.c, sched.c: entries from ring 3 ---- */
native_fn fault_entry; /* self: struct gate */
native_fn exception_entry_native;
native_fn syscall_entry_native; /* self: struct kernel */
native_fn syscall_vector_entry; /* self: struct gate */
native_fn timer_entry;
native_fn flush_entry;
native_fn reschedule_entry;
/* Resolves one fault of the process; the cause says how, or why not. */
enum fault_cause fault_resolve(struct mm *mm, struct vaddr va, uint32_t error_code);
/* Counts and tells a fault that was resolved. */
void fault_count(struct mm *mm, struct vaddr va, enum fault_cause cause);

/* What IRET pops, lowest address first, in words of the mode's width. SDM 3A 6.12.1, 6.14.2 */
enum iret_word { IRET_RIP, IRET_CS, IRET_RFLAGS, IRET_RSP, IRET_SS, IRET_WORDS };
/* Makes a new process look like one that was interrupted at its first instruction. */
bool sched_prepare(struct kernel *kernel, struct process *process, unsigned cpu, struct vaddr rip, struct vaddr rsp);
void sched_load_mm(struct kernel *kernel, struct process *process); /* CR3 */
void sched_forget(struct kernel *kernel, struct process *process);  /* frees its kernel stacks */
/* Of an address space that is made for it. Outside long mode there are none. */
uint16_t process_own_pcid(const struct kernel *kernel, const struct process *process);
/* With a pid and contexts, and not known to anybody yet. */
struct process *process_new(struct kernel *kernel, const char *name);
/* exit_mm, exec_mmap: gives up its address space. A parent that waits for that in vfork may go on. */
void process_leave_mm(struct kernel *kernel, struct process *process);
/* Ends any process: frees all it holds. */
void process_end(struct kernel *kernel, struct process *process, const struct process_death *death);
/* Ends the current process: frees all it holds and leaves the CPU idle in ring 0. */
void process_kill(struct kernel *kernel, const struct process_death *death);
bool vector_pushes_error(unsigned vector);
void kernel_panic(struct kernel *kernel, const char *why);

#endif
