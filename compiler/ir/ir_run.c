/* SPDX-License-Identifier: Apache-2.0 */
/* ir_run.c -- the interpreter: one point, one node after the other, one buffer per node.
 *
 * It is the oracle of every test, so it is slow and obvious, and it is written once, for float and double alike, in
 * ir_run.inc.  Below stands only which function each name of ops.def is in each type: those of elementary.h, which the
 * compiled code executes as well, and those of C that IEEE 754 rounds correctly. */
#include "ir_run.h"
#include <math.h>
#include <string.h>
#include "elementary.h"
#include "ir_walk.h"

uint32_t ir_most_args(const IrFunction *f) {
  uint32_t most = 1;
  for (Ref i = 0; i < f->nodes; i++)
    if (f->node[i].args > most) most = f->node[i].args;
  return most;
}

#define MAX(a, b) FN(larger)(a, b)
#define MIN(a, b) FN(smaller)(a, b)
#define EXP(a) FN(flow_exp)(a)
#define EXP2N(a) FN(flow_exp2n)(a)
#define EXPM1(a) FN(flow_expm1)(a)
#define LOG(a) FN(flow_log)(a)
#define LOG1P(a) FN(flow_log1p)(a)
#define SIGMOID(a) FN(flow_sigmoid)(a)
#define TANH(a) FN(flow_tanh)(a)
#define ERF(a) FN(flow_erf)(a)
#define SIN(a) FN(flow_sin)(a)
#define COS(a) FN(flow_cos)(a)
#define TAN(a) FN(flow_tan)(a)
#define ATAN(a) FN(flow_atan)(a)
#define POW(a, b) FN(flow_pow)(a, b)

#define T double
#define FN(name) name##_f64
#define FMA(a, b, c) fma(a, b, c)
#define SQRT(a) sqrt(a)
#define FLOOR(a) floor(a)
#define FABS(a) fabs(a)
#include "ir_run.inc"
#undef T
#undef FN
#undef FMA
#undef SQRT
#undef FLOOR
#undef FABS

#define T float
#define FN(name) name##_f32
#define FMA(a, b, c) fmaf(a, b, c)
#define SQRT(a) sqrtf(a)
#define FLOOR(a) floorf(a)
#define FABS(a) fabsf(a)
#include "ir_run.inc"
