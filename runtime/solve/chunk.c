/* SPDX-License-Identifier: Apache-2.0 */
/* chunk.c -- parallel loops over tiles. */
#include "chunk.h"
#include "checked.h"
#include "rounding.h"
#include <omp.h>

/* Tiles of a chunk for each thread: enough that threads seldom wait for each other, as long as they stay small. */
enum { MOST_TILES_A_THREAD = 16, BYTES_A_THREAD = 1 << 20 };

static size_t smaller(size_t a, size_t b) { return a < b ? a : b; }

/* As wide as the level allows, but where there are few samples narrow enough that every thread has some. */
static uint32_t width_of_tiles(const flow_level *level, uint64_t samples, int threads) {
  uint64_t share = samples / (uint64_t)threads + (samples % (uint64_t)threads != 0);
  if (share >= level->lanes) return level->lanes;
  return ((uint32_t)share + level->quantum - 1) / level->quantum * level->quantum;
}

static void choose_sizes(FlowChunk *chunk) {
  const FlowSampling *what = chunk->what;
  uint64_t samples = what->end - what->first;
  int threads = what->threads > 0 ? what->threads : omp_get_max_threads();
  uint64_t vectors = samples / chunk->level->quantum + 1;
  chunk->threads = (uint64_t)threads < vectors ? threads : (int)vectors;
  chunk->width = width_of_tiles(chunk->level, samples, chunk->threads);
  size_t for_each = smaller(BYTES_A_THREAD / (chunk->tile_bytes + 1), MOST_TILES_A_THREAD);
  size_t tiles = (for_each ? for_each : 1) * (size_t)chunk->threads;
  uint64_t all_tiles = samples / chunk->width + (samples % chunk->width != 0);
  chunk->most_tiles = all_tiles < tiles ? (size_t)all_tiles : tiles;
}

static bool sizes_fit(FlowChunk *chunk) {
  const flow_model *model = chunk->what->model;
  size_t all;
  return flow_model_lanes_bytes(model, chunk->level, model->dim, &chunk->x_bytes) &&
         flow_model_lanes_bytes(model, chunk->level, model->condition_rows, &chunk->conditions_bytes) &&
         flow_model_lanes_bytes(model, chunk->level, model->cond_rows, &chunk->cond_bytes) &&
         flow_add_size(chunk->x_bytes, chunk->conditions_bytes, &all) && flow_add_size(all, chunk->cond_bytes, &chunk->tile_bytes) &&
         flow_model_scratch_bytes(chunk->level, chunk->what->tableau->stages, &chunk->scratch_bytes);
}

static size_t row_bytes(const FlowChunk *chunk) { return (size_t)chunk->what->model->dim * chunk->what->model->precision; }

static bool allocate(FlowChunk *chunk) {
  const FlowAllocator *allocator = &chunk->allocator;
  size_t tiles, scratch, samples, rows;
  if (!flow_mul_size(chunk->most_tiles, chunk->tile_bytes, &tiles) ||
      !flow_mul_size((size_t)chunk->threads, chunk->scratch_bytes, &scratch) ||
      !flow_mul_size(chunk->most_tiles, chunk->width, &samples) || !flow_mul_size(samples, row_bytes(chunk), &rows))
    return false;
  return (chunk->tiles = flow_alloc_aligned(allocator, tiles)) && (chunk->scratch = flow_alloc_aligned(allocator, scratch)) &&
         (chunk->rows = flow_alloc_aligned(allocator, rows)) && (chunk->status = flow_alloc(allocator, samples)) &&
         (chunk->code = flow_alloc_array(allocator, chunk->most_tiles, sizeof *chunk->code));
}

flow_status flow_chunk_open(const FlowSampling *what, const flow_level *level, FlowChunk *chunk, flow_error *error) {
  *chunk = (FlowChunk){.what = what, .level = level, .allocator = *what->allocator};
  if (sizes_fit(chunk)) {
    choose_sizes(chunk);
    if (allocate(chunk)) return FLOW_OK;
  }
  flow_chunk_close(chunk);
  return flow_fail(error, FLOW_NO_MEMORY, "out of memory for the tiles of a solve on %d threads", chunk->threads);
}

void flow_chunk_close(FlowChunk *chunk) {
  const FlowAllocator *allocator = &chunk->allocator;
  size_t samples = chunk->most_tiles * chunk->width;
  flow_free_aligned(allocator, chunk->tiles, chunk->most_tiles * chunk->tile_bytes);
  flow_free_aligned(allocator, chunk->scratch, (size_t)chunk->threads * chunk->scratch_bytes);
  flow_free_aligned(allocator, chunk->rows, samples * row_bytes(chunk));
  flow_free(allocator, chunk->status, samples);
  flow_free(allocator, chunk->code, chunk->most_tiles * sizeof *chunk->code);
  chunk->tiles = chunk->scratch = chunk->rows = NULL;
  chunk->status = NULL;
  chunk->code = NULL;
}

/* One tile and the thread's scratch. */
typedef struct Place {
  FlowTile x, conditions, cond;
  uint64_t at;                  /* its first sample, counted from the chunk's */
  void *scratch;
} Place;

