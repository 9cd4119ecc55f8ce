/* SPDX-License-Identifier: Apache-2.0 */
/* logp.c -- flowc logp: the log-density of the rows of a file. */
#include "logp.h"
#include "accuracy_choice.h"
#include "failure.h"
#include "outputs.h"
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { ON_ERROR_FAIL, ON_ERROR_NAN }; /* the words of --on-error */
enum { LISTED_FAILURES = 5 };

/* ---- data -------------------------------------------------------------------------------------------------------- */

/* What a NaN in the data means is left to --on-error nan; without it nothing is computed. */
static flow_status check_numbers(const LogP *logp, uint64_t first, uint64_t end, flow_error *error) {
  const FlowTensor *data = &logp->data.tensor;
  uint64_t dim = logp->density.dim;
  for (uint64_t i = first * dim; i < end * dim; i++) {
    double value = flow_tensor_at(data, i);
    if (isfinite(value)) continue;
    return flow_fail(error, FLOW_BAD_INPUT,
                     "%s: row %" PRIu64 ", number %" PRIu64 " is %s; a point is made of finite numbers (--on-error nan gives such "
                     "rows a log p of NaN)",
                     logp->data_name, i / dim, i % dim, isnan(value) ? "NaN" : "infinite");
  }
  return FLOW_OK;
}

static flow_status read_data(LogP *logp, uint64_t *rows, flow_error *error) {
  const Run *run = logp->run;
  if (!has(run, OPTION_data)) return flow_fail(error, FLOW_BAD_CALL, "--data is missing: the points, as a file or as numbers");
  logp->data_name = text_of(run, OPTION_data);
  flow_status status = given_read("--data", logp->data_name, &logp->data, error);
  if (status) return status;
  if (!logp->data.from_file) logp->data_name = "--data";
  status = given_rows("--data", &logp->data, logp->density.dim, error);
  if (status) return status;
  *rows = logp->data.tensor.rank ? logp->data.tensor.dim[0] : 1;
  FlowSource source = {.kind = FLOW_SOURCE_TENSOR, .dim = logp->density.dim, .tensor = &logp->data.tensor, .name = logp->data_name};
  return flow_source_check(&source, source.dim, 0, *rows ? *rows : 1, error);
}

/* ---- the computation --------------------------------------------------------------------------------------------- */

static flow_status allocate(LogP *logp, flow_error *error) {
  size_t count = (size_t)(logp->what.solve.end - logp->what.solve.first), dim = logp->program->model->dim;
  logp->log_p = calloc(count + 1, sizeof *logp->log_p);
  logp->standard_error = calloc(count + 1, sizeof *logp->standard_error);
  logp->probes = calloc(count + 1, sizeof *logp->probes);
  logp->status = calloc(count + 1, 1);
  if (has(logp->run, OPTION_latent)) logp->latent = calloc(count * dim + 1, logp->program->model->precision);
  if (logp->log_p && logp->standard_error && logp->probes && logp->status && (logp->latent || !has(logp->run, OPTION_latent)))
    return FLOW_OK;
  return flow_fail(error, FLOW_NO_MEMORY, "no memory for the log-densities of %zu points", count);
}

static int step_progress(void *user, uint64_t done, uint64_t total) { return progress_step(&((LogP *)user)->progress, done, total); }

static void describe(LogP *logp) {
  const Trace *trace = &logp->trace;
  logp->what = (FlowLikelihood){.solve = logp->sampling.what, .data = &logp->data.tensor, .data_name = logp->data_name,
                                .target = trace->target, .most_probes = trace->most,
                                .check_points = count_of(logp->run, OPTION_check_steps, FLOW_CHECK_POINTS), .summary = &logp->summary};
  logp->what.solve.source = &logp->density;
  logp->what.solve.progress = step_progress;
  logp->what.solve.user = logp;
  if (has(logp->run, OPTION_quiet) && !has(logp->run, OPTION_json)) logp->what.check_points = 0;      /* nobody would see them */
}

static flow_status compute(LogP *logp, flow_error *error) {
  flow_status status = allocate(logp, error);
  if (status) return status;
  logp->what.log_p = logp->log_p;
  logp->what.status = logp->status;
  logp->what.standard_error = logp->standard_error;
  logp->what.probes_used = logp->probes;
  logp->what.latent = logp->latent;
  progress_begin(&logp->progress, logp->run);
  status = flow_log_likelihood(&logp->what, error);
  logp->seconds = seconds_now() - logp->progress.started;
  progress_end(&logp->progress);
  return status;
}

