/* SPDX-License-Identifier: Apache-2.0 */
/* models.c -- the velocity and its derivatives as compiled code, made when first asked for, and evaluated at rows of points.
 *
 * What a check runs here is what a user runs: the same passes, the same machine code. */
#include <string.h>
#include "eval.h"
#include "verify_parts.h"

/* ---- making ------------------------------------------------------------------------------------------------------------------- */

static flow_status link_model(Verify *v, Model *m, flow_error *error) {
  const VerifyOptions *o = &v->options;
  bool step = m->extras == FLOW_LOG_P || m->extras == FLOW_PROBES || (m->extras == FLOW_NO_EXTRAS && m->precision == FLOW_F64);
  bool adapts = m->extras == FLOW_NO_EXTRAS && step && v->flow && v->flow->steps == 0;
  unsigned entries = FLOW_ENTRY_EVAL_LANE | (step ? FLOW_ENTRY_STEP : 0) | (adapts ? FLOW_ENTRY_ATTEMPT : 0);
  flow_status status = flow_compiled_link(m->compiled, entries, error);
  if (status) return status;
  m->model = flow_compiled_model(m->compiled);
  status = flow_model_check(m->model, error);
  if (!status) status = flow_model_level(m->model, 0, &m->level, error);
  if (!status) status = flow_model_pack(o->allocator, m->model, o->tensors, o->tensors_name, &m->blob, error);
  return status;
}

static flow_status make(Verify *v, Model *m, flow_error *error) {
  const VerifyOptions *o = &v->options;
  FlowCompileOptions how = o->how;
  how.extras = m->extras;
  how.precision = m->precision;
  how.probes = 1;
  how.as_velocity = !m->jump;
  flow_status status = flow_compile(o->allocator, o->name, o->text, o->length, &how, &m->compiled, error);
  if (!status && flow_compiled_ir(m->compiled, false)->weights) {
    if (!o->tensors) return flow_fail(error, FLOW_BAD_INPUT, "its layers have no weights");
    status = flow_compiled_bind(m->compiled, o->tensors, error);
  }
  return status ? status : link_model(v, m, error);
}

static const Model *find_or_make(Verify *v, FlowExtras extras, int precision, bool jump) {
  Model *m = v->model;
  for (; m < v->model + v->models; m++)
    if (m->extras == extras && m->precision == precision && m->jump == jump) return m;
  flow_error error = {{0}};
  *m = (Model){.extras = extras, .precision = precision, .jump = jump};
  v->models++;
  flow_status status = make(v, m, &error);
  if (status == FLOW_NO_MEMORY) longjmp(v->no_memory, 1);
  if (status) m->why = arena_text(&v->arena, error.text, strlen(error.text));
  return m;
}

const Model *model_get(Verify *v, FlowExtras extras, int precision) { return find_or_make(v, extras, precision, false); }
const Model *model_jump(Verify *v) { return find_or_make(v, FLOW_LOG_P, FLOW_F64, true); }

uint64_t model_cost(const Model *m) {
  return function_cost(&(Function){.ir = (IrFunction *)(uintptr_t)flow_compiled_ir(m->compiled, true)});
}

void models_free(Verify *v) {
  for (uint32_t i = 0; i < v->models; i++) {
    if (v->model[i].blob.data) flow_blob_free(&v->model[i].blob);
    flow_compiled_free(v->model[i].compiled);
  }
}

/* ---- points ---------------------------------------------------------------------------------------------------------------------- */

Points draw_points(Verify *v, const Model *m, uint64_t count) {
  const TypedFunction *velocity = flow_compiled_function(m->compiled);
  bool *is_time = arena_array(&v->arena, velocity->parameters, sizeof *is_time);
  is_time[0] = true;
  Points points = {.names = {velocity->parameters, velocity->parameter_name, velocity->parameter, is_time, NULL}};
  points.names.label = arena_array(&v->arena, velocity->parameters + 1u, sizeof *points.names.label);       /* a direction comes last */
  find_labels(flow_compiled_ir(m->compiled, false), points.names.label);
  points.dim = (uint64_t)shape_count(&velocity->parameter[1]);
  points.row = point_numbers(&points.names);
  points.count = count;
  points.number = arena_array(&v->arena, (size_t)count + 1, (size_t)points.row * sizeof *points.number);
  for (uint64_t i = 0; i < count; i++) draw_point(v, &points.names, STREAM_FIELD, i, point_at(&points, i));
  for (uint64_t i = 0; i < count * points.row; i++) points.number[i] = (double)(float)points.number[i];
  return points;
}

