/* SPDX-License-Identifier: Apache-2.0 */
/* grid.c -- nodes by rule, and arrays of them looked through. */
#include "grid.h"
#include "elementary.h"
#include <inttypes.h>
#include <string.h>

static const char *const names[] = {"equal", "cosine", "power", NULL};

const char *const *flow_spacing_names(void) { return names; }

FlowSpacing flow_spacing_find(const char *name) {
  int spacing = 0;
  while (names[spacing] && strcmp(names[spacing], name) != 0) spacing++;
  return (FlowSpacing)spacing;
}

static bool is_finite(double x) { return x - x == 0; }

/* Does the grid's own first end lie at the solve's t1? */
static bool is_backward(const FlowGrid *grid, double t0, double t1) {
  if (t0 == t1) return false;
  if (grid->spacing == FLOW_SPACING_GIVEN) return grid->node[0] == t1;
  return grid->spacing == FLOW_SPACING_POWER && grid->from == t1;
}

static flow_status check_order(const FlowGrid *grid, flow_error *error) {
  const double *node = grid->node;
  bool rise = node[0] < node[grid->intervals];
  for (uint64_t i = 1; i <= grid->intervals; i++)
    if (rise ? !(node[i - 1] < node[i]) : !(node[i - 1] > node[i]))
      return flow_fail(error, FLOW_BAD_CALL, "time %" PRIu64 " of the grid is %.17g after %.17g; from %g to %g they must %s",
                       i, node[i], node[i - 1], node[0], node[grid->intervals], rise ? "rise" : "fall");
  return FLOW_OK;
}

static flow_status check_given(const FlowGrid *grid, uint64_t steps, double t0, double t1, flow_error *error) {
  const double *node = grid->node;
  if (grid->intervals < 1 || !node)
    return flow_fail(error, FLOW_BAD_CALL, "a grid has two times at least, the first and the last");
  for (uint64_t i = 0; i <= grid->intervals; i++)
    if (!is_finite(node[i]))
      return flow_fail(error, FLOW_BAD_CALL, "time %" PRIu64 " of the grid is %g; it must be finite", i, node[i]);
  double first = node[0], last = node[grid->intervals];
  if ((first != t0 || last != t1) && (first != t1 || last != t0))
    return flow_fail(error, FLOW_BAD_CALL, "the grid is from %.17g to %.17g; the solve is from %.17g to %.17g", first, last,
                     t0, t1);
  if (steps % grid->intervals)
    return flow_fail(error, FLOW_BAD_CALL, "%" PRIu64 " steps on a grid of %" PRIu64 " intervals: a multiple is wanted", steps,
                     grid->intervals);
  return check_order(grid, error);
}

flow_status flow_grid_check(const FlowGrid *grid, uint64_t steps, double t0, double t1, flow_error *error) {
  if (grid->spacing == FLOW_SPACING_GIVEN) return check_given(grid, steps, t0, t1, error);
  if (grid->spacing != FLOW_SPACING_POWER) return FLOW_OK;
  if (!(grid->power > 0 && is_finite(grid->power)))
    return flow_fail(error, FLOW_BAD_CALL, "spacing by the power %g: it must be above 0", grid->power);
  if (grid->from != t0 && grid->from != t1)
    return flow_fail(error, FLOW_BAD_CALL, "spacing by a power from %.17g; the solve is from %.17g to %.17g", grid->from, t0, t1);
  return FLOW_OK;
}

/* (1 - cos(pi i/N))/2 is sin^2; its second half mirrors the first. */
static double cosine_share(uint64_t i, uint64_t steps) {
  const double half_pi = 0x1.921fb54442d18p+0;
  uint64_t from_end = steps - i, nearer = i < from_end ? i : from_end;
  double sine = flow_sin_f64(half_pi * ((double)nearer / (double)steps));
  return nearer == i ? sine * sine : 1 - sine * sine;
}

static double given_node(const FlowGrid *grid, uint64_t steps, uint64_t i) {
  uint64_t parts = steps / grid->intervals, interval = i / parts, part = i % parts;
  const double *node = grid->node + interval;
  return part == 0 ? node[0] : node[0] + (node[1] - node[0]) * (double)part / (double)parts;
}

static double forward_node(const FlowGrid *grid, uint64_t steps, double t0, double t1, uint64_t i) {
  if (grid->spacing == FLOW_SPACING_GIVEN) return given_node(grid, steps, i);
  if (i == steps) return t1;
  if (grid->spacing == FLOW_SPACING_COSINE) return t0 + (t1 - t0) * cosine_share(i, steps);
  if (grid->spacing == FLOW_SPACING_POWER) return t0 + (t1 - t0) * flow_pow_f64((double)i / (double)steps, grid->power);
  return t0 + (t1 - t0) * (double)i / (double)steps;
}

double flow_grid_node(const FlowGrid *grid, uint64_t steps, double t0, double t1, uint64_t i) {
  return is_backward(grid, t0, t1) ? forward_node(grid, steps, t1, t0, steps - i) : forward_node(grid, steps, t0, t1, i);
}
