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

/* ---- tables ---- */

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
		unsigned shift = PAGE_SHIFT + 9 * (step->level - 1u);
		report_cell_text(report, walk_level_name(step->level));
		report_cell_number(report, (translation->va.v >> shift) & 0x1ff);
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
	if (translation->walk.outcome != WALK_MAPPED) {
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
		report_textf(report, "cr3", "CR3", "0x%" PRIx64 ": %s at 0x%" PRIx64 ", PCID %u", translation->cr3,
			     translation->levels == 5 ? "PML5" : "PML4", translation->cr3 & ~CR3_PCID_MASK,
			     (unsigned)(translation->cr3 & CR3_PCID_MASK));
		report_text(report, "path", "path", report_translation_path(translation).text);
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
	if (translation->walk.count)
		put_entries(report, translation);
	if (translation->tlb_count)
		put_tlbs(report, translation);
	put_accesses(report, translation);
}
