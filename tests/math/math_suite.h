/* SPDX-License-Identifier: Apache-2.0 */
/* math_suite.h -- the test cases that main.c runs. */
#ifndef FLOW_TESTS_MATH_SUITE_H
#define FLOW_TESTS_MATH_SUITE_H
#include <check.h>

TCase *accuracy_case(void);      /* the bounds of elementary.def          */
TCase *special_case(void);       /* zeros, infinities, NaN, thresholds     */
TCase *shape_case(void);         /* symmetry, monotony, range              */
TCase *activations_case(void);   /* silu, gelu ... composed of the above   */
TCase *bits_case(void);          /* a hash of the results                 */
#endif
