/* SPDX-License-Identifier: Apache-2.0 */
/* compile_source.c -- the flow's source for the runtime.  A density of the program is run by the interpreter, in f64: what it
 * says of a point and what its draw line makes of random numbers are asked once for each sample, not in every step. */
#include <math.h>
#include <string.h>
#include "compiled.h"
#include "derive.h"
#include "solve.h"

/* ---- a density of the program ------------------------------------------------------------------------------------------ */

typedef struct DensitySource {
  const TypedDensity *density;
  IrFunction *log_p, *result;
  IrFunction *slope;            /* NULL: it could not be differentiated */
  double time;                  /* where it has one: that of the flow's start */
  uint64_t numbers;             /* that are drawn; with room for a pair's second number */
} DensitySource;

enum { MOST_DRAWS = 256 };      /* names of a draw line, t included */

static double log_density(void *user, const double *x, uint64_t dim) {
  const DensitySource *self = user;
  double log_p;
  (void)dim;
  const double *with_time[] = {&self->time, x};
  return ir_run_f64(self->log_p, self->density->has_time ? with_time : &with_time[1], NULL, &log_p) ? log_p : NAN;
}

static void density_slope(void *user, const double *x, uint64_t dim, double *slope) {
  const DensitySource *self = user;
  const double *with_time[] = {&self->time, x};
  bool known = ir_run_f64(self->slope, self->density->has_time ? with_time : &with_time[1], NULL, slope);
  for (uint64_t i = 0; i < dim && !known; i++) slope[i] = NAN;
}

/* The gradient of log p by the point; NULL where a value has no room for it, or the point is not read. */
static IrFunction *differentiate(FlowCompiled *c, const TypedDensity *density) {
  IrFunction *f = ir_lower_function(&c->arena, density->function, "", &c->diagnostics);
  if (!f) return NULL;
  Span at = f->node[f->result].at;
  Shape scalar = {0};
  for (Ref r = 0; r < f->nodes; r++) {
    if (f->node[r].op != IR_input || f->node[r].slot != density->has_time) continue;
    Ref slope = ir_vjp(f, 0, f->result, r, ir_number(f, &scalar, 1, at), at);
    if (slope == IR_NONE) return NULL;
    f->result = slope;
    return ir_sweep(f);
  }
  return NULL;
}

/* 0 .. size - 1: uniform numbers in equal intervals, or in those of the weights. */
static double choose(const TypedDraw *draw, double uniform) {
  if (!draw->weight) {
    double at = floor(uniform * (double)draw->size);
    return at < (double)draw->size ? at : (double)draw->size - 1;
  }
  double sum = 0;
  for (int64_t i = 0; i + 1 < draw->size; i++) {
    sum += draw->weight[i];
    if (uniform < sum) return (double)i;
  }
  return (double)draw->size - 1;
}

static uint64_t numbers_of(const TypedDraw *draw) { return draw->kind == DRAW_CHOICE ? 1 : (uint64_t)draw->size; }

/* One name's numbers; every name begins at an even number of the sample's, so that normal numbers are whole pairs. */
static void draw_name(const TypedDraw *draw, FlowRandom random, uint64_t sample, uint32_t index, double *number) {
  if (draw->kind == DRAW_CHOICE) number[0] = choose(draw, flow_random_uniform(random, sample, index));
  for (uint32_t i = 0; draw->kind == DRAW_UNIFORM && i < numbers_of(draw); i++)
    number[i] = flow_random_uniform(random, sample, index + i);
  for (uint32_t i = 0; draw->kind == DRAW_NORMAL && i < numbers_of(draw); i += 2)
    flow_random_normal_pair(random, sample, (index + i) / 2, number + i);
}

