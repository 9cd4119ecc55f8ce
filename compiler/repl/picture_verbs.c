/* SPDX-License-Identifier: Apache-2.0 */
/* picture_verbs.c -- verbs whose result is a picture rather than numbers: the verb runs as ever and writes into a file of its own,
 * which is then drawn.
 *
 *   sample, trajectory -o x.png      points; of trajectory lines, or a .gif that moves
 *   logp --plot [-o x.png]           log p over a window, without --data: a map with contours, or a curve in one dimension;
 *                                    with --data: the distribution of its log p                                       */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "picture.h"
#include "plot_verb.h"
#include "program.h"
#include "run_verb.h"

enum { CURVE_POINTS = 241, FILE_ACROSS = 100, ON_ERROR_NAN = 1 };

bool is_picture_verb(const Run *run) {
  VerbId verb = run->line->verb;
  if (run->line->ask != ASK_RUN || (verb != VERB_sample && verb != VERB_trajectory && verb != VERB_logp)) return false;
  const char *output = text_of(run, OPTION_output);
  return (verb == VERB_logp && has(run, OPTION_plot)) || (output && gnuplot_is_picture(output));
}

/* The same command line with numbers going to `file`, and nothing said. */
static int run_into(const Run *run, const char *file, const char *data) {
  CommandLine line = *run->line;
  line.value[OPTION_plot].given = false;
  line.value[OPTION_output] = (OptionValue){.given = true, .text = file};
  line.value[OPTION_quiet].given = true;
  if (data) line.value[OPTION_data] = (OptionValue){.given = true, .text = data};
  if (data) line.value[OPTION_on_error] = (OptionValue){.given = true, .text = "nan", .choice = ON_ERROR_NAN};
  Run other = *run;
  other.line = &line;
  int code = run_verb(&other);
  return data && code == flow_status_exit_code(FLOW_FAILED_SAMPLES) ? 0 : code; /* a map may have holes */
}

/* ---- points, and paths ------------------------------------------------------------------------------------------------------ */

/* What a trajectory leaves in its file: the times, and where the samples are. */
typedef struct Paths {
  size_t times, samples, dim;
  double *t, *x; /* [times], [times][samples][dim] */
} Paths;

static void free_paths(Paths *paths) {
  free(paths->t);
  free(paths->x);
}

static flow_status read_paths(const FlowTensors *tensors, Paths *paths) {
  const FlowTensor *t = flow_tensors_find(tensors, "t"), *x = flow_tensors_find(tensors, "x");
  *paths = (Paths){0};
  if (!t || !x || x->rank < 2 || t->count != x->dim[0]) return FLOW_INTERNAL;
  paths->times = (size_t)x->dim[0], paths->samples = (size_t)x->dim[1];
  paths->dim = x->count ? (size_t)(x->count / x->dim[0] / x->dim[1]) : 0;
  paths->t = malloc((size_t)(t->count + 1) * sizeof(double));
  paths->x = malloc((size_t)(x->count + 1) * sizeof(double));
  if (!paths->t || !paths->x) return FLOW_NO_MEMORY;
  flow_tensor_to_f64(t, 0, t->count, paths->t);
  flow_tensor_to_f64(x, 0, x->count, paths->x);
  return FLOW_OK;
}

/* [times][samples][2] for frames, [samples][times][2] for lines: the first two numbers of a state; of a state of one number the
 * sample's number, or the time, and it. */
static double *points_of(const Paths *paths, bool lines) {
  size_t n = paths->samples, dim = paths->dim;
  double *point = malloc((2 * paths->times * n + 1) * sizeof *point);
  for (size_t t = 0; point && t < paths->times; t++)
    for (size_t i = 0; i < n; i++) {
      double *to = point + 2 * (lines ? i * paths->times + t : t * n + i);
      const double *x = paths->x + (t * n + i) * dim;
      to[0] = dim > 1 ? x[0] : lines ? paths->t[t] : (double)i;
      to[1] = x[dim > 1];
    }
  return point;
}

