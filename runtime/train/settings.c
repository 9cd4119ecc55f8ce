/* SPDX-License-Identifier: Apache-2.0 */
#include "settings.h"
#include "hash.h"
#include "streams.h"
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

FlowTrainSettings flow_train_defaults(void) {
  return (FlowTrainSettings){.parts = 1u << FLOW_PART_target, .t1 = 1, .s1 = 1, .rate = 1e-3, .beta1 = 0.9, .beta2 = 0.999, .epsilon = 1e-8, .batch = 256,
                             .iterations = 10000};
}

/* ---- checks ---------------------------------------------------------------------------------------------------------- */

typedef struct Bound { const char *name; double value, least, most; bool open_least, open_most; } Bound;

static bool outside(const Bound *b) {
  bool low = b->open_least ? b->value > b->least : b->value >= b->least;
  bool high = b->open_most ? b->value < b->most : b->value <= b->most;
  return !(low && high);                /* a NaN is outside */
}

static flow_status check_numbers(const FlowTrainSettings *s, flow_error *error) {
  const Bound bound[] = {
      {"the learning rate", s->rate, 0, 1e6, true, false},     {"beta1, or the momentum", s->beta1, 0, 1, false, true},
      {"beta2", s->beta2, 0, 1, false, true},                  {"epsilon", s->epsilon, 0, 1, true, false},
      {"the weight decay", s->decay, 0, 1e6, false, false},    {"the norm to clip at", s->clip, 0, INFINITY, false, true},
      {"the decay of the average", s->average, 0, 1, false, true}, {"the share held out", s->validation, 0, 1, false, true},
      {"the weight of the kinetic term", s->terms.kinetic, 0, INFINITY, false, true},
      {"the weight of the Jacobian", s->terms.jacobian, 0, INFINITY, false, true},
  };
  for (size_t i = 0; i < sizeof bound / sizeof *bound; i++) {
    const Bound *b = &bound[i];
    if (outside(b))
      return flow_fail(error, FLOW_BAD_CALL, "%s is %g; it lies %s %g and %s %g", b->name, b->value,
                       b->open_least ? "above" : "from", b->least, b->open_most ? "below" : "to", b->most);
  }
  if (s->batch == 0 || s->batch > UINT32_MAX)
    return flow_fail(error, FLOW_BAD_CALL, "a batch of %" PRIu64 " samples; 1 to %u make one", s->batch, UINT32_MAX);
  if (s->iterations > UINT64_MAX / s->batch)
    return flow_fail(error, FLOW_BAD_CALL, "%" PRIu64 " iterations are too many", s->iterations);
  return FLOW_OK;
}

static flow_status check_finite(const FlowTensor *tensor, const char *name, uint64_t width, flow_error *error) {
  for (uint64_t i = 0; i < tensor->count; i++) {
    double value = flow_tensor_at(tensor, i);
    if (value - value != 0)
      return flow_fail(error, FLOW_BAD_INPUT, "%s: row %" PRIu64 ", column %" PRIu64 " is %g; training needs finite numbers", name, i / width,
                       i % width, isnan(value) ? (double)NAN : value);
  }
  return FLOW_OK;
}

/* What stands beside the data, once it is known to have the right sizes. */
static flow_status check_all_finite(const FlowTrainSettings *s, flow_error *error) {
  const FlowSource *source = s->source;
  flow_status status = FLOW_OK;
  char name[128];
  for (uint32_t i = 0; !status && i < flow_train_conditions(s); i++) {
    snprintf(name, sizeof name, "condition '%.100s'", s->model->condition[i].name);
    status = check_finite(&s->condition[i], name, s->model->condition[i].size, error);
  }
  if (!status && source->kind == FLOW_SOURCE_TENSOR) status = check_finite(source->tensor, "the source", s->model->dim, error);
  return status;
}

static flow_status check_rows(const FlowTrainSettings *s, flow_error *error) {
  const FlowTensor *data = s->data;
  const char *name = s->data_name ? s->data_name : "the data";
  uint64_t rows = data->rank ? data->dim[0] : 0, dim = s->model->dim;
  if (rows == 0) return flow_fail(error, FLOW_BAD_INPUT, "%s: there are no rows; an array [rows, %" PRIu64 "] is needed", name, dim);
  if (data->count % rows != 0 || data->count / rows != dim)
    return flow_fail(error, FLOW_BAD_INPUT, "%s has %" PRIu64 " numbers in each of its %" PRIu64 " rows; a state of this flow has %" PRIu64,
                     name, data->count / rows, rows, dim);
  flow_status status = check_finite(data, name, dim, error);
  if (status) return status;
  if (s->validation > 0 && (uint64_t)(s->validation * (double)rows) == 0)
    return flow_fail(error, FLOW_BAD_CALL, "a share of %g of %" PRIu64 " rows holds out none of them", s->validation, rows);
  return FLOW_OK;
}

