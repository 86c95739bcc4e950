#include "replace.h"

#include "kernel_private.h"
#include "reclaim.h"

static struct replace_links *links_of(struct kernel *kernel, uint64_t frame)
{
	return &kernel->reclaim.links[frame];
}

/* Behind the hand: it will be looked at last. */
void replace_add(struct kernel *kernel, struct replace_set *set, struct pfn frame)
{
	struct replace_links *links = links_of(kernel, frame.v);
	uint32_t number = (uint32_t)frame.v;
	if (set->hand == 0)
		*links = (struct replace_links){number, number};
	else
		*links = (struct replace_links){set->hand, links_of(kernel, set->hand)->prev};
	links_of(kernel, links->prev)->next = number;
	links_of(kernel, links->next)->prev = number;
	if (set->hand == 0)
		set->hand = number;
	set->count++;
}

void replace_remove(struct kernel *kernel, struct replace_set *set, struct pfn frame)
{
	struct replace_links *links = links_of(kernel, frame.v);
	links_of(kernel, links->prev)->next = links->next;
	links_of(kernel, links->next)->prev = links->prev;
	if (set->hand == frame.v)
		set->hand = set->count == 1 ? 0 : links->next;
	*links = (struct replace_links){0};
	set->count--;
}

/* The clock: a page that was used since the hand last passed gets another round. */
struct pfn replace_victim(struct kernel *kernel, struct replace_set *set, uint64_t *looked)
{
	for (uint64_t left = 2 * set->count; left > 0; left--) {
		struct pfn frame = pfn(set->hand);
		set->hand = links_of(kernel, frame.v)->next;
		(*looked)++;
		if (!page_was_used(kernel, frame))
			return frame;
	}
	return pfn(set->hand);
}
