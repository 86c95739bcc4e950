/* Host failures and our own bugs. Simulated outcomes (a page fault, ENOMEM, SIGSEGV) are never reported here: they are
 * values of the simulation. */
#ifndef FAULTLINE_STATUS_H
#define FAULTLINE_STATUS_H

#include <stdbool.h>

/* Each status carries the exit code of the program that ends because of it. */
#define STATUS_LIST(X)                                                                                                 \
	X(OK, 0, "done")                                                                                               \
	X(EXPECT_FAILED, 1, "an expectation failed")                                                                   \
	X(BAD_INPUT, 2, "bad usage or a bad document")                                                                 \
	X(MACHINE_STOPPED, 3, "the simulated machine stopped")                                                         \
	X(HOST, 4, "an input/output error of the host")                                                                \
	X(BUG, 5, "a bug of the program, in a point of a study")

enum status {
#define X(id, code, text) STATUS_##id = code,
	STATUS_LIST(X)
#undef X
};

enum { ERROR_TEXT_BYTES = 768 };

/* Where, what and how to mend, in one line of text without a final newline; empty after success. */
struct error {
	enum status status;
	char text[ERROR_TEXT_BYTES];
};

/* Writes the message (cut if too long) and returns the status, so that a caller can `return error_set(...)`. */
enum status error_set(struct error *error, enum status status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* A violated assumption of ours: prints it and aborts the host process. Never used for anything a user can cause. */
_Noreturn void bug(const char *file, int line, const char *condition);

#define BUG() bug(__FILE__, __LINE__, "unreachable")
#define BUG_ON(condition) ((condition) ? bug(__FILE__, __LINE__, #condition) : (void)0)

#endif
