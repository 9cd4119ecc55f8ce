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

static flow_status refuse_order(const double *node, uint64_t i, double t0, double t1, flow_error *error) {
  return flow_fail(error, FLOW_BAD_CALL, "time %" PRIu64 " of the grid is %.17g after %.17g; from %g to %g they must %s", i, node[i],
                   node[i - 1], t0, t1, t0 < t1 ? "rise" : "fall");
}

static flow_status check_given(const double *node, uint64_t steps, double t0, double t1, flow_error *error) {
  for (uint64_t i = 0; i <= steps; i++)
    if (!is_finite(node[i])) return flow_fail(error, FLOW_BAD_CALL, "time %" PRIu64 " of the grid is %g; it must be finite", i, node[i]);
  if (node[0] != t0)
    return flow_fail(error, FLOW_BAD_CALL, "the grid begins at %.17g; the solve is from %.17g to %.17g", node[0], t0, t1);
  if (node[steps] != t1)
    return flow_fail(error, FLOW_BAD_CALL, "the grid ends at %.17g; the solve is from %.17g to %.17g", node[steps], t0, t1);
  for (uint64_t i = 1; i <= steps; i++)
    if (t0 < t1 ? !(node[i - 1] < node[i]) : !(node[i - 1] > node[i])) return refuse_order(node, i, t0, t1, error);
  return FLOW_OK;
}

flow_status flow_grid_check(const FlowGrid *grid, uint64_t steps, double t0, double t1, flow_error *error) {
  if (grid->spacing == FLOW_SPACING_GIVEN) return check_given(grid->node, steps, t0, t1, error);
  if (grid->spacing == FLOW_SPACING_POWER && !(grid->power > 0 && is_finite(grid->power)))
    return flow_fail(error, FLOW_BAD_CALL, "spacing by the power %g: it must be above 0", grid->power);
  return FLOW_OK;
}

/* (1 - cos(pi i/N))/2 is sin^2; its second half mirrors the first. */
static double cosine_share(uint64_t i, uint64_t steps) {
  const double half_pi = 0x1.921fb54442d18p+0;
  uint64_t from_end = steps - i, nearer = i < from_end ? i : from_end;
  double sine = flow_sin_f64(half_pi * ((double)nearer / (double)steps));
  return nearer == i ? sine * sine : 1 - sine * sine;
}

double flow_grid_node(const FlowGrid *grid, uint64_t steps, double t0, double t1, uint64_t i) {
  if (grid->spacing == FLOW_SPACING_GIVEN) return grid->node[i];
  if (i == steps) return t1;
  if (grid->spacing == FLOW_SPACING_COSINE) return t0 + (t1 - t0) * cosine_share(i, steps);
  if (grid->spacing == FLOW_SPACING_POWER) return t0 + (t1 - t0) * flow_pow_f64((double)i / (double)steps, grid->power);
  return t0 + (t1 - t0) * (double)i / (double)steps;
}
