/* SPDX-License-Identifier: Apache-2.0 */
#include "couple.h"
#include "checked.h"
#include <math.h>
#include <string.h>

#define FREE SIZE_MAX
#define MOST_COST 1e300          /* so that no sum of costs overflows */

flow_status flow_coupler_open(const FlowAllocator *allocator, size_t count, size_t dim, FlowCoupler *coupler, flow_error *error) {
  *coupler = (FlowCoupler){.allocator = *allocator, .count = count, .dim = dim};
  size_t pairs;
  if (flow_mul_size(count, count, &pairs)) coupler->cost = flow_alloc_array(allocator, pairs, sizeof(double));
  coupler->price = flow_alloc_array(allocator, count, 4 * sizeof(double));
  coupler->column_of = flow_alloc_array(allocator, count, 3 * sizeof(size_t));
  coupler->moved = flow_alloc_array(allocator, count, dim * sizeof(double));
  if (coupler->cost && coupler->price && coupler->column_of && coupler->moved) {
    coupler->distance = coupler->price + count;
    coupler->row_of = coupler->column_of + count;
    coupler->waiting = coupler->row_of + count;
    coupler->before = coupler->distance + count;
    coupler->bar = coupler->before + count;
    return FLOW_OK;
  }
  flow_coupler_close(coupler);
  return flow_fail(error, FLOW_NO_MEMORY, "out of memory for the coupling of batches of %zu samples", count);
}

void flow_coupler_close(FlowCoupler *coupler) {
  const FlowAllocator *allocator = &coupler->allocator;
  size_t n = coupler->count;
  if (n == 0) return;
  flow_free(allocator, coupler->cost, n * n * sizeof(double));
  flow_free(allocator, coupler->price, n * 4 * sizeof(double));
  flow_free(allocator, coupler->column_of, n * 3 * sizeof(size_t));
  flow_free(allocator, coupler->moved, n * coupler->dim * sizeof(double));
  *coupler = (FlowCoupler){0};
}

/* The price of a column is the least cost in it; a row that is cheapest in several columns takes the last of them. */
static void reduce_columns(FlowCoupler *c) {
  size_t n = c->count;
  for (size_t k = 0; k < n; k++) c->column_of[k] = c->row_of[k] = FREE;
  for (size_t column = n; column-- > 0;) {
    size_t least = 0;
    for (size_t row = 1; row < n; row++)
      if (c->cost[row * n + column] < c->cost[least * n + column]) least = row;
    c->price[column] = c->cost[least * n + column];
    if (c->column_of[least] != FREE) continue;
    c->column_of[least] = column;
    c->row_of[column] = least;
  }
}

/* A free row takes its cheapest column at a price lowered by what the second cheapest costs more, and sets free who had it. */
static size_t reduce_rows(FlowCoupler *c, size_t free_rows) {
  size_t n = c->count, left = 0, at = 0, tries = 0;
  while (at < free_rows && tries++ < 4 * n) {
    size_t row = c->waiting[at++], first = 0, second = 0;
    const double *cost = c->cost + row * n;
    double least = cost[0] - c->price[0], next = INFINITY;
    for (size_t column = 1; column < n; column++) {
      double reduced = cost[column] - c->price[column];
      if (reduced >= next) continue;
      if (reduced >= least) next = reduced, second = column;
      else next = least, second = first, least = reduced, first = column;
    }
    size_t loser = c->row_of[first];
    if (least < next) c->price[first] -= next - least;
    else if (loser != FREE && n > 1) first = second, loser = c->row_of[first];
    c->column_of[row] = first;
    c->row_of[first] = row;
    if (loser == FREE) continue;
    c->column_of[loser] = FREE;
    if (least < next) c->waiting[--at] = loser;
    else c->waiting[left++] = loser;
  }
  while (at < free_rows) c->waiting[left++] = c->waiting[at++];
  return left;
}

/* One column: its distance by way of a row, where that is less than the one known; the least of those that are open.  `bar` is 0 for
 * these and infinite for settled columns, so that no branch is needed. */
