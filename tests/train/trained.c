/* SPDX-License-Identifier: Apache-2.0 */
#include "trained.h"
#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "small.h"
#include "streams.h"

#define MUST(call) ck_assert_msg(!(call), "%s", error.text)

/* ---- models ------------------------------------------------------------------------------------------------------------- */

static FlowCompiled *compile(const Trained *t, FlowExtras extras) {
  const TrainedKind *k = &t->kind;
  flow_error error = {{0}};
  FlowCompiled *compiled;
  FlowCompileOptions options = flow_compile_defaults();
  options.precision = k->precision, options.extras = extras, options.probes = k->probes;
  options.kinetic = k->terms.kinetic, options.jacobian = k->terms.jacobian, options.jacobian_probe = k->terms.probe;
  flow_status status = flow_compile(&flow_standard_allocator, "trained.flow", k->text, strlen(k->text), &options, &compiled, &error);
  if (status && compiled) diag_print(flow_compiled_diagnostics(compiled), stderr, false);
  ck_assert_msg(!status, "%s", error.text);
  return compiled;
}

static int by_name(const void *a, const void *b) { return flow_natural_order(((const FlowTensor *)a)->name, ((const FlowTensor *)b)->name); }

static void make_weights(Trained *t) {
  const IrFunction *f = flow_compiled_ir(t->compiled, false);
  uint64_t state = 88172645463325252u;
  t->weights = (FlowTensors){.count = f->weights, .tensor = calloc(f->weights, sizeof *t->weights.tensor)};
  for (uint32_t i = 0; i < f->weights; i++) {
    const Shape *shape = &f->weight[i].shape;
    uint64_t count = (uint64_t)shape_count(shape);
    double *number = calloc(count, sizeof *number);
    for (uint64_t n = 0; n < count; n++) number[n] = 0.7 * small_number(&state);
    t->weights.tensor[i] = (FlowTensor){.name = f->weight[i].name, .type = FLOW_TYPE_F64, .rank = shape->rank, .count = count, .data = number};
    for (uint32_t d = 0; d < shape->rank; d++) t->weights.tensor[i].dim[d] = (uint64_t)shape->dim[d];
  }
  qsort(t->weights.tensor, t->weights.count, sizeof *t->weights.tensor, by_name);
}

static const flow_model *link(const Trained *t, FlowCompiled *compiled, unsigned entries) {
  flow_error error = {{0}};
  MUST(flow_compiled_bind(compiled, &t->weights, &error));
  MUST(flow_compiled_link(compiled, entries, &error));
  return flow_compiled_model(compiled);
}

/* ---- data ---------------------------------------------------------------------------------------------------------------- */

static void make_data(Trained *t) {
  uint64_t state = 7;
  for (int i = 0; i < TRAINED_ROWS; i++) {
    for (int c = 0; c < 2; c++) t->point[i][c] = 0.8 * small_number(&state) + (c ? -1 : 1.5);
    for (int c = 0; c < 3; c++) t->given[i][c] = small_number(&state);
  }
  t->data = (FlowTensor){.name = "", .type = FLOW_TYPE_F64, .rank = 2, .dim = {TRAINED_ROWS, 2}, .count = TRAINED_ROWS * 2, .data = t->point};
  t->condition = (FlowTensor){.name = "c", .type = FLOW_TYPE_F64, .rank = 2, .dim = {TRAINED_ROWS, 3}, .count = TRAINED_ROWS * 3,
                              .data = t->given};
  t->source = (FlowSource){.kind = FLOW_SOURCE_NORMAL, .dim = 2};
}

