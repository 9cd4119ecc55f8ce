/* SPDX-License-Identifier: Apache-2.0 */
/* logp_report.c -- what a likelihood says of itself: how it was computed, and how far it is to be trusted. */
#include "logp.h"
#include <inttypes.h>
#include <math.h>

static double compile_ms(const Program *program) {
  FlowCompileCost cost = flow_compiled_cost(program->compiled);
  return cost.front_ms + cost.lower_ms + cost.schedule_ms + cost.emit_ms + cost.codegen_ms + cost.load_ms;
}

static double rate_of(const LogP *logp) {
  return logp->seconds > 0 ? (double)logp->summary.solve.samples / logp->seconds : 0;
}

static void print_likelihood(const LogP *logp) {
  const FlowLikelihoodSummary *s = &logp->summary;
  if (s->solve.by_status[FLOW_SAMPLE_OK] == 0) {
    fputs("no point has a log p\n", stderr);
    return;
  }
  fprintf(stderr, "mean NLL %.6g", s->nll);
  if (isfinite(s->nll_error)) fprintf(stderr, " +- %.2g", s->nll_error);
  fprintf(stderr, " nats over %" PRIu64 " point%s", s->solve.by_status[FLOW_SAMPLE_OK],
          s->solve.by_status[FLOW_SAMPLE_OK] == 1 ? "" : "s");
  if (has(logp->run, OPTION_bits)) {
    fprintf(stderr, ": %.6g", s->bits_per_dim);
    if (isfinite(s->nll_error)) fprintf(stderr, " +- %.2g", s->bits_per_dim * s->nll_error / s->nll);
    fputs(" bits per dimension", stderr);
  }
  fputs("\n", stderr);
}

static void print_trace(const LogP *logp) {
  const FlowLikelihoodSummary *s = &logp->summary;
  if (logp->trace.probes == 0) {
    fputs(logp->program->model->jump ? "exact determinant" : "exact trace", stderr);
    return;
  }
  if (s->least_probes == s->most_probes)
    fprintf(stderr, "%u %s probe%s a point", s->most_probes, trace_probe_name(&logp->trace), s->most_probes == 1 ? "" : "s");
  else
    fprintf(stderr, "%u to %u %s probes a point", s->least_probes, s->most_probes, trace_probe_name(&logp->trace));
  if (isfinite(s->mean_standard_error))
    fprintf(stderr, ", standard error of log p %.2g on average, %.2g at worst", s->mean_standard_error, s->worst_standard_error);
  else
    fputs(", which has no standard error", stderr);
  if (s->above_target) fprintf(stderr, ", %" PRIu64 " points above %.3g", s->above_target, logp->trace.target);
}

/* What was chosen, and what an evaluation with it costs in evaluations of the velocity: by multiply-adds of products, which are
 * what networks spend their time on. */
static void explain_trace(const LogP *logp) {
  const char *how = flow_compiled_trace(logp->program->compiled);
  FlowCompileCost cost = flow_compiled_cost(logp->program->compiled);
  uint64_t with = cost.multiply_adds[FLOW_COST_SAMPLE], without = cost.multiply_adds[FLOW_COST_QUIET], once = cost.multiply_adds[FLOW_COST_DERIVE];
  fprintf(stderr, "%s: %s\n", logp->program->model->jump ? "determinant" : "trace", how ? how : "by probes: one tangent for each");
  if (!without) return;
  fprintf(stderr,
          "cost: %" PRIu64 " multiply-adds of products an evaluation, %" PRIu64 " without it (%.2f evaluations of the velocity)", with,
          without, (double)with / (double)without);
  if (once) fprintf(stderr, "; %" PRIu64 " once for the weights", once);
  fputs("\n", stderr);
}

