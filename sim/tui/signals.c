/* The one file with writable variables of its own: a signal handler is given nothing else, and a process has one
 * terminal. */
#include "signals.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "faultline/bell.h"

static struct {
	volatile sig_atomic_t interrupted, ended;
	struct bell bell; /* wakes whoever waits */
	struct termios before;
	struct sigaction on_size; /* of curses */
	bool kept;
} state;

static const int asking[] = {SIGINT, SIGTERM, SIGHUP};
static const int deadly[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT};

enum { ASKING = sizeof(asking) / sizeof(*asking), DEADLY = sizeof(deadly) / sizeof(*deadly) };

/* What ends full-screen use on every terminal of today: attributes off, cursor shown, mouse off, the other screen left.
 */
static const char way_out[] = "\033[0m\033[?25h\033[?1000l\033[?1002l\033[?1006l\033[?1049l\033[?1l\033>\r\n";

static void on_asking(int signal)
{
	int kept = errno;
	if (signal == SIGINT)
		state.interrupted = 1;
	else
		state.ended = signal;
	bell_ring(&state.bell);
	errno = kept;
}

/* What curses does about a new size or about coming back, it does, too; this wakes whoever waits, also where the signal
 * came just before the waiting. */
static void on_change(int signal)
{
	int kept = errno;
	void (*theirs)(int) = signal == SIGWINCH ? state.on_size.sa_handler : SIG_DFL;
	if (theirs != SIG_DFL && theirs != SIG_IGN)
		theirs(signal);
	bell_ring(&state.bell);
	errno = kept;
}

/* The handler is gone by now (SA_RESETHAND): the signal comes again and does what it always does. */
static void on_deadly(int signal)
{
	(void)!write(STDOUT_FILENO, way_out, sizeof(way_out) - 1);
	if (state.kept)
		(void)tcsetattr(STDIN_FILENO, TCSANOW, &state.before);
	(void)raise(signal);
}

void signals_keep_terminal(void)
{
	state.kept = tcgetattr(STDIN_FILENO, &state.before) == 0;
}

void signals_catch(void)
{
	struct sigaction ask = {.sa_handler = on_asking};
	struct sigaction change = {.sa_handler = on_change};
	struct sigaction die = {.sa_handler = on_deadly, .sa_flags = (int)(SA_RESETHAND | SA_NODEFER)};
	(void)bell_open(&state.bell);
	for (unsigned i = 0; i < ASKING; i++)
		(void)sigaction(asking[i], &ask, NULL);
	for (unsigned i = 0; i < DEADLY; i++)
		(void)sigaction(deadly[i], &die, NULL);
	(void)sigaction(SIGWINCH, &change, &state.on_size);
	(void)sigaction(SIGCONT, &change, NULL);
}

void signals_release(void)
{
	for (unsigned i = 0; i < ASKING; i++)
		(void)signal(asking[i], SIG_DFL);
	for (unsigned i = 0; i < DEADLY; i++)
		(void)signal(deadly[i], SIG_DFL);
	(void)sigaction(SIGWINCH, &state.on_size, NULL);
	(void)signal(SIGCONT, SIG_DFL);
	bell_close(&state.bell);
}

int signals_descriptor(void)
{
	return state.bell.hear;
}

void signals_drain(void)
{
	bell_silence(&state.bell);
}

bool signals_take_interrupt(void)
{
	bool interrupted = state.interrupted != 0;
	state.interrupted = 0;
	return interrupted;
}

bool signals_end(void)
{
	return state.ended != 0;
}

void signals_die(void)
{
	if (state.ended == 0)
		return;
	(void)signal(state.ended, SIG_DFL);
	(void)raise(state.ended);
}