/* Why the first of them failed, on its path from the data back to the source. */
static void explain_failure(const LogP *logp) {
  FlowSource data = {.kind = FLOW_SOURCE_TENSOR, .dim = logp->density.dim, .tensor = &logp->data.tensor, .name = logp->data_name};
  FlowSampling back = logp->what.solve;
  back.source = &data;
  back.density = logp->what.solve.source;
  back.density_at_end = true;
  back.t0 = logp->what.solve.t1;
  back.t1 = logp->what.solve.t0;
  failure_tell(logp->run, logp->program, &back, logp->summary.solve.first_failed);
}

/* Which rows failed, and what became of the file. */
static int report_failures(const LogP *logp, bool written) {
  flow_error error = {{0}};
  flow_status status = flow_summary_status(&logp->summary.solve, &error);
  if (!status) return 0;
  char list[LISTED_FAILURES * 24] = "";
  size_t at = 0, listed = 0;
  for (uint64_t i = 0; i < logp->what.solve.end - logp->what.solve.first && listed < LISTED_FAILURES; i++) {
    if (logp->status[i] == FLOW_SAMPLE_OK) continue;
    at += (size_t)snprintf(list + at, sizeof list - at, "%s%" PRIu64, listed++ ? ", " : "", logp->what.solve.first + i);
  }
  int code = failed(logp->run, status, &error);
  uint64_t all = logp->summary.solve.failed;
  complain(&logp->run->terminal, "failed: row%s %s%s of %s; %s", all > 1 ? "s" : "", list, all > listed ? ", ..." : "", logp->data_name,
           written ? "their log p is NaN, or -infinity outside of the source's support"
                   : "nothing was written (--on-error nan writes all rows)");
  explain_failure(logp);
  return code;
}

static int run_and_write(LogP *logp) {
  const Run *run = logp->run;
  flow_error error = {{0}};
  flow_status status = compute(logp, &error);
  if (status) return failed(run, status, &error);
  bool write = logp->summary.solve.failed == 0 || run->line->value[OPTION_on_error].choice == ON_ERROR_NAN;
  if (write) status = logp_write(logp, &error);
  if (status) return failed(run, status, &error);
  if (!has(run, OPTION_quiet)) logp_report(logp);
  return report_failures(logp, write);
}

/* Of a velocity by a solve, of a map by one jump: both are what the model's entries do. */
static int logp_of_flow(LogP *logp) {
  const Run *run = logp->run;
  Program *program = logp->program;
  uint64_t rows = 0;
  flow_error error = {{0}};
  flow_status status = trace_choose(run, program, &logp->trace, &error);
  if (status) return failed(run, status, &error);
  int code = program_with_extras(run, program, trace_extras(&logp->trace), logp->trace.probes);
  if (code) return code;
  if (has(run, OPTION_emit)) return program_emit(run, program, adaptive_steps_entries(run, program));
  status = sampling_density(program, &logp->density, &error); /* of this compilation */
  if (!status) status = read_data(logp, &rows, &error);
  if (status) return failed(run, status, &error);
  code = program_bind(run, program);
  if (!code) code = program_link(run, program, adaptive_steps_entries(run, program));
  if (code) return code;
  logp->sampling.trace = logp->trace;
  status = sampling_prepare(run, program, rows, &logp->sampling, &error);
  if (status) return failed(run, status, &error);
  code = accuracy_choose(run, program, &logp->sampling, &logp->data.tensor, &logp->density);
  if (code) return code;
  describe(logp);
  if (run->line->value[OPTION_on_error].choice == ON_ERROR_FAIL)
    status = check_numbers(logp, logp->what.solve.first, logp->what.solve.end, &error);
  return status ? failed(run, status, &error) : run_and_write(logp);
}

int verb_logp(const Run *run) {
  Program program;
  LogP logp = {.run = run, .program = &program};
  flow_error error = {{0}};
  int code = program_open(run, run->line->operand[0], &program);
  flow_status status = code ? FLOW_OK : outputs_check(run, &error);
  if (!status && !code) status = sampling_density(&program, &logp.density, &error);
  if (status) code = failed(run, status, &error);
  if (!code) code = logp_of_flow(&logp);
  sampling_free(&logp.sampling);
  given_free(&logp.data);
  free(logp.log_p), free(logp.standard_error), free(logp.probes), free(logp.status), free(logp.latent);
  program_close(&program);
  return code;
}
