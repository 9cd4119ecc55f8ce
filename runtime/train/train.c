/* SPDX-License-Identifier: Apache-2.0 */
#include "training.h"
#include "checked.h"
#include "hash.h"
#include "rounding.h"
#include "streams.h"
#include "threads.h"
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

/* ---- opening ------------------------------------------------------------------------------------------------------------ */

enum { SOME_STEPS = 8 };        /* of a solve whose steps adapt */

/* No more threads than blocks, and where nobody says how many, none for less than some 4 million multiply-adds: waking it would take
 * longer. */
static int choose_threads(const FlowTrainSettings *s, size_t weights) {
  int asked = flow_threads(s->threads);
  double steps = s->solve.adaptive ? SOME_STEPS : (double)s->solve.steps;
  double evaluations = s->loss == FLOW_LOSS_likelihood ? 8 * steps * s->solve.tableau->stages : 1;
  double work = evaluations * (double)s->batch * (double)weights, most = work / (1 << 22);
  uint64_t blocks = (s->batch + FLOW_BLOCK_SAMPLES - 1) / FLOW_BLOCK_SAMPLES, worth = 1 + (most < 1e6 ? (uint64_t)most : 1000000);
  if (s->threads <= 0 && (uint64_t)asked > worth) asked = (int)worth;
  return (uint64_t)asked > blocks ? (int)blocks : asked;
}

static flow_status hold_out(FlowTraining *t, flow_error *error) {
  const FlowTrainSettings *s = &t->settings;
  uint64_t rows = s->data->dim[0];
  size_t count;
  t->held = (uint64_t)(s->validation * (double)rows);
  if (t->held == 0) return FLOW_OK;
  if (t->held >= rows) return flow_fail(error, FLOW_BAD_CALL, "all %" PRIu64 " rows are held out, and none is left to train with", rows);
  t->order = flow_u64_to_size(rows, &count) ? flow_alloc_array(s->allocator, count, sizeof *t->order) : NULL;
  if (!t->order) return flow_fail(error, FLOW_NO_MEMORY, "out of memory for the order of %" PRIu64 " rows", rows);
  flow_rows_shuffle(s->seed, rows, t->order);
  return FLOW_OK;
}

static flow_status choose_level(FlowTraining *t, flow_error *error) {
  t->level = t->settings.level;
  flow_status status = t->level ? FLOW_OK : flow_model_level(t->settings.model, 0, &t->level, error);
  if (!status && !t->level->gradient)
    return flow_fail(error, FLOW_BAD_CALL, "%s was compiled without the gradients of a loss", t->settings.model->name);
  return status;
}

static flow_status open_loss(FlowTraining *t, flow_error *error) {
  const FlowTrainSettings *s = &t->settings;
  if (s->loss == FLOW_LOSS_likelihood) return flow_likelihood_gradients_open(s, &t->masters, t->threads, &t->likelihood, error);
  return flow_gradients_open(s, t->level, t->threads, s->batch, &t->gradients, error);
}

static flow_status open_parts(FlowTraining *t, flow_error *error) {
  const FlowTrainSettings *s = &t->settings;
  flow_status status = choose_level(t, error);
  if (!status)
    status = flow_masters_open(s->allocator, s->model, flow_optimiser_moments(s->optimiser) > 1, s->average > 0, &t->masters, error);
  t->threads = choose_threads(s, t->masters.count);
  if (!status) status = flow_repack_open(&t->masters, s->model, t->level, &t->repack, error);
  if (!status) status = flow_drawing_open(s, t->level, t->threads, &t->drawing, error);
  if (!status) status = flow_batch_open(s->allocator, s->batch, s->model->dim, &t->batch, error);
  if (!status) status = open_loss(t, error);
  if (!status && s->loss == FLOW_LOSS_flow_matching && s->coupling == FLOW_COUPLING_transport)
    status = flow_coupler_open(s->allocator, (size_t)s->batch, s->model->dim, &t->coupler, error);
  t->coupler.stop = s->stop;
  if (!status) status = hold_out(t, error);
  if (status) return status;
  t->text = flow_train_settings_text(s);
  return t->text ? FLOW_OK : flow_fail(error, FLOW_NO_MEMORY, "out of memory");
}

flow_status flow_training_open(const FlowTrainSettings *settings, FlowTraining **training, flow_error *error) {
  *training = NULL;
  flow_status status = flow_train_settings_check(settings, error);
  if (status) return status;
  FlowTraining *t = flow_alloc(settings->allocator, sizeof *t);
  if (!t) return flow_fail(error, FLOW_NO_MEMORY, "out of memory");
  t->settings = *settings;
  status = open_parts(t, error);
  if (!status)
    *training = t;
  else
    flow_training_close(t);
  return status;
}