static Place place_of(const FlowChunk *chunk, size_t index) {
  const flow_model *model = chunk->what->model;
  char *data = chunk->tiles + index * chunk->tile_bytes;
  Place place = {.at = index * chunk->width};
  uint32_t live = (uint32_t)smaller((size_t)(chunk->count - place.at), chunk->width);
  place.x = flow_tile(model, chunk->level, data, model->dim, live);
  place.conditions = flow_tile(model, chunk->level, data + chunk->x_bytes, model->condition_rows, live);
  place.cond = flow_tile(model, chunk->level, data + chunk->x_bytes + chunk->conditions_bytes, model->cond_rows, live);
  place.scratch = chunk->scratch + (size_t)omp_get_thread_num() * chunk->scratch_bytes;
  return place;
}

static flow_call call_of(const FlowChunk *chunk, const Place *place) {
  return (flow_call){.size = sizeof(flow_call), .lanes = place->x.lanes, .weights = chunk->what->weights,
                     .conditions = place->conditions.rows ? place->conditions.data : NULL,
                     .cond = place->cond.rows ? place->cond.data : NULL, .scratch = place->scratch};
}

/* What one of the three loops does to a tile; returns the model's answer. */
typedef struct Task Task;
struct Task {
  int (*run)(FlowChunk *chunk, const Place *place, const Task *task);
  const FlowPlan *plan;
  const FlowTimes *times;
  uint64_t first_row, step, end;
};

static void for_each_tile(FlowChunk *chunk, const Task *task) {
  size_t tiles = (size_t)((chunk->count + chunk->width - 1) / chunk->width);
#pragma omp parallel num_threads(chunk->threads)
  {
    FlowRounding callers = flow_rounding_enter();
#pragma omp for schedule(dynamic, 1)
    for (size_t i = 0; i < tiles; i++) {
      Place place = place_of(chunk, i);
      chunk->code[i] = task->run(chunk, &place, task);
    }
    flow_rounding_leave(callers);
  }
}

static flow_status answer(const FlowChunk *chunk, const char *entry, flow_error *error) {
  for (size_t i = 0; i * chunk->width < chunk->count; i++)
    if (chunk->code[i] < 0) return flow_model_refused(chunk->what->model, entry, chunk->code[i], error);
  return FLOW_OK;
}

static int begin_tile(FlowChunk *chunk, const Place *place, const Task *task) {
  (void)task;
  const FlowSampling *what = chunk->what;
  uint64_t first = chunk->first + place->at;
  flow_source_fill(what->source, (FlowRandom){what->seed, what->stream}, first, &place->x);
  if (place->conditions.rows) flow_conditions_fill(what->model, what->condition, first, &place->conditions);
  if (place->cond.rows == 0) return 0;
  flow_call call = call_of(chunk, place);
  call.cond = NULL;
  call.u = place->cond.data;
  return chunk->level->cond(&call);
}

flow_status flow_chunk_begin(FlowChunk *chunk, uint64_t first, flow_error *error) {
  uint64_t rest = chunk->what->end - first, room = (uint64_t)chunk->most_tiles * chunk->width;
  chunk->first = first;
  chunk->count = rest < room ? rest : room;
  for_each_tile(chunk, &(Task){.run = begin_tile});
  return answer(chunk, "cond", error);
}

static int advance_tile(FlowChunk *chunk, const Place *place, const Task *task) {
  const FlowPlan *plan = task->plan;
  const void *row[FLOW_MOST_STAGES];
  flow_call call = call_of(chunk, place);
  call.x = place->x.data;
  call.stages = plan->tableau->stages;
  call.stage_times = row;
  call.combination = plan->combination;
  int code = 0;
  for (uint64_t step = task->step; code >= 0 && step < task->end; step++) {
    for (uint32_t j = 0; j < call.stages; j++)
      row[j] = flow_times_row(task->times, flow_plan_row(plan, step, j) - task->first_row);
    code = chunk->level->step(&call);
  }
  return code;
}

flow_status flow_chunk_advance(FlowChunk *chunk, const FlowPlan *plan, const FlowTimes *times, uint64_t first_row,
                               uint64_t step, uint64_t end, flow_error *error) {
  for_each_tile(chunk, &(Task){advance_tile, plan, times, first_row, step, end});
  return answer(chunk, "step", error);
}

static int arrive_tile(FlowChunk *chunk, const Place *place, const Task *task) {
  (void)task;
  flow_tile_store(&place->x, chunk->rows + (size_t)place->at * row_bytes(chunk));
  for (uint32_t lane = 0; lane < place->x.live; lane++)
    chunk->status[place->at + lane] = flow_tile_lane_is_finite(&place->x, lane) ? FLOW_SAMPLE_OK : FLOW_SAMPLE_NON_FINITE;
  return 0;
}

FlowRows flow_chunk_arrive(FlowChunk *chunk) {
  for_each_tile(chunk, &(Task){.run = arrive_tile});
  return (FlowRows){chunk->first, chunk->count, chunk->rows, chunk->status};
}
