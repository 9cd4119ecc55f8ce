/* SPDX-License-Identifier: Apache-2.0 */
/* trajectory.c -- flowc trajectory: the states of samples at chosen times. */
#include "trajectory.h"
#include "animation.h"
#include "failure.h"
#include "path_output.h"
#include "picture.h"
#include "plot.h"
#include "sampling.h"
#include "show_progress.h"
#include "trajectory_map.h"
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { ON_ERROR_FAIL, ON_ERROR_NAN }; /* the words of --on-error */
enum { STANDARD_SAMPLES = 1000, STANDARD_TIMES = 11, FRAMES = 41 };

typedef struct Trajectory {
  const Run *run;
  const Program *program;
  Sampling sampling;
  WantedTimes times;
  PathOutput output;
  FlowSummary summary;
  ShowProgress progress;
} Trajectory;

static flow_status take_rows(void *user, size_t time, const FlowRows *rows, flow_error *error) {
  (void)error;
  path_output_take(&((Trajectory *)user)->output, time, rows);
  return FLOW_OK;
}

static int step_progress(void *user, uint64_t done, uint64_t total) {
  return progress_step(&((Trajectory *)user)->progress, done, total);
}

/* ---- before ------------------------------------------------------------------------------------------------------- */

static flow_status choose_times(Trajectory *path, flow_error *error) {
  const FlowSampling *what = &path->sampling.what;
  if (!has(path->run, OPTION_times)) return wanted_times_evenly(what->t0, what->t1, animation_is_wanted(path->run) ? FRAMES : STANDARD_TIMES, &path->times, error);
  return wanted_times_read("--times", text_of(path->run, OPTION_times), &path->times, error);
}

static flow_status prepare(Trajectory *path, flow_error *error) {
  flow_status status = has(path->run, OPTION_output) ? path_output_check(text_of(path->run, OPTION_output), error) : FLOW_OK;
  if (!status) status = sampling_prepare(path->run, path->program, STANDARD_SAMPLES, &path->sampling, error);
  if (!status) status = choose_times(path, error);
  FlowSampling *what = &path->sampling.what;
  if (!status) status = path_output_open(path->program, &path->times, what->end - what->first, &path->output, error);
  what->progress = step_progress;
  what->user = path;
  what->summary = &path->summary;
  return status;
}

/* ---- after -------------------------------------------------------------------------------------------------------- */

static uint64_t paths_shown(const Trajectory *path) {
  uint64_t shown = PICTURE_MOST_ROWS / path->times.count, samples = path->output.samples;
  return shown > samples ? samples : shown == 0 && samples > 0 ? 1 : shown;
}

/* [times][shown][2]: (t, x) where a state is one number, else the first two of its numbers. */
static double *points_of(const Trajectory *path, uint64_t shown) {
  const PathOutput *output = &path->output;
  uint64_t dim = path->program->model->dim;
  double *point = malloc((path->times.count * (size_t)shown * 2 + 1) * sizeof *point), *to = point;
  for (size_t t = 0; point && t < path->times.count; t++)
    for (uint64_t i = 0; i < shown; i++, to += 2) {
      to[0] = dim == 1 ? path->times.time[t] : path_output_at(output, t, i, 0);
      to[1] = path_output_at(output, t, i, dim == 1 ? 0 : 1);
    }
  return point;
}

static int draw_paths(const Trajectory *path, FILE *to) {
  const Run *run = path->run;
  uint64_t dim = path->program->model->dim;
  uint64_t shown = paths_shown(path);
  if (shown == 0) {
    complain(&run->terminal, "there is nothing to draw in the paths of no samples");
    return flow_status_exit_code(FLOW_BAD_INPUT);
  }
  PlotStyle style = {run->terminal.width, has(run, OPTION_ascii) || !run->terminal.utf8};
  PlotFrame frame = {.colour = run->terminal.colour_out};
  double *point = points_of(path, shown);
  char *text = !point               ? NULL
               : shown > PICTURE_MOST_LINES ? plot_scatter(point, point + 1, path->times.count * (size_t)shown, 2, style)
                                    : plot_paths(point, path->times.count, (size_t)shown, dim > 1, frame, style);
  free(point);
  if (!text) return failed(run, FLOW_NO_MEMORY, NULL);
  fputs(text, to);
  free(text);
  const char *axes = dim == 1 ? "x over t: " : dim > 2 ? "the first two components: " : "";
  fprintf(to, "%s%" PRIu64 " of %" PRIu64 " paths at %zu times\n", axes, shown, path->output.samples, path->times.count);
  return 0;
}