static flow_status check_source(const FlowTrainSettings *s, flow_error *error) {
  const FlowSource *source = s->source;
  uint64_t rows = source->kind == FLOW_SOURCE_TENSOR && source->tensor->rank ? source->tensor->dim[0] : 1;
  if (s->loss != FLOW_LOSS_likelihood) return flow_source_check(source, s->model->dim, 0, rows, error);
  if (source->dim != s->model->dim)
    return flow_fail(error, FLOW_BAD_INPUT, "the source has %" PRIu64 " numbers in a state; a state of this flow has %" PRIu32, source->dim,
                     s->model->dim);
  const FlowLikelihoodLoss loss = {.source = source, .precision = s->model->precision};
  return flow_likelihood_loss_check(&loss, error);
}

static flow_status check_solve(const FlowTrainSettings *s, flow_error *error) {
  const FlowTrainSolve *solve = &s->solve;
  const FlowProbes probes = {.count = flow_train_vectors(s)};
  uint32_t rates = solve->probes ? solve->probes : 1, terms = flow_train_terms(&s->terms);
  if (s->loss != FLOW_LOSS_likelihood) return FLOW_OK;
  if (!solve->ahead || !solve->tableau || (solve->steps < 1 && !solve->adaptive))
    return flow_fail(error, FLOW_BAD_CALL, "the likelihood of data needs a velocity, a method and at least 1 step");
  flow_status status = flow_model_check(solve->ahead, error);
  if (!status && probes.count) status = flow_probes_check(&probes, s->model->dim, error);
  if (!status && solve->ahead->extras != rates + terms)
    return flow_fail(error, FLOW_BAD_CALL, "%s computes %" PRIu32 " rates; there are %" PRIu32 " probes of log p, and %" PRIu32 " terms",
                     solve->ahead->name, solve->ahead->extras, solve->probes, terms);
  return status;
}

enum { NUMBERS_ONE, NUMBERS_STATE };

static bool has_parts(const FlowTrainSettings *s) {
  static const int numbers[] = {
#define LOSS_PART(name, numbers, text) NUMBERS_##numbers,
#include "loss_inputs.def"
  };
  const flow_condition *next = &s->model->condition[flow_train_conditions(s)];
  for (int i = 0; i < FLOW_PARTS; i++)
    if (s->parts >> i & 1 && next++->size != (numbers[i] == NUMBERS_STATE ? s->model->dim : 1)) return false;
  return !(s->terms.jacobian > 0 && s->terms.probe) || s->parts >> FLOW_PART_probe & 1;
}

static bool has_adjoint(const FlowTrainSettings *s) {
  uint64_t numbers = (uint64_t)s->model->dim + 1 + flow_train_terms(&s->terms);
  return s->model->condition[s->model->conditions - 1].size == numbers;
}

static flow_status check_model(const FlowTrainSettings *s, flow_error *error) {
  const flow_model *model = s->model;
  uint32_t own = flow_train_own_conditions(s);
  bool fits = model->gradient && model->conditions >= own;
  if (!fits || !(s->loss == FLOW_LOSS_likelihood ? has_adjoint(s) : has_parts(s)))
    return flow_fail(error, FLOW_BAD_CALL, "%s was compiled without the gradients of this loss", model->name);
  if (model->weights == 0) return flow_fail(error, FLOW_BAD_INPUT, "%s has no layers: there is nothing to train", model->name);
  return FLOW_OK;
}

flow_status flow_train_settings_check(const FlowTrainSettings *s, flow_error *error) {
  flow_status status = flow_model_check(s->model, error);
  if (!status) status = check_model(s, error);
  if (!status) status = check_numbers(s, error);
  if (!status) status = check_solve(s, error);
  if (!status) status = check_source(s, error);
  if (!status) status = check_rows(s, error);
  flow_model own = *s->model;
  if (!status) own.conditions = flow_train_conditions(s);
  if (!status) status = flow_conditions_check(&own, s->condition, 0, s->data->dim[0], error);
  if (!status) status = check_all_finite(s, error);
  return status;
}

/* ---- what the weights depend on ---------------------------------------------------------------------------------------- */

/* The numbers as f64. */
static uint64_t hash_numbers(uint64_t hash, const FlowTensor *tensor) {
  for (uint64_t i = 0; i < tensor->count; i++) {
    double value = flow_tensor_at(tensor, i);
    hash = flow_hash_bytes(hash, &value, sizeof value);
  }
  return hash;
}

static uint64_t hash_inputs(const FlowTrainSettings *s) {
  uint64_t hash = hash_numbers(FLOW_HASH_BEGIN, s->data);
  for (uint32_t i = 0; i < flow_train_conditions(s); i++) hash = hash_numbers(hash, &s->condition[i]);
  return hash;
}

