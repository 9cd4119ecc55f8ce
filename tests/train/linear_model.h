/* SPDX-License-Identifier: Apache-2.0 */
/* linear_model.h -- a model for training written by hand: what the compiler would make, as plain C loops (a test double).
 *
 * u(t, x; shift) = W (x, t) + b + shift in two dimensions, W [2, 3] in panels, b [2]; loss |u - target|^2/2; the sums stand column by
 * column, in f64.  `shift` [2] is a condition of the user's.  An entry refuses a call that breaks the rules of flow/model.h. */
#ifndef FLOW_TEST_LINEAR_MODEL_H
#define FLOW_TEST_LINEAR_MODEL_H
#include "train.h"

enum { LINEAR_WEIGHTS = 8 };
const flow_model *linear_model(uint32_t lanes);        /* 8, 24 or 64 */

/* A training on points in a file's place: settings that work; change what the test is about. */
typedef struct LinearTraining {
  FlowTrainSettings settings;
  FlowSource source;
  FlowTensor data, condition;
  double point[600][2], shift[2];
} LinearTraining;
void linear_training(LinearTraining *t);
/* Opens it with W and b of some numbers, and runs so many iterations. */
FlowTraining *linear_open(const LinearTraining *t);
void linear_run(FlowTraining *training, uint64_t iterations);
/* W, then b. */
void linear_weights(const FlowTraining *training, bool average, double weight[LINEAR_WEIGHTS]);

#endif
