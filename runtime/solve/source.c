/* SPDX-License-Identifier: Apache-2.0 */
/* source.c -- the kinds of sources: how each is checked, how each fills a tile. */
#include "source.h"
#include <inttypes.h>

static flow_status check_uniform(const FlowSource *source, flow_error *error) {
  for (uint64_t c = 0; c < source->dim; c++) {
    double width = source->high[c] - source->low[c];
    if (!(width >= 0 && width - width == 0))
      return flow_fail(error, FLOW_BAD_INPUT,
                       "uniform source: component %" PRIu64 " is to lie between %.17g and %.17g; the bounds must be finite "
                       "and the lower one first",
                       c, source->low[c], source->high[c]);
  }
  return FLOW_OK;
}

static flow_status check_gaussian(const FlowSource *source, flow_error *error) {
  for (uint64_t r = 0; r < source->dim; r++) {
    double worst = source->mean[r] - source->mean[r];   /* 0 while all are finite */
    for (uint64_t c = 0; c <= r; c++) worst += source->factor[r * source->dim + c] - source->factor[r * source->dim + c];
    if (worst != 0)
      return flow_fail(error, FLOW_BAD_INPUT, "gaussian source: the mean or the covariance of component %" PRIu64 " is not finite", r);
  }
  return FLOW_OK;
}

static flow_status check_tensor(const FlowSource *source, uint64_t first, uint64_t end, flow_error *error) {
  const FlowTensor *tensor = source->tensor;
  const char *name = source->name ? source->name : "the source's array";
  uint64_t rows = tensor->rank ? tensor->dim[0] : 0;
  if (rows == 0) return flow_fail(error, FLOW_BAD_INPUT, "%s has no rows; an array [samples, %" PRIu64 "] is needed", name, source->dim);
  if (tensor->count % rows != 0 || tensor->count / rows != source->dim)
    return flow_fail(error, FLOW_BAD_INPUT,
                     "%s has %" PRIu64 " numbers in each of its %" PRIu64 " rows; a state of this model has %" PRIu64, name,
                     tensor->count / rows, rows, source->dim);
  if (end > rows)
    return flow_fail(error, FLOW_BAD_INPUT, "%s has %" PRIu64 " rows; samples %" PRIu64 " to %" PRIu64 " were asked for", name, rows,
                     first, end - 1);
  return FLOW_OK;
}

flow_status flow_source_check(const FlowSource *source, uint64_t dim, uint64_t first, uint64_t end, flow_error *error) {
  if (source->dim != dim)
    return flow_fail(error, FLOW_BAD_INPUT, "the source makes states of %" PRIu64 " numbers; a state of this model has %" PRIu64,
                     source->dim, dim);
  switch (source->kind) {
  case FLOW_SOURCE_NORMAL: return FLOW_OK;
  case FLOW_SOURCE_GAUSSIAN: return check_gaussian(source, error);
  case FLOW_SOURCE_DRAWN: return source->draw ? FLOW_OK : flow_fail(error, FLOW_BAD_CALL, "a source without a function that draws");
  case FLOW_SOURCE_UNIFORM: return check_uniform(source, error);
  case FLOW_SOURCE_TENSOR: return first < end ? check_tensor(source, first, end, error) : FLOW_OK;
  }
  return flow_fail(error, FLOW_BAD_CALL, "there is no source of kind %d", (int)source->kind);
}

/* Rounding may carry lo + (hi - lo) u past hi, in f64 or on the way to f32; the bounds themselves are rounded alike. */
static void fill_uniform(const FlowSource *source, FlowRandom random, uint64_t first, const FlowTile *tile) {
  uint64_t word[2][FLOW_RANDOM_LANES];
  for (uint32_t lane = 0, count; lane < tile->live; lane += count) {
    count = flow_random_count(tile->live - lane);
    for (uint64_t row = 0; row < tile->rows; row++) {
      double low = source->low[row], high = source->high[row];
      if (row % 2 == 0) flow_random_words(random, first + lane, count, (uint32_t)(row / 2), word);
      for (uint32_t i = 0; i < count; i++) {
        double value = low + (high - low) * flow_random_uniform_of_word(word[row % 2][i]);
        flow_tile_set(tile, row, lane + i, value < high ? value : high);
      }
    }
  }
  flow_tile_pad(tile);
}