/* Of a source: its points; or what it draws and how dense that is, which tells one from another, whatever it is made of. */
static bool hash_source(const FlowTrainSettings *s, uint64_t *hash) {
  enum { SOME = 8 };
  const FlowSource *source = s->source;
  const size_t dim = (size_t)source->dim, bytes = (dim + 1) * sizeof(double);
  const FlowRandom random = {s->seed, FLOW_STREAM_START};
  *hash = FLOW_HASH_BEGIN;
  if (source->kind == FLOW_SOURCE_TENSOR) {
    *hash = hash_numbers(*hash, source->tensor);
    return true;
  }
  double *x = flow_alloc_aligned(s->allocator, bytes);
  if (!x) return false;
  FlowTensor seen = {.type = FLOW_TYPE_F64, .rank = 1, .dim = {dim}, .count = dim, .data = x};
  bool dense = flow_source_has_density(source, NULL) == FLOW_OK;
  for (uint64_t i = 0; i < SOME; i++) {
    const FlowTile tile = {x, dim, FLOW_F64, 1, 1, 1};
    flow_source_fill(source, random, i, &tile);
    *hash = hash_numbers(*hash, &seen);
    if (!dense) continue;
    double density = flow_source_log_density(source, FLOW_F64, x);
    *hash = flow_hash_bytes(*hash, &density, sizeof density);
  }
  flow_free_aligned(s->allocator, x, bytes);
  return true;
}

/* Where the steps of the likelihood's solve end. */
static void steps_text(const FlowTrainSolve *solve, size_t size, char *text) {
  const FlowGrid grid = solve->grid ? *solve->grid : (FlowGrid){0};
  const FlowAdaptive *a = solve->adaptive;
  const char *spacing = flow_spacing_names()[grid.spacing];     /* NULL: given times */
  if (a)
    snprintf(text, size, "rtol %.17g atol %.17g log p %.17g, at most %" PRIu64 " attempts of %.17g to %.17g", a->tolerance.rtol,
             a->tolerance.atol, a->tolerance.ltol, a->most_attempts, a->least_step, a->largest_step);
  else
    snprintf(text, size, "%" PRIu64 " steps, spacing %s %.17g %.17g of %" PRIu64, solve->steps, spacing ? spacing : "given", grid.power, grid.from,
             grid.intervals);
}

/* The loss, where it is not the first one; "" else. */
static void loss_text(const FlowTrainSettings *s, size_t size, char *text) {
  char steps[256], probes[32] = "";
  text[0] = 0;
  if (s->loss_name) snprintf(text, size, "loss `%.64s` of parts %x, ", s->loss_name, s->parts);
  if (s->loss != FLOW_LOSS_likelihood) return;
  steps_text(&s->solve, sizeof steps, steps);
  if (s->solve.probes) snprintf(probes, sizeof probes, "%" PRIu32 " probes %d, ", s->solve.probes, (int)s->solve.probe);
  snprintf(text, size, "loss likelihood, %s, %s, %s", s->solve.tableau->name, steps, probes);
}

static void terms_text(const FlowTrainTerms *terms, size_t size, char *text) {
  text[0] = 0;
  if (flow_train_terms(terms) == 0) return;
  snprintf(text, size, "kinetic %.17g, jacobian %.17g %s, ", terms->kinetic, terms->jacobian, terms->probe ? "probe" : "exact");
}

const char *flow_coupling_name(FlowCoupling coupling) {
  static const char *const name[] = {
#define COUPLING(name, text) #name,
#include "couplings.def"
#undef COUPLING
  };
  return name[coupling];
}

char *flow_train_settings_text(const FlowTrainSettings *s) {
  char iterations[32] = "", loss[384], terms[128], text[1536];
  uint64_t source;
  if (!hash_source(s, &source)) return NULL;
  loss_text(s, sizeof loss, loss);
  terms_text(&s->terms, sizeof terms, terms);
  if (s->schedule != FLOW_SCHEDULE_constant) snprintf(iterations, sizeof iterations, " of %" PRIu64, s->iterations);
  int length = snprintf(text, sizeof text,
                        "%s%sformulas %016" PRIx64 ", f%" PRIu32 ", data %" PRIu64 "x%" PRIu32 " %016" PRIx64 ", source %016" PRIx64 ", seed %" PRIu64 ", batch %" PRIu64
                        ", path %s from %.17g to %.17g, time %.17g to %.17g, coupling %s, %s rate %.17g betas %.17g %.17g epsilon %.17g decay %.17g, "
                        "schedule %s%s warm-up %" PRIu64 ", clip %.17g, average %.17g, validation %.17g",
                        loss, terms, s->formulas, s->model->precision * 8, s->data->dim[0], s->model->dim, hash_inputs(s), source, s->seed, s->batch, flow_path_name(s->path),
                        s->s0, s->s1, s->t0, s->t1, flow_coupling_name(s->coupling), flow_optimiser_name(s->optimiser), s->rate, s->beta1, s->beta2, s->epsilon,
                        s->decay, flow_schedule_name(s->schedule), iterations, s->warm_up, s->clip, s->average, s->validation);
  char *copy = length > 0 && (size_t)length < sizeof text ? flow_alloc(s->allocator, (size_t)length + 1) : NULL;
  if (copy) memcpy(copy, text, (size_t)length + 1);
  return copy;
}
