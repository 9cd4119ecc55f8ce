/* SPDX-License-Identifier: Apache-2.0 */
/* given.h -- numbers that the command line hands over: written out (0.5,-1) or as a file with one array. */
#ifndef FLOWC_GIVEN_H
#define FLOWC_GIVEN_H
#include "flow/model.h"
#include "run.h"
#include "tensor.h"

typedef struct Given {
  FlowTensor tensor; /* what was given; points into one of the two below */
  FlowTensors file;
  bool from_file;
  double *numbers;
} Given;

/* `text` is numbers with commas, or a path; `what` names it in messages (--at, --condition c).  A file of several arrays
 * gives the one of the option's own name (data, at, from), or else `samples`, which flowc sample writes. */
flow_status given_read(const char *what, const char *text, Given *given, flow_error *error);
void given_free(Given *given);
/* One row of numbers (--from 0.5,-1) is one point. */
void given_shape_rows(FlowTensor *tensor, uint64_t dim);
/* The same of what an option gave, whose numbers have to be those of a point. */
flow_status given_rows(const char *what, Given *given, uint64_t dim, flow_error *error);

/* Every condition of the model from the --condition NAME=... of the command line, in the model's order: the first `count`,
 * since a last one may be the compiler's own (probes, a direction). */
typedef struct GivenConditions {
  Given *given;       /* [count] */
  FlowTensor *tensor; /* [count]; what the runtime wants; NULL if there are none */
  uint32_t count;
} GivenConditions;
flow_status given_conditions(const CommandLine *line, const flow_model *model, uint32_t count,
                             GivenConditions *conditions, flow_error *error);
void given_conditions_free(GivenConditions *conditions);

#endif