/* Rows in blocks that fit the stack; for each of them the z of all columns up to its end, block by block. */
enum { BLOCK = 128 };
typedef double Some[BLOCK][FLOW_RANDOM_LANES];          /* a block of rows or columns, of some samples */

static void add_columns(const FlowSource *source, FlowRandom random, uint64_t sample, uint32_t count, uint64_t row, uint64_t rows,
                        uint64_t column, Some sum) {
  Some z;
  uint64_t columns = source->dim - column < BLOCK ? source->dim - column : BLOCK;
  for (uint64_t c = 0; c < columns; c += 2) flow_random_normals(random, sample, count, (uint32_t)((column + c) / 2), &z[c]);
  for (uint64_t r = 0; r < rows; r++)
    for (uint64_t c = 0; c < columns && column + c <= row + r; c++)
      for (uint32_t i = 0; i < count; i++) sum[r][i] += source->factor[(row + r) * source->dim + column + c] * z[c][i];
}

static void fill_gaussian(const FlowSource *source, FlowRandom random, uint64_t first, const FlowTile *tile) {
  Some sum;
  for (uint32_t lane = 0, count; lane < tile->live; lane += count) {
    count = flow_random_count(tile->live - lane);
    for (uint64_t row = 0; row < tile->rows; row += BLOCK) {
      uint64_t rows = tile->rows - row < BLOCK ? tile->rows - row : BLOCK;
      for (uint64_t r = 0; r < rows; r++)
        for (uint32_t i = 0; i < count; i++) sum[r][i] = source->mean[row + r];
      for (uint64_t column = 0; column < row + rows; column += BLOCK)
        add_columns(source, random, first + lane, count, row, rows, column, sum);
      for (uint64_t r = 0; r < rows; r++)
        for (uint32_t i = 0; i < count; i++) flow_tile_set(tile, row + r, lane + i, sum[r][i]);
    }
  }
  flow_tile_pad(tile);
}

static void fill_drawn(const FlowSource *source, FlowRandom random, uint64_t first, const FlowTile *tile) {
  for (uint32_t lane = 0; lane < tile->live; lane++) source->draw(source->draw_user, random, first + lane, tile, lane);
  flow_tile_pad(tile);
}

static void fill_tensor(const FlowSource *source, uint64_t first, const FlowTile *tile) {
  for (uint32_t lane = 0; lane < tile->live; lane++) {
    uint64_t from = (first + lane) * tile->rows;
    for (uint64_t row = 0; row < tile->rows; row++) {
      size_t at = (size_t)row * tile->stride + lane;
      if (tile->precision == FLOW_F32)
        flow_tensor_to_f32(source->tensor, from + row, 1, (float *)tile->data + at);
      else
        flow_tensor_to_f64(source->tensor, from + row, 1, (double *)tile->data + at);
    }
  }
  flow_tile_pad(tile);
}

void flow_source_fill(const FlowSource *source, FlowRandom random, uint64_t first, const FlowTile *tile) {
  switch (source->kind) {
  case FLOW_SOURCE_NORMAL: flow_random_fill_normal(random, first, tile); return;
  case FLOW_SOURCE_GAUSSIAN: fill_gaussian(source, random, first, tile); return;
  case FLOW_SOURCE_DRAWN: fill_drawn(source, random, first, tile); return;
  case FLOW_SOURCE_UNIFORM: fill_uniform(source, random, first, tile); return;
  case FLOW_SOURCE_TENSOR: fill_tensor(source, first, tile); return;
  }
}