static flow_status draw_paths(const Paths *paths, const char *file, flow_error *error) {
  const char *suffix = strrchr(file, '.');
  bool moves = suffix && strcmp(suffix, ".gif") == 0, lines = !moves && paths->samples <= PICTURE_MOST_LINES;
  if (paths->dim == 0) return flow_fail(error, FLOW_BAD_INPUT, "there is nothing to draw in the paths of no samples");
  double *point = points_of(paths, lines);
  Picture picture = {.kind = moves ? PICTURE_FRAMES : lines ? PICTURE_PATHS : PICTURE_POINTS, .number = point,
                     .rows = paths->times * paths->samples, .across = lines ? paths->times : paths->samples};
  PlotRange across, up;
  double trim = lines ? 0 : 0.002;
  flow_status status = point && plot_range(point, picture.rows, 2, trim, &across) && plot_range(point + 1, picture.rows, 2, trim, &up) ? FLOW_OK : FLOW_NO_MEMORY;
  if (!status && paths->dim > 1) picture.frame = (PlotFrame){across.low, across.high, up.low, up.high, true};
  if (!status) status = gnuplot_draw(&picture, file, error);
  free(point);
  return status;
}

static int draw_tensors(const Run *run, const FlowTensors *tensors, const char *file) {
  if (run->line->verb == VERB_trajectory) {
    Paths paths;
    flow_error error = {{0}};
    flow_status status = read_paths(tensors, &paths);
    if (!status) status = draw_paths(&paths, file, &error);
    free_paths(&paths);
    return status ? failed(run, status, &error) : 0;
  }
  CommandLine line = *run->line;
  line.value[OPTION_picture] = (OptionValue){.given = true, .text = file};
  Run other = *run;
  other.line = &line;
  return plot_tensor(&other, &tensors->tensor[0]);
}

static int draw_numbers(const Run *run, const char *numbers, const char *file) {
  FlowTensors tensors;
  flow_error error = {{0}};
  flow_status status = flow_tensors_read(&flow_standard_allocator, numbers, &tensors, &error);
  if (status) return failed(run, status, &error);
  int code = draw_tensors(run, &tensors, file);
  flow_tensors_free(&tensors);
  return code;
}

static int draw_points(const Run *run) {
  char *numbers = temporary_begin(run, run->line->verb == VERB_trajectory ? ".npz" : ".npy");
  int code = numbers ? run_into(run, numbers, NULL) : flow_status_exit_code(FLOW_BAD_FILE);
  if (!code) code = draw_numbers(run, numbers, text_of(run, OPTION_output));
  temporary_end(numbers);
  return code;
}

/* ---- log p over a window --------------------------------------------------------------------------------------------------- */

typedef struct Window {
  PlotFrame frame;
  PlotGrid grid;
  int64_t dim;
} Window;

static int64_t dim_of_flow(const Run *run) {
  Program program;
  int64_t dim = -1;
  if (program_open(run, run->line->operand[0], &program) == 0) {
    const TypedFlow *flow = flow_compiled_flow(program.compiled);
    dim = flow ? flow->dim : 0;
  }
  program_close(&program);
  return dim;
}

static double middle(double low, double high, size_t i, size_t count) { return low + (high - low) * ((double)i + 0.5) / (double)count; }

static void point_of(const Window *w, size_t i, double *x, double *y) {
  *x = middle(w->frame.x0, w->frame.x1, i % w->grid.across, w->grid.across);
  *y = middle(w->frame.y1, w->frame.y0, i / w->grid.across, w->grid.down);
}

static bool write_points(const Window *w, const char *path) {
  FILE *to = fopen(path, "w");
  if (!to) return false;
  for (size_t i = 0; i < w->grid.across * w->grid.down; i++) {
    double x, y;
    point_of(w, i, &x, &y);
    if (w->dim == 1) fprintf(to, "%.17g\n", x);
    else fprintf(to, "%.17g,%.17g\n", x, y);
  }
  return fclose(to) == 0;
}

static int draw_window(const Run *run, const Window *w, const double *log_p) {
  size_t count = w->grid.across * w->grid.down;
  const char *file = text_of(run, OPTION_output);
  double *number = malloc((3 * count + 1) * sizeof *number);
  if (!number) return failed(run, FLOW_NO_MEMORY, NULL);
  size_t columns = w->dim == 1 ? 2 : 3;
  double most = -INFINITY;
  for (size_t i = 0; i < count; i++) most = isfinite(log_p[i]) ? fmax(most, log_p[i]) : most;
  for (size_t i = 0; i < count; i++) {
    double y;
    point_of(w, i, &number[columns * i], &y);
    if (w->dim == 2) number[columns * i + 1] = y;
    number[columns * i + columns - 1] = w->dim == 2 ? fmax(log_p[i], most - PLOT_LOG_DENSITY_DEPTH) : log_p[i];
  }
  Picture picture = {.kind = w->dim == 1 ? PICTURE_CURVE : PICTURE_HEAT, .number = number, .rows = count, .across = w->grid.across};
  picture.frame = w->frame;
  flow_error error = {{0}};
  flow_status status = gnuplot_draw(&picture, file, &error);
  free(number);
  return status ? failed(run, status, &error) : 0;
}

