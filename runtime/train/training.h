/* SPDX-License-Identifier: Apache-2.0 */
/* training.h -- a training's insides, for train.c and checkpoint.c. */
#ifndef FLOW_TRAINING_H
#define FLOW_TRAINING_H
#include "couple.h"
#include "gradients.h"
#include "initial.h"
#include "likelihood_gradients.h"
#include "repack.h"
#include "train.h"

struct FlowTraining {
  FlowTrainSettings settings;
  const flow_level *level;
  int threads;
  FlowMasters masters;
  FlowRepack repack;
  FlowDrawing drawing;
  FlowBatch batch;
  FlowCoupler coupler;
  FlowGradients gradients;      /* of one loss ... */
  FlowLikelihoodGradients likelihood;   /* ... or of the other */
  uint64_t *order;              /* [rows of the data]: held out first; NULL: nothing is */
  uint64_t held;
  uint64_t done;                /* iterations */
  uint64_t start;               /* a number for the first weights */
  char *text;                   /* flow_train_settings_text */
};

#endif
