/* SPDX-License-Identifier: Apache-2.0 */
/* adaptive_method.c -- coefficients rounded once to the model's precision, zeros left out. */
#include "adaptive_method.h"
#include "elementary.h"
#include <string.h>

double flow_standard_tolerance(uint32_t precision) { return precision == FLOW_F32 ? 1e-6 : 1e-9; }

const FlowTableau *flow_automatic_method(uint32_t precision, bool smooth, FlowTolerance tolerance) {
  bool high = smooth && precision == FLOW_F64 && tolerance.rtol < 1e-8 && tolerance.atol < 1e-8;
  return flow_tableau_find(high ? "dop853" : "dopri5");
}

/* Below 1e-6 the roundings of f32 are most of the error, below 1e-7 they are all of what the estimate sees. */
static const double f32_barely = 1e-6, f32_least = 1e-7, f64_least = 1e-15;

static double smaller(double a, double b) { return a < b ? a : b; }

const char *flow_tolerance_warning(uint32_t precision, FlowTolerance tolerance) {
  if (precision != FLOW_F32 || tolerance.atol >= f32_barely || tolerance.rtol >= f32_barely) return NULL;
  return "f32 ends near 3e-6 in x and 1e-5 in log p: tolerances below 1e-6 gain little there (--precision f64)";
}

FlowTolerance flow_tighter_tolerance(uint32_t precision, FlowTolerance tolerance) {
  double least = precision == FLOW_F32 ? f32_least : f64_least;
  double *each[] = {&tolerance.rtol, &tolerance.atol, &tolerance.ltol};
  for (int i = 0; i < 3; i++) *each[i] = *each[i] / 10 > least ? *each[i] / 10 : *each[i] > least ? least : *each[i];
  return tolerance;
}

static flow_status check_tolerance(FlowTolerance tolerance, uint32_t precision, flow_error *error) {
  double smallest = smaller(tolerance.atol, tolerance.ltol);
  if (!(tolerance.rtol >= 0 && smallest > 0 && tolerance.rtol + tolerance.atol + tolerance.ltol < 1e30))
    return flow_fail(error, FLOW_BAD_CALL,
                     "tolerances rtol %.3g, atol %.3g, log p %.3g: rtol is at least 0 and the others are above 0, as 1e-5 is",
                     tolerance.rtol, tolerance.atol, tolerance.ltol);
  double largest = tolerance.rtol > tolerance.atol ? tolerance.rtol : tolerance.atol;
  if (precision == FLOW_F32 && (largest < f32_least || tolerance.ltol < f32_least))
    return flow_fail(error, FLOW_BAD_CALL,
                     "a tolerance of %.3g is beyond f32, which ends near 3e-6 in x and 1e-5 in log p; "
                     "use --precision f64 or at least 1e-7",
                     smaller(largest, tolerance.ltol));
  if (largest < f64_least)
    return flow_fail(error, FLOW_BAD_CALL, "a tolerance of %.3g is beyond f64; the smallest is %.0e", largest, f64_least);
  return FLOW_OK;
}

static void put(uint32_t precision, void *numbers, size_t at, double value) {
  if (precision == FLOW_F32)
    ((float *)numbers)[at] = (float)value;
  else
    ((double *)numbers)[at] = value;
}

/* Appends row[0 .. count) without its zeros; returns the number of terms used so far. */
static uint32_t append(FlowMethod *method, uint32_t precision, const double *row, uint32_t count, uint32_t terms,
                       flow_combination *combination) {
  combination->stage = method->stage + terms;
  combination->coefficient =
      precision == FLOW_F32 ? (const void *)(method->coefficient.f32 + terms) : method->coefficient.f64 + terms;
  for (uint32_t i = 0; i < count; i++) {
    if (row[i] == 0) continue;
    uint32_t at = terms + combination->count++;
    method->stage[at] = i;
    put(precision, &method->coefficient, at, row[i]);
  }
  return terms + combination->count;
}