static void print_checks(const LogP *logp) {
  const FlowLikelihoodSummary *s = &logp->summary;
  if (s->checked == 0) return;
  if (logp->program->model->jump) {
    fprintf(stderr, "on %" PRIu64 " point%s: worst round-trip error %.2g\n", s->checked, s->checked == 1 ? "" : "s", s->round_trip);
    return;
  }
  fprintf(stderr,
          "on %" PRIu64 " point%s: %s error of log p %.2g (root mean square), %.2g (worst); worst round-trip error %.2g\n",
          s->checked, s->checked == 1 ? "" : "s", logp->what.solve.adaptive ? "tolerance" : "step-halving", s->halving,
          s->halving_worst, s->round_trip);
}

static void print_text(const LogP *logp) {
  const FlowLikelihoodSummary *s = &logp->summary;
  print_likelihood(logp);
  print_trace(logp);
  if (logp->program->model->jump)
    fprintf(stderr, "; the flow's map, no equation is solved");
  else if (logp->what.solve.adaptive)
    fprintf(stderr, "; %s, rtol %.3g, atol %.3g", logp->what.solve.tableau->name, logp->what.solve.adaptive->tolerance.rtol,
            logp->what.solve.adaptive->tolerance.atol);
  else
    fprintf(stderr, "; %s, %" PRIu64 " steps", logp->what.solve.tableau->name, logp->what.solve.steps);
  fprintf(stderr, ", %" PRIu64 " evaluations a point", s->solve.evaluations * s->rounds);
  fprintf(stderr, s->rounds > 1 ? " at most\n" : "\n");
  if (has(logp->run, OPTION_explain_trace)) explain_trace(logp);
  print_checks(logp);
  fprintf(stderr, "%" PRIu64 " points in %.3f s (%.4g/s), %" PRIu64 " failed; compiled in %.1f ms\n", s->solve.samples, logp->seconds,
          rate_of(logp), s->solve.failed, compile_ms(logp->program));
}

/* JSON has no NaN. */
static void print_member(const char *name, double value) {
  if (isfinite(value))
    fprintf(stderr, ", \"%s\": %.17g", name, value);
  else
    fprintf(stderr, ", \"%s\": null", name);
}

static void print_json(const LogP *logp) {
  const FlowLikelihoodSummary *s = &logp->summary;
  fprintf(stderr, "{\"points\": %" PRIu64 ", \"failed\": %" PRIu64, s->solve.samples, s->solve.failed);
  print_member("nll", s->nll);
  print_member("nll_error", s->nll_error);
  print_member("sum_logp", s->sum_log_p);
  print_member("bits_per_dimension", s->bits_per_dim);
  fprintf(stderr, ", \"trace\": \"%s\"", logp->trace.probes ? "hutchinson" : "exact");
  if (logp->trace.probes) {
    fprintf(stderr, ", \"probe\": \"%s\", \"least_probes\": %u, \"most_probes\": %u, \"above_target\": %" PRIu64,
            trace_probe_name(&logp->trace), s->least_probes, s->most_probes, s->above_target);
    print_member("mean_standard_error", s->mean_standard_error);
    print_member("worst_standard_error", s->worst_standard_error);
  }
  if (logp->program->model->jump)
    fputs(", \"map\": true", stderr);
  else
    fprintf(stderr, ", \"solver\": \"%s\", \"steps\": %" PRIu64, logp->what.solve.tableau->name, logp->what.solve.steps);
  fprintf(stderr, ", \"evaluations_per_point\": %" PRIu64 ", \"rounds\": %" PRIu64 ", \"checked\": %" PRIu64, s->solve.evaluations, s->rounds,
          s->checked);
  print_member("halving_error", s->halving);
  print_member("worst_halving_error", s->halving_worst);
  print_member("worst_round_trip_error", s->round_trip);
  print_member("seconds", logp->seconds);
  print_member("compile_ms", compile_ms(logp->program));
  fputs("}\n", stderr);
}

void logp_report(const LogP *logp) {
  if (has(logp->run, OPTION_json))
    print_json(logp);
  else
    print_text(logp);
}
