/* Every action with its keys: one table, from which the bindings, the key bar, the help, the command palette and the
 * manual are made, so that they cannot drift apart. Lower case goes forward, the same letter shifted goes back. */
#ifndef FAULTLINE_TUI_KEYS_H
#define FAULTLINE_TUI_KEYS_H

#include <stdbool.h>

/* X(ID, command, keys, bar, text): `command` is its name behind ":"; `keys` are separated by blanks; `bar` is its label
 * in the key bar, "" when it is not there. */
#define ACTION_LIST(X)                                                                                                 \
	X(STEP, "step", "s Right", "step", "one event forward")                                                        \
	X(STEP_BACK, "step-back", "S Left", "", "one event back")                                                      \
	X(NEXT, "next", "n", "next", "to the next main event: calls, system calls, faults, what they changed")         \
	X(NEXT_BACK, "next-back", "N", "", "to the previous main event")                                               \
	X(FINISH, "finish", "f", "finish", "until control returns to ring 3")                                          \
	X(FINISH_BACK, "finish-back", "F", "", "back to where control last left ring 3")                               \
	X(RUN, "run", "c", "run", "to the next breakpoint, or to the end")                                             \
	X(RUN_BACK, "run-back", "C", "", "to the previous breakpoint, or to the start")                                \
	X(PLAY, "play", "Space", "play", "steps by itself; again: pauses; pauses a run")                               \
	X(SLOWER, "slower", "-", "", "plays half as fast")                                                             \
	X(FASTER, "faster", "+ =", "", "plays twice as fast")                                                          \
	X(RESTART, "restart", "R", "", "to the start")                                                                 \
	X(GOTO, "goto", "g", "goto", "to an event by its number, or +N, -N, N%, 'MARK")                                \
	X(MARK, "mark", "m", "", "marks this event with a letter")                                                     \
	X(MARK_JUMP, "jump", "'", "", "to the event marked with a letter")                                             \
	X(BREAK, "break", "b", "break", "sets a breakpoint: fault if major, syscall brk, line 3 ...")                  \
	X(UNBREAK, "unbreak", "B", "", "removes a breakpoint by its number, or all")                                   \
	X(WATCH, "watch", "w", "", "a breakpoint on the page of the present address")                                  \
	X(SEARCH, "search", "/", "find", "to the next event whose sentence has these words")                           \
	X(SEARCH_NEXT, "search-next", "]", "",                                                                         \
	  "next find; with a letter: f fault, r ring, v VMA, t TLB miss, w walk, "                                     \
	  "a access, s system call, o operation, x exception, p PTE, k frame")                                         \
	X(SEARCH_PREVIOUS, "search-previous", "[", "", "previous find; with the same letters")                         \
	X(FOCUS_NEXT, "focus-next", "Tab", "panel", "the next panel gets the arrows")                                  \
	X(FOCUS_PREVIOUS, "focus-previous", "BackTab", "", "the previous panel gets the arrows")                       \
	X(ZOOM, "zoom", "z", "zoom", "one panel fills the screen; again: all of them")                                 \
	X(CHOOSE, "choose", "Enter", "",                                                                               \
	  "follows the selection: from an entry to its frame, from a frame to its page")                               \
	X(UP, "up", "Up", "", "selection up; time back when the timeline has the focus")                               \
	X(DOWN, "down", "Down", "", "selection down; time forward when the timeline has the focus")                    \
	X(PAGE_UP, "page-up", "PageUp", "", "ten of them up, or ten events back")                                      \
	X(PAGE_DOWN, "page-down", "PageDown", "", "ten of them down, or ten events forward")                           \
	X(HOME, "home", "Home", "", "the first, or the start of time")                                                 \
	X(END, "end", "End", "", "the last, or the end of time")                                                       \
	X(EXPLAIN, "explain", "e", "explain", "what this event means, in full")                                        \
	X(ANSWER, "answer", "a", "", "asks a question about what comes next; again: shows the answer")                 \
	X(PROCESS, "process", "p", "", "shows the next process")                                                       \
	X(PROCESS_BACK, "process-back", "P", "", "shows the previous process")                                         \
	X(RADIX, "radix", "x", "",                                                                                     \
	  "registers, frame numbers and the size of the top chunk in hexadecimal or decimal; "                         \
	  "addresses stay as they are")                                                                                \
	X(PROMPT, "command", ":", "", "types a command: any name of this list, or export, theme, glyphs, speed, save") \
	X(SETUP, "setup", "F2", "", "shows the present setup and how to change it")                                    \
	X(HELP, "help", "? F1", "help", "all keys; again: the next page")                                              \
	X(CANCEL, "cancel", "Esc", "", "leaves whatever has been begun")                                               \
	X(INTERRUPT, "interrupt", "Ctrl-C", "", "pauses what runs; when nothing runs, says how to quit")               \
	X(QUIT, "quit", "q F10", "quit", "ends")

enum action {
#define X(id, command, keys, bar, text) ACTION_##id,
	ACTION_LIST(X)
#undef X
	    ACTION_COUNT
};

struct action_info {
	const char *command, *keys, *bar, *text;
};
const struct action_info *action_info(enum action action);

/* False: the key does nothing. Keys are named by what they print, or Space, Enter, Esc, Tab, BackTab, Up, Down, Left,
 * Right, PageUp, PageDown, Home, End, Backspace, F1 to F12, Ctrl-C. */
bool action_of_key(const char *key, enum action *out);
bool action_of_command(const char *command, enum action *out);
/* The first key of the action. */
struct key_name {
	char text[12];
};
struct key_name action_key(enum action action);
/* Whether the word names a key at all, bound or not. */
bool key_is_known(const char *key);

#endif
