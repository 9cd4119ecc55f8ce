/* SPDX-License-Identifier: Apache-2.0 */
/* path.c -- the formulas of paths.def and their derivatives, by functions whose bits are flow's own. */
#include "path.h"
#include "elementary.h"
#include <math.h>

static FlowPathPoint condot(double s) { return (FlowPathPoint){s, 1 - s, 1, -1}; }

static FlowPathPoint cosine(double s) {
  static const double half_pi = 1.5707963267948966;
  double alpha = flow_sin_f64(half_pi * s), sigma = flow_cos_f64(half_pi * s);
  return (FlowPathPoint){alpha, sigma, half_pi * sigma, -half_pi * alpha};
}

/* The variance-preserving diffusion with beta from 0.1 to 20 (Song et al. 2021), its time turned round.  alpha^2 + sigma^2 = 1,
 * so sigma sigma' = -alpha alpha'. */
static FlowPathPoint vp(double s) {
  static const double least = 0.1, most = 20;
  double left = 1 - s, integral = left * least + left * left * (most - least) / 2;
  double integral_rate = -(least + left * (most - least));
  double alpha = flow_exp_f64(-integral / 2), sigma = sqrt(-flow_expm1_f64(-integral));
  double alpha_rate = -integral_rate / 2 * alpha;
  return (FlowPathPoint){alpha, sigma, alpha_rate, -alpha * alpha_rate / sigma};
}

typedef struct Row { const char *name, *text; double last; FlowPathPoint (*at)(double s); } Row;
static const Row row[FLOW_PATHS] = {
#define PATH(name, last, text) {#name, text, last, name},
#include "paths.def"
#undef PATH
};

FlowPathPoint flow_path_at(FlowPath path, double s) { return row[path].at(s); }
double flow_path_last(FlowPath path) { return row[path].last; }
const char *flow_path_name(FlowPath path) { return row[path].name; }
const char *flow_path_text(FlowPath path) { return row[path].text; }
