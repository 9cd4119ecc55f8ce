/* SPDX-License-Identifier: Apache-2.0 */
/* adjoint_open.c -- do the models belong together, and how large is everything. */
#include "adjoint_parts.h"
#include "checked.h"
#include <inttypes.h>
#include <math.h>

/* ---- checks ------------------------------------------------------------------------------------------------------------- */

static flow_status check_numbers(const FlowAdjointSettings *s, flow_error *error) {
  if (!s->ahead || !s->back || !s->tableau || !s->allocator)
    return flow_fail(error, FLOW_BAD_CALL, "an adjoint needs two models, a method and an allocator");
  if (s->threads < 1 || s->most < 1)
    return flow_fail(error, FLOW_BAD_CALL, "an adjoint for %" PRIu64 " samples on %d threads: both are at least 1", s->most, s->threads);
  return FLOW_OK;
}

static flow_status check_models(const FlowAdjointSettings *s, flow_error *error) {
  const flow_model *ahead = s->ahead, *back = s->back;
  if (ahead->jump)
    return flow_fail(error, FLOW_BAD_CALL, "%s is given by a map: there is no solve to differentiate", ahead->name);
  const flow_condition *last = back->conditions ? &back->condition[back->conditions - 1] : NULL;
  uint64_t numbers = (uint64_t)ahead->dim + (ahead->extras > 0) + s->terms;
  if (s->terms >= FLOW_BLOCK_VALUES || (s->terms && s->terms >= ahead->extras))
    return flow_fail(error, FLOW_BAD_CALL, "%s computes %" PRIu32 " rates, of which %" PRIu32 " are to be terms of a loss", ahead->name,
                     ahead->extras, s->terms);
  if (ahead->dim != back->dim || ahead->precision != back->precision || back->conditions != ahead->conditions + 1 || last->size != numbers)
    return flow_fail(error, FLOW_BAD_CALL, "%s is not the adjoint of %s: it would have its size and precision, its conditions and one of %" PRIu64
                     " numbers", back->name, ahead->name, numbers);
  return FLOW_OK;
}

static flow_status choose_levels(FlowAdjoint *a, flow_error *error) {
  const FlowAdjointSettings *s = &a->settings;
  flow_status status = flow_model_level(s->ahead, s->cpu, &a->ahead, error);
  if (!status) status = flow_model_level(s->back, s->cpu, &a->back, error);
  if (status) return status;
  flow_entry *needed = s->adaptive ? a->ahead->eval_lane : a->ahead->step;
  if (!needed || !a->back->gradient)
    return flow_fail(error, FLOW_BAD_CALL, "%s was compiled without %s", !needed ? s->ahead->name : s->back->name,
                     needed        ? "the gradients of a loss"
                     : s->adaptive ? "its velocity for a time in each lane"
                                   : "steps");
  return FLOW_OK;
}

/* ---- memory ------------------------------------------------------------------------------------------------------------- */

/* `count` times `one` bytes for a part. */
static bool part(FlowAdjoint *a, AdjointPart which, uint64_t count, size_t one) {
  size_t number, bytes;
  a->at[which] = a->thread_bytes;
  a->one[which] = one;
  return flow_u64_to_size(count, &number) && flow_mul_size(number, one, &bytes) && flow_align_up(bytes, 64, &bytes) &&
         flow_add_size(a->thread_bytes, bytes, &a->thread_bytes);
}

static bool blocks(FlowAdjoint *a, AdjointPart which, uint64_t count) { return part(a, which, count, a->block_bytes); }
static bool nodes(FlowAdjoint *a, AdjointPart which, uint64_t count) { return part(a, which, count, a->node_bytes); }

static bool lanes(FlowAdjoint *a, AdjointPart which, bool back, uint64_t count, uint64_t rows) {
  size_t one;
  return flow_model_lanes_bytes(back ? a->settings.back : a->settings.ahead, back ? a->back : a->ahead, rows, &one) &&
         part(a, which, count, one);
}

