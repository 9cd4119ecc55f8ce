/* SPDX-License-Identifier: Apache-2.0 */
/* stop.h -- a question that long work asks now and then, from any of its threads: is the answer still wanted? */
#ifndef FLOW_STOP_H
#define FLOW_STOP_H
#include <stdbool.h>
#include <stddef.h>

typedef struct FlowStop {
  bool (*asked)(void *user);
  void *user;
} FlowStop;

/* NULL: nobody ever stops it. */
static inline bool flow_stop_asked(const FlowStop *stop) { return stop && stop->asked(stop->user); }

#endif
