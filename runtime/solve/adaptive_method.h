/* SPDX-License-Identifier: Apache-2.0 */
/* adaptive_method.h -- a row of the table of methods with tolerances, as the numbers that `attempt` reads (flow/model.h).
 *
 * A FlowMethod points into itself and must not be copied. */
#ifndef FLOW_ADAPTIVE_METHOD_H
#define FLOW_ADAPTIVE_METHOD_H
#include "flow/model.h"
#include "flow/status.h"
#include "tableau.h"

/* rtol: relative to the larger of |x| at both ends of a step.  atol: of x.  ltol: of the extras' integrals (log p), never
 * relative: an absolute error of log p is a relative one of the density. */
typedef struct FlowTolerance { double rtol, atol, ltol; } FlowTolerance;

enum { FLOW_MOST_ATTEMPT_TERMS = FLOW_MOST_STAGES * (FLOW_MOST_STAGES + 1) / 2 + 2 * FLOW_MOST_STAGES };

typedef struct FlowMethod {
  flow_method data;
  const FlowTableau *tableau;
  FlowTolerance tolerance;
  union FlowMethodNumber { float f32; double f64; } first_memory;       /* m of a fresh lane */
  double log_most;              /* log of the largest factor of a step */
  uint32_t evaluations;         /* of the velocity, for each attempt */
  double stiff;                 /* h |lambda| where the method's stability ends; 0: cannot be seen (HW II, IV.2) */
  flow_combination combination[FLOW_MOST_STAGES], error[2];
  uint32_t stage[FLOW_MOST_ATTEMPT_TERMS];
  union FlowMethodNumbers { float f32[FLOW_MOST_ATTEMPT_TERMS]; double f64[FLOW_MOST_ATTEMPT_TERMS]; } coefficient;
  union { float f32[FLOW_MOST_STAGES]; double f64[FLOW_MOST_STAGES]; } node;
  union { float f32[FLOW_METHOD_NUMBERS]; double f64[FLOW_METHOD_NUMBERS]; } number;
} FlowMethod;

/* extras: rows that are computed and counted.  BAD_CALL where the method has no estimate of its error, or a tolerance is no
 * positive number (rtol may be 0), or less than the precision can hold. */
flow_status flow_method_make(FlowMethod *method, const FlowTableau *tableau, uint32_t precision, uint32_t extras,
                             FlowTolerance tolerance, double t0, double t1, flow_error *error);

/* The standard tolerance of a precision: 1e-6 in f32, 1e-9 in f64. */
double flow_standard_tolerance(uint32_t precision);
/* The method where none is named: dopri5; in f64 to less than 1e-8 dop853, but only on a velocity that is smooth in the state:
 * its estimate of the error misses kinks. */
const FlowTableau *flow_automatic_method(uint32_t precision, bool smooth, FlowTolerance tolerance);
/* A tenth of it, as far as the precision goes: for comparisons. */
FlowTolerance flow_tighter_tolerance(uint32_t precision, FlowTolerance tolerance);
/* A warning about tolerances that the precision holds barely, or NULL. */
const char *flow_tolerance_warning(uint32_t precision, FlowTolerance tolerance);

#endif