void flow_training_close(FlowTraining *t) {
  if (!t) return;
  const FlowAllocator allocator = *t->settings.allocator;
  if (t->text) flow_free(&allocator, t->text, strlen(t->text) + 1);
  if (t->order) flow_free(&allocator, t->order, (size_t)t->settings.data->dim[0] * sizeof *t->order);
  flow_gradients_close(&t->gradients);
  flow_likelihood_gradients_close(&t->likelihood);
  flow_coupler_close(&t->coupler);
  flow_batch_close(&allocator, &t->batch);
  flow_drawing_close(&t->drawing);
  flow_repack_close(&t->repack);
  flow_masters_close(&t->masters);
  flow_free(&allocator, t, sizeof *t);
}

/* ---- first weights ------------------------------------------------------------------------------------------------------- */

static void begin(FlowTraining *t) {
  size_t bytes = t->masters.count * t->settings.model->precision;
  t->start = flow_hash_bytes(FLOW_HASH_BEGIN, t->masters.part[FLOW_MASTER_WEIGHT], bytes);
  if (t->settings.average > 0) memcpy(t->masters.part[FLOW_MASTER_AVERAGE], t->masters.part[FLOW_MASTER_WEIGHT], bytes);
}

void flow_training_initialise(FlowTraining *t, const FlowInitial *rule) {
  flow_initial_fill(&t->masters, rule, t->settings.seed);
  begin(t);
}

flow_status flow_training_take(FlowTraining *t, const FlowTensors *tensors, const char *file, flow_error *error) {
  const flow_model *model = t->settings.model;
  for (uint32_t i = 0; i < model->weights; i++) {
    const flow_weight *w = &model->weight[i];
    const FlowTensor *tensor = flow_tensors_find(tensors, w->name);
    if (!tensor || tensor->rank != w->rank || memcmp(tensor->dim, w->dim, w->rank * sizeof w->dim[0]) != 0)
      return flow_fail(error, FLOW_BAD_INPUT, "%s: there is no tensor '%s' of the shape that the flow gives it", file, w->name);
    flow_masters_take(&t->masters, FLOW_MASTER_WEIGHT, i, tensor);
  }
  begin(t);
  return FLOW_OK;
}

/* ---- an iteration ---------------------------------------------------------------------------------------------------------- */

/* Where the first number that is not finite is. */
static flow_status not_finite(const FlowTraining *t, double loss, flow_error *error) {
  const FlowMasters *m = &t->masters;
  size_t at = 0;
  while (at < m->count && isfinite(flow_masters_at(m, FLOW_MASTER_GRADIENT, at))) at++;
  uint32_t owner = at < m->count ? flow_masters_owner(m, at) : 0;
  return flow_fail(error, FLOW_FAILED_SAMPLES,
                   "iteration %" PRIu64 ": the loss is %g%s%s%s; a lower rate, a limit of the gradient's norm (clip), or data nearer to "
                   "the size of the source may help. The weights are those before this iteration",
                   t->done + 1, isnan(loss) ? (double)NAN : loss, at < m->count ? ", and the gradient of '" : "", at < m->count ? t->settings.model->weight[owner].name : "",
                   at < m->count ? "' is not finite" : "");
}

static flow_status not_arrived(const FlowTraining *t, flow_error *error) {
  const flow_error why = *error;
  return flow_fail(error, FLOW_FAILED_SAMPLES,
                   "iteration %" PRIu64 ": %s; a lower rate, a limit of the gradient's norm (clip), or a number of fixed steps may help. The "
                   "weights are those before this iteration",
                   t->done + 1, why.text);
}

static FlowStep step_of(const FlowTraining *t, double rate, double norm) {
  const FlowTrainSettings *s = &t->settings;
  return (FlowStep){.optimiser = s->optimiser, .number = t->done + 1, .rate = rate, .decay = s->decay, .beta1 = s->beta1, .beta2 = s->beta2,
                    .epsilon = s->epsilon, .scale = s->clip > 0 && norm > s->clip ? s->clip / norm : 1};
}

/* The average forgets the first weights soon: its decay grows to the one that is asked for. */
static double keep_of(const FlowTraining *t) {
  double early = (1 + (double)t->done) / (10 + (double)t->done);
  return early < t->settings.average ? early : t->settings.average;
}

static void update(FlowTraining *t, double rate, double norm) {
  FlowMasters *m = &t->masters;
  uint32_t precision = t->settings.model->precision;
  FlowStep step = step_of(t, rate, norm);
  flow_optimise(&step, precision, m->count, m->part[FLOW_MASTER_WEIGHT], m->part[FLOW_MASTER_FIRST], m->part[FLOW_MASTER_SECOND],
                m->part[FLOW_MASTER_GRADIENT]);
  if (t->settings.average > 0) flow_follow(keep_of(t), precision, m->count, m->part[FLOW_MASTER_AVERAGE], m->part[FLOW_MASTER_WEIGHT]);
}

/* The mean loss of a batch; the sums of its gradient are at sums_of, where it is wanted. */
static flow_status run_loss(FlowTraining *t, FlowMasterPart part, const FlowBatch *batch, bool gradient, FlowLossParts *loss, flow_error *error) {
  flow_status status = flow_repack(&t->repack, part, error);
  const void *weights = t->repack.blob.data;
  if (status) return status;
  if (t->likelihood.adjoint) return flow_likelihood_gradients_run(&t->likelihood, part, gradient ? weights : NULL, batch, loss, error);
  return flow_gradients_run(&t->gradients, weights, batch, loss, error);
}

