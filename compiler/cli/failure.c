/* SPDX-License-Identifier: Apache-2.0 */
#include "failure.h"
#include "adaptive.h"
#include "plan.h"
#include "trajectory.h"
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_NODES = 1 << 20 };

typedef struct Finder {
  const Program *program;
  const FlowSampling *what;
  FlowSampling one;             /* the sample alone, on one thread */
  const IrFunction *f;
  uint64_t dim, numbers;        /* of a state; with the extras */
  double **input, **weight;     /* of f */
  double *k, *x, *argument;     /* [FLOW_MOST_STAGES][numbers], [dim] */
  double t;                     /* where x is */
  FlowSampleStatus status;
  Failure *failure;
} Finder;

/* ---- what the interpreter reads -------------------------------------------------------------------------------------------- */

static double **new_rows(uint32_t count) { return calloc(count + (size_t)1, sizeof(double *)); }

static void free_rows(double **row, uint32_t count) {
  for (uint32_t i = 0; row && i < count; i++) free(row[i]);
  free(row);
}

static bool read_weights(Finder *finder) {
  finder->weight = new_rows(finder->f->weights);
  for (uint32_t i = 0; finder->weight && i < finder->f->weights; i++) {
    const FlowTensor *tensor = flow_tensors_find(&finder->program->tensors, finder->f->weight[i].name);
    if (!tensor || !(finder->weight[i] = malloc(((size_t)tensor->count + 1) * sizeof(double)))) return false;
    flow_tensor_to_f64(tensor, 0, tensor->count, finder->weight[i]);
  }
  return finder->weight;
}

/* The sample's conditions, its probes behind them, through a tile of one lane. */
static bool read_conditions(Finder *finder) {
  const flow_model *model = finder->what->model;
  size_t bytes;
  void *data = NULL;
  if (!flow_model_lanes_bytes(model, finder->program->level, model->condition_rows, &bytes) || posix_memalign(&data, 64, bytes + 64)) return false;
  FlowTile tile = flow_tile(model, finder->program->level, data, model->condition_rows, 1);
  flow_model given = *model;
  given.conditions -= finder->what->probes != NULL;
  if (given.conditions) flow_conditions_fill(&given, finder->what->condition, finder->one.first, &tile);
  if (finder->what->probes)
    flow_probes_fill(finder->what->probes, finder->one.first, model->dim, model->condition[given.conditions].row, &tile);
  bool done = true;
  for (uint32_t i = 0; done && i < model->conditions; i++) {
    const flow_condition *condition = &model->condition[i];
    double *to = finder->input[i + 2] = calloc((size_t)condition->size + 1, sizeof *to);
    done = to != NULL;
    for (uint64_t row = 0; done && row < condition->size; row++) to[row] = flow_tile_at(&tile, condition->row + row, 0);
  }
  free(data);
  return done;
}

static bool open_finder(Finder *finder) {
  const flow_model *model = finder->what->model;
  finder->f = flow_compiled_ir(finder->program->compiled, true);
  finder->dim = model->dim;
  finder->numbers = (uint64_t)model->dim + model->extras;
  finder->input = new_rows(finder->f->inputs);
  finder->k = calloc((size_t)finder->numbers * FLOW_MOST_STAGES + 1, sizeof(double));
  finder->x = calloc((size_t)finder->dim + 1, sizeof(double));
  finder->argument = calloc((size_t)finder->dim + 1, sizeof(double));
  if (!finder->input || !finder->k || !finder->x || !finder->argument) return false;
  finder->input[0] = calloc(1, sizeof(double));
  finder->input[1] = calloc((size_t)finder->dim + 1, sizeof(double));
  return finder->input[0] && finder->input[1] && read_weights(finder) && read_conditions(finder);
}

static void close_finder(Finder *finder) {
  if (finder->f) {
    free_rows(finder->input, finder->f->inputs);
    free_rows(finder->weight, finder->f->weights);
  }
  free(finder->k), free(finder->x), free(finder->argument);
}