static bool lay_out_blocks(FlowAdjoint *a) {
  const flow_model *model = a->settings.ahead;
  uint64_t stages = a->settings.tableau->stages;
  size_t row = (size_t)FLOW_BLOCK_SAMPLES * model->precision, point;
  return flow_mul_size(row, model->dim, &a->block_bytes) && flow_mul_size(a->block_bytes, a->solve ? 2 : 1, &a->node_bytes) &&
         nodes(a, PART_STATE, 1) && nodes(a, PART_KEPT, a->kept) && nodes(a, PART_BETWEEN, a->interval - 1) &&
         blocks(a, PART_STAGE, stages) && blocks(a, PART_SLOPE, a->keeps_slopes ? a->steps * (stages - 1) + 1 : stages) &&
         blocks(a, PART_BAR, stages) && blocks(a, PART_COMBINED, 1) && blocks(a, PART_COSTATE, 1) && part(a, PART_RATE, 1 + a->settings.terms, row) &&
         part(a, PART_INTEGRAL, 1 + a->settings.terms, FLOW_BLOCK_SAMPLES * sizeof(double)) && flow_mul_size(model->dim, sizeof(double), &point) &&
         part(a, PART_POINT, 2, point);
}

static uint64_t tiles_of(const flow_level *level) { return (FLOW_BLOCK_SAMPLES + level->lanes - 1) / level->lanes; }

static bool lay_out_lanes(FlowAdjoint *a) {
  const flow_model *ahead = a->settings.ahead, *back = a->settings.back;
  uint64_t ahead_tiles = tiles_of(a->ahead), back_tiles = tiles_of(a->back);
  size_t ahead_scratch, back_scratch;
  return flow_model_scratch_bytes(a->ahead, a->settings.tableau->stages, &ahead_scratch) &&
         flow_model_scratch_bytes(a->back, 0, &back_scratch) &&
         lanes(a, PART_AHEAD_X, false, 1, (uint64_t)ahead->dim + ahead->extras) &&
         lanes(a, PART_AHEAD_CONDITIONS, false, ahead_tiles, ahead->condition_rows) &&
         lanes(a, PART_AHEAD_COND, false, ahead_tiles, ahead->cond_rows) && part(a, PART_AHEAD_SCRATCH, 1, ahead_scratch) &&
         lanes(a, PART_BACK_X, true, 1, back->dim) && lanes(a, PART_BACK_RESULT, true, 1, 1 + (uint64_t)back->dim + adjoint_integrals(a)) &&
         lanes(a, PART_BACK_TIME, true, 1, 1) && lanes(a, PART_BACK_TIMES, true, 1, back->times_rows) &&
         lanes(a, PART_BACK_CONDITIONS, true, back_tiles, back->condition_rows) && lanes(a, PART_BACK_COND, true, 1, back->cond_rows) &&
         part(a, PART_BACK_SCRATCH, 1, back_scratch);
}

/* The records of steps that adapt, and what their solve needs. */
static bool lay_out_solve(FlowAdjoint *a) {
  const size_t record = FLOW_BLOCK_SAMPLES * sizeof(double);
  size_t lanes;
  if (!a->solve) return true;
  return part(a, PART_STEP_TIME, a->steps, record) && part(a, PART_STEP_LENGTH, a->steps, record) &&
         part(a, PART_LENGTH, FLOW_BLOCK_SAMPLES, a->settings.ahead->precision) &&
         part(a, PART_STEP_RATE, (1 + a->settings.terms) * (uint64_t)FLOW_BLOCK_SAMPLES, a->settings.ahead->precision) &&
         part(a, PART_CHUNK, tiles_of(a->ahead), a->solve->chunk.tile_bytes) && flow_lanes_bytes(&a->solve->shared, &lanes) &&
         part(a, PART_LANES, 1, lanes);
}

