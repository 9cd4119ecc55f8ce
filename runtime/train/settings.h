/* SPDX-License-Identifier: Apache-2.0 */
/* settings.h -- all that a training is told.  Everything is borrowed and outlives it. */
#ifndef FLOW_TRAIN_SETTINGS_H
#define FLOW_TRAIN_SETTINGS_H
#include "likelihood_loss.h"
#include "model.h"
#include "optimise.h"
#include "path.h"
#include "schedule.h"
#include "stop.h"
#include "solve.h" /* FlowSource; its header has a namesake in lang/syntax */

/* Which point of the source goes with which of the data (couplings.def). */
typedef enum {
#define COUPLING(name, text) FLOW_COUPLING_##name,
#include "couplings.def"
#undef COUPLING
  FLOW_COUPLINGS
} FlowCoupling;
const char *flow_coupling_name(FlowCoupling coupling);

/* What is made small (losses.def): something of samples along a path between the source and the data, which is |u - dx/dt|^2 or a loss
 * that the model was compiled for; or -log p of the data through the solver. */
typedef enum {
#define LOSS(name, text) FLOW_LOSS_##name,
#include "losses.def"
#undef LOSS
  FLOW_LOSSES
} FlowTrainLoss;

/* The parts of a sample along a path that a loss may need (loss_inputs.def). */
typedef enum {
#define LOSS_PART(name, numbers, text) FLOW_PART_##name,
#include "loss_inputs.def"
  FLOW_PARTS
} FlowLossPart;

/* What is added to the loss so that the flow is easy to solve (compile.h, TERMS): kinetic times the square of the velocity, jacobian times
 * that of its Jacobian, exactly, or, with `probe`, estimated.  Along a path: their means over samples and components, as that of flow
 * matching; of the likelihood: their integrals over the way of each point, not divided by the components. */
typedef struct FlowTrainTerms { double kinetic, jacobian; bool probe; } FlowTrainTerms;
static inline uint32_t flow_train_terms(const FlowTrainTerms *t) { return (t->kinetic > 0) + (t->jacobian > 0); }

/* The solve of FLOW_LOSS_likelihood, from the data back to the source. */
typedef struct FlowTrainSolve {
  const flow_model *ahead;      /* the velocity and the rates of log p, with the solve's entries; `model` is its adjoint (adjoint.h) */
  const FlowTableau *tableau;
  const FlowGrid *grid;         /* NULL: equal steps */
  uint64_t steps, interval;     /* interval: of the checkpoints, 0: as adjoint.h chooses */
  const FlowAdaptive *adaptive; /* NULL; else steps adapt, and neither grid nor steps count */
  uint32_t probes;              /* 0: the trace is exact; else its estimate by so many vectors, new ones for each sample of each iteration, */
  FlowProbeKind probe;          /* the last condition of `ahead`, and the one before the last of `model`; a term by a probe takes them too, */
                                /* and has one of its own where there are none */
} FlowTrainSolve;

typedef struct FlowTrainSettings {
  const flow_model *model;      /* has gradients; its last conditions are the parts of a sample, or what an adjoint has (compile.h) */
  FlowTrainLoss loss;
  const char *loss_name;        /* of a loss of the program, along a path; NULL: it is |u - dx/dt|^2 */
  uint32_t parts;               /* bit i: FlowLossPart i, which the model has among its conditions.  The standard is the target alone */
  uint64_t formulas;            /* a number for what the model and the loss compute (ir.h, ir_fingerprint); 0: nobody knows */
  FlowTrainTerms terms;
  FlowTrainSolve solve;
  const flow_level *level;      /* NULL: the best for this processor */
  const FlowSource *source;
  const FlowTensor *data;       /* [rows, ...]: a row is a state */
  const char *data_name;        /* for messages */
  const FlowTensor *condition;  /* [flow_train_conditions]: one value for all, or a row for each row of the data */
  double t0, t1;                /* the field's own time at the source and at the data ... */
  double s0, s1;                /* ... and where they are on the path: 0 and 1, or short of its ends */
  FlowPath path;
  FlowCoupling coupling;
  FlowOptimiser optimiser;
  double rate, beta1, beta2, epsilon, decay;
  FlowSchedule schedule;
  uint64_t warm_up;
  double clip;                  /* the gradient's norm is at most this; 0: whatever it is */
  double average;               /* weights are averaged with this decay; 0: not */
  double validation;            /* share of the rows that are held out; 0: none */
  uint64_t batch, iterations, seed;
  int threads;                  /* 0: as many as OpenMP offers; the bits are the same */
  const FlowStop *stop;         /* or NULL: where it says so an iteration ends at once, with CANCELLED, and nothing has changed */
  const FlowAllocator *allocator;
} FlowTrainSettings;

/* Does a solve need random vectors, and how many? */
static inline uint32_t flow_train_vectors(const FlowTrainSettings *s) {
  return s->solve.probes ? s->solve.probes : s->terms.jacobian > 0 && s->terms.probe;
}

/* How many of the model's conditions are not the user's: parts of a sample, or an adjoint and the vectors before it. */
static inline uint32_t flow_train_own_conditions(const FlowTrainSettings *s) {
  return s->loss == FLOW_LOSS_likelihood ? 1 + (flow_train_vectors(s) > 0) : (uint32_t)__builtin_popcount(s->parts);
}
static inline uint32_t flow_train_conditions(const FlowTrainSettings *s) { return s->model->conditions - flow_train_own_conditions(s); }

/* condot, independent, adam 1e-3, batch 256, 10000 iterations; betas 0.9 and 0.999, epsilon 1e-8, as PyTorch has them. */
FlowTrainSettings flow_train_defaults(void);

/* BAD_CALL: a number that makes no sense, in words.  BAD_INPUT: data of another width, a NaN in them, in conditions or in the source (its row and column), too few
 * rows, a source of another size.  Reads all data once. */
flow_status flow_train_settings_check(const FlowTrainSettings *settings, flow_error *error);

/* What the weights at the end depend on, as one line of text: equal lines, equal bits.  With a constant rate the number of iterations
 * is not in it.  Freed with flow_free of length + 1 bytes; NULL: out of memory. */
char *flow_train_settings_text(const FlowTrainSettings *settings);

#endif