/* Terms by their names, and the loss without them. */
static void report_parts(const FlowTrainTerms *terms, const FlowLossParts *parts, FlowTrainReport *report) {
  uint32_t next = 0;
  report->kinetic = terms->kinetic > 0 ? parts->term[next++] : 0;
  report->jacobian = terms->jacobian > 0 ? parts->term[next] : 0;
  report->loss = parts->all - terms->kinetic * report->kinetic - terms->jacobian * report->jacobian;
}

static const void *sums_of(const FlowTraining *t) {
  return t->likelihood.adjoint ? flow_adjoint_sums(t->likelihood.adjoint) : t->gradients.sums.group;
}

static flow_status iterate(FlowTraining *t, FlowTrainReport *report, flow_error *error) {
  const FlowTrainSettings *s = &t->settings;
  const FlowRowsOf rows = {t->order, t->held, s->data->dim[0] - t->held};
  flow_batch_draw(&t->drawing, rows, FLOW_STREAM_PICK, FLOW_STREAM_START, t->done * s->batch, false, &t->batch);
  if (s->loss == FLOW_LOSS_flow_matching && s->coupling == FLOW_COUPLING_transport && !flow_couple(&t->coupler, &t->batch))
    return flow_fail(error, FLOW_CANCELLED, "stopped");
  FlowLossParts parts;
  flow_status status = run_loss(t, FLOW_MASTER_WEIGHT, &t->batch, true, &parts, error);
  if (status) return status == FLOW_FAILED_SAMPLES ? not_arrived(t, error) : status;
  if (t->likelihood.adjoint) report->solve = *flow_adjoint_report(t->likelihood.adjoint);
  flow_masters_gather(&t->masters, sums_of(t), 1 / (double)s->batch);
  report->norm = sqrt(flow_sum_of_squares(s->model->precision, t->masters.count, t->masters.part[FLOW_MASTER_GRADIENT]));
  report->rate = s->rate * flow_schedule_at(s->schedule, t->done, s->iterations, s->warm_up);
  report_parts(&s->terms, &parts, report);
  if (!isfinite(parts.all) || !isfinite(report->norm)) return not_finite(t, parts.all, error);
  update(t, report->rate, report->norm);
  report->iteration = ++t->done;
  return FLOW_OK;
}

flow_status flow_training_step(FlowTraining *t, FlowTrainReport *report, flow_error *error) {
  FlowRounding callers = flow_rounding_enter();
  flow_status status = iterate(t, report, error);
  flow_rounding_leave(callers);
  return status;
}

/* ---- what is held out ------------------------------------------------------------------------------------------------------ */

static flow_status validate(FlowTraining *t, double *loss, flow_error *error) {
  const FlowRowsOf rows = {t->order, 0, t->held};
  double sum = 0;
  FlowLossParts mean;
  FlowTrainReport report;
  const FlowMasterPart weights = t->settings.average > 0 ? FLOW_MASTER_AVERAGE : FLOW_MASTER_WEIGHT;
  flow_status status = FLOW_OK;
  for (uint64_t first = 0; !status && first < t->held; first += t->batch.count) {
    FlowBatch part = t->batch;
    if (t->held - first < part.count) part.count = t->held - first;
    flow_batch_draw(&t->drawing, rows, FLOW_STREAM_VALIDATION_PICK, FLOW_STREAM_VALIDATION_START, first, true, &part);
    status = run_loss(t, weights, &part, false, &mean, error);
    if (status == FLOW_FAILED_SAMPLES) status = FLOW_OK;        /* mean is NaN */
    report_parts(&t->settings.terms, &mean, &report);
    sum += report.loss * (double)part.count;
  }
  *loss = sum / (double)t->held;
  return status;
}

flow_status flow_training_validate(FlowTraining *t, double *loss, flow_error *error) {
  if (t->held == 0) return flow_fail(error, FLOW_BAD_CALL, "no rows are held out");
  FlowRounding callers = flow_rounding_enter();
  flow_status status = validate(t, loss, error);
  flow_rounding_leave(callers);
  return status;
}

uint64_t flow_training_done(const FlowTraining *t) { return t->done; }
uint64_t flow_training_held(const FlowTraining *t) { return t->held; }
size_t flow_training_weights(const FlowTraining *t) { return t->masters.count; }
size_t flow_training_bytes(const FlowTraining *t) { return flow_gradients_bytes(&t->gradients) + flow_likelihood_gradients_bytes(&t->likelihood); }
FlowTensor flow_training_tensor(const FlowTraining *t, uint32_t i, bool average) {
  return flow_masters_tensor(&t->masters, average && t->settings.average > 0 ? FLOW_MASTER_AVERAGE : FLOW_MASTER_WEIGHT, i);
}
