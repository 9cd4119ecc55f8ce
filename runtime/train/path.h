/* SPDX-License-Identifier: Apache-2.0 */
/* path.h -- the way from a point of the source to a point of the data along which a velocity is learnt.
 *
 *   x_s = alpha(s) x1 + sigma(s) x0,   dx_s/ds = alpha'(s) x1 + sigma'(s) x0,   s = 0 at the source, 1 at the data
 *
 * Flow matching (Lipman et al. 2023) regresses u(t, x_s) on dx/dt; its minimum is the velocity whose flow carries the
 * source's density to the data's. */
#ifndef FLOW_PATH_H
#define FLOW_PATH_H

typedef enum FlowPath {
#define PATH(name, last, text) FLOW_PATH_##name,
#include "paths.def"
#undef PATH
  FLOW_PATHS
} FlowPath;

typedef struct FlowPathPoint {
  double alpha, sigma;          /* at s */
  double alpha_rate, sigma_rate;        /* their derivatives */
} FlowPathPoint;

FlowPathPoint flow_path_at(FlowPath path, double s);
double flow_path_last(FlowPath path);           /* s is drawn from [0, last) */
const char *flow_path_name(FlowPath path);
const char *flow_path_text(FlowPath path);      /* its formulas */

#endif
