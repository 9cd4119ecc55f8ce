/* SPDX-License-Identifier: Apache-2.0 */
/* train.h -- the weights of a compiled velocity from data, by flow matching, another loss along a path, or the likelihood.
 *
 *   FlowTrainSettings how = flow_train_defaults();
 *   how.model = ..., how.source = ..., how.data = ...;          compiled for a loss, with FLOW_ENTRY_GRADIENT (compile.h)
 *   if (!(status = flow_training_open(&how, &training, &error))) {
 *     flow_training_initialise(training, rule);                  or flow_training_take, or flow_training_load
 *     while (!status && flow_training_done(training) < how.iterations) status = flow_training_step(training, &report, &error);
 *     ... flow_training_tensor(training, i, averaged) ...
 *     flow_training_close(training);
 *   }
 *
 * An iteration: a batch of independent samples (s, x0, x1), x_s = alpha(s) x1 + sigma(s) x0 (path.h); loss: the mean of
 * |u(t, x_s) - dx/dt|^2 / dim, or what else the settings say, and its terms; one step of the optimiser along its gradient.  The bits
 * of all weights are a function of settings, data and first weights: not of the threads, nor of interruptions.  An iteration allocates
 * nothing (a source that is a density of the program asks for memory of its own). */
#ifndef FLOW_TRAIN_H
#define FLOW_TRAIN_H
#include "initial.h"
#include "settings.h"

typedef struct FlowTraining FlowTraining;

/* Checks the settings (which are copied; what they point to is borrowed) and takes all memory.  The weights are zero. */
flow_status flow_training_open(const FlowTrainSettings *settings, FlowTraining **training, flow_error *error);
void flow_training_close(FlowTraining *training);               /* NULL is fine */

/* First weights: by a rule for each of the model's, or from tensors of the model's names.  BAD_INPUT: one is missing or has another
 * shape. */
void flow_training_initialise(FlowTraining *training, const FlowInitial *rule);
flow_status flow_training_take(FlowTraining *training, const FlowTensors *tensors, const char *file, flow_error *error);

typedef struct FlowTrainReport {
  uint64_t iteration;           /* that was done, from 1 */
  double loss;                  /* before the step, without terms */
  double kinetic, jacobian;     /* the terms, not times their weights; 0 where they have none */
  double rate;                  /* learning rate */
  double norm;                  /* of the gradient, before clipping */
  FlowAdjointReport solve;      /* of the likelihood, where steps adapt */
} FlowTrainReport;

/* One iteration.  FAILED_SAMPLES: the loss or its gradient is not finite, the words say in which tensor; or a solve in steps that adapt
 * does not arrive, the words say from which row of the data.  CANCELLED: settings.stop.  The weights are those before. */
flow_status flow_training_step(FlowTraining *training, FlowTrainReport *report, flow_error *error);

/* The loss of the rows held out, without terms, each once, with times, points of the source and probes that are the same in every call; of the averaged
 * weights where they are kept.  NaN where a solve in steps that adapt does not arrive. */
flow_status flow_training_validate(FlowTraining *training, double *loss, flow_error *error);

uint64_t flow_training_done(const FlowTraining *training);      /* iterations */
uint64_t flow_training_held(const FlowTraining *training);      /* rows held out */
size_t flow_training_weights(const FlowTraining *training);     /* numbers */
size_t flow_training_bytes(const FlowTraining *training);       /* of gradients and tiles; the rest is 4 to 5 times the weights */
/* Weight i of the model as it is now, or its average; points into the training. */
FlowTensor flow_training_tensor(const FlowTraining *training, uint32_t i, bool average);

/* CHECKPOINTS are safetensors files with all that the rest of the run depends on: weight/NAME, first/NAME, second/NAME, average/NAME;
 * `iteration` and `settings` among the metadata.  The file appears whole or not at all; one that was there stays under the name
 * `previous`. */
flow_status flow_training_save(const FlowTraining *training, const char *path, const char *previous, flow_error *error);
/* BAD_INPUT: no checkpoint, or one of other settings; the words say which. */
flow_status flow_training_load(FlowTraining *training, const char *path, flow_error *error);

#endif
