/* SPDX-License-Identifier: Apache-2.0 */
#include "couple.h"
#include "checked.h"
#include <math.h>
#include <string.h>

#define FREE SIZE_MAX

flow_status flow_coupler_open(const FlowAllocator *allocator, size_t count, size_t dim, FlowCoupler *coupler, flow_error *error) {
  *coupler = (FlowCoupler){.allocator = *allocator, .count = count, .dim = dim};
  size_t pairs;
  if (flow_mul_size(count, count, &pairs)) coupler->cost = flow_alloc_array(allocator, pairs, sizeof(double));
  coupler->price = flow_alloc_array(allocator, count, 2 * sizeof(double));
  coupler->column_of = flow_alloc_array(allocator, count, 5 * sizeof(size_t));
  coupler->moved = flow_alloc_array(allocator, count, dim * sizeof(double));
  if (coupler->cost && coupler->price && coupler->column_of && coupler->moved) {
    coupler->distance = coupler->price + count;
    coupler->row_of = coupler->column_of + count;
    coupler->before = coupler->row_of + count;
    coupler->todo = coupler->before + count;
    coupler->open = coupler->todo + count;
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
  flow_free(allocator, coupler->price, n * 2 * sizeof(double));
  flow_free(allocator, coupler->column_of, n * 5 * sizeof(size_t));
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
    size_t row = c->todo[at++], first = 0, second = 0;
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
    if (least < next) c->todo[--at] = loser;
    else c->todo[left++] = loser;
  }
  while (at < free_rows) c->todo[left++] = c->todo[at++];
  return left;
}

/* What Dijkstra's algorithm knows: `open` holds first the columns that are not settled, behind them those that are. */
typedef struct Search { size_t left, nearest; double length; } Search;

/* Distances by way of `row`, whose column is settled at `base`; the nearest column that is open. */
static void reach(FlowCoupler *c, size_t row, double base, Search *search) {
  const double *cost = c->cost + row * c->count;
  double least = INFINITY;
  for (size_t i = 0; i < search->left; i++) {
    size_t k = c->open[i];
    double through = base + (cost[k] - c->price[k]);
    if (through < c->distance[k]) c->distance[k] = through, c->before[k] = row;
    if (c->distance[k] < least) least = c->distance[k], search->nearest = i;
  }
  search->length = least;
}

/* From a free row to the nearest free column. */
static size_t nearest_free_column(FlowCoupler *c, size_t start, Search *search) {
  *search = (Search){.left = c->count};
  for (size_t k = 0; k < c->count; k++) c->open[k] = k, c->distance[k] = INFINITY, c->before[k] = start;
  reach(c, start, 0, search);
  for (;;) {
    size_t column = c->open[search->nearest], row = c->row_of[column];
    if (row == FREE) return column;
    c->open[search->nearest] = c->open[--search->left];
    c->open[search->left] = column;
    reach(c, row, search->length - (c->cost[row * c->count + column] - c->price[column]), search);
  }
}

static void augment(FlowCoupler *c, size_t start) {
  Search search;
  size_t column = nearest_free_column(c, start, &search), row;
  for (size_t i = search.left; i < c->count; i++) c->price[c->open[i]] += c->distance[c->open[i]] - search.length;
  do {
    row = c->before[column];
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
    if (c->column_of[row] == FREE) c->todo[left++] = row;
  for (int pass = 0; pass < 2; pass++) left = reduce_rows(c, left);
  for (size_t i = 0; i < left; i++) augment(c, c->todo[i]);
  double sum = 0;
  for (size_t row = 0; row < n; row++) sum += c->cost[row * n + c->column_of[row]];
  return sum;
}

void flow_couple(FlowCoupler *c, FlowBatch *batch) {
  size_t n = c->count, dim = c->dim;
  for (size_t row = 0; row < n; row++) {
    for (size_t column = 0; column < n; column++) {
      const double *x1 = batch->x1 + row * dim, *x0 = batch->x0 + column * dim;
      double sum = 0;
      for (size_t k = 0; k < dim; k++) sum += (x1[k] - x0[k]) * (x1[k] - x0[k]);
      c->cost[row * n + column] = sum;
    }
  }
  flow_assign(c);
  for (size_t row = 0; row < n; row++) memcpy(c->moved + row * dim, batch->x0 + c->column_of[row] * dim, dim * sizeof(double));
  memcpy(batch->x0, c->moved, n * dim * sizeof(double));
}
