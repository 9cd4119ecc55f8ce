/* SPDX-License-Identifier: Apache-2.0 */
/* tile.c -- moves between row-major samples and lanes.  Rows have no alignment, hence memcpy. */
#include "tile.h"
#include <string.h>

FlowTile flow_tile(const flow_model *model, const flow_level *level, void *data, uint64_t rows, uint32_t live) {
  uint32_t lanes = live == level->lanes ? live : (live + level->quantum - 1) / level->quantum * level->quantum;
  return (FlowTile){data, rows, model->precision, level->lanes, lanes, live};
}

/* The same loops for both precisions. */
#define TILE_MOVES(T)                                                                                                  \
  static void pad_##T(const FlowTile *tile) {                                                                          \
    for (size_t row = 0; row < tile->rows; row++) {                                                                    \
      T *lane = (T *)tile->data + row * tile->stride;                                                                  \
      for (uint32_t i = tile->live; i < tile->lanes; i++) lane[i] = lane[tile->live - 1];                              \
    }                                                                                                                  \
  }                                                                                                                    \
  static void load_##T(const FlowTile *tile, const void *rows) {                                                       \
    for (size_t row = 0; row < tile->rows; row++) {                                                                    \
      T *lane = (T *)tile->data + row * tile->stride;                                                                  \
      for (size_t i = 0; i < tile->live; i++)                                                                          \
        memcpy(&lane[i], (const char *)rows + (i * tile->rows + row) * sizeof *lane, sizeof *lane);                    \
    }                                                                                                                  \
  }                                                                                                                    \
  static void store_##T(const FlowTile *tile, void *rows, size_t pitch) {                                              \
    for (size_t row = 0; row < tile->rows; row++) {                                                                    \
      const T *lane = (const T *)tile->data + row * tile->stride;                                                      \
      for (size_t i = 0; i < tile->live; i++)                                                                          \
        memcpy((char *)rows + i * pitch + row * sizeof *lane, &lane[i], sizeof *lane);                                 \
    }                                                                                                                  \
  }
TILE_MOVES(float)
TILE_MOVES(double)

void flow_tile_pad(const FlowTile *tile) { tile->precision == FLOW_F32 ? pad_float(tile) : pad_double(tile); }

void flow_tile_load(const FlowTile *tile, const void *rows) {
  tile->precision == FLOW_F32 ? load_float(tile, rows) : load_double(tile, rows);
  flow_tile_pad(tile);
}

void flow_tile_store(const FlowTile *tile, void *rows) {
  flow_tile_store_pitched(tile, rows, (size_t)tile->rows * tile->precision);
}

void flow_tile_store_pitched(const FlowTile *tile, void *rows, size_t pitch) {
  tile->precision == FLOW_F32 ? store_float(tile, rows, pitch) : store_double(tile, rows, pitch);
}

/* x - x is 0 for every finite x and NaN for the others, so that the sum is 0 where all are finite. */
#define TILE_IS_FINITE(T)                                                                                              \
  static bool is_finite_##T(const FlowTile *tile) {                                                                    \
    enum { SUMS = 8 };                                                                                                 \
    T sum[SUMS] = {0};                                                                                                 \
    for (size_t row = 0; row < tile->rows; row++) {                                                                    \
      const T *lane = (const T *)tile->data + row * tile->stride;                                                      \
      for (size_t i = 0; i < tile->live; i++) sum[i % SUMS] += lane[i] - lane[i];                                      \
    }                                                                                                                  \
    for (size_t s = 1; s < SUMS; s++) sum[0] += sum[s];                                                                \
    return sum[0] == 0;                                                                                                \
  }
TILE_IS_FINITE(float)
TILE_IS_FINITE(double)

bool flow_tile_is_finite(const FlowTile *tile) { return tile->precision == FLOW_F32 ? is_finite_float(tile) : is_finite_double(tile); }

bool flow_tile_lane_is_finite(const FlowTile *tile, uint32_t lane) {
  for (uint64_t row = 0; row < tile->rows; row++) {
    double value = flow_tile_at(tile, row, lane);
    if (value - value != 0) return false;
  }
  return true;
}