double *new_rows(Verify *v, uint64_t count, uint64_t width) {
  return arena_array(&v->arena, (size_t)count + 1, (size_t)width * sizeof(double));
}

/* One column of the points as an array: numbers first .. first + width - 1 of each. */
static double *column(Verify *v, const Points *points, uint64_t first, uint64_t width) {
  double *rows = new_rows(v, points->count, width);
  for (uint64_t i = 0; i < points->count; i++) memcpy(rows + i * width, point_at(points, i) + first, (size_t)width * sizeof *rows);
  return rows;
}

FlowTensor rows_tensor(const double *rows, uint64_t count, uint64_t width) {
  return (FlowTensor){.name = "", .type = FLOW_TYPE_F64, .rank = 2, .dim = {count, width}, .count = count * width, .data = rows};
}

FlowTensor *points_conditions(Verify *v, const Points *points, const double *direction) {
  FlowTensor *tensor = arena_array(&v->arena, points->names.names, sizeof *tensor);
  uint64_t first = 1 + points->dim;
  uint32_t c = 0;
  for (; c + 2 < points->names.names; c++) {
    uint64_t width = (uint64_t)shape_count(&points->names.shape[c + 2]);
    tensor[c] = rows_tensor(column(v, points, first, width), points->count, width);
    first += width;
  }
  if (direction) tensor[c] = rows_tensor(direction, points->count, points->dim);
  return tensor;
}

/* ---- evaluating --------------------------------------------------------------------------------------------------------------- */

/* Numbers on their way into a model and out of it, all of its precision: it may be evaluated often, so that they are not the arena's. */
static void put_numbers(const Model *m, const double *from, uint64_t count, void *to) {
  for (uint64_t i = 0; i < count; i++) {
    if (m->precision == FLOW_F64) ((double *)to)[i] = from[i];
    else ((float *)to)[i] = (float)from[i];
  }
}

static void take_numbers(const Model *m, const void *from, uint64_t count, double *to) {
  for (uint64_t i = 0; i < count; i++) to[i] = m->precision == FLOW_F64 ? ((const double *)from)[i] : (double)((const float *)from)[i];
}

void model_evaluate(Verify *v, const Model *m, const Points *points, const double *state, const double *direction, double *u,
                    double *extra) {
  const FlowAllocator *allocator = v->options.allocator;
  uint64_t count = points->count, dim = points->dim, numbers = count * dim, extras = count * m->model->extras;
  size_t room = (size_t)(count + 2 * numbers + extras + 1);
  FlowTensor *condition = points_conditions(v, points, direction);
  double *t = flow_alloc_array(allocator, room, sizeof *t), *x = t + count, *to = x + numbers;
  if (!t) longjmp(v->no_memory, 1);
  for (uint64_t i = 0; i < count; i++) {
    t[i] = point_at(points, i)[0];
    put_numbers(m, state ? state + i * dim : point_at(points, i) + 1, dim, (char *)x + i * dim * (uint64_t)m->precision);
  }
  FlowEvaluation what = {.model = m->model, .level = m->level, .weights = m->blob.data, .count = count, .t = t, .t_per_sample = true,
                         .x = x, .u = to, .extra = extra ? to + numbers : NULL, .condition = condition, .allocator = allocator};
  flow_error error = {{0}};
  flow_status status = flow_evaluate(&what, &error);
  bool good = status == FLOW_OK;
  take_numbers(m, what.u, good ? numbers : 0, u);
  if (extra) take_numbers(m, what.extra, good ? extras : 0, extra);
  for (uint64_t i = 0; !good && i < numbers; i++) u[i] = (double)NAN;
  flow_free(allocator, t, room * sizeof *t);
  if (status == FLOW_NO_MEMORY) longjmp(v->no_memory, 1);
}