/* ---- the last good point ------------------------------------------------------------------------------------------------------ */

static double number_at(const Finder *finder, const FlowRows *rows, uint64_t at) {
  return finder->what->model->precision == FLOW_F32 ? (double)((const float *)rows->value)[at] : ((const double *)rows->value)[at];
}

static flow_status take_row(void *user, const FlowRows *rows, flow_error *error) {
  Finder *finder = user;
  (void)error;
  finder->status = (FlowSampleStatus)rows->status[0];
  if (!rows->report) return FLOW_OK;
  finder->t = rows->report->t;
  for (uint64_t c = 0; c < finder->dim; c++) finder->x[c] = number_at(finder, rows, c);
  return FLOW_OK;
}

/* Times come in the solve's direction: the last state that is finite stays. */
typedef struct Nodes {
  Finder *finder;
  const double *time;
  size_t last;
  bool lost;
} Nodes;

static flow_status take_node(void *user, size_t time, const FlowRows *rows, flow_error *error) {
  Nodes *nodes = user;
  Finder *finder = nodes->finder;
  (void)error;
  nodes->lost = nodes->lost || rows->status[0] != FLOW_SAMPLE_OK;
  if (nodes->lost && time > 0) return FLOW_OK;
  nodes->last = time;
  finder->t = nodes->time[time];
  for (uint64_t c = 0; c < finder->dim; c++) finder->x[c] = number_at(finder, rows, c);
  return FLOW_OK;
}

static flow_status last_node(Finder *finder, double *h, flow_error *error) {
  const FlowSampling *what = finder->what;
  FlowPlan plan;
  *h = 0;
  if (what->steps >= MOST_NODES) return flow_fail(error, FLOW_BAD_CALL, "%" PRIu64 " steps are too many to look at each", what->steps);
  flow_status status = flow_plan_make_on(&plan, what->grid, what->tableau, what->model->precision, what->steps, what->t0, what->t1, error);
  size_t count = what->model->jump ? 1 : (size_t)what->steps + 1;
  double *time = status ? NULL : malloc(count * sizeof *time);
  if (!status && !time) status = flow_fail(error, FLOW_NO_MEMORY, "out of memory");
  for (size_t i = 0; !status && i < count; i++) time[i] = flow_plan_node(&plan, i);
  Nodes nodes = {finder, time, 0, false};
  FlowSampling one = finder->one;
  one.user = &nodes;
  if (!status) status = flow_trajectory(&one, time, count, take_node, error);
  if (!status && nodes.last + 1 < count) *h = time[nodes.last + 1] - time[nodes.last];
  free(time);
  return status;
}

/* ---- one step, stage by stage ----------------------------------------------------------------------------------------------------- */

static double rounded(const Finder *finder, double value) { return finder->what->model->precision == FLOW_F32 ? (double)(float)value : value; }

static bool is_finite(const double *x, uint64_t count) {
  for (uint64_t c = 0; c < count; c++)
    if (!isfinite(x[c])) return false;
  return true;
}

static void keep_point(Finder *finder, double t, const double *x) {
  Failure *failure = finder->failure;
  failure->t = t;
  if (!failure->x) failure->x = calloc((size_t)finder->dim + 1, sizeof *failure->x);
  failure->dim = failure->x ? finder->dim : 0;
  if (failure->x) memcpy(failure->x, x, (size_t)finder->dim * sizeof *x);
}

/* k = u(t, x); true: it is not finite, and the failure says why. */
static bool is_lost(Finder *finder, double t, const double *x, double *k) {
  finder->input[0][0] = t;
  memcpy(finder->input[1], x, (size_t)finder->dim * sizeof *x);
  Failure *failure = finder->failure;
  IrTrace trace = ir_trace(finder->f, (int)finder->what->model->precision, (const double *const *)finder->input,
                           (const double *const *)finder->weight, k, &failure->culprit);
  if (trace != IR_TRACE_CULPRIT) return false;
  failure->has_culprit = true;
  keep_point(finder, t, x);
  ir_culprit_words(finder->f, &failure->culprit, failure->words, sizeof failure->words);
  return true;
}

