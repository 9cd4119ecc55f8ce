/* SPDX-License-Identifier: Apache-2.0 */
#include "model_file.h"
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "eval.h"
#include "read_file.h"

#define MUST(call) ck_assert_msg(!(call), "%s", error.text)

static void read_into(FlowTensors *tensors, const char *data, const char *file) {
  char path[512];
  flow_error error = {{0}};
  snprintf(path, sizeof path, TESTS_DIR "/reference/%s/%s", data, file);
  MUST(flow_tensors_read(&flow_standard_allocator, path, tensors, &error));
}

ModelFile model_open(const char *program, const char *data, const char *flow, int precision, int schedule, unsigned entries) {
  return model_open_with(program, data, flow, precision, schedule, entries, FLOW_NO_EXTRAS, 0);
}

ModelFile model_open_with(const char *program, const char *data, const char *flow, int precision, int schedule, unsigned entries,
                          FlowExtras extras, uint32_t probes) {
  ModelFile m = {0};
  char path[512];
  flow_error error = {{0}};
  FlowBytes text;
  FlowCompileOptions options = flow_compile_defaults();
  options.precision = precision, options.flow = flow, options.schedule = schedule, options.extras = extras, options.probes = probes;
  snprintf(path, sizeof path, TESTS_DIR "/models/%s.flow", program);
  MUST(flow_read_file(&flow_standard_allocator, path, 1 << 20, &text, &error));
  flow_status status = flow_compile(&flow_standard_allocator, path, (const char *)text.data, text.size, &options, &m.compiled, &error);
  if (status && m.compiled) diag_print(flow_compiled_diagnostics(m.compiled), stderr, false);
  ck_assert_msg(!status, "%s: %s", path, error.text);
  flow_bytes_free(&flow_standard_allocator, &text);
  bool has_weights = flow_compiled_ir(m.compiled, true)->weights > 0;
  if (has_weights) {
    read_into(&m.weights, data, "model.safetensors");
    MUST(flow_compiled_bind(m.compiled, &m.weights, &error));
  }
  MUST(flow_compiled_link(m.compiled, entries, &error));
  m.model = flow_compiled_model(m.compiled);
  MUST(flow_model_pack(&flow_standard_allocator, m.model, has_weights ? &m.weights : NULL, path, &m.blob, &error));
  read_into(&m.values, data, "values.npz");
  return m;
}

void model_close(ModelFile *m) {
  flow_blob_free(&m->blob);
  if (m->weights.count) flow_tensors_free(&m->weights);
  flow_tensors_free(&m->values);
  flow_compiled_free(m->compiled);
}

const FlowTensor *model_value(const ModelFile *m, const char *name) {
  const FlowTensor *tensor = flow_tensors_find(&m->values, name);
  ck_assert_msg(tensor != NULL, "no array %s", name);
  return tensor;
}

double *model_numbers(const FlowTensor *tensor) {
  double *number = calloc(tensor->count + 1, sizeof *number);
  flow_tensor_to_f64(tensor, 0, tensor->count, number);
  return number;
}

void *model_typed(const ModelFile *m, const FlowTensor *tensor) {
  if (m->model->precision == FLOW_F64) return model_numbers(tensor);
  float *number = calloc(tensor->count + 1, sizeof *number);
  flow_tensor_to_f32(tensor, 0, tensor->count, number);
  return number;
}

double model_at(const ModelFile *m, const void *typed, uint64_t index) {
  return m->model->precision == FLOW_F64 ? ((const double *)typed)[index] : (double)((const float *)typed)[index];
}

void *model_velocity(const ModelFile *m, const FlowTensor *t, const FlowTensor *x, const FlowTensor *condition) {
  return model_velocity_and(m, t, x, condition, NULL);
}

void *model_velocity_and(const ModelFile *m, const FlowTensor *t, const FlowTensor *x, const FlowTensor *condition, void *extra) {
  flow_error error = {{0}};
  uint64_t count = x->count / m->model->dim;
  double *times = model_numbers(t);
  void *state = model_typed(m, x), *u = calloc(x->count + 1, 8);
  FlowEvaluation what = {.model = m->model, .weights = m->blob.data, .count = count, .t = times, .t_per_sample = t->count > 1, .x = state,
                         .u = u, .extra = extra, .condition = condition, .threads = 1, .allocator = &flow_standard_allocator};
  MUST(flow_evaluate(&what, &error));
  free(times), free(state);
  return u;
}

typedef struct Gathered { char *at; size_t row_bytes; uint64_t first; } Gathered;
static flow_status gather(void *user, const FlowRows *rows, flow_error *error) {
  Gathered *to = user;
  (void)error;
  memcpy(to->at + (rows->first - to->first) * to->row_bytes, rows->value, rows->count * to->row_bytes);
  return FLOW_OK;
}

void *model_solve(const ModelFile *m, const ModelSolve *how) {
  flow_error error = {{0}};
  size_t row_bytes = (size_t)m->model->dim * m->model->precision;
  Gathered rows = {calloc(how->end - how->first + 1, row_bytes), row_bytes, how->first};
  FlowSource source = {.kind = how->x0 ? FLOW_SOURCE_TENSOR : FLOW_SOURCE_NORMAL, .dim = m->model->dim, .tensor = how->x0, .name = "x0"};
  FlowSampling what = {.model = m->model, .weights = m->blob.data, .source = &source, .seed = 1, .first = how->first, .end = how->end,
                       .tableau = flow_tableau_find(how->solver), .steps = how->steps, .t0 = how->t0, .t1 = how->t1, .threads = how->threads,
                       .condition = how->condition, .allocator = &flow_standard_allocator, .sink = gather, .user = &rows};
  MUST(flow_sample(&what, &error));
  return rows.at;
}
