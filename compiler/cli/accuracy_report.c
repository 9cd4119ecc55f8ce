/* SPDX-License-Identifier: Apache-2.0 */
#include "accuracy_choice.h"
#include <inttypes.h>
#include <math.h>

/* As a flow says it: `solver rk4 steps 37 spacing cosine`, `solver dopri5 rtol 1.2e-05`. */
static void print_line(FILE *to, const FlowTrial *trial, const TypedFlow *flow) {
  fprintf(to, "solver %s ", trial->tableau->name);
  if (trial->adaptive) {
    fprintf(to, "rtol %.2g", trial->tolerance);
    return;
  }
  fprintf(to, "steps %" PRIu64, trial->steps);
  if (flow->spacing == SPACING_COSINE) fputs(" spacing cosine", to);
  if (flow->spacing == SPACING_POWER) fprintf(to, " spacing power %.17g", flow->spacing_power);
}

static double microseconds(const FlowAccuracyResult *result, const FlowTrial *trial) {
  return 1e-3 * trial->evaluations * (trial->adaptive ? result->adaptive_ns : result->fixed_ns);
}

const char *accuracy_of(const FlowAccuracy *what) {
  return !what->solve.density ? "x" : what->solve.density_at_end ? "log p" : "x and log p";
}

static const char *remark(const FlowAccuracy *what, const FlowTrial *trial) {
  if (trial == what->result->chosen) return "  chosen";
  if (trial->holds) return "";
  return trial->worst <= what->target ? "  no margin" : trial->given_up ? "  dearer" : "  misses";
}

static void print_row(const FlowAccuracy *what, const FlowTrial *trial) {
  char steps[32];
  if (trial->adaptive)
    snprintf(steps, sizeof steps, "rtol %.2g", trial->tolerance);
  else
    snprintf(steps, sizeof steps, "%" PRIu64, trial->steps);
  fprintf(stderr, "  %-9s %12s %12.5g %10.2g %10.2g %12.4g%s\n", trial->tableau->name, steps, trial->evaluations, trial->worst, trial->most,
          microseconds(what->result, trial), remark(what, trial));
}

static void print_text(const FlowAccuracy *what, const TypedFlow *flow) {
  const FlowAccuracyResult *result = what->result;
  fprintf(stderr, "accuracy %.3g of %s (%s), against %s to %.2g in %s, itself sure to %.1g:\n", what->target, accuracy_of(what),
          what->draws ? "of samples of the source" : "of the rows given", result->reference->name, result->reference_tolerance,
          what->reference.model->precision == FLOW_F64 ? "f64" : "f32", result->reference_error);
  fprintf(stderr, "  %-9s %12s %12s %10s %10s %12s\n", "method", "steps", "evaluations", "worst", "99.9 %", "us/sample");
  for (uint32_t i = 0; i < result->trials; i++) print_row(what, &result->trial[i]);
  if (!result->chosen) return;
  fprintf(stderr, "held against %" PRIu64 " points with a margin of 2; in the flow: ", result->chosen->points);
  print_line(stderr, result->chosen, flow);
  fputc('\n', stderr);
}

static void print_trial_json(const FlowAccuracyResult *result, const FlowTrial *trial) {
  fprintf(stderr, "{\"solver\": \"%s\", ", trial->tableau->name);
  if (trial->adaptive)
    fprintf(stderr, "\"rtol\": %.9g, ", trial->tolerance);
  else
    fprintf(stderr, "\"steps\": %" PRIu64 ", ", trial->steps);
  fprintf(stderr, "\"evaluations\": %.9g, \"worst\": ", trial->evaluations);
  print_json_number(stderr, trial->worst);
  fputs(", \"most\": ", stderr);
  print_json_number(stderr, trial->most);
  fputs(", \"far\": ", stderr);
  print_json_number(stderr, trial->far);
  fprintf(stderr, ", \"points\": %" PRIu64 ", \"microseconds\": %.6g, \"holds\": %s, \"given_up\": %s}", trial->points,
          microseconds(result, trial), trial->holds ? "true" : "false", trial->given_up ? "true" : "false");
}

static void print_json(const FlowAccuracy *what, const TypedFlow *flow) {
  const FlowAccuracyResult *result = what->result;
  fprintf(stderr, "{\"accuracy\": %.9g, \"of\": \"%s\", \"reference\": {\"solver\": \"%s\", \"rtol\": %.9g, \"precision\": \"%s\", \"error\": ",
          what->target, accuracy_of(what), result->reference->name, result->reference_tolerance,
          what->reference.model->precision == FLOW_F64 ? "f64" : "f32");
  print_json_number(stderr, result->reference_error);
  fprintf(stderr, ", \"left_out\": %" PRIu64 "}, \"trials\": [", result->left_out);
  for (uint32_t i = 0; i < result->trials; i++) {
    if (i) fputs(", ", stderr);
    print_trial_json(result, &result->trial[i]);
  }
  fputs("], \"chosen\": ", stderr);
  if (result->chosen) {
    fputc('"', stderr);
    print_line(stderr, result->chosen, flow);
    fputc('"', stderr);
  } else {
    fputs("null", stderr);
  }
  fputs("}\n", stderr);
}

void accuracy_report(const Run *run, const FlowAccuracy *what, const TypedFlow *flow) {
  if (has(run, OPTION_json))
    print_json(what, flow);
  else
    print_text(what, flow);
}