/* What was between the times: members of a JSON object, or the end of a line. */
static void print_method(const Trajectory *path, bool json) {
  const FlowSampling *what = &path->sampling.what;
  const FlowTableau *method = what->tableau;
  const FlowTolerance *tolerance = &path->sampling.adaptive.what.tolerance;
  const char *between = method->dense.rows ? "its dense output" : "Hermite's cubic";
  if (what->model->jump) {
    fprintf(stderr, json ? "\"map\": true" : "; by the map itself");
  } else if (what->adaptive) {
    fprintf(stderr, json ? "\"solver\": \"%s\", \"rtol\": %.9g, \"atol\": %.9g" : "; %s, rtol %.3g, atol %.3g", method->name, tolerance->rtol,
            tolerance->atol);
  } else {
    fprintf(stderr, json ? "\"solver\": \"%s\", \"steps\": %" PRIu64 : "; %s, %" PRIu64 " steps", method->name, what->steps);
  }
  if (what->model->jump) return;
  if (!json) fprintf(stderr, ", between them %s", between);
  fprintf(stderr, json ? ", \"order\": %" PRIu32 : ": order %" PRIu32, flow_trajectory_order(method));
}

static void print_summary(const Trajectory *path, double seconds) {
  const FlowSampling *what = &path->sampling.what;
  const FlowSummary *summary = &path->summary;
  if (has(path->run, OPTION_json)) {
    fprintf(stderr, "{\"samples\": %" PRIu64 ", \"times\": %zu, \"failed\": %" PRIu64 ", ", summary->samples, path->times.count, summary->failed);
    print_method(path, true);
    fprintf(stderr, ", \"evaluations_per_sample\": %" PRIu64 ", \"seconds\": %.6f}\n", summary->evaluations, seconds);
    return;
  }
  fprintf(stderr, "%" PRIu64 " samples at %zu times in %.3f s, %" PRIu64 " evaluations %s, %" PRIu64 " failed", summary->samples, path->times.count,
          seconds, summary->evaluations, what->adaptive ? "on average" : "each", summary->failed);
  print_method(path, false);
  fputc('\n', stderr);
}

static int report_failures(const Trajectory *path) {
  flow_error error = {{0}};
  flow_status status = flow_summary_status(&path->summary, &error);
  if (!status) return 0;
  int code = failed(path->run, status, &error);
  failure_tell(path->run, path->program, &path->sampling.what, path->summary.first_failed);
  return code;
}

/* A sample that fails at one of the times leaves no file, unless --on-error nan. */
static int write_all(Trajectory *path) {
  const Run *run = path->run;
  const char *file = has(run, OPTION_output) ? text_of(run, OPTION_output) : has(run, OPTION_plot) ? NULL : "-";
  bool whole = path->summary.failed == 0 || run->line->value[OPTION_on_error].choice == ON_ERROR_NAN;
  if (file && whole) {
    flow_error error = {{0}};
    flow_status status = path_output_write(&path->output, file, &error);
    if (status) return failed(run, status, &error);
  }
  if (!has(run, OPTION_plot)) return 0;
  if (animation_is_wanted(run) && path->output.samples > 0) {
    int shown = animation_show(run, &path->output, &path->progress);
    return shown ? shown : finish_output(run);
  }
  int code = draw_paths(path, file && strcmp(file, "-") == 0 ? stderr : stdout);
  return code ? code : finish_output(run);
}

/* ---- the verb ----------------------------------------------------------------------------------------------------- */

static int solve(Trajectory *path) {
  flow_error error = {{0}};
  flow_status status = prepare(path, &error);
  if (status) return failed(path->run, status, &error);
  progress_begin(&path->progress, path->run);
  const FlowSampling *what = &path->sampling.what;
  status = what->model->jump ? trajectory_of_map(path->run, path->program, what, path->times.time, path->times.count, take_rows, &error)
                             : flow_trajectory(what, path->times.time, path->times.count, take_rows, &error);
  double seconds = seconds_now() - path->progress.started;
  progress_end(&path->progress);
  if (status) return failed(path->run, status, &error);
  int code = write_all(path);
  if (!has(path->run, OPTION_quiet)) print_summary(path, seconds);
  return code ? code : report_failures(path);
}

int verb_trajectory(const Run *run) {
  Program program;
  Trajectory path = {.run = run, .program = &program};
  int code = program_open(run, run->line->operand[0], &program);
  if (!code) code = program_bind(run, &program);
  if (!code) code = program_link(run, &program, adaptive_steps_entries(run, &program));
  if (!code) code = solve(&path);
  path_output_free(&path.output);
  wanted_times_free(&path.times);
  sampling_free(&path.sampling);
  program_close(&program);
  return code;
}
