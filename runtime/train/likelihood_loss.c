/* SPDX-License-Identifier: Apache-2.0 */
#include "likelihood_loss.h"

flow_status flow_likelihood_loss_check(const FlowLikelihoodLoss *loss, flow_error *error) {
  if (loss->source->log_density && !loss->source->density_slope)
    return flow_fail(error, FLOW_BAD_INPUT, "the likelihood cannot be differentiated at the source: the slope of its density is not known; "
                     "a normal, gaussian or uniform source has one");
  return flow_source_has_density(loss->source, error);
}

/* x is z = L^-1 (x - m); by_x = L'^-1 z, from the last row on. */
static void gaussian_slope(const FlowSource *source, const double *z, double *by_x) {
  uint64_t dim = source->dim;
  for (uint64_t c = dim; c-- > 0;) {
    by_x[c] = z[c];
    for (uint64_t r = c + 1; r < dim; r++) by_x[c] -= source->factor[r * dim + c] * by_x[r];
    by_x[c] /= source->factor[c * dim + c];
  }
}

/* -log p0, and its slope; x is used up. */
static double at_source(const FlowLikelihoodLoss *loss, double *x, double *by_x) {
  const FlowSource *source = loss->source;
  for (uint64_t c = 0; c < source->dim; c++) by_x[c] = 0;
  if (source->log_density) {
    source->density_slope(source->density_user, x, source->dim, by_x);
    for (uint64_t c = 0; c < source->dim; c++) by_x[c] = -by_x[c];
  } else if (source->kind == FLOW_SOURCE_NORMAL) {
    for (uint64_t c = 0; c < source->dim; c++) by_x[c] = x[c];
  }
  double density = flow_source_log_density(source, loss->precision, x);
  if (!source->log_density && source->kind == FLOW_SOURCE_GAUSSIAN) gaussian_slope(source, x, by_x);
  return -density;
}

double flow_likelihood_loss(void *user, uint64_t sample, double *x, double integral, double *by_x, double *by_integral) {
  (void)sample;
  *by_integral = 1;
  return at_source(user, x, by_x) + integral;
}
