/* SPDX-License-Identifier: Apache-2.0 */
/* eval.c -- flowc eval: the velocity at given points and times, and its derivatives there. */
#include "eval.h"
#include "evaluation.h"
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { ENTRIES = FLOW_ENTRY_EVAL | FLOW_ENTRY_EVAL_LANE };

const Derivative derivatives[DERIVATIVE_COUNT] = {
#define X(option, extras, direction, letter) {OPTION_##option, extras, direction, letter},
    DERIVATIVES(X)
#undef X
};

uint64_t result_width(const Evaluation *evaluation, int derivative) {
  return derivatives[derivative].extras == FLOW_LOG_P ? 1 : evaluation->dim;
}

double number_of(const Evaluation *evaluation, const void *numbers, uint64_t index) {
  return evaluation->program->model->precision == FLOW_F32 ? (double)((const float *)numbers)[index]
                                                           : ((const double *)numbers)[index];
}

/* ---- points ------------------------------------------------------------------------------------------------------ */

/* Rows of `dim` numbers: [n, ...] with dim in a row, [dim] for one point, [n] where dim is 1. */
static flow_status count_points(const FlowTensor *at, uint64_t dim, uint64_t *count, flow_error *error) {
  *count = at->rank >= 2 || dim == 1 ? (at->rank ? at->dim[0] : 1) : 1;
  if (at->count == *count * dim && *count > 0) return FLOW_OK;
  return flow_fail(error, FLOW_BAD_INPUT, "--at: %" PRIu64 " numbers in %" PRIu64 " row%s; each point takes %" PRIu64,
                   at->count, *count, *count == 1 ? "" : "s", dim);
}

static flow_status take_times(Evaluation *points, flow_error *error) {
  const Run *run = points->run;
  flow_status status =
      given_read("--time", has(run, OPTION_time) ? text_of(run, OPTION_time) : "0", &points->time, error);
  if (status) return status;
  const FlowTensor *time = &points->time.tensor;
  points->t_per_point = time->count != 1;
  if (points->t_per_point && time->count != points->count)
    return flow_fail(error, FLOW_BAD_INPUT,
                     "--time: %" PRIu64 " times for %" PRIu64 " points; one for all or one for each is wanted",
                     time->count, points->count);
  points->t = calloc((size_t)time->count, sizeof *points->t);
  if (!points->t) return flow_fail(error, FLOW_NO_MEMORY, "out of memory");
  flow_tensor_to_f64(time, 0, time->count, points->t);
  return FLOW_OK;
}

static flow_status take_points(Evaluation *points, flow_error *error) {
  const flow_model *model = points->program->model;
  const Run *run = points->run;
  if (points->x) return FLOW_OK;
  if (!has(run, OPTION_at))
    return flow_fail(error, FLOW_BAD_CALL, "--at is missing: the points, as a file or as numbers");
  points->dim = model->dim;
  flow_status status = given_read("--at", text_of(run, OPTION_at), &points->at, error);
  if (!status) status = count_points(&points->at.tensor, model->dim, &points->count, error);
  if (status) return status;
  uint64_t numbers = points->count * model->dim; /* = at.count: it fits */
  points->x = calloc((size_t)numbers, model->precision);
  points->u = calloc((size_t)numbers, model->precision);
  if (!points->x || !points->u) return flow_fail(error, FLOW_NO_MEMORY, "out of memory");
  if (model->precision == FLOW_F32)
    flow_tensor_to_f32(&points->at.tensor, 0, numbers, points->x);
  else
    flow_tensor_to_f64(&points->at.tensor, 0, numbers, points->x);
  return take_times(points, error);
}

static void free_points(Evaluation *points) {
  given_free(&points->at);
  given_free(&points->time);
  free(points->t);
  free(points->x);
  free(points->u);
  for (int d = 0; d < DERIVATIVE_COUNT; d++) free(points->result[d]);
}

/* ---- the velocity, and one derivative with it -------------------------------------------------------------------- */

/* A vector for all points, or one for each. */
static flow_status take_direction(const Evaluation *points, const Derivative *derivative, Given *given, flow_error *error) {
  const char *name = options[derivative->option].name, *text = text_of(points->run, derivative->option);
  char shown[16];
  snprintf(shown, sizeof shown, "--%s", name);
  flow_status status = given_read(shown, text, given, error);
  if (status) return status;
  const FlowTensor *vector = &given->tensor;
  if (vector->count == points->dim || vector->count == points->count * points->dim) return FLOW_OK;
  return flow_fail(error, FLOW_BAD_INPUT,
                   "--%s %s: %" PRIu64 " numbers; %" PRIu64 " for all points or %" PRIu64 " rows of %" PRIu64 " are wanted", name, text,
                   vector->count, points->dim, points->count, points->dim);
}

static flow_status evaluate_under(Evaluation *points, const FlowTensor *condition, void *extra, flow_error *error) {
  const Program *program = points->program;
  FlowEvaluation what = {.model = program->model,
                         .level = program->level,
                         .weights = program->blob.data,
                         .count = points->count,
                         .t = points->t,
                         .t_per_sample = points->t_per_point,
                         .x = points->x,
                         .u = points->u,
                         .extra = extra,
                         .condition = condition,
                         .allocator = &flow_standard_allocator};
  return flow_evaluate(&what, error);
}

