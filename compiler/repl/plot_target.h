/* SPDX-License-Identifier: Apache-2.0 */
/* plot_target.h -- what is to be drawn, by its name: every drawing of a formula is that of a field, which is the definition itself
 * or one that is written for the purpose (of f, for instance, `field plotted(t, x: [1]) = [f(x[0])]`). */
#ifndef FLOW_PLOT_TARGET_H
#define FLOW_PLOT_TARGET_H
#include "flow/status.h"
#include "study.h"

typedef enum { TARGET_FLOW, TARGET_QUIVER, TARGET_HEAT, TARGET_CURVE } TargetKind;
typedef struct Target {
  TargetKind kind;
  const char *name; /* of the flow */
  const TypedFunction *field; /* (t, x: [1 or 2], conditions ...) */
  bool is_density;
} Target;

/* `name`: NULL for the flow of the program, else its only field.  An error is in `error` or in the study's diagnostics, and the
 * study is then of the program with the definition that was written. */
flow_status plot_target(Study *study, const char *path, const char *text, const char *name, Target *target, flow_error *error);

#endif
