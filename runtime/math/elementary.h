/* SPDX-License-Identifier: Apache-2.0 */
/* elementary.h -- elementary functions whose bits depend on nothing but the argument.
 *
 *   float y = flow_exp_f32(x);       double z = flow_pow_f64(a, b);
 *
 * One function per row of elementary.def and per precision; the row states the largest error.  Each is a fixed sequence
 * of correctly rounded operations in its own precision (elementary.inc), the same that the compiler emits for vectors.
 * NaN gives NaN (but pow(x, 0) = pow(1, y) = 1), odd functions are odd bit by bit, -0 included.  The sign and payload of a
 * NaN are not specified.  The functions need round-to-nearest and gradual underflow; they set no errno, and the
 * floating-point exception flags mean nothing after them. */
#ifndef FLOW_ELEMENTARY_H
#define FLOW_ELEMENTARY_H

#define FLOW_ELEMENTARY_PARAMETERS_1(type) type x
#define FLOW_ELEMENTARY_PARAMETERS_2(type) type x, type y
#define ELEMENTARY(name, operands, ulp_f32, ulp_f64, domain)              \
  float flow_##name##_f32(FLOW_ELEMENTARY_PARAMETERS_##operands(float)); \
  double flow_##name##_f64(FLOW_ELEMENTARY_PARAMETERS_##operands(double));
#include "elementary.def"
#undef ELEMENTARY

#endif
