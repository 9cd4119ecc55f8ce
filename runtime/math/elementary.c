/* SPDX-License-Identifier: Apache-2.0 */
/* elementary.c -- the functions of elementary.h: the template, instantiated for float and for double. */
#include "elementary.h"

#define SCALAR_F32 1
#include "scalar.inc"
#undef SCALAR_F32
#define SCALAR_F64 1
#include "scalar.inc"
#undef SCALAR_F64

#define ARGUMENTS_1 x
#define ARGUMENTS_2 x, y
#define ELEMENTARY(name, operands, ulp_f32, ulp_f64, domain)             \
  float flow_##name##_f32(FLOW_ELEMENTARY_PARAMETERS_##operands(float))  \
  {                                                                      \
    return inline_##name##_f32(ARGUMENTS_##operands);                    \
  }                                                                      \
  double flow_##name##_f64(FLOW_ELEMENTARY_PARAMETERS_##operands(double)) \
  {                                                                      \
    return inline_##name##_f64(ARGUMENTS_##operands);                    \
  }
#include "elementary.def"
