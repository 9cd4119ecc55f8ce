/* SPDX-License-Identifier: Apache-2.0 */
/* maps.c -- what should hold of maps, in f64:
: for every map that has an inverse, and whose shapes
 * are known, inverse(t, map(t, x)) = x at random points.  How much an inverse magnifies rounding is the map's own affair, so
 * the bound is generous.  (What a flow that is given by a map promises is in density.c.) */
#include "verify_parts.h"

static const double inverse_bound = 1e-8;

static bool all_known(const TypedFunction *f) {
  for (uint32_t p = 0; p < f->parameters; p++)
    for (uint32_t a = 0; a < f->parameter[p].rank; a++)
      if (f->parameter[p].dim[a] <= 0) return false;
  return true;
}

Sides compare_states(const double *one, const double *other, uint64_t dim, double *error) {
  Sides sides = {one[0], other[0], dim > 1 ? 0 : -1};
  double worst = -1, size = 0;
  for (uint64_t k = 0; k < dim; k++) {
    double apart = fabs(one[k] - other[k]);
    size = fmax(size, fabs(one[k]));
    if (apart <= worst) continue;
    worst = isnan(apart) ? INFINITY : apart;
    sides = (Sides){one[k], other[k], dim > 1 ? (int64_t)k : -1};
  }
  *error = worst / (1 + size);
  return sides;
}

static void check_inverse(Verify *v, const TypedMap *map) {
  const TypedFunction *f = map->function;
  const char *what = arena_format(&v->arena, "the inverse of %s undoes it", map->name);
  Function forward = function_lower(v, f, FLOW_NO_EXTRAS), back = function_lower(v, map->inverse, FLOW_NO_EXTRAS);
  if (!forward.ir || !back.ir) {
    verify_cannot(v, what, forward.ir ? &back : &forward);
    return;
  }
  bool *is_time = arena_array(&v->arena, f->parameters, sizeof *is_time);
  is_time[0] = true;
  PointNames names = {f->parameters, f->parameter_name, f->parameter, is_time, NULL};
  double *number = new_rows(v, 1, point_numbers(&names)), *y = new_rows(v, 1, forward.results), *x = new_rows(v, 1, forward.results);
  const double **input = arena_array(&v->arena, f->parameters, sizeof *input);
  VerifyLine *line = verify_line(v, what);
  line->bound = inverse_bound;
  line->reason = "relative";
  verify_expect(v, v->options.points);
  for (uint64_t i = 0; i < v->options.points && verify_step(v, 1); i++) {
    double error;
    draw_point(v, &names, STREAM_FIELD, i, number);
    point_inputs(&names, number, input);
    const double *state = input[1];
    function_run(v, &forward, input, y);
    input[1] = y;
    function_run(v, &back, input, x);
    Sides sides = compare_states(state, x, forward.results, &error);
    verify_hold(v, line, error, sides, &names, number);
  }
  verify_judge(line);
}

flow_status verify_maps(Verify *v, flow_error *error) {
  VERIFY_ON_NO_MEMORY(v);
  for (uint32_t m = 0; m < v->program->maps && !v->cancelled; m++) {
    const TypedMap *map = &v->program->map[m];
    if (map->inverse && all_known(map->function)) check_inverse(v, map);
  }
  return v->cancelled ? flow_fail(error, FLOW_CANCELLED, "stopped") : FLOW_OK;
}
