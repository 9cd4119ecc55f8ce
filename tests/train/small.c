/* SPDX-License-Identifier: Apache-2.0 */
#include "small.h"
#include <check.h>
#include <stdlib.h>
#include <string.h>

#define MUST(call) ck_assert_msg(!(call), "%s", error.text)

static const char text[] =
    "network v(t, x: [2], c: [3]) -> [2] =\n"
    "  let e = sinusoid(3*t, 4) |> linear 6 \"time\" |> tanh\n"
    "  let h = (x |> linear 8 \"in_x\") + (e |> linear 8 \"in_t\") + (c |> linear 8 \"in_c\" no bias)\n"
    "  h |> tanh |> linear 8 \"middle\" |> tanh |> linear 2 \"out\"\n"
    "flow small { source normal(2)  velocity v  weights \"small.safetensors\"  solver rk4 steps 5 }\n";

/* name, rows, columns (0: a vector) */
static const struct { const char *name; uint64_t rows, columns; } shape[] = {
    {"in_c.weight", 8, 3},   {"in_t.bias", 8, 0},  {"in_t.weight", 8, 6}, {"in_x.bias", 8, 0}, {"in_x.weight", 8, 2}, {"middle.bias", 8, 0},
    {"middle.weight", 8, 8}, {"out.bias", 2, 0},   {"out.weight", 2, 8},  {"time.bias", 6, 0}, {"time.weight", 6, 8}};
enum { TENSORS = sizeof shape / sizeof shape[0] };

double small_number(uint64_t *state) {
  *state ^= *state << 13, *state ^= *state >> 7, *state ^= *state << 17;
  return 2.0 * (double)(*state >> 11) / 9007199254740992.0 - 1;
}

static FlowTensors make_weights(void) {
  FlowTensors tensors = {.count = TENSORS, .tensor = calloc(TENSORS, sizeof *tensors.tensor)};
  uint64_t state = 88172645463325252u;
  for (int i = 0; i < TENSORS; i++) {
    uint64_t columns = shape[i].columns ? shape[i].columns : 1, count = shape[i].rows * columns;
    double *number = calloc(count, sizeof *number);
    for (uint64_t k = 0; k < count; k++) number[k] = 0.8 * small_number(&state);
    tensors.tensor[i] = (FlowTensor){.name = shape[i].name, .type = FLOW_TYPE_F64, .rank = shape[i].columns ? 2 : 1,
                                     .dim = {shape[i].rows, columns}, .count = count, .data = number};
  }
  return tensors;
}

static void free_weights(FlowTensors *tensors) {
  for (uint32_t i = 0; i < tensors->count; i++) free((void *)(uintptr_t)tensors->tensor[i].data);
  free(tensors->tensor);
}

static FlowCompiled *compile(const FlowTensors *weights, SmallKind kind) {
  flow_error error = {{0}};
  FlowCompiled *compiled;
  FlowCompileOptions options = flow_compile_defaults();
  options.precision = kind.precision, options.extras = kind.extras, options.probes = kind.probes;
  flow_status status = flow_compile(&flow_standard_allocator, "small.flow", text, sizeof text - 1, &options, &compiled, &error);
  if (status && compiled) diag_print(flow_compiled_diagnostics(compiled), stderr, false);
  ck_assert_msg(!status, "%s", error.text);
  MUST(flow_compiled_bind(compiled, weights, &error));
  MUST(flow_compiled_link(compiled, kind.entries, &error));
  return compiled;
}

static FlowBlob pack(const FlowCompiled *compiled, const FlowTensors *weights) {
  flow_error error = {{0}};
  FlowBlob blob;
  MUST(flow_model_pack(&flow_standard_allocator, flow_compiled_model(compiled), weights, "small", &blob, &error));
  return blob;
}

Small small_open(bool log_p) {
  return small_open_as((SmallKind){log_p ? FLOW_LOG_P : FLOW_NO_EXTRAS, 0, FLOW_ENTRY_STEP, FLOW_F64});
}

Small small_open_as(SmallKind kind) {
  Small s = {.weights = make_weights()};
  SmallKind back = kind;
  back.extras = kind.extras == FLOW_PROBES ? FLOW_ADJOINT_PROBES : kind.extras == FLOW_LOG_P ? FLOW_ADJOINT_LOG_P : FLOW_ADJOINT;
  back.entries = FLOW_ENTRY_GRADIENT;
  s.ahead = compile(&s.weights, kind);
  s.back = compile(&s.weights, back);
  s.ahead_blob = pack(s.ahead, &s.weights);
  s.back_blob = pack(s.back, &s.weights);
  return s;
}

void small_close(Small *s) {
  flow_blob_free(&s->ahead_blob), flow_blob_free(&s->back_blob);
  flow_compiled_free(s->ahead), flow_compiled_free(s->back);
  free_weights(&s->weights);
}

static double sum_at(const flow_model *model, const void *sums, const char *name, uint64_t element) {
  uint32_t i = 0;
  while (strcmp(model->weight[i].name, name)) ck_assert_uint_lt(++i, model->weights);
  const flow_gradient *g = &model->gradient[i];
  if (g->rows == 0) return 0;
  int64_t r = (int64_t)(element / g->columns), c = (int64_t)(element % g->columns), at = r * g->row_step + c * g->column_step;
  const void *first = (const char *)sums + g->at;
  return model->precision == FLOW_F32 ? (double)((const float *)first)[at] : ((const double *)first)[at];
}

double small_move(Small *s, double h, int only, const void *sums) {
  FlowTensors moved = make_weights();
  uint64_t state = 1234567;
  double slope = 0;
  for (uint32_t i = 0; i < moved.count; i++) {
    double *number = (double *)(uintptr_t)moved.tensor[i].data;
    for (uint64_t k = 0; k < moved.tensor[i].count; k++) {
      double along = small_number(&state);
      if (only >= 0 && (uint32_t)only != i) continue;
      number[k] += h * along;
      if (sums) slope += along * sum_at(flow_compiled_model(s->back), sums, moved.tensor[i].name, k);
    }
  }
  flow_blob_free(&s->ahead_blob), flow_blob_free(&s->back_blob);
  s->ahead_blob = pack(s->ahead, &moved);
  s->back_blob = pack(s->back, &moved);
  free_weights(&moved);
  return slope;
}
