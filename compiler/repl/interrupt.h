/* SPDX-License-Identifier: Apache-2.0 */
/* interrupt.h -- Ctrl-C at the prompt: the line is dropped, flowc goes on. */
#ifndef FLOW_INTERRUPT_H
#define FLOW_INTERRUPT_H
#include <stdbool.h>

void interrupt_catch(void);   /* from now on */
bool interrupt_take(void);    /* has there been one since the last call? */
bool interrupt_waiting(void); /* the same, and it stays */

#endif