/* x + h sum of a row's entries times k. */
static void combine(const Finder *finder, const double *row, uint32_t length, double h, double *to) {
  for (uint64_t c = 0; c < finder->dim; c++) {
    double sum = finder->x[c];
    for (uint32_t j = 0; j < length; j++) sum = fma(h * row[j], finder->k[j * finder->numbers + c], sum);
    to[c] = rounded(finder, sum);
  }
}

/* Is a stage of the step of length h lost, or the new state?  The end of the step belongs to it where steps adapt. */
static bool step_is_lost(Finder *finder, double h) {
  const FlowTableau *tableau = finder->what->tableau;
  for (uint32_t s = 0; s <= tableau->stages; s++) {
    bool end = s == tableau->stages;
    combine(finder, flow_tableau_row(tableau, s), flow_tableau_row_length(tableau, s), h, finder->argument);
    if (!is_finite(finder->argument, finder->dim)) {
      keep_point(finder, finder->t, finder->x);
      snprintf(finder->failure->words, sizeof finder->failure->words,
               "overflow: the velocity is finite, but a step of %.3g with it leaves %s", h,
               finder->what->model->precision == FLOW_F32 ? "f32" : "f64");
      return true;
    }
    if (end && !finder->what->adaptive) return false;
    double t = finder->t + flow_tableau_c(tableau, s) * h;
    if (is_lost(finder, t, finder->argument, finder->k + s * finder->numbers)) return true;
  }
  return false;
}

/* ---- causes ------------------------------------------------------------------------------------------------------------------------ */

/* Steps from the least that is taken upwards: what the shortest one meets is what stopped the sample. */
static bool find_near(Finder *finder, double least) {
  double rest = finder->what->t1 - finder->t, direction = rest < 0 ? -1 : 1;
  for (double h = least; h < fabs(rest); h *= 2)
    if (step_is_lost(finder, direction * h)) return true;
  return false;
}

static double least_step(const Finder *finder) {
  const FlowSampling *what = finder->what;
  double span = fabs(what->t1 - what->t0), largest = fmax(span, fmax(fabs(what->t0), fabs(what->t1)));
  return 4 * (what->model->precision == FLOW_F32 ? 0x1p-23 : 0x1p-52) * largest;
}

static void describe_plain(Finder *finder) {
  Failure *failure = finder->failure;
  keep_point(finder, finder->t, finder->x);
  snprintf(failure->words, sizeof failure->words, "%s", flow_sample_status_text(finder->status));
}

/* A velocity that is another one a few least steps on has a jump; one that is huge for where it is, a singularity ahead. */
static void describe_steps(Finder *finder) {
  Failure *failure = finder->failure;
  double *here = finder->k, *there = finder->k + finder->numbers, h = 16 * least_step(finder), u = 0, x = 0, jump = 0;
  uint64_t component = 0;
  if (finder->what->t1 < finder->what->t0) h = -h;
  describe_plain(finder);
  if (is_lost(finder, finder->t, finder->x, here)) return;
  combine(finder, (const double[]){1}, 1, h, finder->argument);
  if (is_lost(finder, finder->t + h, finder->argument, there)) return;
  for (uint64_t c = 0; c < finder->dim; c++) {
    u = fmax(u, fabs(here[c])), x = fmax(x, fabs(finder->x[c]));
    if (fabs(there[c] - here[c]) > jump) jump = fabs(there[c] - here[c]), component = c;
  }
  if (jump > 0.1 * u && u * fabs(h) < 0.1 * (1 + x))
    snprintf(failure->words, sizeof failure->words,
             "its velocity jumps there: component %" PRIu64 " from %.6g to %.6g within a step of %.2g", component, here[component],
             there[component], h);
  else if (finder->status == FLOW_SAMPLE_STEP_TOO_SMALL)
    snprintf(failure->words, sizeof failure->words,
             "no step is short enough: |x| is %.3g there and its velocity %.3g, a singularity or stiffness", x, u);
}

