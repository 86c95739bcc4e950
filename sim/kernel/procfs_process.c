/* /proc/PID/status, statm and limits: fs/proc/array.c, task_mmu.c, base.c. */
#include <inttypes.h>
#include <stdio.h>

#include "cpus.h"
#include "procfs.h"

static uint64_t text_pages(const struct mm *mm)
{
	return (page_ceil(mm->end_code.v) - page_floor(mm->start_code.v)) / PAGE_BYTES;
}

static void print_memory(const struct mm *mm, const struct sink *sink)
{
	/* The table of the highest level is not counted: mm_pgtables_bytes. */
	const struct {
		const char *label;
		uint64_t pages;
	} rows[] = {
	    {"VmPeak:", mm->peak_vm},
	    {"VmSize:", mm->total_vm},
	    {"VmLck:", mm->locked_vm},
	    {"VmPin:", 0},
	    {"VmHWM:", mm->owner->stats.peak_resident},
	    {"VmRSS:", mm_resident(mm)},
	    {"RssAnon:", mm->rss[RSS_ANON]},
	    {"RssFile:", mm->rss[RSS_FILE]},
	    {"RssShmem:", mm->rss[RSS_SHMEM]},
	    {"VmData:", mm->data_vm},
	    {"VmStk:", mm->stack_vm},
	    {"VmExe:", text_pages(mm)},
	    {"VmLib:", mm->exec_vm > text_pages(mm) ? mm->exec_vm - text_pages(mm) : 0},
	    {"VmPTE:", mm->tables - 1},
	    {"VmSwap:", mm->swapped},
	    {"HugetlbPages:", mm->hugetlb},
	};
	for (unsigned i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		sink_print(sink, "%s\t%8" PRIu64 " kB\n", rows[i].label, kib(rows[i].pages));
	sink_print(sink, "CoreDumping:\t0\nTHP_enabled:\t1\nuntag_mask:\t0xffffffffffffffff\n");
}

static const char *state_of(const struct kernel *kernel, const struct process *process)
{
	if (!process->mm)
		return "Z (zombie)";
	if (kernel_waits_in_vfork(kernel, process)) /* killable, but nothing else: TASK_KILLABLE */
		return "D (disk sleep)";
	return cpu_current(kernel, process->last) == process ? "R (running)" : "S (sleeping)";
}

void procfs_status(const struct kernel *kernel, const struct process *process, const struct sink *sink)
{
	uint32_t pid = process->pid;
	/* TASK_COMM_LEN: 15 characters of the name. */
	sink_print(sink, "Name:\t%.15s\n", process->name);
	if (process->mm)
		sink_print(sink, "Umask:\t0022\n");
	sink_print(sink, "State:\t%s\nTgid:\t%u\nNgid:\t0\nPid:\t%u\nPPid:\t%u\nTracerPid:\t0\n",
		   state_of(kernel, process), pid, pid, process->parent);
	sink_print(sink, "Uid:\t1000\t1000\t1000\t1000\nGid:\t1000\t1000\t1000\t1000\nFDSize:\t%d\nGroups:\t \n",
		   process->mm ? 64 : 0);
	sink_print(sink, "NStgid:\t%u\nNSpid:\t%u\nNSpgid:\t%u\nNSsid:\t%u\nKthread:\t0\n", pid, pid, pid, pid);
	if (process->mm)
		print_memory(process->mm, sink);
	sink_print(sink, "Threads:\t1\n");
}

void procfs_statm(const struct kernel *kernel, const struct process *process, const struct sink *sink)
{
	(void)kernel;
	const struct mm *mm = process->mm;
	if (!mm) {
		sink_print(sink, "0 0 0 0 0 0 0\n");
		return;
	}
	sink_print(sink, "%" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 " 0 %" PRIu64 " 0\n", mm->total_vm,
		   mm_resident(mm), mm->rss[RSS_FILE] + mm->rss[RSS_SHMEM], text_pages(mm), mm->data_vm + mm->stack_vm);
}

/* ---- the OOM killer's view: proc_oom_score of fs/proc/base.c ---- */

void procfs_oom_score(const struct kernel *kernel, const struct process *process, const struct sink *sink)
{
	int64_t total = (int64_t)oom_total_pages(kernel), badness = oom_badness(process, (uint64_t)total);
	int64_t points = badness == INT64_MIN ? 0 : (1000 + badness * 1000 / total) * 2 / 3;
	sink_print(sink, "%" PRId64 "\n", points);
}

void procfs_oom_score_adj(const struct kernel *kernel, const struct process *process, const struct sink *sink)
{
	(void)kernel;
	sink_print(sink, "%" PRId64 "\n", process->oom_score_adj);
}

/* ---- limits ---- */

/* Those that nothing here asks for have the values of a stock system. */
struct limit_row {
	const char *words;
	int limit; /* enum rlimit_index; -1: one of the others */
	const char *soft, *hard, *unit;
};

static const struct limit_row limit_rows[] = {
    {"Max cpu time", -1, "unlimited", "unlimited", "seconds"},
    {"Max file size", -1, "unlimited", "unlimited", "bytes"},
    {"Max data size", RLIMIT_INDEX_DATA, "", "", "bytes"},
    {"Max stack size", RLIMIT_INDEX_STACK, "", "", "bytes"},
    {"Max core file size", -1, "0", "unlimited", "bytes"},
    {"Max resident set", -1, "unlimited", "unlimited", "bytes"},
    {"Max processes", -1, "4094", "4094", "processes"},
    {"Max open files", -1, "1024", "1048576", "files"},
    {"Max locked memory", RLIMIT_INDEX_MEMLOCK, "", "", "bytes"},
    {"Max address space", RLIMIT_INDEX_AS, "", "", "bytes"},
    {"Max file locks", -1, "unlimited", "unlimited", "locks"},
    {"Max pending signals", -1, "4094", "4094", "signals"},
    {"Max msgqueue size", -1, "819200", "819200", "bytes"},
    {"Max nice priority", -1, "0", "0", NULL},
    {"Max realtime priority", -1, "0", "0", NULL},
    {"Max realtime timeout", -1, "unlimited", "unlimited", "us"},
};

struct limit_text {
	char text[24];
};

static struct limit_text limit_text(uint64_t value)
{
	struct limit_text out = {"unlimited"};
	if (value != LINUX_RLIM_INFINITY)
		(void)snprintf(out.text, sizeof(out.text), "%" PRIu64, value);
	return out;
}

void procfs_limits(const struct kernel *kernel, const struct process *process, const struct sink *sink)
{
	(void)kernel;
	sink_print(sink, "%-25s %-20s %-20s %-10s\n", "Limit", "Soft Limit", "Hard Limit", "Units");
	for (unsigned i = 0; i < sizeof(limit_rows) / sizeof(*limit_rows); i++) {
		const struct limit_row *row = &limit_rows[i];
		struct limit_text soft = {""}, hard = {""};
		if (row->limit >= 0) {
			soft = limit_text(process->limits[row->limit].soft);
			hard = limit_text(process->limits[row->limit].hard);
		}
		sink_print(sink, "%-25s %-20s %-20s ", row->words, row->limit < 0 ? row->soft : soft.text,
			   row->limit < 0 ? row->hard : hard.text);
		if (row->unit)
			sink_print(sink, "%-10s", row->unit);
		sink_print(sink, "\n");
	}
}
