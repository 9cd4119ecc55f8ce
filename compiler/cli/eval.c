/* SPDX-License-Identifier: Apache-2.0 */
/* eval.c -- flowc eval: the velocity at given points and times. */
#include "eval.h"
#include "given.h"
#include "program.h"
#include "writer.h"
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct Points {
  Given at, time;
  uint64_t count;
  double *t; /* [count], or one */
  bool t_per_point;
  void *x, *u; /* [count][dim] in model precision */
} Points;

/* Rows of `dim` numbers: [n, ...] with dim in a row, [dim] for one point, [n] where dim is 1. */
static flow_status count_points(const FlowTensor *at, uint64_t dim, uint64_t *count, flow_error *error) {
  *count = at->rank >= 2 || dim == 1 ? (at->rank ? at->dim[0] : 1) : 1;
  if (at->count == *count * dim && *count > 0) return FLOW_OK;
  return flow_fail(error, FLOW_BAD_INPUT, "--at: %" PRIu64 " numbers in %" PRIu64 " row%s; each point takes %" PRIu64,
                   at->count, *count, *count == 1 ? "" : "s", dim);
}

static flow_status take_times(const Run *run, Points *points, flow_error *error) {
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

static flow_status take_points(const Run *run, const flow_model *model, Points *points, flow_error *error) {
  if (!has(run, OPTION_at))
    return flow_fail(error, FLOW_BAD_CALL, "--at is missing: the points, as a file or as numbers");
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
  return take_times(run, points, error);
}

static void free_points(Points *points) {
  given_free(&points->at);
  given_free(&points->time);
  free(points->t);
  free(points->x);
  free(points->u);
}

static flow_status evaluate(const Run *run, const Program *program, Points *points, flow_error *error) {
  GivenConditions conditions;
  flow_status status = given_conditions(run->line, program->model, &conditions, error);
  if (status) return status;
  FlowEvaluation what = {.model = program->model,
                         .level = program->level,
                         .weights = program->blob.data,
                         .count = points->count,
                         .t = points->t,
                         .t_per_sample = points->t_per_point,
                         .x = points->x,
                         .u = points->u,
                         .condition = conditions.tensor,
                         .allocator = &flow_standard_allocator};
  status = flow_evaluate(&what, error);
  given_conditions_free(&conditions);
  return status;
}

/* u0, u1, ...: one allocation, the texts behind the pointers; NULL if memory is out. */
static const char **velocity_names(uint64_t dim) {
  enum { NAME_ROOM = 24 };
  if (dim > SIZE_MAX / (2 * NAME_ROOM)) return NULL;
  const char **name = malloc((size_t)dim * (sizeof *name + NAME_ROOM));
  for (uint64_t c = 0; name && c < dim; c++) {
    char *text = (char *)(name + dim) + c * NAME_ROOM;
    snprintf(text, NAME_ROOM, "u%" PRIu64, c);
    name[c] = text;
  }
  return name;
}

static flow_status write_velocity(const Run *run, const Program *program, const Points *points, flow_error *error) {
  const Shape *state = &flow_compiled_function(program->compiled)->parameter[1];
  uint64_t dim[1 + FLOW_MOST_RANK] = {points->count};
  for (uint32_t r = 0; r < state->rank; r++) dim[1 + r] = (uint64_t)state->dim[r];
  FlowWriter *writer;
  const char **name = velocity_names(program->model->dim); /* without memory: the writer's own */
  FlowType type = program->model->precision == FLOW_F32 ? FLOW_TYPE_F32 : FLOW_TYPE_F64;
  flow_status status =
      flow_writer_open(&flow_standard_allocator, has(run, OPTION_output) ? text_of(run, OPTION_output) : "-",
                       FLOW_FORMAT_BY_SUFFIX, type, 1 + state->rank, dim, name, &writer, error);
  free(name);
  if (status) return status;
  status = flow_writer_append(writer, points->u, points->count, error);
  if (!status) return flow_writer_close(writer, error);
  flow_writer_abandon(writer);
  return status;
}

/* A velocity that is not finite is a value like another, and yet hardly what was wanted: it is written, and said. */
static int report_strange(const Run *run, const Program *program, const Points *points) {
  uint64_t strange = 0, dim = program->model->dim;
  for (uint64_t i = 0; i < points->count; i++) {
    bool finite = true;
    for (uint64_t c = i * dim; c < (i + 1) * dim; c++)
      finite = finite && isfinite(program->model->precision == FLOW_F32 ? (double)((float *)points->u)[c]
                                                                        : ((double *)points->u)[c]);
    strange += !finite;
  }
  if (strange == 0) return 0;
  complain(&run->terminal, "%" PRIu64 " of %" PRIu64 " velocities are infinite or NaN", strange, points->count);
  return flow_status_exit_code(FLOW_FAILED_SAMPLES);
}

static int eval_program(const Run *run, Program *program, Points *points) {
  if (has(run, OPTION_emit)) return program_emit(run, program, FLOW_ENTRY_EVAL | FLOW_ENTRY_EVAL_LANE);
  int code = program_bind(run, program);
  if (!code) code = program_link(run, program, FLOW_ENTRY_EVAL | FLOW_ENTRY_EVAL_LANE);
  if (code) return code;
  flow_error error = {{0}};
  flow_status status = take_points(run, program->model, points, &error);
  if (!status) status = evaluate(run, program, points, &error);
  if (!status) status = write_velocity(run, program, points, &error);
  return status ? failed(run, status, &error) : report_strange(run, program, points);
}

int verb_eval(const Run *run) {
  Program program;
  Points points = {0};
  int code = program_open(run, run->line->operand[0], &program);
  if (!code) code = eval_program(run, &program, &points);
  free_points(&points);
  program_close(&program);
  return code;
}
