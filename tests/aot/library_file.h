/* SPDX-License-Identifier: Apache-2.0 */
/* library_file.h -- the reference models as compiled libraries in the scratch folder. */
#ifndef FLOW_TESTS_AOT_LIBRARY_FILE_H
#define FLOW_TESTS_AOT_LIBRARY_FILE_H
#include "flow/flow.h"
#include "tensor.h"

typedef struct ReferenceModel {
  const char *program;          /* tests/models/<program>.flow */
  const char *data;             /* folder of tests/reference with its weights, or NULL */
  const char *flow;             /* NULL: the only one */
  const char *condition;        /* words for the command line, or "" */
  unsigned count;               /* samples of a comparison */
} ReferenceModel;
extern const ReferenceModel reference_models[];
extern const int reference_model_count;

/* Words that name the program and its weights to a verb. */
const char *model_words(const ReferenceModel *model);
/* Compiles it to scratch/NAME with further words; returns the path (valid until the next call). */
const char *compile_to(const ReferenceModel *model, const char *name, const char *words);
/* The same for a text: scratch/NAME.flow becomes scratch/NAME.so. */
const char *compile_text(const char *name, const char *text, const char *words);
const ReferenceModel *model_named(const char *program);
const char *weights_of(const ReferenceModel *model);            /* of tests/reference; valid until the next call */

/* The command's verb on it, with its weights and conditions and further words. */
void run_command(const char *verb, const ReferenceModel *model, const char *words);
/* Are these the numbers of an array of that name (NULL: the only one)?  cpu: for the message. */
void expect_same(const void *ours, const FlowTensors *theirs, const char *name, const ReferenceModel *model, uint32_t cpu);

flowrt_model *open_library(const char *path, uint32_t cpu);     /* fails the test where it cannot */
/* The numbers of a .npy or .npz in the scratch folder; freed with flow_tensors_free. */
FlowTensors scratch_tensors(const char *name);

#endif
