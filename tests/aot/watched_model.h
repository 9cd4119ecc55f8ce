/* SPDX-License-Identifier: Apache-2.0 */
/* watched_model.h -- a compiled model whose memory ThreadSanitizer sees.
 *
 * Compiled code has no instrumentation of its own: two threads that were handed the same buffer would race unseen.  Here every
 * entry of a model is wrapped in a function that tells the sanitizer first what the entry reads and writes, as flow/model.h
 * says it.  In a build without it the wrappers do nothing more. */
#ifndef FLOW_TESTS_AOT_WATCHED_MODEL_H
#define FLOW_TESTS_AOT_WATCHED_MODEL_H
#include "flow/export.h"

/* A copy of what a library exports, its entries wrapped: one for the process, good while the library is loaded. */
const flow_export *watched_export(const flow_export *exported);
/* How often entries were called, from all threads. */
unsigned long watched_calls(void);

#endif
