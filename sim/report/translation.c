#include "faultline/report_translation.h"

#include <inttypes.h>
#include <string.h>

#include "faultline/cpu.h"
#include "faultline/phrase.h"

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

/* ---- lines ---- */

struct report_path report_translation_path(const struct translation *translation)
{
	const struct walk *walk = &translation->walk;
	struct report_path path = {""};
	size_t used = 0;
	for (unsigned i = 0; i < walk->count && used < sizeof(path.text); i++)
		used += (size_t)snprintf(path.text + used, sizeof(path.text) - used, "%s%s 0x%" PRIx64, i ? " -> " : "",
					 walk_level_name(walk->step[i].level), walk->step[i].entry.word);
	if (used < sizeof(path.text))
		(void)snprintf(path.text + used, sizeof(path.text) - used, "%s%s", used ? ": " : "",
			       walk_outcome_text(walk->outcome));
	return path;
}

static const char *area_name(const struct translation_area *area)
{
	return area->name[0] ? area->name : "anonymous";
}

struct report_area report_translation_area(const struct translation *translation)
{
	const struct translation_area *vma = &translation->vma, *below = &translation->below,
				      *above = &translation->above;
	struct report_area out = {"none"};
	size_t used;
	if (vma->exists) {
		(void)snprintf(out.text, sizeof(out.text), "%s 0x%" PRIx64 "-0x%" PRIx64 " %s", area_name(vma),
			       vma->start.v, vma->end.v, vma_prot_text(vma->flags));
		return out;
	}
	used = strlen(out.text);
	if (below->exists)
		used += (size_t)snprintf(out.text + used, sizeof(out.text) - used, "; below it %s ends at 0x%" PRIx64,
					 area_name(below), below->end.v);
	if (above->exists && used < sizeof(out.text))
		(void)snprintf(out.text + used, sizeof(out.text) - used, "; above it %s begins at 0x%" PRIx64,
			       area_name(above), above->start.v);
	return out;
}

/* The level that ends the walk: that of the page, else the lowest. */
static unsigned last_level(const struct translation *translation)
{
	const struct walk *walk = &translation->walk;
	return walk->outcome == WALK_MAPPED ? walk->step[walk->count - 1].level : 1;
}

/* How the address is divided, as the SDM's figures of the translation have it: 4-2 to 4-11. */
static void put_split(struct report *report, const struct translation *translation)
{
	char text[160];
	size_t used = 0;
	unsigned above = paging_mode_info(translation->mode)->linear_bits;
	unsigned low = above;
	for (unsigned level = translation->levels; level >= last_level(translation); level--) {
		low = paging_level_shift(translation->mode, level);
		used += (size_t)snprintf(text + used, sizeof(text) - used, "%s %u (bits %u:%u), ",
					 walk_level_name(level),
					 paging_index(translation->mode, translation->va, level), above - 1, low);
		above = low;
	}
	report_textf(report, "split", "divided", "%soffset 0x%" PRIx64 " (bits %u:0)", text,
		     translation->va.v & (((uint64_t)1 << low) - 1), low - 1);
}

static void put_root(struct report *report, const struct translation *translation)
{
	static const char *const roots[PAGING_MODE_COUNT] = {[PAGING_32BIT] = "page directory",
							     [PAGING_PAE] = "PDPTEs",
							     [PAGING_4LEVEL] = "PML4",
							     [PAGING_5LEVEL] = "PML5"};
	uint64_t root = translation->cr3 & paging_mode_info(translation->mode)->root;
	if (paging_mode_info(translation->mode)->linear_bits > 32)
		report_textf(report, "cr3", "CR3", "0x%" PRIx64 ": %s at 0x%" PRIx64 ", PCID %u", translation->cr3,
			     roots[translation->mode], root, (unsigned)(translation->cr3 & CR3_PCID_MASK));
	else
		report_textf(report, "cr3", "CR3", "0x%" PRIx64 ": %s at 0x%" PRIx64, translation->cr3,
			     roots[translation->mode], root);
}

