/* SPDX-License-Identifier: Apache-2.0 */
#include "drawn.h"
#include "checked.h"
#include "draws.h"
#include "model.h"
#include <math.h>
#include <omp.h>
#include <string.h>

enum { ALIGNMENT = 64 };

/* ---- is it one? ------------------------------------------------------------------------------------------------------------ */

/* A function of `arguments` numbers with `results`, for one sample at a time, that needs nothing else. */
static bool is_function(const flow_model *model, const void *blob, uint64_t arguments, uint64_t results) {
  return model && (blob || model->blob_bytes == 0) && model->precision == FLOW_F64 && model->dim == (arguments ? arguments : 1) &&
         model->extras == results && model->conditions == 0 && model->condition_rows == 0 && model->times_rows == 0 && model->cond_rows == 0;
}

static flow_status check_function(const flow_model *model, uint32_t cpu, const flow_level **level, flow_error *error) {
  flow_status status = flow_model_check(model, error);
  if (!status) status = flow_model_level_for(model, cpu, 1, level, error);
  if (status || ((*level)->lanes == 1 && (*level)->eval)) return status;
  return flow_fail(error, FLOW_BAD_INPUT, "%s: a density without code for one sample", model->name);
}

flow_status api_drawn_check(const flow_density *density, uint32_t dim, uint32_t cpu, ApiDrawn *drawn, flow_error *error) {
  *drawn = (ApiDrawn){.of = density};
  if (density->size < sizeof *density || density->draw_bytes != sizeof(flow_draw))
    return flow_fail(error, FLOW_BAD_INPUT, "a density of another interface: compile the flow again");
  uint64_t time = density->has_time != 0;
  if (!density->draw || !flow_draws_count(density->draw, density->draws, &drawn->numbers) ||
      !is_function(density->make, density->make_blob, drawn->numbers + time, dim) ||
      !is_function(density->log_p, density->log_p_blob, dim + time, 1))
    return flow_fail(error, FLOW_BAD_INPUT, "a density that makes no sense: the library was not made by flowc");
  flow_status status = check_function(density->make, cpu, &drawn->make, error);
  return status ? status : check_function(density->log_p, cpu, &drawn->log_p, error);
}

/* ---- memory: x, u and scratch of either function, for each thread --------------------------------------------------------- */

static uint64_t larger(uint64_t a, uint64_t b) { return a > b ? a : b; }

static bool lay_out(ApiDrawn *drawn, int threads) {
  const flow_model *make = drawn->of->make, *log_p = drawn->of->log_p;
  uint64_t x = larger(make->dim, log_p->dim) + FLOW_DRAWS_SPARE;
  uint64_t u = larger((uint64_t)make->dim + make->extras, (uint64_t)log_p->dim + log_p->extras);
  size_t scratch, x_bytes, u_bytes;
  return flow_mul_size((size_t)x, sizeof(double), &x_bytes) && flow_align_up(x_bytes, ALIGNMENT, &drawn->at_u) &&
         flow_mul_size((size_t)u, sizeof(double), &u_bytes) && flow_add_size(drawn->at_u, u_bytes, &u_bytes) &&
         flow_align_up(u_bytes, ALIGNMENT, &drawn->at_scratch) &&
         flow_u64_to_size(larger(drawn->make->scratch_bytes, drawn->log_p->scratch_bytes), &scratch) &&
         flow_add_size(drawn->at_scratch, scratch, &scratch) && flow_align_up(scratch, ALIGNMENT, &drawn->thread_bytes) &&
         flow_mul_size(drawn->thread_bytes, (size_t)threads, &drawn->bytes);
}

flow_status api_drawn_open(const ApiDrawn *checked, int threads, const FlowAllocator *allocator, ApiDrawn *drawn, flow_error *error) {
  *drawn = *checked;
  drawn->allocator = *allocator;
  if (lay_out(drawn, threads)) drawn->memory = flow_alloc_aligned(allocator, drawn->bytes);
  return drawn->memory ? FLOW_OK : flow_fail(error, FLOW_NO_MEMORY, "out of memory for a density on %d threads", threads);
}

void api_drawn_close(ApiDrawn *drawn) {
  if (drawn->memory) flow_free_aligned(&drawn->allocator, drawn->memory, drawn->bytes);
  drawn->memory = NULL;
}

/* ---- the functions ------------------------------------------------------------------------------------------------------------ */

static char *memory_of_thread(const ApiDrawn *drawn) { return drawn->memory + (size_t)omp_get_thread_num() * drawn->thread_bytes; }

/* Where a function's arguments go; its first one is the time where it has one. */
static double *arguments(const ApiDrawn *drawn) {
  double *x = (double *)(void *)memory_of_thread(drawn);
  if (!drawn->of->has_time) return x;
  x[0] = drawn->of->time;
  return x + 1;
}

/* Behind the velocity; NULL: the function refused. */
static const double *results(const ApiDrawn *drawn, const flow_model *model, const flow_level *level, const void *blob) {
  char *memory = memory_of_thread(drawn);
  double *u = (double *)(void *)(memory + drawn->at_u);
  flow_call call = {.size = sizeof call, .lanes = 1, .weights = blob, .x = memory, .u = u, .scratch = memory + drawn->at_scratch};
  return level->eval(&call) < 0 ? NULL : u + model->dim;
}

static void draw(void *user, FlowRandom random, uint64_t sample, const FlowTile *tile, uint32_t lane) {
  const ApiDrawn *drawn = user;
  const flow_density *of = drawn->of;
  flow_draws_fill(of->draw, of->draws, random, sample, arguments(drawn));
  const double *state = results(drawn, of->make, drawn->make, of->make_blob);
  for (uint64_t row = 0; row < tile->rows; row++) flow_tile_set(tile, row, lane, state ? state[row] : NAN);
}

static double log_density(void *user, const double *x, uint64_t dim) {
  const ApiDrawn *drawn = user;
  const flow_density *of = drawn->of;
  memcpy(arguments(drawn), x, (size_t)dim * sizeof *x);
  const double *log_p = results(drawn, of->log_p, drawn->log_p, of->log_p_blob);
  return log_p ? *log_p : NAN;
}

FlowSource api_drawn_source(ApiDrawn *drawn, uint64_t dim) {
  return (FlowSource){.kind = FLOW_SOURCE_DRAWN, .dim = dim, .draw = draw, .draw_user = drawn, .log_density = log_density, .density_user = drawn};
}