static flow_status take_memory(FlowAdjoint *a, flow_error *error) {
  const FlowAdjointSettings *s = &a->settings;
  size_t all, rows;
  flow_status status =
      flow_block_sums_open(&a->allocator, s->back->precision, s->back->gradient_bytes, s->threads, s->most, &a->sums, error);
  if (!status && !flow_u64_to_size(a->plan.rows, &rows)) rows = SIZE_MAX;
  if (!status && !a->solve) status = flow_times_open(&a->allocator, s->ahead, a->ahead, NULL, rows, &a->times, error);
  if (status) return status;
  if (lay_out_blocks(a) && lay_out_lanes(a) && lay_out_solve(a) && flow_mul_size(a->thread_bytes, (size_t)s->threads, &all))
    a->threads = flow_alloc_aligned(&a->allocator, all);
  if (a->threads) return FLOW_OK;
  return flow_fail(error, FLOW_NO_MEMORY, "out of memory for %" PRIu64 " steps backward on %d threads, a checkpoint every %" PRIu64 " steps",
                   a->steps, s->threads, a->interval);
}

/* ---- all of it ---------------------------------------------------------------------------------------------------------- */

/* Is this little enough to be kept, for each thread? */
static bool is_little(double bytes) { return bytes <= 64.0 * 1024 * 1024; }

/* States of all steps, and of fixed steps the slopes too, where they are little. */
static void choose_kept(FlowAdjoint *a) {
  const FlowAdjointSettings *s = &a->settings;
  const double block = (double)FLOW_BLOCK_SAMPLES * s->ahead->precision * s->ahead->dim, states = (a->solve ? 2 : 1) * block * (double)a->steps;
  a->interval = is_little(states) ? 1 : (uint64_t)ceil(sqrt((double)a->steps));
  if (s->interval) a->interval = s->interval < a->steps ? s->interval : a->steps;
  a->keeps_slopes = !a->solve && a->interval == 1 && is_little(states * s->tableau->stages);
  a->kept = (a->steps + a->interval - 1) / a->interval;
}

static flow_status open_fixed(FlowAdjoint *a, flow_error *error) {
  const FlowAdjointSettings *s = &a->settings;
  a->steps = s->steps;
  return flow_plan_make_on(&a->plan, s->grid, s->tableau, s->ahead->precision, s->steps, s->from, s->to, error);
}

static flow_status open_parts(FlowAdjoint *a, flow_error *error) {
  const FlowAdjointSettings *s = &a->settings;
  flow_status status = choose_levels(a, error);
  if (!status) status = s->adaptive ? adjoint_adaptive_open(a, error) : open_fixed(a, error);
  if (status) return status;
  choose_kept(a);
  return take_memory(a, error);
}

flow_status flow_adjoint_open(const FlowAdjointSettings *settings, FlowAdjoint **adjoint, flow_error *error) {
  *adjoint = NULL;
  flow_status status = check_numbers(settings, error);
  if (!status) status = check_models(settings, error);
  if (status) return status;
  FlowAdjoint *a = flow_alloc(settings->allocator, sizeof *a);
  if (!a) return flow_fail(error, FLOW_NO_MEMORY, "out of memory for an adjoint");
  a->settings = *settings;
  a->allocator = *settings->allocator;
  status = open_parts(a, error);
  if (!status)
    *adjoint = a;
  else
    flow_adjoint_close(a);
  return status;
}

void flow_adjoint_close(FlowAdjoint *a) {
  if (!a) return;
  const FlowAllocator allocator = a->allocator;
  if (a->threads) flow_free_aligned(&allocator, a->threads, a->thread_bytes * (size_t)a->settings.threads);
  if (a->times.rows) flow_times_close(&a->times);
  if (a->sums.group) flow_block_sums_close(&a->sums);
  if (a->solve) adjoint_adaptive_close(a);
  flow_free(&allocator, a, sizeof *a);
}

size_t flow_adjoint_bytes(const FlowAdjoint *a) {
  size_t threads = (size_t)a->settings.threads, of_thread = a->thread_bytes + (a->solve ? sizeof *a->solve : 0);
  return sizeof *a + of_thread * threads + flow_block_sums_bytes(&a->sums) + a->times.rows_bytes + a->times.t_bytes +
         a->times.lanes_bytes + a->times.scratch_bytes;
}
