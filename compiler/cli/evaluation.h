/* SPDX-License-Identifier: Apache-2.0 */
/* evaluation.h -- what flowc eval has computed at its points, for the file that writes it down. */
#ifndef FLOWC_EVALUATION_H
#define FLOWC_EVALUATION_H
#include "given.h"
#include "program.h"

/* X(option, extras of the model, direction, letter of its columns): what may be asked for beside the velocity. */
#define DERIVATIVES(X)                                                                                                 \
  X(divergence, FLOW_LOG_P, false, "div")                                                                              \
  X(jvp, FLOW_JVP, true, "jvp")                                                                                        \
  X(vjp, FLOW_VJP, true, "vjp")
enum {
#define X(option, extras, direction, letter) DERIVATIVE_##option,
  DERIVATIVES(X)
#undef X
  DERIVATIVE_COUNT
};
typedef struct Derivative {
  OptionId option;
  FlowExtras extras;
  bool direction; /* the option's value is a vector */
  const char *letter;
} Derivative;
extern const Derivative derivatives[DERIVATIVE_COUNT];

typedef struct Evaluation {
  const Run *run;
  Program *program;
  Given at, time;
  uint64_t count, dim;
  double *t; /* [count], or one */
  bool t_per_point;
  void *x, *u;                    /* [count][dim] in model precision */
  void *result[DERIVATIVE_COUNT]; /* [count][result_width]; NULL where not asked for */
  uint32_t asked;                 /* how many of these */
} Evaluation;

uint64_t result_width(const Evaluation *evaluation, int derivative); /* 1 or dim */
double number_of(const Evaluation *evaluation, const void *numbers, uint64_t index);

/* One result as it is, several as the members of a .npz or side by side as a CSV.  Before the work: can -o hold them? */
flow_status evaluation_check_output(const Evaluation *evaluation, flow_error *error);
flow_status evaluation_write(const Evaluation *evaluation, flow_error *error);

#endif