/* PSE-36: SDM 3A table 4-4. */
static void put_large_page(struct report *report, const struct translation *translation)
{
	const struct walk *walk = &translation->walk;
	if (walk->outcome != WALK_MAPPED || walk->size != PAGE_SIZE_4M)
		return;
	uint64_t word = walk->step[walk->count - 1].entry.word;
	report_textf(report, "pse36", "PSE-36",
		     "bits 20:13 of the PDE, 0x%" PRIx64 ", are address bits 39:32; bits 31:22, 0x%" PRIx64
		     ", are themselves",
		     word >> 13 & 0xff, word >> 22 & 0x3ff);
}

/* ---- tables ---- */

static void put_registers(struct report *report, const struct translation *translation)
{
	static const struct report_column columns[] = {{"register", "register"},    {"serves", "serves"},
						       {"value", "value"},          {"present", "P"},
						       {"table", "page directory"}, {"used", "used"}};
	report_table_begin(report, "pdptes", "PDPTE registers, loaded with CR3", columns, COUNT_OF(columns));
	for (unsigned i = 0; i < PAE_PDPTES; i++) {
		struct pte entry = translation->pdpte[i];
		report_cell_textf(report, "PDPTE%u", i);
		report_cell_textf(report, "0x%08" PRIx64 "-0x%08" PRIx64, i * GIB, i * GIB + GIB - 1);
		report_cell_textf(report, "0x%" PRIx64, entry.word);
		report_cell_number(report, pte_present(entry));
		report_cell_textf(report, "0x%" PRIx64, pte_frame(entry) << PAGE_SHIFT);
		report_cell_text(report, i == paging_index(PAGING_PAE, translation->va, 3) ? "yes" : "no");
	}
	report_table_end(report);
}

