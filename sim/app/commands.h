/* The commands of the program, one file each. */
#ifndef FAULTLINE_APP_COMMANDS_H
#define FAULTLINE_APP_COMMANDS_H

#include "options.h"

#define COMMAND_LIST(X)                                                                                                \
	X(run)                                                                                                         \
	X(batch)                                                                                                       \
	X(validate)                                                                                                    \
	X(list)                                                                                                        \
	X(explain)                                                                                                     \
	X(convert)                                                                                                     \
	X(heap)                                                                                                        \
	X(proc)                                                                                                        \
	X(policy)                                                                                                      \
	X(curve)                                                                                                       \
	X(freelist)                                                                                                    \
	X(tui)                                                                                                         \
	X(quiz)                                                                                                        \
	X(diff)                                                                                                        \
	X(report)

#define X(name) extern const struct command command_##name;
COMMAND_LIST(X)
#undef X

/* "faultline: MESSAGE" on standard error; returns the status of the error. */
enum status complain(const struct error *error);

#endif
