/* Which frame is taken away next? Asked only where the policy decides it for want of memory, and where its lists, as
 * the screen shows them, say so. */
#include <inttypes.h>
#include <stdio.h>

#include "faultline/bus.h"
#include "faultline/kernel.h"
#include "faultline/pages.h"
#include "faultline/policy.h"
#include "quiz_private.h"

enum { MOST_MAPPINGS = 16, MAPPING_STEPS = 100000 };

/* A run of reclaim ends with its event. MADV_PAGEOUT takes away what it is told to: its system call returns without. */
static bool is_reclaimed(const struct travel *travel, uint64_t evict)
{
	static const uint64_t ends = EVENT_BIT(EVENT_RECLAIM) | EVENT_BIT(EVENT_SYSCALL_RETURN) |
				     EVENT_BIT(EVENT_OP_END);
	return travel_kind(travel, travel_known_after(travel, evict, ends)) == EVENT_RECLAIM;
}

/* What is short: RAM, or what a group of processes may have. NULL: nothing is. */
static const char *shortage(const struct kernel *kernel, const struct page_group *group)
{
	if (frame_pool_free(kernel_frames(kernel)) < kernel_watermarks(kernel).high)
		return "RAM is short";
	return group->limit && group->charged >= group->limit ? "Limit reached" : NULL;
}

/* That of the process of the moment, or of all: the one that holds the frame. */
static bool find_group(const struct travel *travel, const struct kernel *kernel, uint32_t frame, struct page_group *out)
{
	uint32_t pid = travel_record(travel, travel_position(travel))->event.pid;
	for (unsigned i = 0; kernel_process(kernel, i); i++) {
		*out = kernel_page_group(kernel, kernel_process(kernel, i));
		if (kernel_process(kernel, i)->pid == pid && policy_holds(out->policy, frame))
			return true;
	}
	*out = kernel_page_group(kernel, NULL);
	return policy_holds(out->policy, frame);
}

/* Some entry that maps it has its A bit: it may get a second chance. */
static bool was_used(const struct kernel *kernel, uint32_t frame)
{
	struct mapping list[MOST_MAPPINGS];
	uint64_t steps = MAPPING_STEPS;
	bool complete;
	unsigned found = frame_mappings(kernel, pfn(frame), list, MOST_MAPPINGS, &steps, &complete);
	for (unsigned i = 0; i < found && i < MOST_MAPPINGS; i++) {
		if (pte_accessed(list[i].entry))
			return true;
	}
	return false;
}

/* It is the first of its list that was not used. */
static bool follows(const struct kernel *kernel, const struct policy_look *look, uint32_t frame)
{
	for (unsigned list = 0; list < look->lists; list++) {
		unsigned at = 0;
		while (at < look->list[list].shown && look->list[list].frame[at] != frame &&
		       was_used(kernel, look->list[list].frame[at]))
			at++;
		if (at < look->list[list].shown && look->list[list].frame[at] == frame)
			return true;
	}
	return false;
}

bool quiz_ask_victim(const struct travel *travel, struct rng *rng, struct quiz *quiz)
{
	char right[QUIZ_CHOICE_TEXT];
	const struct travel_record *record = quiz_find(travel, EVENT_BIT(EVENT_EVICT), EVENT_BIT(EVENT_OP_END));
	const struct kernel *kernel = world_kernel(travel_world(travel));
	struct page_group group;
	if (!record || !kernel || !is_reclaimed(travel, record->event.number))
		return false;
	uint32_t frame = (uint32_t)record->event.arg[0];
	if (!find_group(travel, kernel, frame, &group) || !shortage(kernel, &group))
		return false;
	struct policy_look look;
	policy_look(group.policy, &look);
	if (!follows(kernel, &look, frame))
		return false;
	(void)snprintf(right, sizeof(right), "0x%" PRIx32, frame);
	(void)snprintf(quiz->question, sizeof(quiz->question), "%s, the policy is %s. Which frame is taken away next?",
		       shortage(kernel, &group), policy_ops(group.policy)->name);
	for (unsigned list = 0; list < look.lists; list++) {
		for (unsigned i = 0; i < look.list[list].shown; i++) {
			char text[QUIZ_CHOICE_TEXT];
			(void)snprintf(text, sizeof(text), "0x%" PRIx32, look.list[list].frame[i]);
			quiz_offer(quiz, right, text);
		}
	}
	if (quiz->count == 0)
		return false;
	quiz_put_right(quiz, rng, right);
	quiz_explain(quiz, record);
	return true;
}
