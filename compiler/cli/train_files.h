/* SPDX-License-Identifier: Apache-2.0 */
/* train_files.h -- the files of a training: w.safetensors, and beside it w.checkpoint.safetensors and the checkpoint before that,
 * w.checkpoint.previous.safetensors; w.stopped.safetensors where a loss was not finite: the weights before it. */
#ifndef FLOWC_TRAIN_FILES_H
#define FLOWC_TRAIN_FILES_H
#include "run.h"
#include "train.h"

typedef struct TrainFiles {
  const char *weights;
  char checkpoint[4096], previous[4096], stopped[4096];
} TrainFiles;

/* BAD_CALL: no -o, or another suffix.  BAD_FILE: nothing can be written there. */
flow_status train_files(const Run *run, TrainFiles *files, flow_error *error);
/* The newest checkpoint that can be read; a training without one is as it was.  What is passed over is told. */
flow_status train_resume(const Run *run, const TrainFiles *files, FlowTraining *training, flow_error *error);
/* The weights, or their average where one is kept and `average` asks for it, under the names that PyTorch gives back. */
flow_status train_write(const char *path, const FlowTraining *training, const flow_model *model, bool average, flow_error *error);

#endif
