/* The functions of all rows, so that each file that defines some has seen their declarations. */
#ifndef FAULTLINE_INSN_ROWS_H
#define FAULTLINE_INSN_ROWS_H

#include "exec.h"

#define X(id, name, who, gives, bytes, operand, effect, page) insn_fn insn_##id;
INSN_LIST(X)
#undef X
#define X(id, name, who, page) insn_fn insn_##id;
INSN_PLAIN_LIST(X)
#undef X

#endif
