#include "psc.h"

#include <string.h>

#include "faultline/status.h"

void psc_init(struct psc *psc, struct arena *arena, unsigned level, unsigned entries)
{
	BUG_ON(entries % PSC_WAYS != 0 || (entries && !is_power_of_two(entries)));
	psc->level = level;
	psc->sets = entries / PSC_WAYS;
	psc->entries = arena_new_array(arena, struct psc_entry, entries);
}

static uint64_t tag_of(const struct psc *psc, struct tlb_key key)
{
	uint64_t number = (key.va.v & (((uint64_t)1 << 57) - 1)) >> psc->shift;
	return TLB_TAG_VALID | key.space | number;
}

static struct psc_entry *set_of(const struct psc *psc, uint64_t tag)
{
	return psc->entries + (tag & (psc->sets - 1)) * PSC_WAYS;
}

bool psc_find(struct psc *psc, struct tlb_key key, uint64_t tick, struct walk_start *start)
{
	if (psc->sets == 0)
		return false;
	uint64_t tag = tag_of(psc, key);
	struct psc_entry *set = set_of(psc, tag);
	for (unsigned way = 0; way < PSC_WAYS; way++) {
		if (set[way].tag != tag)
			continue;
		set[way].stamp = tick;
		*start = (struct walk_start){psc->level - 1, set[way].table, set[way].rights};
		return true;
	}
	return false;
}

void psc_insert(struct psc *psc, struct tlb_key key, uint64_t tick, struct paddr table,
		const struct walk_rights *rights)
{
	if (psc->sets == 0)
		return;
	uint64_t tag = tag_of(psc, key);
	struct psc_entry *set = set_of(psc, tag);
	struct psc_entry *victim = &set[0];
	for (unsigned way = 0; way < PSC_WAYS; way++) {
		if (set[way].tag == tag) {
			victim = &set[way];
			break;
		}
		if (set[way].stamp < victim->stamp)
			victim = &set[way];
	}
	*victim = (struct psc_entry){tag, table, *rights, tick};
}

void psc_drop_address(struct psc *psc, struct tlb_key key)
{
	if (psc->sets == 0)
		return;
	uint64_t tag = tag_of(psc, key);
	struct psc_entry *set = set_of(psc, tag);
	for (unsigned way = 0; way < PSC_WAYS; way++) {
		if (set[way].tag == tag)
			set[way] = (struct psc_entry){.tag = 0};
	}
}

void psc_drop_pcid(struct psc *psc, uint64_t pcid)
{
	for (uint32_t i = 0; i < psc->sets * PSC_WAYS; i++) {
		if (psc->entries[i].tag && (psc->entries[i].tag >> TLB_TAG_PCID_SHIFT & 0xfff) == pcid)
			psc->entries[i] = (struct psc_entry){.tag = 0};
	}
}

void psc_drop_all(struct psc *psc)
{
	memset(psc->entries, 0, psc->sets * PSC_WAYS * sizeof(*psc->entries));
}

bool psc_look(const struct psc *psc, unsigned slot, unsigned levels, struct psc_slot *out)
{
	const struct psc_entry *entry = &psc->entries[slot];
	uint64_t number = entry->tag & TLB_TAG_PAGE;
	unsigned unused = levels < 4 ? 32 : 64 - (PAGE_SHIFT + 9 * levels);
	if (entry->tag == 0)
		return false;
	uint64_t va = number << psc->shift;
	*out = (struct psc_slot){
	    .page = vaddr(levels < 4 ? va & UINT32_MAX : (uint64_t)((int64_t)(va << unused) >> unused)),
	    .bytes = (uint64_t)1 << psc->shift,
	    .table = entry->table,
	    .pcid = (uint16_t)((entry->tag & TLB_TAG_PCID) >> TLB_TAG_PCID_SHIFT),
	    .rights = entry->rights,
	};
	return true;
}