static void find_adaptive(Finder *finder) {
  bool not_finite = finder->status == FLOW_SAMPLE_NON_FINITE_VELOCITY || finder->status == FLOW_SAMPLE_NON_FINITE;
  if (not_finite && find_near(finder, least_step(finder))) return;
  if (finder->status == FLOW_SAMPLE_STEP_TOO_SMALL || finder->status == FLOW_SAMPLE_TOO_MANY_STEPS)
    describe_steps(finder);
  else
    describe_plain(finder);
}

static flow_status find_fixed(Finder *finder, flow_error *error) {
  double h;
  flow_status status = last_node(finder, &h, error);
  if (status) return status;
  bool lost = finder->what->model->jump || finder->status == FLOW_SAMPLE_NO_DENSITY
                  ? is_lost(finder, finder->t, finder->x, finder->k)
                  : h != 0 && step_is_lost(finder, h);
  if (!lost) describe_plain(finder);
  return FLOW_OK;
}

/* What it starts from: the first number that is none. */
static flow_status find_bad_start(Finder *finder, flow_error *error) {
  double h;
  flow_status status = finder->what->adaptive ? FLOW_OK : last_node(finder, &h, error);
  if (status) return status;
  describe_plain(finder);
  for (uint64_t c = finder->dim; c-- > 0;)
    if (!isfinite(finder->x[c]))
      snprintf(finder->failure->words, sizeof finder->failure->words, "number %" PRIu64 " of its start is %s", c,
               isnan(finder->x[c]) ? "NaN" : "infinite");
  return FLOW_OK;
}

static flow_status find(Finder *finder, flow_error *error) {
  if (!open_finder(finder)) return flow_fail(error, FLOW_NO_MEMORY, "out of memory");
  FlowSampling one = finder->one;
  one.sink = take_row;
  one.user = finder;
  flow_status status = flow_sample(&one, error);
  if (status) return status;
  finder->failure->status = finder->status;
  if (finder->status == FLOW_SAMPLE_OK) return FLOW_OK;
  if (finder->status == FLOW_SAMPLE_BAD_START) return find_bad_start(finder, error);
  if (!finder->what->adaptive) return find_fixed(finder, error);
  find_adaptive(finder);
  return FLOW_OK;
}

flow_status failure_find(const Program *program, const FlowSampling *what, uint64_t sample, Failure *failure, flow_error *error) {
  *failure = (Failure){.sample = sample};
  Finder finder = {.program = program, .what = what, .one = *what, .failure = failure};
  finder.one.first = sample;
  finder.one.end = sample + 1;
  finder.one.threads = 1;
  finder.one.summary = NULL;
  finder.one.progress = NULL;
  FlowAdaptive quietly = {.trace = NULL};
  if (what->adaptive) {
    quietly = *what->adaptive;
    quietly.trace = NULL;
    quietly.summary = NULL;
    finder.one.adaptive = &quietly;
  }
  flow_status status = find(&finder, error);
  close_finder(&finder);
  if (status) failure_free(failure);
  return status;
}

void failure_tell(const Run *run, const Program *program, const FlowSampling *what, uint64_t sample) {
  Failure failure;
  flow_error error = {{0}};
  if (failure_find(program, what, sample, &failure, &error)) return;    /* that it failed has been said */
  if (has(run, OPTION_json))
    failure_print_json(program, &failure);
  else
    failure_print(run, program, &failure);
  failure_free(&failure);
}

void failure_free(Failure *failure) {
  free(failure->x);
  failure->x = NULL;
}