static void fill_rows(FlowMethod *method, uint32_t precision) {
  const FlowTableau *tableau = method->tableau;
  uint32_t stages = flow_tableau_attempt_stages(tableau), terms = 0;
  for (uint32_t s = 0; s < stages; s++) {
    uint32_t length = flow_tableau_row_length(tableau, s);
    terms = append(method, precision, flow_tableau_row(tableau, s), length, terms, &method->combination[s]);
    put(precision, &method->node, s, flow_tableau_c(tableau, s));
    if (s > 0 && flow_tableau_c(tableau, s) == flow_tableau_c(tableau, s - 1)) method->data.same_time |= UINT64_C(1) << s;
  }
  for (uint32_t k = 0; k < 2 && tableau->error[k].order; k++) {
    terms = append(method, precision, tableau->error[k].weight, stages, terms, &method->error[k]);
    method->data.estimates++;
  }
}

/* A stage whose rate is in neither the step nor an estimate.  The last one's is the first one's of the next step. */
static void find_quiet_stages(FlowMethod *method) {
  const FlowTableau *tableau = method->tableau;
  if (method->data.extras == 0) {
    method->data.quiet = UINT64_MAX;
    return;
  }
  for (uint32_t s = 1; s < tableau->stages; s++) {
    bool counts = tableau->b[s] != 0;
    for (uint32_t k = 0; k < method->data.estimates; k++) counts = counts || tableau->error[k].weight[s] != 0;
    if (!counts) method->data.quiet |= UINT64_C(1) << s;
  }
}

static void fill_numbers(FlowMethod *method, uint32_t precision, double t0, double t1) {
  const FlowStepControl *control = &method->tableau->control;
  const double number[FLOW_METHOD_NUMBERS] = {
      [FLOW_METHOD_RTOL] = method->tolerance.rtol, [FLOW_METHOD_ATOL] = method->tolerance.atol,
      [FLOW_METHOD_PER_LTOL] = 1 / method->tolerance.ltol, [FLOW_METHOD_SAFETY] = flow_log_f64(control->safety),
      [FLOW_METHOD_MINUS_ALPHA] = -control->alpha, [FLOW_METHOD_BETA] = control->beta,
      [FLOW_METHOD_FLOOR] = flow_log_f64(control->least), [FLOW_METHOD_LEAST_MEMORY] = flow_log_f64(1e-4),
      [FLOW_METHOD_END] = t1, [FLOW_METHOD_DIRECTION] = t1 < t0 ? -1 : 1};
  for (int i = 0; i < FLOW_METHOD_NUMBERS; i++) put(precision, &method->number, (size_t)i, number[i]);
  method->log_most = flow_log_f64(control->most);
  put(precision, &method->first_memory, 0, number[FLOW_METHOD_LEAST_MEMORY]);
}

/* Two stages at the end of the step show the largest |lambda|; the limits are those of dopri5.f and dop853.f. */
static double stiffness_limit(const FlowMethod *method) {
  uint32_t last = method->data.stages - 1;
  if (!(method->data.same_time >> last & 1)) return 0;
  return method->tableau->order >= 8 ? 6.1 : 3.25;
}

flow_status flow_method_make(FlowMethod *method, const FlowTableau *tableau, uint32_t precision, uint32_t extras,
                             FlowTolerance tolerance, double t0, double t1, flow_error *error) {
  double length = t1 - t0;
  if (length - length != 0)
    return flow_fail(error, FLOW_BAD_CALL, "a solve from t = %.17g to t = %.17g: both times must be finite", t0, t1);
  if (!tableau->error[0].order)
    return flow_fail(error, FLOW_BAD_CALL, "the method %s has no estimate of its error; adaptive steps need one, as dopri5 has",
                     tableau->name);
  flow_status status = check_tolerance(tolerance, precision, error);
  if (status) return status;
  memset(method, 0, sizeof *method);
  method->tableau = tableau;
  method->tolerance = tolerance;
  method->data = (flow_method){.stages = flow_tableau_attempt_stages(tableau), .extras = extras, .node = &method->node,
                               .combination = method->combination, .error = method->error, .number = &method->number};
  method->evaluations = method->data.stages - 1;
  fill_rows(method, precision);
  find_quiet_stages(method);
  fill_numbers(method, precision, t0, t1);
  method->stiff = stiffness_limit(method);
  return FLOW_OK;
}