static void put_entries(struct report *report, const struct translation *translation)
{
	static const struct report_column columns[] = {{"level", "level"},
						       {"index", "index"},
						       {"address", "at"},
						       {"entry", "entry"},
#define X(field, first, bits, name) {#field, name},
						       PTE_FIELDS(X)
#undef X
	};
	const struct walk *walk = &translation->walk;
	report_table_begin(report, "walk", "Page walk", columns, COUNT_OF(columns));
	for (unsigned i = 0; i < walk->count; i++) {
		const struct walk_step *step = &walk->step[i];
		report_cell_text(report, walk_level_name(step->level));
		report_cell_number(report, paging_index(translation->mode, translation->va, step->level));
		report_cell_textf(report, "0x%" PRIx64, step->pa.v);
		report_cell_textf(report, "0x%" PRIx64, step->entry.word);
#define X(field, first, bits, name)                                                                                    \
	if ((bits) > 8)                                                                                                \
		report_cell_textf(report, "0x%" PRIx64, pte_##field(step->entry));                                     \
	else                                                                                                           \
		report_cell_number(report, pte_##field(step->entry));
		PTE_FIELDS(X)
#undef X
	}
	report_table_end(report);
}

static void put_tlbs(struct report *report, const struct translation *translation)
{
	static const struct report_column columns[] = {{"tlb", "TLB"},     {"page", "page"}, {"size", "size"},
						       {"frame", "frame"}, {"pcid", "PCID"}, {"rights", "rights"},
						       {"dirty", "dirty"}};
	report_table_begin(report, "tlbs", "TLB entries", columns, COUNT_OF(columns));
	for (unsigned i = 0; i < translation->tlb_count; i++) {
		const struct tlb_entry *entry = &translation->tlb[i].entry;
		report_cell_text(report, tlb_role_name(translation->tlb[i].role));
		report_cell_textf(report, "0x%" PRIx64, entry->page.v);
		report_cell_text(report, page_size_name(entry->size));
		report_cell_textf(report, "0x%" PRIx64, entry->frame.v);
		if (entry->global)
			report_cell_text(report, "global");
		else
			report_cell_textf(report, "%u", entry->pcid);
		report_cell_textf(report, "%s r%s%s", entry->user ? "user" : "supervisor", entry->writable ? "w" : "-",
				  entry->no_execute ? "-" : "x");
		report_cell_text(report, entry->dirty ? "yes" : "no");
	}
	report_table_end(report);
}

static void put_accesses(struct report *report, const struct translation *translation)
{
	static const struct report_column columns[] = {
	    {"access", "from ring 3"}, {"hardware", "the processor"}, {"verdict", "then"}};
	report_table_begin(report, "accesses", "What an access would meet", columns, COUNT_OF(columns));
	for (unsigned kind = 0; kind < ACCESS_KIND_COUNT; kind++) {
		const struct translation_access *access = &translation->access[kind];
		report_cell_text(report, access_kind_name((enum access_kind)kind));
		if (access->allowed)
			report_cell_text(report, "allows it");
		else if (access->vector == VECTOR_PAGE_FAULT)
			report_cell_textf(report, "#PF 0x%x (%s)", access->error_code,
					  phrase_fault_code(access->error_code).text);
		else
			report_cell_textf(report, "%s", vector_name(access->vector));
		report_cell_text(report, translation_verdict(translation, (enum access_kind)kind));
	}
	report_table_end(report);
}

/* ---- the whole ---- */

static void put_frame(struct report *report, const struct translation *translation)
{
	const struct frame *frame = &translation->frame;
	const struct absent_entry *absent = &translation->absent;
	if (translation->walk.outcome != WALK_MAPPED) {
		if (absent->swapped)
			report_textf(report, "physical", "physical", "none: the page is in swap slot %" PRIu64,
				     absent->slot);
		else if (absent->kept)
			report_textf(report, "physical", "physical", "none: PROT_NONE keeps frame 0x%" PRIx64,
				     absent->frame.v);
		else
			report_text(report, "physical", "physical", "none");
		return;
	}
	report_textf(report, "physical", "physical", "0x%" PRIx64 ", a page of %s at 0x%" PRIx64, translation->pa.v,
		     phrase_size(page_size_bytes(translation->walk.size)).text, translation->walk.page.v);
	if (translation->has_frame)
		report_textf(report, "frame", "frame", "0x%" PRIx64 ": %s, mapped %s", paddr_to_pfn(translation->pa).v,
			     frame_use_name((enum frame_use)frame->use), phrase_count(frame->mappings, "time").text);
	else
		report_text(report, "frame", "frame", "no record: the kernel does not manage it");
}

void report_translation(struct report *report, const struct translation *translation)
{
	report_begin(report, "translation", "Translation");
	report_textf(report, "address", "address", "0x%" PRIx64 "%s", translation->va.v,
		     translation->canonical ? "" : ", not canonical");
	report_textf(report, "process", "process", "%u (%s)", translation->pid, translation->process);
	report_textf(report, "moment", "moment", "event %" PRIu64 ", cycle %" PRIu64, translation->event,
		     translation->cycle);
	if (translation->alive) {
		put_root(report, translation);
		if (translation->canonical)
			put_split(report, translation);
		report_text(report, "path", "path", report_translation_path(translation).text);
		put_large_page(report, translation);
		put_frame(report, translation);
		report_text(report, "vma", "VMA", report_translation_area(translation).text);
	} else {
		report_text(report, "ended", "address space", "none: the process has ended");
	}
	if (translation->alive && translation->tlb_count == 0)
		report_text(report, "tlb", "TLBs", "no entry for this address");
	report_end(report);
	if (!translation->alive)
		return;
	if (translation->mode == PAGING_PAE && translation->canonical)
		put_registers(report, translation);
	if (translation->walk.count)
		put_entries(report, translation);
	if (translation->tlb_count)
		put_tlbs(report, translation);
	put_accesses(report, translation);
}
