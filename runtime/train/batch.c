/* SPDX-License-Identifier: Apache-2.0 */
#include "batch.h"
#include "checked.h"
#include "rounding.h"
#include "streams.h"
#include <inttypes.h>
#include <omp.h>

flow_status flow_drawing_open(const FlowTrainSettings *settings, const flow_level *level, int threads, FlowDrawing *drawing, flow_error *error) {
  *drawing = (FlowDrawing){.settings = settings, .level = level, .threads = threads};
  size_t all;
  if (flow_model_lanes_bytes(settings->model, level, settings->model->dim, &drawing->thread_bytes) &&
      flow_mul_size(drawing->thread_bytes, (size_t)threads, &all))
    drawing->lanes = flow_alloc_aligned(settings->allocator, all);
  return drawing->lanes ? FLOW_OK : flow_fail(error, FLOW_NO_MEMORY, "out of memory for drawing on %d threads", threads);
}

void flow_drawing_close(FlowDrawing *drawing) {
  if (drawing->lanes) flow_free_aligned(drawing->settings->allocator, drawing->lanes, drawing->thread_bytes * (size_t)drawing->threads);
  *drawing = (FlowDrawing){0};
}

flow_status flow_batch_open(const FlowAllocator *allocator, uint64_t count, uint64_t dim, FlowBatch *batch, flow_error *error) {
  size_t samples, numbers;
  *batch = (FlowBatch){.count = count, .dim = dim};
  if (flow_u64_to_size(count, &samples) && flow_mul_size(samples, (size_t)dim, &numbers)) {
    batch->x0 = flow_alloc_array(allocator, numbers, sizeof *batch->x0);
    batch->x1 = flow_alloc_array(allocator, numbers, sizeof *batch->x1);
    batch->s = flow_alloc_array(allocator, samples, sizeof *batch->s);
    batch->row = flow_alloc_array(allocator, samples, sizeof *batch->row);
  }
  if (batch->x0 && batch->x1 && batch->s && batch->row) return FLOW_OK;
  flow_batch_close(allocator, batch);
  return flow_fail(error, FLOW_NO_MEMORY, "out of memory for a batch of %" PRIu64 " samples", count);
}

void flow_batch_close(const FlowAllocator *allocator, FlowBatch *batch) {
  size_t numbers = (size_t)(batch->count * batch->dim);
  flow_free(allocator, batch->x0, numbers * sizeof *batch->x0);
  flow_free(allocator, batch->x1, numbers * sizeof *batch->x1);
  flow_free(allocator, batch->s, (size_t)batch->count * sizeof *batch->s);
  flow_free(allocator, batch->row, (size_t)batch->count * sizeof *batch->row);
  *batch = (FlowBatch){0};
}

/* floor(word * count / 2^64) */
static uint64_t below(uint64_t word, uint64_t count) { return (uint64_t)((unsigned __int128)word * count >> 64); }

void flow_rows_shuffle(uint64_t seed, uint64_t rows, uint64_t *order) {
  FlowRandom random = {seed, FLOW_STREAM_SPLIT};
  for (uint64_t i = 0; i < rows; i++) order[i] = i;
  for (uint64_t i = rows; i > 1; i--) {
    uint64_t other = below(flow_random_word(random, i - 1, 0), i), kept = order[other];
    order[other] = order[i - 1];
    order[i - 1] = kept;
  }
}

/* The states of the source, of samples first + from .. first + from + tile->live - 1. */
static void fill_source(const FlowSource *source, FlowRandom random, FlowRandom pick, uint64_t sample, const FlowTile *tile) {
  if (source->kind != FLOW_SOURCE_TENSOR) {
    flow_source_fill(source, random, sample, tile);
    return;
  }
  uint64_t rows = source->tensor->dim[0];
  for (uint32_t lane = 0; lane < tile->live; lane++) {
    FlowTile one = *tile;
    one.data = (char *)tile->data + (size_t)lane * tile->precision;
    one.live = one.lanes = 1;
    flow_source_fill(source, random, below(flow_random_word(pick, sample + lane, 2), rows), &one);
  }
}

typedef struct Draw {
  const FlowDrawing *drawing;
  FlowRowsOf rows;
  FlowRandom pick, start;
  uint64_t first;
  bool once;
  FlowBatch *batch;
} Draw;

/* Rows lie anywhere in memory: they are asked for while the source is drawn. */
static void ask_for_row(const FlowTensor *data, uint64_t row, uint64_t dim) {
  static const uint8_t bytes[FLOW_TYPE_COUNT] = {
#define TYPE(name, size, word, letters) size,
      FLOW_TYPE_LIST(TYPE)
#undef TYPE
  };
  __builtin_prefetch((const char *)data->data + row * dim * bytes[data->type]);
}

/* Word 0 of a sample is its place on the path, word 1 its row. */
static void pick(const Draw *d, uint64_t from, uint32_t live) {
  const FlowTrainSettings *s = d->drawing->settings;
  FlowBatch *batch = d->batch;
  double low = s->s0 < s->s1 ? s->s0 : s->s1, high = s->s0 < s->s1 ? s->s1 : s->s0, last = flow_path_last(s->path);
  uint64_t word[2][FLOW_RANDOM_LANES];
  if (high > last) high = last;
  for (uint64_t i = from; i < from + live; i++) {
    uint64_t number = d->first + i, rest = from + live - i, k = (i - from) % FLOW_RANDOM_LANES;
    if (k == 0) flow_random_words(d->pick, number, flow_random_count(rest), 0, word);
    uint64_t at = d->rows.first + (d->once ? number : below(word[1][k], d->rows.count));
    batch->row[i] = d->rows.order ? d->rows.order[at] : at;
    batch->s[i] = low + (high - low) * flow_random_uniform_of_word(word[0][k]);
    ask_for_row(s->data, batch->row[i], batch->dim);
  }
}

static void draw_tile(const Draw *d, uint64_t from, uint32_t live) {
  const FlowTrainSettings *s = d->drawing->settings;
  FlowBatch *batch = d->batch;
  char *lanes = d->drawing->lanes + (size_t)omp_get_thread_num() * d->drawing->thread_bytes;
  FlowTile tile = flow_tile(s->model, d->drawing->level, lanes, batch->dim, live);
  pick(d, from, live);
  fill_source(s->source, d->start, d->pick, d->first + from, &tile);
  for (uint64_t i = from; i < from + live; i++) {
    flow_tensor_to_f64(s->data, batch->row[i] * batch->dim, batch->dim, batch->x1 + i * batch->dim);
    for (uint64_t c = 0; c < batch->dim; c++) batch->x0[i * batch->dim + c] = flow_tile_at(&tile, c, (uint32_t)(i - from));
  }
}

void flow_batch_draw(const FlowDrawing *drawing, FlowRowsOf rows, uint32_t pick, uint32_t start, uint64_t first, bool once, FlowBatch *batch) {
  uint64_t seed = drawing->settings->seed, lanes = drawing->level->lanes, tiles = (batch->count + lanes - 1) / lanes;
  const Draw draw = {drawing, rows, {seed, pick}, {seed, start}, first, once, batch};
  batch->first = first;
  batch->once = once;
#pragma omp parallel num_threads(drawing->threads)
  {
    FlowRounding callers = flow_rounding_enter();
#pragma omp for schedule(static)
    for (uint64_t i = 0; i < tiles; i++) {
      uint64_t rest = batch->count - i * lanes;
      draw_tile(&draw, i * lanes, rest < lanes ? (uint32_t)rest : (uint32_t)lanes);
    }
    flow_rounding_leave(callers);
  }
}
