/* SPDX-License-Identifier: Apache-2.0 */
/* model_file.h -- a program of this folder with the weights and the values of tests/reference, compiled and run. */
#ifndef FLOW_TEST_MODEL_FILE_H
#define FLOW_TEST_MODEL_FILE_H
#include "compile.h"
#include "solve.h"

typedef struct ModelFile {
  FlowCompiled *compiled;
  const flow_model *model;
  FlowTensors weights, values;
  FlowBlob blob;
} ModelFile;

/* program: tests/models/<program>.flow; data: folder of tests/reference; schedule 0: this machine's. */
ModelFile model_open(const char *program, const char *data, const char *flow, int precision, int schedule, unsigned entries);
/* The same with what it computes beside the velocity (compile.h). */
ModelFile model_open_with(const char *program, const char *data, const char *flow, int precision, int schedule, unsigned entries,
                          FlowExtras extras, uint32_t probes);
void model_close(ModelFile *m);

const FlowTensor *model_value(const ModelFile *m, const char *name);
/* The array as f64, or as numbers of the model's precision; freed with free. */
double *model_numbers(const FlowTensor *tensor);
void *model_typed(const ModelFile *m, const FlowTensor *tensor);
double model_at(const ModelFile *m, const void *typed, uint64_t index);

/* u at the rows of x and t; the result is typed, freed with free. */
/* ... and the extras to `extra` [rows][extras], where it is not NULL. */
void *model_velocity_and(const ModelFile *m, const FlowTensor *t, const FlowTensor *x, const FlowTensor *condition, void *extra);
void *model_velocity(const ModelFile *m, const FlowTensor *t, const FlowTensor *x, const FlowTensor *condition);
/* Samples first .. end - 1 from the rows of x0 (NULL: standard normal with seed 1); typed, freed with free. */
typedef struct ModelSolve { const char *solver; uint64_t steps, first, end; double t0, t1; int threads; const FlowTensor *x0, *condition; } ModelSolve;
void *model_solve(const ModelFile *m, const ModelSolve *how);
#endif