#define REACH(k, least)                                                              \
  do {                                                                               \
    double through_ = base + (cost[k] - price[k]) + bar[k], old_ = distance[k];      \
    double now_ = through_ < old_ ? through_ : old_;                                 \
    before[k] = through_ < old_ ? from : before[k];                                  \
    distance[k] = now_;                                                              \
    now_ += bar[k];                                                                  \
    (least) = now_ < (least) ? now_ : (least);                                       \
  } while (0)

/* Distances by way of `row`, whose column is settled at `base`; answers the least of the columns that are open.  Sixteen minima side
 * by side, for vectors. */
static double reach(FlowCoupler *c, size_t row, double base) {
  enum { SIDE = 16 };
  const double *restrict cost = c->cost + row * c->count, *restrict price = c->price, *restrict bar = c->bar;
  double *restrict distance = c->distance, *restrict before = c->before, least[SIDE], from = (double)row;
  size_t whole = c->count / SIDE * SIDE;
  for (size_t j = 0; j < SIDE; j++) least[j] = INFINITY;
  for (size_t k = 0; k < whole; k += SIDE)
    for (size_t j = 0; j < SIDE; j++) REACH(k + j, least[j]);
  for (size_t k = whole; k < c->count; k++) REACH(k, least[0]);
  for (size_t j = 1; j < SIDE; j++) least[0] = least[j] < least[0] ? least[j] : least[0];
  return least[0];
}

/* From a free row to the nearest free column, `*length` away. */
static size_t nearest_free_column(FlowCoupler *c, size_t start, double *length) {
  for (size_t k = 0; k < c->count; k++) c->bar[k] = 0, c->distance[k] = INFINITY;
  *length = reach(c, start, 0);
  for (;;) {
    size_t column = 0;
    while (c->distance[column] + c->bar[column] != *length) column++;
    size_t row = c->row_of[column];
    if (row == FREE) return column;
    c->bar[column] = INFINITY;
    *length = reach(c, row, *length - (c->cost[row * c->count + column] - c->price[column]));
  }
}

static void augment(FlowCoupler *c, size_t start) {
  double length;
  size_t column = nearest_free_column(c, start, &length), row;
  for (size_t k = 0; k < c->count; k++)
    if (c->bar[k] > 0) c->price[k] += c->distance[k] - length;
  do {
    row = (size_t)c->before[column];
    c->row_of[column] = row;
    size_t next = c->column_of[row];
    c->column_of[row] = column;
    column = next;
  } while (row != start);
}

double flow_assign(FlowCoupler *c) {
  size_t n = c->count, left = 0;
  reduce_columns(c);
  for (size_t row = 0; row < n; row++)
    if (c->column_of[row] == FREE) c->waiting[left++] = row;
  for (int pass = 0; pass < 2; pass++) left = reduce_rows(c, left);
  for (size_t i = 0; i < left; i++) {
    if (flow_stop_asked(c->stop)) return NAN;
    augment(c, c->waiting[i]);
  }
  double sum = 0;
  for (size_t row = 0; row < n; row++) sum += c->cost[row * n + c->column_of[row]];
  return sum;
}

bool flow_couple(FlowCoupler *c, FlowBatch *batch) {
  size_t n = c->count, dim = c->dim;
  for (size_t row = 0; row < n; row++) {
    if (flow_stop_asked(c->stop)) return false;
    for (size_t column = 0; column < n; column++) {
      const double *x1 = batch->x1 + row * dim, *x0 = batch->x0 + column * dim;
      double sum = 0;
      for (size_t k = 0; k < dim; k++) sum += (x1[k] - x0[k]) * (x1[k] - x0[k]);
      c->cost[row * n + column] = sum < MOST_COST ? sum : MOST_COST;      /* also where it is no number */
    }
  }
  if (isnan(flow_assign(c))) return false;
  for (size_t row = 0; row < n; row++) memcpy(c->moved + row * dim, batch->x0 + c->column_of[row] * dim, dim * sizeof(double));
  memcpy(batch->x0, c->moved, n * dim * sizeof(double));
  return true;
}
