/* SPDX-License-Identifier: Apache-2.0 */
/* compile_density.c -- a density of the program as a flow's source, in f64 whatever the model's precision: what it says of a point
 * and what its draw line makes of random numbers are asked once for each sample, not in every step.  Here the interpreter runs
 * both; a library has them compiled, of the same final arithmetic, and so the same bits. */
#include <math.h>
#include <string.h>
#include "compile_function.h"
#include "compiled.h"
#include "derive.h"
#include "draws.h"
#include "solve.h"

enum { MOST_DRAWS = 255 };      /* names of a draw line */

/* ---- the three functions -------------------------------------------------------------------------------------------------- */

/* NULL where the program has errors, which the diagnostics tell. */
static IrFunction *lower(FlowCompiled *c, const TypedFunction *function) {
  IrFunction *f = ir_lower_function(&c->arena, function, "", &c->diagnostics);
  return c->diagnostics.errors ? NULL : f;
}

/* The gradient of log p by the point; NULL where a value has no room for it, or the point is not read. */
static IrFunction *differentiate(FlowCompiled *c, const TypedDensity *density) {
  IrFunction *f = lower(c, density->function);
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

static const flow_draw *describe_draws(FlowCompiled *c, const TypedDensity *density) {
  static const uint32_t kind[] = {[DRAW_NORMAL] = FLOW_DRAW_NORMAL, [DRAW_UNIFORM] = FLOW_DRAW_UNIFORM, [DRAW_CHOICE] = FLOW_DRAW_CHOICE};
  flow_draw *draw = arena_array(&c->arena, density->draws + 1u, sizeof *draw);
  for (uint32_t i = 0; i < density->draws; i++) {
    const TypedDraw *from = &density->draw[i];
    draw[i].kind = kind[from->kind];
    draw[i].size = (uint64_t)from->size;
    draw[i].weight = from->kind == DRAW_CHOICE ? from->weight : NULL;
  }
  return draw;
}

static flow_status check(const TypedDensity *density, flow_error *error) {
  if (density->function->owns_weights || density->result->owns_weights)
    return flow_fail(error, FLOW_BAD_PROGRAM, "the density `%s` has layers, and the layers of a source get no weights", density->name);
  if (density->draws > MOST_DRAWS)
    return flow_fail(error, FLOW_BAD_PROGRAM, "the draw line of `%s` has more than %d names", density->name, MOST_DRAWS);
  return FLOW_OK;
}

/* ---- the interpreter as a source -------------------------------------------------------------------------------------------- */

typedef struct DensitySource {
  const FlowAllocator *allocator;
  IrFunction *log_p, *make;     /* as velocities (compile_function.h), frozen */
  IrFunction *slope;            /* as it is; NULL: it could not be differentiated */
  const flow_draw *draw;
  uint32_t draws;
  bool has_time;
  double time;                  /* where it has one: that of the flow's start */
  uint64_t numbers;             /* that are drawn */
} DensitySource;

/* f at (time, x[count]); result is what stands behind the velocity, [results]. */
static bool run(const DensitySource *self, const IrFunction *f, const double *x, uint64_t count, double *result, uint64_t results) {
  uint64_t state = count + self->has_time;
  if (state == 0) state = 1;
  size_t room = (size_t)(2 * state + results);
  double *memory = flow_alloc_array(self->allocator, room, sizeof *memory), *u = memory + state;
  if (!memory) return false;
  const double zero = 0, *input[] = {&zero, memory};
  memory[0] = self->time;       /* the first number where there is a time */
  memcpy(memory + self->has_time, x, (size_t)count * sizeof *x);
  bool done = ir_run_f64(f, input, NULL, u);
  memcpy(result, u + state, (size_t)results * sizeof *result);
  flow_free(self->allocator, memory, room * sizeof *memory);
  return done;
}

static double log_density(void *user, const double *x, uint64_t dim) {
  const DensitySource *self = user;
  double log_p;
  return run(self, self->log_p, x, dim, &log_p, 1) ? log_p : NAN;
}

static void density_slope(void *user, const double *x, uint64_t dim, double *slope) {
  const DensitySource *self = user;
  const double *with_time[] = {&self->time, x};
  bool known = ir_run_f64(self->slope, self->has_time ? with_time : &with_time[1], NULL, slope);
  for (uint64_t i = 0; i < dim && !known; i++) slope[i] = NAN;
}

static void draw(void *user, FlowRandom random, uint64_t sample, const FlowTile *tile, uint32_t lane) {
  const DensitySource *self = user;
  size_t room = (size_t)(self->numbers + FLOW_DRAWS_SPARE + tile->rows);
  double *number = flow_alloc_array(self->allocator, room, sizeof *number), *state = number + self->numbers + FLOW_DRAWS_SPARE;
  if (number) flow_draws_fill(self->draw, self->draws, random, sample, number);
  bool drawn = number && run(self, self->make, number, self->numbers, state, tile->rows);
  for (uint64_t row = 0; row < tile->rows; row++) flow_tile_set(tile, row, lane, drawn ? state[row] : NAN);
  flow_free(self->allocator, number, room * sizeof *number);
}

static IrFunction *final_form(FlowCompiled *c, const TypedFunction *function) {
  IrFunction *f = lower(c, function);
  return f ? ir_optimise(compile_as_velocity(&c->arena, f), FLOW_F64) : NULL;
}

flow_status compile_density_source(FlowCompiled *c, FlowSource *source, flow_error *error) {
  const TypedDensity *density = c->flow->density;
  flow_status status = check(density, error);
  if (status) return status;
  DensitySource *self = arena_alloc(&c->arena, sizeof *self);
  *self = (DensitySource){.allocator = c->arena.allocator, .log_p = final_form(c, density->function), .make = final_form(c, density->result),
                          .slope = differentiate(c, density), .draw = describe_draws(c, density), .draws = density->draws,
                          .has_time = density->has_time, .time = c->flow->time_from};
  if (!self->log_p || !self->make || c->diagnostics.errors) return FLOW_BAD_PROGRAM;
  if (!flow_draws_count(self->draw, self->draws, &self->numbers))
    return flow_fail(error, FLOW_BAD_PROGRAM, "the draw line of `%s` asks for more numbers than a sample has", density->name);
  source->kind = FLOW_SOURCE_DRAWN;
  source->draw = draw;
  source->log_density = log_density;
  source->density_slope = self->slope ? density_slope : NULL;
  source->draw_user = source->density_user = self;
  return FLOW_OK;
}

/* ---- the parts of a library -------------------------------------------------------------------------------------------------- */

static flow_status compile_one(FlowCompiled *c, const TypedFunction *function, FlowCompiled **compiled, flow_error *error) {
  const FlowCompileOptions options = {.precision = FLOW_F64, .cpu = c->options.cpu, .schedule = c->options.schedule, .rows = true};
  IrFunction *f = lower(c, function);
  return f ? flow_compile_function(c->arena.allocator, f, &options, compiled, error) : FLOW_BAD_PROGRAM;
}

flow_status flow_compiled_density(FlowCompiled *c, flow_density *density, FlowCompiled **make, FlowCompiled **log_p, flow_error *error) {
  *make = *log_p = NULL;
  memset(density, 0, sizeof *density);
  if (setjmp(c->no_memory)) return flow_fail(error, FLOW_NO_MEMORY, "out of memory while compiling");
  if (!c->flow || c->flow->source != SOURCE_DENSITY) return FLOW_OK;
  const TypedDensity *of = c->flow->density;
  flow_status status = check(of, error);
  if (status) return status;
  density->size = sizeof *density;
  density->draw_bytes = sizeof(flow_draw);
  density->has_time = of->has_time;
  density->time = c->flow->time_from;
  density->draws = of->draws;
  density->draw = describe_draws(c, of);
  status = compile_one(c, of->result, make, error);
  return status ? status : compile_one(c, of->function, log_p, error);
}