static void make_settings(Trained *t, const flow_model *model, const flow_model *ahead) {
  const TrainedKind *k = &t->kind;
  const TypedFlow *flow = flow_compiled_flow(t->compiled);
  FlowTrainSettings *s = &t->settings;
  *s = flow_train_defaults();
  s->model = model, s->loss = k->loss, s->terms = k->terms;
  s->source = &t->source, s->data = &t->data, s->condition = &t->condition;
  s->t0 = flow->time_from, s->t1 = flow->time_to, s->s0 = flow->path_from, s->s1 = flow->path_to;
  s->batch = k->batch, s->seed = 3, s->threads = k->threads, s->rate = 1e-2, s->iterations = 50;
  s->allocator = &flow_standard_allocator;
  while (flow->path && strcmp(flow_path_name(s->path), flow->path)) s->path++;
  if (k->of_program) s->loss_name = flow->loss->name, s->parts = flow->loss->parts;
  if (k->loss == FLOW_LOSS_flow_matching && k->terms.jacobian > 0 && k->terms.probe) s->parts |= 1u << FLOW_PART_probe;
  if (k->loss == FLOW_LOSS_likelihood)
    s->solve = (FlowTrainSolve){.ahead = ahead, .tableau = flow_tableau_find(k->adaptive ? "dopri5" : "rk4"), .steps = k->steps,
                                .adaptive = k->adaptive, .probes = k->probes};
}

/* ---- opening -------------------------------------------------------------------------------------------------------------- */

static void open_models(Trained *t) {
  TrainedKind *k = &t->kind;
  bool likelihood = k->loss == FLOW_LOSS_likelihood;
  t->compiled = compile(t, likelihood ? (k->probes ? FLOW_ADJOINT_PROBES : FLOW_ADJOINT_LOG_P) : k->of_program ? FLOW_PROGRAM_LOSS : FLOW_SQUARES);
  make_weights(t);
  const flow_model *model = link(t, t->compiled, FLOW_ENTRY_GRADIENT), *ahead = NULL;
  if (likelihood) t->ahead = compile(t, k->probes ? FLOW_PROBES : FLOW_LOG_P);
  if (likelihood) ahead = link(t, t->ahead, k->adaptive ? FLOW_ENTRY_EVAL_LANE | FLOW_ENTRY_ATTEMPT : FLOW_ENTRY_STEP);
  make_data(t);
  make_settings(t, model, ahead);
}

void trained_open(Trained *t, const TrainedKind *kind) {
  flow_error error = {{0}};
  const flow_level *level;
  *t = (Trained){.kind = *kind};
  if (!t->kind.precision) t->kind.precision = FLOW_F64;
  if (!t->kind.threads) t->kind.threads = 1;
  open_models(t);
  const FlowTrainSettings *s = &t->settings;
  MUST(flow_train_settings_check(s, &error));
  MUST(flow_model_level(s->model, 0, &level, &error));
  MUST(flow_masters_open(s->allocator, s->model, false, false, &t->masters, &error));
  for (uint32_t i = 0; i < s->model->weights; i++)
    flow_masters_take(&t->masters, FLOW_MASTER_WEIGHT, i, flow_tensors_find(&t->weights, s->model->weight[i].name));
  MUST(flow_repack_open(&t->masters, s->model, level, &t->repack, &error));
  MUST(flow_drawing_open(s, level, s->threads, &t->drawing, &error));
  MUST(flow_batch_open(s->allocator, s->batch, 2, &t->batch, &error));
  if (s->loss == FLOW_LOSS_likelihood)
    MUST(flow_likelihood_gradients_open(s, &t->masters, s->threads, &t->likelihood, &error));
  else
    MUST(flow_gradients_open(s, level, s->threads, s->batch, &t->gradients, &error));
  flow_batch_draw(&t->drawing, (FlowRowsOf){NULL, 0, TRAINED_ROWS}, FLOW_STREAM_PICK, FLOW_STREAM_START, 2 * s->batch, false, &t->batch);
}

void trained_close(Trained *t) {
  flow_likelihood_gradients_close(&t->likelihood);
  flow_gradients_close(&t->gradients);
  flow_batch_close(t->settings.allocator, &t->batch);
  flow_drawing_close(&t->drawing);
  flow_repack_close(&t->repack);
  flow_masters_close(&t->masters);
  for (uint32_t i = 0; i < t->weights.count; i++) free((void *)(uintptr_t)t->weights.tensor[i].data);
  free(t->weights.tensor);
  flow_compiled_free(t->ahead);
  flow_compiled_free(t->compiled);
}

