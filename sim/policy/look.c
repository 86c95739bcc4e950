/* What an onlooker sees of a policy. */
#include "policy_private.h"

static struct policy_look_list *add(struct policy_look *look, const char *name, uint32_t count)
{
	BUG_ON(look->lists == POLICY_LOOK_LISTS);
	struct policy_look_list *list = &look->list[look->lists++];
	*list = (struct policy_look_list){.name = name, .count = count};
	return list;
}

/* The node if it is a frame and there is room. */
static void show(struct policy_look_list *list, uint32_t node, uint32_t limit)
{
	if (node < limit && list->shown < POLICY_LOOK_FRAMES)
		list->frame[list->shown++] = node;
}

void look_list(struct policy_look *look, const char *name, const struct list *list, const struct link *links,
	       uint32_t limit)
{
	look_circle(look, name, list, links, 0, limit);
	look->hand = POLICY_NO_FRAME;
}

void look_list_backwards(struct policy_look *look, const char *name, const struct list *list, const struct link *links)
{
	struct policy_look_list *out = add(look, name, list->count);
	uint32_t node = list_last(list);
	for (uint32_t i = 0; i < list->count && out->shown < POLICY_LOOK_FRAMES; i++) {
		show(out, node, LIST_END);
		node = list_previous(links, node);
	}
}

void look_circle(struct policy_look *look, const char *name, const struct list *circle, const struct link *links,
		 uint32_t hand, uint32_t limit)
{
	struct policy_look_list *out = add(look, name, circle->count);
	uint32_t node = hand ? hand - 1 : list_first(circle);
	for (uint32_t i = 0; i < circle->count && out->shown < POLICY_LOOK_FRAMES; i++) {
		show(out, node, limit);
		node = list_next(links, node);
		if (node == LIST_END)
			node = list_first(circle);
	}
	look->hand = out->shown ? out->frame[0] : POLICY_NO_FRAME;
}

void look_count(struct policy_look *look, const char *name, uint32_t count)
{
	(void)add(look, name, count);
}

void look_ghosts(struct policy_look *look, const char *name, uint32_t count)
{
	add(look, name, count)->ghosts = true;
}

void policy_look(const struct policy *policy, struct policy_look *out)
{
	*out = (struct policy_look){.hand = POLICY_NO_FRAME};
	if (policy->ops->look)
		policy->ops->look(policy, out);
	else
		look_count(out, "pages", policy->resident);
}
