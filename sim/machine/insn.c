/* The table of instructions: the rows of insn.h, each with the function that is its meaning. */
#include "faultline/insn.h"

#include <string.h>

#include "faultline/status.h"
#include "insn_rows.h"

static const struct {
	struct insn_info info;
	insn_fn *fn;
	const char *encoding;
	enum insn_gives gives;
} rows[INSN_ALL] = {
#define X(id, name, who, gives, bytes, operand, effect, page)                                                          \
	[INSN_##id] = {{#name, INSN_WHO_##who, operand, effect, page}, insn_##id, bytes, GIVES_##gives},
    INSN_LIST(X)
#undef X
#define X(id, name, who, page) [INSN_##id] = {{#name, INSN_WHO_##who, "", "", page}, insn_##id, "", GIVES_NOTHING},
	INSN_PLAIN_LIST(X)
#undef X
};

static const char *const who_texts[] = {
#define X(id, text) [INSN_WHO_##id] = (text),
    INSN_WHO_LIST(X)
#undef X
};

const struct insn_info *insn_info(enum insn insn)
{
	BUG_ON(insn >= INSN_ALL);
	return &rows[insn].info;
}

const char *insn_who_text(enum insn_who who)
{
	return who_texts[who];
}

bool insn_find(const char *name, enum insn *out)
{
	for (unsigned i = 0; i < INSN_COUNT; i++) {
		if (strcmp(rows[i].info.name, name) == 0) {
			*out = (enum insn)i;
			return true;
		}
	}
	return false;
}

insn_fn *insn_function(enum insn insn)
{
	return rows[insn].fn;
}

const char *insn_encoding(enum insn insn, enum insn_gives *gives)
{
	*gives = rows[insn].gives;
	return rows[insn].encoding;
}
