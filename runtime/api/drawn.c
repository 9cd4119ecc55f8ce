/* SPDX-License-Identifier: Apache-2.0 */
#include "drawn.h"
#include "checked.h"
#include "draws.h"
#include "model.h"
#include <math.h>
#include <stdatomic.h>
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

/* ---- memory: a flag, x, u and scratch of either function in each place -------------------------------------------------------- */

static uint64_t larger(uint64_t a, uint64_t b) { return a > b ? a : b; }

/* `bytes` behind `at`, to the next line of the cache. */
static bool add(size_t at, uint64_t bytes, size_t *end) {
  size_t size;
  return flow_u64_to_size(bytes, &size) && flow_add_size(at, size, &size) && flow_align_up(size, ALIGNMENT, end);
}

static bool lay_out(ApiDrawn *drawn) {
  const flow_model *make = drawn->of->make, *log_p = drawn->of->log_p;
  uint64_t x = larger(make->dim, log_p->dim) + FLOW_DRAWS_SPARE, x_bytes;
  uint64_t u = larger((uint64_t)make->dim + make->extras, (uint64_t)log_p->dim + log_p->extras), u_bytes;
  return flow_mul_u64(x, sizeof(double), &x_bytes) && flow_mul_u64(u, sizeof(double), &u_bytes) && add(0, sizeof(atomic_flag), &drawn->at_x) &&
         add(drawn->at_x, x_bytes, &drawn->at_u) && add(drawn->at_u, u_bytes, &drawn->at_scratch) &&
         add(drawn->at_scratch, larger(drawn->make->scratch_bytes, drawn->log_p->scratch_bytes), &drawn->place_bytes) &&
         flow_mul_size(drawn->place_bytes, (size_t)drawn->places, &drawn->bytes);
}

flow_status api_drawn_open(const ApiDrawn *checked, int threads, const FlowAllocator *allocator, ApiDrawn *drawn, flow_error *error) {
  *drawn = *checked;
  drawn->allocator = *allocator;
  drawn->places = threads;
  if (lay_out(drawn)) drawn->memory = flow_alloc_aligned(allocator, drawn->bytes);
  if (!drawn->memory) return flow_fail(error, FLOW_NO_MEMORY, "out of memory for a density on %d threads", threads);
  for (int i = 0; i < threads; i++) atomic_flag_clear((atomic_flag *)(void *)(drawn->memory + (size_t)i * drawn->place_bytes));
  return FLOW_OK;
}

void api_drawn_close(ApiDrawn *drawn) {
  if (drawn->memory) flow_free_aligned(&drawn->allocator, drawn->memory, drawn->bytes);
  drawn->memory = NULL;
}

/* There are no more threads at a time than places, so that one is free, whoever they are. */
static char *take_place(const ApiDrawn *drawn) {
  for (int i = 0;; i = (i + 1) % drawn->places) {
    char *place = drawn->memory + (size_t)i * drawn->place_bytes;
    if (!atomic_flag_test_and_set_explicit((atomic_flag *)(void *)place, memory_order_acquire)) return place;
  }
}

static void give_back(char *place) { atomic_flag_clear_explicit((atomic_flag *)(void *)place, memory_order_release); }

/* ---- the functions ------------------------------------------------------------------------------------------------------------ */

/* Where a function's arguments go; its first one is the time where it has one. */
static double *arguments(const ApiDrawn *drawn, char *place) {
  double *x = (double *)(void *)(place + drawn->at_x);
  if (!drawn->of->has_time) return x;
  x[0] = drawn->of->time;
  return x + 1;
}

/* Behind the velocity; NULL: the function refused. */
static const double *results(const ApiDrawn *drawn, char *place, const flow_model *model, const flow_level *level, const void *blob) {
  double *u = (double *)(void *)(place + drawn->at_u);
  flow_call call = {.size = sizeof call, .lanes = 1, .weights = blob, .x = place + drawn->at_x, .u = u, .scratch = place + drawn->at_scratch};
  return level->eval(&call) < 0 ? NULL : u + model->dim;
}

static void draw(void *user, FlowRandom random, uint64_t sample, const FlowTile *tile, uint32_t lane) {
  const ApiDrawn *drawn = user;
  const flow_density *of = drawn->of;
  char *place = take_place(drawn);
  flow_draws_fill(of->draw, of->draws, random, sample, arguments(drawn, place));
  const double *state = results(drawn, place, of->make, drawn->make, of->make_blob);
  for (uint64_t row = 0; row < tile->rows; row++) flow_tile_set(tile, row, lane, state ? state[row] : NAN);
  give_back(place);
}

static double log_density(void *user, const double *x, uint64_t dim) {
  const ApiDrawn *drawn = user;
  const flow_density *of = drawn->of;
  char *place = take_place(drawn);
  memcpy(arguments(drawn, place), x, (size_t)dim * sizeof *x);
  const double *found = results(drawn, place, of->log_p, drawn->log_p, of->log_p_blob);
  double log_p = found ? *found : NAN;
  give_back(place);
  return log_p;
}

FlowSource api_drawn_source(ApiDrawn *drawn, uint64_t dim) {
  return (FlowSource){.kind = FLOW_SOURCE_DRAWN, .dim = dim, .draw = draw, .draw_user = drawn, .log_density = log_density, .density_user = drawn};
}
