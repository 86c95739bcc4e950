#include "event_words.h"

#include <stddef.h>

#include "faultline/frame.h"
#include "faultline/libc_text.h"
#include "faultline/mmu.h"
#include "faultline/op.h"
#include "faultline/process.h"
#include "faultline/syscall.h"

static const char *cause_word(unsigned index)
{
	return index < FAULT_CAUSE_COUNT ? fault_cause_name((enum fault_cause)index) : NULL;
}

static const char *severity_word(unsigned index)
{
	static const char *const words[] = {"minor", "major"};
	return index < 2 ? words[index] : NULL;
}

static const char *syscall_word(unsigned index)
{
	return index < SYSCALL_COUNT ? syscall_info((enum syscall_index)index)->name : NULL;
}

static const char *function_word(unsigned index)
{
	static const char *const words[LIBC_FUNCTION_COUNT] = {
#define X(id, name, body) #name,
	    LIBC_FUNCTION_LIST(X)
#undef X
	};
	return index < LIBC_FUNCTION_COUNT ? words[index] : NULL;
}

static const char *access_word(unsigned index)
{
	return index < ACCESS_KIND_COUNT ? access_kind_name((enum access_kind)index) : NULL;
}

static const char *vector_word(unsigned index)
{
	static const char *const words[] = {
#define X(id, number, name, error, text) name,
	    VECTOR_LIST(X)
#undef X
	};
	return index < sizeof(words) / sizeof(*words) ? words[index] : NULL;
}

static const char *use_word(unsigned index)
{
	return index < FRAME_USE_COUNT ? frame_use_name((enum frame_use)index) : NULL;
}

static const char *op_word(unsigned index)
{
	return index < OP_KIND_COUNT ? op_info((enum op_kind)index)->name : NULL;
}

const char *event_word(enum event_kind kind, unsigned field, unsigned index)
{
	static const struct {
		enum event_kind kind;
		unsigned field;
		const char *(*word)(unsigned index);
	} rows[] = {{EVENT_FAULT, 1, cause_word},        {EVENT_FAULT, 2, severity_word},
		    {EVENT_SYSCALL, 0, syscall_word},    {EVENT_SYSCALL_RETURN, 0, syscall_word},
		    {EVENT_LIBC_CALL, 0, function_word}, {EVENT_LIBC_RETURN, 0, function_word},
		    {EVENT_TLB_MISS, 1, access_word},    {EVENT_EXCEPTION, 0, vector_word},
		    {EVENT_FRAME_ALLOC, 1, use_word},    {EVENT_OP_START, 0, op_word},
		    {EVENT_OP_END, 0, op_word}};
	for (unsigned i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		if (rows[i].kind == kind && rows[i].field == field)
			return rows[i].word(index);
	}
	return NULL;
}