/* ---- running -------------------------------------------------------------------------------------------------------------- */

FlowLossParts trained_run(Trained *t, bool gradient) {
  flow_error error = {{0}};
  FlowLossParts parts;
  const void *sums = NULL;
  MUST(flow_repack(&t->repack, FLOW_MASTER_WEIGHT, &error));
  if (t->likelihood.adjoint) {
    MUST(flow_likelihood_gradients_run(&t->likelihood, FLOW_MASTER_WEIGHT, gradient ? t->repack.blob.data : NULL, &t->batch, &parts, &error));
    sums = flow_adjoint_sums(t->likelihood.adjoint);
  } else {
    MUST(flow_gradients_run(&t->gradients, t->repack.blob.data, &t->batch, &parts, &error));
    sums = t->gradients.sums.group;
  }
  if (gradient) flow_masters_gather(&t->masters, sums, 1 / (double)t->batch.count);
  return parts;
}

double *trained_numbers(Trained *t, FlowMasterPart part, const char *name) {
  uint32_t i = 0;
  while (strcmp(t->settings.model->weight[i].name, name)) ck_assert_uint_lt(++i, t->settings.model->weights);
  return (double *)t->masters.part[part] + t->masters.offset[i];
}

Slopes trained_slopes(Trained *t, uint32_t weight, double h) {
  size_t first = t->masters.offset[weight], count = t->masters.offset[weight + 1] - first;
  double *w = (double *)t->masters.part[FLOW_MASTER_WEIGHT] + first, *kept = calloc(count, sizeof *kept), *along = calloc(count, sizeof *along), loss[2];
  uint64_t state = 1234567 + weight;
  Slopes slopes = {0};
  for (size_t i = 0; i < count; i++) {
    double part = flow_masters_at(&t->masters, FLOW_MASTER_GRADIENT, first + i) * (along[i] = small_number(&state));
    slopes.gradient += part;
    slopes.size += fabs(part);
  }
  memcpy(kept, w, count * sizeof *w);
  for (int side = 0; side < 2; side++) {
    for (size_t i = 0; i < count; i++) w[i] = kept[i] + (side ? h : -h) * along[i];
    loss[side] = trained_run(t, false).all;
  }
  memcpy(w, kept, count * sizeof *w);
  free(kept), free(along);
  slopes.difference = (loss[1] - loss[0]) / (2 * h);
  return slopes;
}

void trained_check_slopes(Trained *t, double h, double tolerance) {
  trained_run(t, true);
  for (uint32_t i = 0; i < t->settings.model->weights; i++) {
    Slopes s = trained_slopes(t, i, h);
    ck_assert_msg(fabs(s.gradient - s.difference) <= tolerance * (s.size + 1e-3), "%s: %.12g, by differences %.12g, of terms of %.3g",
                  t->settings.model->weight[i].name, s.gradient, s.difference, s.size);
  }
}

FlowTraining *trained_training(const Trained *t) {
  flow_error error = {{0}};
  FlowTraining *training;
  MUST(flow_training_open(&t->settings, &training, &error));
  MUST(flow_training_take(training, &t->weights, "trained", &error));
  return training;
}

void trained_expect_same(Trained *t, FlowLossParts *first, double **gradient, const char *what) {
  FlowLossParts parts = trained_run(t, true);
  size_t bytes = t->masters.count * sizeof(double);
  if (!*gradient) *first = parts, *gradient = memcpy(malloc(bytes), t->masters.part[FLOW_MASTER_GRADIENT], bytes);
  ck_assert_msg(memcmp(first, &parts, sizeof parts) == 0 && memcmp(*gradient, t->masters.part[FLOW_MASTER_GRADIENT], bytes) == 0, "%s", what);
}
