/* SPDX-License-Identifier: Apache-2.0 */
/* sample.c -- flowc sample: from a program to a file of samples, a picture, or both. */
#include "accuracy_choice.h"
#include "failure.h"
#include "outputs.h"
#include "picture.h"
#include "rows_output.h"
#include "sampling.h"
#include "show_progress.h"
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { ON_ERROR_FAIL, ON_ERROR_NAN, ON_ERROR_DROP }; /* the words of --on-error */
enum { LISTED_FAILURES = 5 };

/* What happens to the rows as they come. */
typedef struct Output {
  const Run *run;
  const Program *program;
  RowsOutput files; /* its path is NULL where the picture is all that is wanted */
  const Trace *trace; /* of --logp */
  double *picture;  /* [picture_rows][dim] */
  uint64_t picture_rows, picture_room;
  uint64_t failure[LISTED_FAILURES], failures;
  AdaptiveSteps *adaptive;
  ShowProgress progress;
} Output;

/* ---- rows -------------------------------------------------------------------------------------------------------- */

static void keep_for_picture(Output *output, const FlowRows *rows) {
  uint64_t dim = output->program->model->dim;
  for (uint64_t i = 0; i < rows->count && output->picture_rows < output->picture_room; i++) {
    double *to = output->picture + output->picture_rows++ * dim;
    for (uint64_t c = 0; c < dim; c++)
      to[c] = output->program->model->precision == FLOW_F32 ? (double)((const float *)rows->value)[i * dim + c]
                                                            : ((const double *)rows->value)[i * dim + c];
  }
}

static flow_status take_rows(void *user, const FlowRows *rows, flow_error *error) {
  Output *output = user;
  for (uint64_t i = 0; i < rows->count; i++) {
    if (rows->status[i] == FLOW_SAMPLE_OK) continue;
    if (output->failures < LISTED_FAILURES) output->failure[output->failures] = rows->first + i;
    output->failures++;
  }
  adaptive_steps_note(output->adaptive, output->program->model, rows);
  if (output->picture) keep_for_picture(output, rows);
  return rows_output_take(&output->files, rows, error);
}

static int step_progress(void *user, uint64_t done, uint64_t total) {
  return progress_step(&((Output *)user)->progress, done, total);
}

/* ---- before and after -------------------------------------------------------------------------------------------- */

static flow_status prepare_output(Output *output, const Sampling *sampling, flow_error *error) {
  const Run *run = output->run;
  output->trace = &sampling->trace;
  uint64_t rows = sampling->what.end - sampling->what.first, dim = output->program->model->dim;
  const char *path = has(run, OPTION_output) ? text_of(run, OPTION_output) : has(run, OPTION_plot) ? NULL : "-";
  output->files = (RowsOutput){.run = run, .program = output->program, .path = path, .logp_path = text_of(run, OPTION_logp),
                               .probes = sampling->trace.probes > 0};
  if (has(run, OPTION_plot)) {
    output->picture_room = rows < PICTURE_MOST_ROWS ? rows : PICTURE_MOST_ROWS;
    if (output->picture_room * dim > SIZE_MAX / sizeof(double) ||
        !(output->picture = malloc((size_t)(output->picture_room * dim + 1) * sizeof(double))))
      return flow_fail(error, FLOW_NO_MEMORY, "no memory for a picture of %" PRIu64 " samples", output->picture_room);
  }
  return rows_output_open(&output->files, rows, error);
}

static double compile_ms(const Program *program) {
  FlowCompileCost cost = flow_compiled_cost(program->compiled);
  return cost.front_ms + cost.lower_ms + cost.schedule_ms + cost.emit_ms + cost.codegen_ms + cost.load_ms;
}

/* How log p was computed, where it was. */
static void print_trace(const Output *output) {
  const Trace *trace = output->trace;
  if (!output->files.logp_path) return;
  if (trace->probes == 0)
    fputs(output->program->model->jump ? "log p: exact determinant\n" : "log p: exact trace\n", stderr);
  else
    fprintf(stderr, "log p: %u %s probe%s a sample\n", trace->probes, trace_probe_name(trace), trace->probes == 1 ? "" : "s");
}

static void print_summary(const Output *output, const AdaptiveSteps *adaptive, const FlowSummary *summary, double seconds) {
  double rate = seconds > 0 ? (double)summary->samples / seconds : 0;
  if (has(output->run, OPTION_json)) {
    fputc('{', stderr);
    adaptive_steps_print_json(adaptive);
    fprintf(stderr,
            "\"samples\": %" PRIu64 ", \"failed\": %" PRIu64 ", \"evaluations_per_sample\": %" PRIu64
            ", \"seconds\": %.6f, \"samples_per_second\": %.1f, \"compile_ms\": %.3f, \"file\": ",
            summary->samples, summary->failed, summary->evaluations, seconds, rate, compile_ms(output->program));
    if (output->files.path)
      print_json_text(stderr, output->files.path);
    else
      fputs("null", stderr);
    if (output->files.logp_path)
      fprintf(stderr, ", \"trace\": \"%s\", \"probes\": %u", output->trace->probes ? "hutchinson" : "exact", output->trace->probes);
    fputs("}\n", stderr);
    return;
  }
  fprintf(stderr,
          "%" PRIu64 " samples in %.3f s (%.4g/s), %" PRIu64 " evaluations %s, %" PRIu64
          " failed; compiled in %.1f ms\n",
          summary->samples, seconds, rate, summary->evaluations, adaptive->wanted ? "at the median" : "each", summary->failed,
          compile_ms(output->program));
  adaptive_steps_print(adaptive);
  print_trace(output);
  const char *suffix = output->files.path ? strrchr(output->files.path, '.') : NULL;
  if (suffix && strcmp(suffix, ".npy") == 0 && !summary->failed) {
    fputs("in Python: numpy.load(\"", stderr);
    print_foreign(stderr, output->files.path);
    fputs("\")\n", stderr);
  }
}

