/* SPDX-License-Identifier: Apache-2.0 */
/* chunk_open.c -- how many tiles are in flight, how wide they are, and the memory of all of them. */
#include "chunk.h"
#include "checked.h"
#include "threads.h"

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
  int threads = flow_threads(what->threads);
  uint64_t vectors = samples / chunk->level->quantum + (samples % chunk->level->quantum != 0);
  if (vectors == 0) vectors = 1;
  chunk->threads = (uint64_t)threads < vectors ? threads : (int)vectors;
  chunk->width = width_of_tiles(chunk->level, samples, chunk->threads);
  size_t for_each = smaller(BYTES_A_THREAD / (chunk->tile_bytes + 1), MOST_TILES_A_THREAD);
  size_t tiles = (for_each ? for_each : 1) * (size_t)chunk->threads;
  uint64_t all_tiles = samples / chunk->width + (samples % chunk->width != 0);
  chunk->most_tiles = all_tiles < tiles ? (size_t)all_tiles : tiles;
}

bool flow_chunk_sizes(FlowChunk *chunk) {
  const flow_model *model = chunk->what->model;
  const flow_level *level = chunk->level;
  size_t sums;
  if (!flow_model_lanes_bytes(model, level, (uint64_t)model->dim + model->extras, &chunk->x_bytes) ||
      !flow_model_lanes_bytes(model, level, model->condition_rows, &chunk->conditions_bytes) ||
      !flow_model_lanes_bytes(model, level, model->cond_rows, &chunk->cond_bytes) ||
      !flow_mul_size((size_t)level->lanes * sizeof(double), chunk->extras, &sums) || !flow_align_up(sums, 64, &chunk->sum_bytes))
    return false;
  const size_t part[] = {chunk->conditions_bytes, chunk->cond_bytes, chunk->sum_bytes};
  chunk->tile_bytes = chunk->x_bytes;
  for (size_t i = 0; i < sizeof part / sizeof *part; i++)
    if (!flow_add_size(chunk->tile_bytes, part[i], &chunk->tile_bytes)) return false;
  return flow_model_scratch_bytes(level, chunk->what->tableau->stages, &chunk->scratch_bytes);
}

static size_t samples_of(const FlowChunk *chunk) { return chunk->most_tiles * chunk->width; }
static size_t points_of(const FlowChunk *chunk) { return (size_t)chunk->threads * chunk->what->model->dim; }

static bool allocate(FlowChunk *chunk) {
  const FlowAllocator *allocator = &chunk->allocator;
  size_t tiles, scratch, samples, rows, extras;
  if (!flow_mul_size(chunk->most_tiles, chunk->tile_bytes, &tiles) ||
      !flow_mul_size((size_t)chunk->threads, chunk->scratch_bytes, &scratch) ||
      !flow_mul_size(chunk->most_tiles, chunk->width, &samples) || !flow_mul_size(samples, flow_chunk_row_bytes(chunk), &rows) ||
      !flow_mul_size(samples, chunk->extras, &extras))
    return false;
  if (extras && !(chunk->integral = flow_alloc_array(allocator, extras, sizeof *chunk->integral))) return false;
  if (chunk->what->density && (!(chunk->density = flow_alloc_array(allocator, samples, sizeof *chunk->density)) ||
                               !(chunk->points = flow_alloc_array(allocator, points_of(chunk), sizeof *chunk->points))))
    return false;
  return (chunk->tiles = flow_alloc_aligned(allocator, tiles)) && (chunk->scratch = flow_alloc_aligned(allocator, scratch)) &&
         (chunk->rows = flow_alloc_aligned(allocator, rows)) && (chunk->status = flow_alloc(allocator, samples)) &&
         (chunk->code = flow_alloc_array(allocator, chunk->most_tiles, sizeof *chunk->code));
}

flow_status flow_chunk_open(const FlowSampling *what, const flow_level *level, FlowChunk *chunk, flow_error *error) {
  *chunk = (FlowChunk){.what = what, .level = level, .allocator = *what->allocator, .given = *what->model};
  if (what->probes) chunk->given.conditions--;
  chunk->extras = what->quiet ? 0 : what->model->extras;
  if (flow_chunk_sizes(chunk)) {
    choose_sizes(chunk);
    if (allocate(chunk)) return FLOW_OK;
  }
  flow_chunk_close(chunk);
  return flow_fail(error, FLOW_NO_MEMORY, "out of memory for the tiles of a solve on %d threads", chunk->threads);
}

void flow_chunk_close(FlowChunk *chunk) {
  const FlowAllocator *allocator = &chunk->allocator;
  size_t samples = samples_of(chunk);
  flow_free(allocator, chunk->integral, samples * chunk->extras * sizeof *chunk->integral);
  flow_free(allocator, chunk->density, samples * sizeof *chunk->density);
  flow_free(allocator, chunk->points, points_of(chunk) * sizeof *chunk->points);
  flow_free_aligned(allocator, chunk->tiles, chunk->most_tiles * chunk->tile_bytes);
  flow_free_aligned(allocator, chunk->scratch, (size_t)chunk->threads * chunk->scratch_bytes);
  flow_free_aligned(allocator, chunk->rows, samples * flow_chunk_row_bytes(chunk));
  flow_free(allocator, chunk->status, samples);
  flow_free(allocator, chunk->code, chunk->most_tiles * sizeof *chunk->code);
  chunk->tiles = chunk->scratch = chunk->rows = NULL;
  chunk->integral = chunk->density = chunk->points = NULL;
  chunk->status = NULL;
  chunk->code = NULL;
}
