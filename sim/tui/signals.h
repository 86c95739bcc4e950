/* Signals while the screen is in use. Those that ask (SIGINT, SIGTERM, SIGHUP) are noted and wake whoever waits; those
 * that kill (a crash of our own) give the terminal back first. */
#ifndef FAULTLINE_TUI_SIGNALS_H
#define FAULTLINE_TUI_SIGNALS_H

#include <stdbool.h>

/* Remembers how the terminal is now, for the way out. */
void signals_keep_terminal(void);
void signals_catch(void);
void signals_release(void);

int signals_descriptor(void); /* readable when one came */
void signals_drain(void);
bool signals_take_interrupt(void); /* SIGINT since the last call */
bool signals_end(void);            /* SIGTERM or SIGHUP */
void signals_die(void);            /* of that one, if it came: whoever sent it sees so. Else returns */

#endif
