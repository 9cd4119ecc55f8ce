/* SPDX-License-Identifier: Apache-2.0 */
/* trained.h -- the text of a flow, compiled for a loss, and one batch of it: the loss, its terms, its gradient at any weights. */
#ifndef TEST_TRAIN_TRAINED_H
#define TEST_TRAIN_TRAINED_H
#include "compile.h"
#include "gradients.h"
#include "likelihood_gradients.h"
#include "masters.h"
#include "train.h"

enum { TRAINED_ROWS = 300 };

/* The text has one flow of a state [2] without conditions or with a last one c: [3], and layers with labels; of the likelihood its source is
 * normal. */
typedef struct TrainedKind {
  const char *text;
  FlowTrainLoss loss;
  bool of_program;              /* the loss that the flow names */
  FlowTrainTerms terms;
  uint32_t probes;              /* of the likelihood's trace; 0: exact */
  const FlowAdaptive *adaptive; /* NULL: rk4 in `steps` steps */
  uint64_t steps, batch;
  int precision, threads;       /* 0: f64, 1 */
} TrainedKind;

typedef struct Trained {
  TrainedKind kind;
  FlowCompiled *compiled, *ahead;
  FlowTensors weights;          /* random numbers that do not change from run to run */
  double point[TRAINED_ROWS][2], given[TRAINED_ROWS][3];
  FlowTensor data, condition;
  FlowSource source;
  FlowTrainSettings settings;
  FlowMasters masters;
  FlowRepack repack;
  FlowDrawing drawing;
  FlowBatch batch;
  FlowGradients gradients;
  FlowLikelihoodGradients likelihood;
} Trained;

void trained_open(Trained *trained, const TrainedKind *kind);
void trained_close(Trained *trained);

/* The loss at the weights in trained->masters; with `gradient`, the gradient goes there too. */
FlowLossParts trained_run(Trained *trained, bool gradient);

/* Along a random direction of one tensor: (gradient . direction), the central difference, and the sum of the magnitudes of the first's
 * products. */
typedef struct Slopes { double gradient, difference, size; } Slopes;
Slopes trained_slopes(Trained *trained, uint32_t weight, double h);

/* Of every tensor: both equal within tolerance * (size + 1e-3). */
void trained_check_slopes(Trained *trained, double h, double tolerance);

/* A training with these settings and weights. */
FlowTraining *trained_training(const Trained *trained);

/* Takes over loss and gradient the first time, where *gradient is NULL, to be freed by the caller; later they have the same bits. */
void trained_expect_same(Trained *trained, FlowLossParts *first, double **gradient, const char *what);

double *trained_numbers(Trained *trained, FlowMasterPart part, const char *name);      /* of a tensor among the masters, f64 */

#endif