static int show_window(const Run *run, const Window *w, const double *log_p) {
  PlotStyle style = plot_style(run);
  if (w->dim == 2) return plot_show(run, plot_heat(log_p, w->frame, PLOT_LOG_DENSITY_DEPTH, style));
  double *x = malloc(w->grid.across * sizeof *x), y;
  for (size_t i = 0; x && i < w->grid.across; i++) point_of(w, i, &x[i], &y);
  int code = plot_show(run, x ? plot_curve(x, log_p, w->grid.across, w->frame, style) : NULL);
  free(x);
  return code;
}

static int read_and_draw(const Run *run, const Window *w, const char *results) {
  FlowTensors tensors;
  flow_error error = {{0}};
  flow_status status = flow_tensors_read(&flow_standard_allocator, results, &tensors, &error);
  if (status) return failed(run, status, &error);
  const FlowTensor *tensor = &tensors.tensor[0];
  double *log_p = malloc((size_t)(tensor->count + 1) * sizeof *log_p);
  int code;
  if (!log_p || (w && tensor->count != w->grid.across * w->grid.down)) code = failed(run, FLOW_NO_MEMORY, NULL);
  else if (!w) code = has(run, OPTION_output) && gnuplot_is_picture(text_of(run, OPTION_output)) ? draw_numbers(run, results, text_of(run, OPTION_output)) : plot_tensor(run, tensor);
  else {
    flow_tensor_to_f64(tensor, 0, tensor->count, log_p);
    code = has(run, OPTION_output) ? draw_window(run, w, log_p) : show_window(run, w, log_p);
    if (code && has(run, OPTION_output) && run->program) show_window(run, w, log_p);
  }
  free(log_p);
  flow_tensors_free(&tensors);
  return code;
}

static flow_status choose_window(const Run *run, Window *w, flow_error *error) {
  bool y_said;
  flow_status status = picture_window(run, &w->frame, &y_said, error);
  if (status) return status;
  if (w->dim == 1 && !y_said) w->frame.y0 = w->frame.y1 = 0;
  if (w->dim != 1 && w->dim != 2)
    return flow_fail(error, FLOW_BAD_CALL, "log p of %lld numbers is no picture; with --data it is one of its values", (long long)w->dim);
  w->grid = w->dim == 1 ? (PlotGrid){CURVE_POINTS, 1} : has(run, OPTION_output) ? (PlotGrid){FILE_ACROSS, FILE_ACROSS} : plot_heat_grid(w->frame, plot_style(run));
  return status;
}

static int log_p_over_window(const Run *run, const char *results) {
  Window w = {.dim = dim_of_flow(run)};
  if (w.dim < 0) return flow_status_exit_code(FLOW_BAD_PROGRAM); /* it was said */
  flow_error error = {{0}};
  flow_status status = choose_window(run, &w, &error);
  if (status) return failed(run, status, &error);
  char *points = temporary_begin(run, ".csv");
  if (!points) return flow_status_exit_code(FLOW_BAD_FILE);
  int code = write_points(&w, points) ? run_into(run, results, points) : failed(run, FLOW_BAD_FILE, NULL);
  temporary_end(points);
  return code ? code : read_and_draw(run, &w, results);
}

static int draw_log_p(const Run *run) {
  flow_error error = {{0}};
  PlotFrame frame;
  bool y_said;
  if (has(run, OPTION_output) && gnuplot_check(text_of(run, OPTION_output), &error)) return failed(run, FLOW_BAD_CALL, &error);
  if (picture_window(run, &frame, &y_said, &error)) return failed(run, FLOW_BAD_CALL, &error);
  char *results = temporary_begin(run, ".npy");
  int code;
  if (!results) return flow_status_exit_code(FLOW_BAD_FILE);
  if (!has(run, OPTION_data)) code = log_p_over_window(run, results);
  else if (!(code = run_into(run, results, NULL))) code = read_and_draw(run, NULL, results);
  temporary_end(results);
  return code;
}

int picture_verb(const Run *run) {
  int code = run->line->verb == VERB_logp ? draw_log_p(run) : draw_points(run);
  return code ? code : finish_output(run);
}