static bool draw_into(const DensitySource *self, FlowRandom random, uint64_t sample, double *number, double *state) {
  const TypedDensity *density = self->density;
  const double *input[MOST_DRAWS] = {&self->time};
  uint32_t index = 0, inputs = density->has_time;
  for (uint32_t i = 0; i < density->draws; i++) {
    draw_name(&density->draw[i], random, sample, index, number + index);
    input[inputs++] = number + index;
    index += (uint32_t)(numbers_of(&density->draw[i]) + 1) / 2 * 2;
  }
  return ir_run_f64(self->result, input, NULL, state);
}

static void draw(void *user, FlowRandom random, uint64_t sample, const FlowTile *tile, uint32_t lane) {
  const DensitySource *self = user;
  const FlowAllocator *allocator = self->result->arena->allocator;
  size_t room = (size_t)(self->numbers + tile->rows);
  double *number = flow_alloc_array(allocator, room, sizeof *number), *state = number + self->numbers;
  bool drawn = number && draw_into(self, random, sample, number, state);
  for (uint64_t row = 0; row < tile->rows; row++) flow_tile_set(tile, row, lane, drawn ? state[row] : NAN);
  flow_free(allocator, number, room * sizeof *number);
}

static flow_status open_density(FlowCompiled *c, FlowSource *source, flow_error *error) {
  const TypedDensity *density = c->flow->density;
  DensitySource *self = arena_alloc(&c->arena, sizeof *self);
  if (density->function->owns_weights || density->result->owns_weights)
    return flow_fail(error, FLOW_BAD_PROGRAM, "the density `%s` has layers, and the layers of a source get no weights", density->name);
  if (density->draws >= MOST_DRAWS)
    return flow_fail(error, FLOW_BAD_PROGRAM, "the draw line of `%s` has more than %d names", density->name, MOST_DRAWS - 1);
  *self = (DensitySource){.density = density, .time = c->flow->time_from,
                          .log_p = ir_lower_function(&c->arena, density->function, "", &c->diagnostics),
                          .result = ir_lower_function(&c->arena, density->result, "", &c->diagnostics),
                          .slope = differentiate(c, density)};
  if (!self->log_p || !self->result || c->diagnostics.errors) return FLOW_BAD_PROGRAM;
  for (uint32_t i = 0; i < density->draws; i++) self->numbers += (numbers_of(&density->draw[i]) + 1) / 2 * 2;
  source->kind = FLOW_SOURCE_DRAWN;
  source->draw = draw;
  source->log_density = log_density;
  source->density_slope = self->slope ? density_slope : NULL;
  source->draw_user = source->density_user = self;
  return FLOW_OK;
}

/* ---- all kinds ----------------------------------------------------------------------------------------------------------- */

static flow_status describe_source(FlowCompiled *c, FlowSource *source, flow_error *error) {
  const TypedFlow *flow = c->flow;
  *source = (FlowSource){.dim = (uint64_t)flow->dim};
  switch (flow->source) {
  case SOURCE_NORMAL: source->kind = FLOW_SOURCE_NORMAL; return FLOW_OK;
  case SOURCE_UNIFORM:
    source->kind = FLOW_SOURCE_UNIFORM;
    source->low = flow->uniform_low;
    source->high = flow->uniform_high;
    return FLOW_OK;
  case SOURCE_GAUSSIAN:
    source->kind = FLOW_SOURCE_GAUSSIAN;
    source->mean = flow->mean;
    source->factor = flow->factor;
    return FLOW_OK;
  case SOURCE_FILE:
    source->kind = FLOW_SOURCE_TENSOR;
    source->name = flow->source_path;
    return FLOW_OK;
  case SOURCE_DENSITY: return open_density(c, source, error);
  }
  return flow_fail(error, FLOW_INTERNAL, "a source of an unknown kind");
}

flow_status flow_compiled_source(FlowCompiled *c, FlowSource *source, flow_error *error) {
  if (setjmp(c->no_memory)) return flow_fail(error, FLOW_NO_MEMORY, "out of memory while compiling");
  if (!c->flow) return flow_fail(error, FLOW_BAD_CALL, "there is no flow, and so no source");
  return describe_source(c, source, error);
}
