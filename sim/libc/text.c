#include "faultline/libc_text.h"

#include <string.h>

static const uint8_t endbr64[] = {0xf3, 0x0f, 0x1e, 0xfa};
static const uint8_t endbr32[] = {0xf3, 0x0f, 0x1e, 0xfb};
static const uint8_t enter_by_syscall[] = {0x0f, 0x05};
static const uint8_t enter_by_int80[] = {0xcd, SYSCALL_VECTOR};
enum { RET = 0xc3, MOV_EAX = 0xb8 };

_Static_assert(LIBC_FUNCTION_COUNT *LIBC_ENTRY_BYTES <= LIBC_STUBS, "the stubs lie behind the entries");

static void put_entry(uint8_t *at, bool wide)
{
	memcpy(at, wide ? endbr64 : endbr32, sizeof(endbr64));
	at[LIBC_RET_OFFSET] = RET;
}

static void put_stub(uint8_t *at, int number, bool wide)
{
	int32_t value = wide ? number : syscall_i386_number((uint64_t)number);
	at[0] = MOV_EAX;
	memcpy(at + 1, &value, sizeof(value));
	memcpy(at + 5, wide ? enter_by_syscall : enter_by_int80, sizeof(enter_by_syscall));
	at[LIBC_STUB_RETURN_OFFSET] = RET;
}

uint64_t libc_text_build(struct arena *arena, bool wide, const uint8_t **out)
{
	uint64_t bytes = libc_stub_offset(SYSCALL_COUNT);
	uint8_t *text = arena_alloc(arena, bytes, 1);
	for (unsigned i = 0; i < LIBC_FUNCTION_COUNT; i++)
		put_entry(text + libc_entry_offset((enum libc_function)i), wide);
	for (unsigned i = 0; i < SYSCALL_COUNT; i++)
		put_stub(text + libc_stub_offset((enum syscall_index)i), syscall_info((enum syscall_index)i)->number,
			 wide);
	*out = text;
	return bytes;
}