/* Which samples failed, and what became of the file. */
static int report_failures(const Output *output, const Sampling *sampling, const FlowSummary *summary) {
  flow_error error = {{0}};
  flow_status status = flow_summary_status(summary, &error);
  if (!status) return 0;
  char list[LISTED_FAILURES * 24] = "";
  size_t at = 0;
  for (uint64_t i = 0; i < output->failures && i < LISTED_FAILURES; i++)
    at += (size_t)snprintf(list + at, sizeof list - at, "%s%" PRIu64, i ? ", " : "", output->failure[i]);
  int code = failed(output->run, status, &error);
  complain(&output->run->terminal, "failed: sample%s %s%s%s", output->failures > 1 ? "s" : "", list,
           output->failures > LISTED_FAILURES ? ", ..." : "",
           !output->files.path && !output->files.logp_path                          ? ""
           : output->run->line->value[OPTION_on_failure].choice == ON_ERROR_NAN ? "; their rows are NaN"
           : output->run->line->value[OPTION_on_failure].choice == ON_ERROR_DROP ? "; they have no rows"
           : output->files.path && strcmp(output->files.path, "-") == 0
               ? "; the output ends before the first of them (--on-error nan writes all rows)"
               : "; no file was written (--on-error nan writes all rows)");
  failure_tell(output->run, output->program, &sampling->what, summary->first_failed);
  return code;
}

static int sample_all(const Run *run, Output *output, Sampling *sampling) {
  FlowSummary summary = {0};
  flow_error error = {{0}};
  output->adaptive = &sampling->adaptive;
  sampling->what.sink = take_rows;
  sampling->what.progress = step_progress;
  sampling->what.user = output;
  sampling->what.summary = &summary;
  flow_status status = prepare_output(output, sampling, &error);
  if (status) return failed(run, status, &error);
  progress_begin(&output->progress, run);
  status = adaptive_steps_solve(&sampling->adaptive, &sampling->what, &error);
  double seconds = seconds_now() - output->progress.started;
  progress_end(&output->progress);
  if (!status) status = rows_output_close(&output->files, &error);
  if (status) return failed(run, status, &error);
  int code = 0;
  if (output->picture) {
    code = picture_of_rows(run, outputs_use_standard(run) ? stderr : stdout, output->picture, (size_t)output->picture_rows,
                           output->program->model->dim, summary.samples);
    if (!code) code = finish_output(run);
  }
  if (!has(run, OPTION_quiet)) print_summary(output, &sampling->adaptive, &summary, seconds);
  return code ? code : report_failures(output, sampling, &summary);
}

/* --logp: the model also computes the divergence, or the probes' estimates of it. */
static int prepare_log_p(const Run *run, Program *program, Sampling *sampling) {
  flow_error error = {{0}};
  flow_status status = FLOW_OK;
  if (has(run, OPTION_logp)) {
    status = sampling_density(program, &sampling->density, &error);
    if (!status) status = trace_choose(run, program, &sampling->trace, &error);
    if (status) return failed(run, status, &error);
    int code = program_with_extras(run, program, trace_extras(&sampling->trace), sampling->trace.probes);
    if (!code) status = sampling_density(program, &sampling->density, &error); /* of this compilation */
    return status ? failed(run, status, &error) : code;
  }
  static const OptionId of_log_p[] = {OPTION_trace, OPTION_probes, OPTION_probe};
  for (size_t i = 0; !status && i < sizeof of_log_p / sizeof *of_log_p; i++)
    if (has(run, of_log_p[i]))
      status = flow_fail(&error, FLOW_BAD_CALL, "--%s says how --logp is computed; --logp FILE asks for it", options[of_log_p[i]].name);
  return status ? failed(run, status, &error) : 0;
}

static int sample_program(const Run *run, Program *program) {
  Sampling sampling = {0};
  flow_error error = {{0}};
  flow_status status = outputs_check(run, &error);
  int code = status ? failed(run, status, &error) : prepare_log_p(run, program, &sampling);
  if (code) return code;
  if (has(run, OPTION_emit)) return program_emit(run, program, adaptive_steps_entries(run, program));
  code = program_bind(run, program);
  if (!code) code = program_link(run, program, adaptive_steps_entries(run, program));
  if (code) return code;
  status = sampling_prepare(run, program, 1000, &sampling, &error);
  if (status) return failed(run, status, &error);
  Output output = {.run = run, .program = program};
  code = accuracy_choose(run, program, &sampling, NULL, NULL);
  if (!code) code = sample_all(run, &output, &sampling);
  rows_output_abandon(&output.files);
  free(output.picture);
  sampling_free(&sampling);
  return code;
}

int verb_sample(const Run *run) {
  Program program;
  int code = program_open(run, run->line->operand[0], &program);
  if (!code) code = sample_program(run, &program);
  program_close(&program);
  return code;
}
