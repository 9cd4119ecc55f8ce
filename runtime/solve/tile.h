/* SPDX-License-Identifier: Apache-2.0 */
/* tile.h -- one lane buffer and what lives in it.
 *
 *            lane 0   1   2  ...  live-1 | live .. lanes-1 | lanes .. stride-1
 *   row 0         x   x   x         x    |    copies       |    never read
 *   row 1         y   y   y         y    |    of live-1    |
 *
 * Rows are components, lanes are samples.  A FlowTile points into memory that someone else owns. */
#ifndef FLOW_SOLVE_TILE_H
#define FLOW_SOLVE_TILE_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "flow/model.h"

typedef struct FlowTile {
  void *data;                   /* [rows][stride] numbers; 64-byte aligned */
  uint64_t rows;
  uint32_t precision;           /* bytes of a number: FLOW_F32, FLOW_F64 */
  uint32_t stride, lanes, live;
} FlowTile;

/* The tile of `live` samples (1 .. level->lanes) over `data`: lanes is live rounded up to the level's quantum. */
FlowTile flow_tile(const flow_model *model, const flow_level *level, void *data, uint64_t rows, uint32_t live);

/* Puts a number at (row, lane), rounded once to the tile's precision. */
static inline void flow_tile_set(const FlowTile *tile, uint64_t row, uint32_t lane, double value) {
  size_t at = (size_t)row * tile->stride + lane;
  if (tile->precision == FLOW_F32)
    ((float *)tile->data)[at] = (float)value;
  else
    ((double *)tile->data)[at] = value;
}

static inline double flow_tile_at(const FlowTile *tile, uint64_t row, uint32_t lane) {
  size_t at = (size_t)row * tile->stride + lane;
  return tile->precision == FLOW_F32 ? (double)((const float *)tile->data)[at] : ((const double *)tile->data)[at];
}

void flow_tile_pad(const FlowTile *tile);                               /* idle lanes become copies of the last live one */
void flow_tile_load(const FlowTile *tile, const void *rows);            /* from [live][rows], C order; pads */
void flow_tile_store(const FlowTile *tile, void *rows);                 /* the live lanes to [live][rows] */
void flow_tile_store_pitched(const FlowTile *tile, void *rows, size_t pitch);   /* ... each row `pitch` bytes from the last */
bool flow_tile_is_finite(const FlowTile *tile);                   /* of all live lanes */
bool flow_tile_lane_is_finite(const FlowTile *tile, uint32_t lane);

#endif