/* derivative: -1 for the velocity alone.  A direction is the model's last condition. */
static flow_status evaluate(Evaluation *points, int derivative, flow_error *error) {
  const flow_model *model = points->program->model;
  uint32_t theirs = model->conditions - points->program->own_conditions;
  GivenConditions conditions;
  Given direction = {0};
  flow_status status = given_conditions(points->run->line, model, theirs, &conditions, error);
  if (status) return status;
  void *extra = NULL;
  if (derivative >= 0) {
    extra = points->result[derivative] = calloc((size_t)(points->count * model->extras), model->precision);
    if (!extra) status = flow_fail(error, FLOW_NO_MEMORY, "out of memory");
    if (!status && derivatives[derivative].direction) status = take_direction(points, &derivatives[derivative], &direction, error);
    conditions.tensor[theirs] = direction.tensor; /* there is room for one more */
  }
  if (!status) status = evaluate_under(points, conditions.tensor, extra, error);
  given_free(&direction);
  given_conditions_free(&conditions);
  return status;
}

/* The model computes d log p/dt = -div. */
static void negate(Evaluation *points, void *numbers) {
  for (uint64_t i = 0; i < points->count; i++) {
    if (points->program->model->precision == FLOW_F32)
      ((float *)numbers)[i] = 0 - ((float *)numbers)[i];
    else
      ((double *)numbers)[i] = 0 - ((double *)numbers)[i];
  }
}

static int evaluate_linked(Evaluation *points, int derivative) {
  flow_error error = {{0}};
  int code = program_bind(points->run, points->program);
  if (!code) code = program_link(points->run, points->program, ENTRIES);
  if (code) return code;
  flow_status status = take_points(points, &error);
  if (!status) status = evaluate(points, derivative, &error);
  if (status) return failed(points->run, status, &error);
  if (derivative == DERIVATIVE_divergence) negate(points, points->result[derivative]);
  return 0;
}

/* Each derivative is a model of its own. */
static int evaluate_all(Evaluation *points) {
  int code = 0;
  if (points->asked == 0) code = evaluate_linked(points, -1);
  for (int d = 0; d < DERIVATIVE_COUNT && !code; d++) {
    if (!has(points->run, derivatives[d].option)) continue;
    code = program_with_extras(points->run, points->program, derivatives[d].extras, 0);
    if (!code) code = evaluate_linked(points, d);
  }
  return code;
}

/* ---- the verb ---------------------------------------------------------------------------------------------------- */

static bool row_is_finite(const Evaluation *points, const void *numbers, uint64_t width, uint64_t row) {
  for (uint64_t c = row * width; c < (row + 1) * width; c++)
    if (!isfinite(number_of(points, numbers, c))) return false;
  return true;
}

/* A result that is not finite is a value like another, and yet hardly what was wanted: it is written, and said. */
static int report_strange(const Evaluation *points) {
  uint64_t strange = 0;
  for (uint64_t i = 0; i < points->count; i++) {
    bool finite = row_is_finite(points, points->u, points->dim, i);
    for (int d = 0; d < DERIVATIVE_COUNT; d++)
      if (points->result[d]) finite = finite && row_is_finite(points, points->result[d], result_width(points, d), i);
    strange += !finite;
  }
  if (strange == 0) return 0;
  complain(&points->run->terminal, "%" PRIu64 " of %" PRIu64 " %s are infinite or NaN", strange, points->count,
           points->asked ? "results" : "velocities");
  return flow_status_exit_code(FLOW_FAILED_SAMPLES);
}

/* --emit shows the first derivative that is asked for, or the velocity. */
static int emit(Evaluation *points) {
  for (int d = 0; d < DERIVATIVE_COUNT; d++) {
    if (!has(points->run, derivatives[d].option)) continue;
    int code = program_with_extras(points->run, points->program, derivatives[d].extras, 0);
    return code ? code : program_emit(points->run, points->program, ENTRIES);
  }
  return program_emit(points->run, points->program, ENTRIES);
}

static int eval_program(Evaluation *points) {
  const Run *run = points->run;
  for (int d = 0; d < DERIVATIVE_COUNT; d++) points->asked += has(run, derivatives[d].option);
  if (has(run, OPTION_emit)) return emit(points);
  flow_error error = {{0}};
  flow_status status = evaluation_check_output(points, &error);
  if (status) return failed(run, status, &error);
  int code = evaluate_all(points);
  if (code) return code;
  status = evaluation_write(points, &error);
  return status ? failed(run, status, &error) : report_strange(points);
}

int verb_eval(const Run *run) {
  Program program;
  Evaluation points = {.run = run, .program = &program};
  int code = program_open(run, run->line->operand[0], &program);
  if (!code) code = eval_program(&points);
  free_points(&points);
  program_close(&program);
  return code;
}
