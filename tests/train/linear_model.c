/* SPDX-License-Identifier: Apache-2.0 */
#include "linear_model.h"
#include <check.h>
#include <math.h>
#include <string.h>

enum { W_PANEL = 8, B_AT = 24 };        /* numbers of the blob: one panel of three columns of eight rows, then b */

typedef struct Sample { double z[3], u[2], target[2]; } Sample;

static void read_sample(const flow_call *call, uint32_t stride, uint32_t lane, Sample *s) {
  const double *x = call->x, *t = call->t, *condition = call->conditions, *blob = call->weights;
  s->z[0] = x[lane], s->z[1] = x[stride + lane], s->z[2] = t[lane];
  for (int r = 0; r < 2; r++) {
    s->u[r] = blob[B_AT + r] + condition[(size_t)r * stride + lane];
    for (int c = 0; c < 3; c++) s->u[r] = fma(blob[c * W_PANEL + r], s->z[c], s->u[r]);
    s->target[r] = condition[(size_t)(2 + r) * stride + lane];
  }
}

static int gradient(const flow_call *call, uint32_t stride) {
  if (call->lanes % 8 || call->lanes > stride || call->live < 1 || call->live > call->lanes) return -1;
  double *loss = call->u, *sum = call->gradient;
  for (uint32_t lane = 0; lane < call->lanes; lane++) {
    Sample s;
    read_sample(call, stride, lane, &s);
    double d[2] = {s.u[0] - s.target[0], s.u[1] - s.target[1]};
    loss[lane] = (d[0] * d[0] + d[1] * d[1]) / 2;
    if (lane >= call->live) continue;
    for (int c = 0; c < 3; c++)
      for (int r = 0; r < 2; r++) sum[c * 2 + r] = fma(d[r], s.z[c], sum[c * 2 + r]);
    for (int r = 0; r < 2; r++) sum[6 + r] = fma(d[r], 1, sum[6 + r]);
  }
  return 0;
}

static int gradient_8(const flow_call *call) { return gradient(call, 8); }
static int gradient_24(const flow_call *call) { return gradient(call, 24); }
static int gradient_64(const flow_call *call) { return gradient(call, 64); }

static const flow_weight weight[] = {{"W", 2, {2, 3}}, {"b", 1, {2}}};
static const flow_gradient where[] = {{0, 2, 3, 1, 2}, {6 * sizeof(double), 1, 2, 0, 1}};
static const flow_pack pack[] = {{0, FLOW_PACK_PANELS, 0, 0, 3, 1, 2, 3}, {1, FLOW_PACK_ROWS, B_AT * sizeof(double), 0, 0, 1, 1, 2}};
static const flow_condition condition[] = {{"shift", 2, 0}, {"target", 2, 2}};

#define LEVEL(n) {.cpu = FLOW_CPU_V3, .lanes = n, .quantum = 8, .gradient = gradient_##n}
static const flow_level level[] = {LEVEL(8), LEVEL(24), LEVEL(64)};
#define MODEL(i)                                                                                                       \
  {.abi = FLOW_MODEL_ABI, .size = sizeof(flow_model), .precision = FLOW_F64, .dim = 2, .conditions = 2, .weights = 2, .packs = 2,  \
   .levels = 1, .condition_rows = 4, .blob_bytes = 26 * sizeof(double), .name = "linear", .condition = condition, .weight = weight, \
   .pack = pack, .level = &level[i], .gradient_bytes = 8 * sizeof(double), .gradient = where}
static const flow_model model[] = {MODEL(0), MODEL(1), MODEL(2)};

const flow_model *linear_model(uint32_t lanes) { return &model[lanes == 8 ? 0 : lanes == 24 ? 1 : 2]; }

void linear_training(LinearTraining *t) {
  memset(t, 0, sizeof *t);
  for (int i = 0; i < 600; i++) t->point[i][0] = 2 + cos(i), t->point[i][1] = sin(3 * i) - 1;
  t->shift[0] = 0.25;
  t->data = (FlowTensor){.name = "", .type = FLOW_TYPE_F64, .rank = 2, .dim = {600, 2}, .count = 1200, .data = t->point};
  t->condition = (FlowTensor){.name = "", .type = FLOW_TYPE_F64, .rank = 1, .dim = {2}, .count = 2, .data = t->shift};
  t->source = (FlowSource){.kind = FLOW_SOURCE_NORMAL, .dim = 2};
  t->settings = flow_train_defaults();
  t->settings.model = linear_model(24);
  t->settings.source = &t->source;
  t->settings.data = &t->data;
  t->settings.condition = &t->condition;
  t->settings.rate = 0.01;
  t->settings.batch = 500;
  t->settings.iterations = 40;
  t->settings.threads = 1;
  t->settings.allocator = &flow_standard_allocator;
}

FlowTraining *linear_open(const LinearTraining *t) {
  static const FlowInitial rule[] = {{FLOW_INITIAL_UNIFORM, 0.5}, {FLOW_INITIAL_CONSTANT, 0.125}};
  FlowTraining *training;
  flow_error error = {{0}};
  flow_status status = flow_training_open(&t->settings, &training, &error);
  ck_assert_msg(!status, "%s", error.text);
  flow_training_initialise(training, rule);
  return training;
}

void linear_run(FlowTraining *training, uint64_t iterations) {
  flow_error error = {{0}};
  FlowTrainReport report;
  for (uint64_t i = 0; i < iterations; i++) ck_assert_msg(!flow_training_step(training, &report, &error), "%s", error.text);
}

void linear_weights(const FlowTraining *training, bool average, double weights[LINEAR_WEIGHTS]) {
  FlowTensor W = flow_training_tensor(training, 0, average), b = flow_training_tensor(training, 1, average);
  flow_tensor_to_f64(&W, 0, 6, weights);
  flow_tensor_to_f64(&b, 0, 2, weights + 6);
}
