/* SPDX-License-Identifier: Apache-2.0 */
/* picture_verbs.c -- verbs whose result is a picture rather than numbers: the verb runs as ever and writes into a file of its own,
 * which is then drawn.
 *
 *   sample, trajectory -o x.png      points; of trajectory also a .gif that moves
 *   logp --plot [-o x.png]           log p over a window, without --data: a map with contours, or a curve in one dimension;
 *                                    with --data: the distribution of its log p                                       */
#include <math.h>
#include <stdlib.h>
#include <string.h>
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

/* ---- points, and points that move ---------------------------------------------------------------------------------------- */

static int draw_frames(const Run *run, const FlowTensor *path, const char *file) {
  uint64_t samples = path->rank > 1 ? path->dim[1] : 1, dim = path->count / path->dim[0] / (samples ? samples : 1);
  double *x = malloc((size_t)(path->count + 1) * sizeof *x), *number = malloc((size_t)(2 * path->dim[0] * samples + 1) * sizeof *number);
  Picture picture = {.kind = PICTURE_FRAMES, .number = number, .rows = (size_t)(path->dim[0] * samples), .across = (size_t)samples};
  PlotRange across, up;
  flow_error error = {{0}};
  flow_status status = x && number && dim && samples ? FLOW_OK : FLOW_NO_MEMORY;
  if (!status) flow_tensor_to_f64(path, 0, path->count, x);
  for (size_t i = 0; !status && i < picture.rows; i++) {
    number[2 * i] = dim > 1 ? x[i * dim] : (double)(i % samples);
    number[2 * i + 1] = x[i * dim + (dim > 1)];
  }
  if (!status && (!plot_range(number, picture.rows, 2, 0.002, &across) || !plot_range(number + 1, picture.rows, 2, 0.002, &up))) status = FLOW_NO_MEMORY;
  if (!status) picture.frame = (PlotFrame){across.low, across.high, up.low, up.high, true};
  if (!status && dim == 1) picture.frame = (PlotFrame){0};
  if (!status) status = gnuplot_draw(&picture, file, &error);
  free(x), free(number);
  return status ? failed(run, status, &error) : 0;
}

/* All times at once: a row for each state. */
static FlowTensor flattened(const FlowTensor *path) {
  FlowTensor flat = *path;
  if (path->rank < 2) return flat;
  flat.rank = 2;
  flat.dim[0] = path->dim[0] * path->dim[1];
  flat.dim[1] = flat.dim[0] ? path->count / flat.dim[0] : 0;
  return flat;
}

static int draw_tensor(const Run *run, const char *numbers, const char *file) {
  FlowTensors tensors;
  flow_error error = {{0}};
  flow_status status = flow_tensors_read(&flow_standard_allocator, numbers, &tensors, &error);
  if (status) return failed(run, status, &error);
  const FlowTensor *tensor = &tensors.tensor[0];
  FlowTensor flat = run->line->verb == VERB_trajectory ? flattened(tensor) : *tensor;
  CommandLine line = *run->line;
  line.value[OPTION_picture] = (OptionValue){.given = true, .text = file};
  Run other = *run;
  other.line = &line;
  const char *suffix = strrchr(file, '.');
  bool moves = suffix && strcmp(suffix, ".gif") == 0 && run->line->verb == VERB_trajectory;
  int code = moves && tensor->rank ? draw_frames(run, tensor, file) : plot_tensor(&other, &flat);
  flow_tensors_free(&tensors);
  return code;
}

static int draw_points(const Run *run) {
  char *numbers = temporary_begin(run, ".npy");
  int code = numbers ? run_into(run, numbers, NULL) : flow_status_exit_code(FLOW_BAD_FILE);
  if (!code) code = draw_tensor(run, numbers, text_of(run, OPTION_output));
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
  if (w->dim == 2) picture.frame = w->frame;
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
  else if (!w) code = has(run, OPTION_output) && gnuplot_is_picture(text_of(run, OPTION_output)) ? draw_tensor(run, results, text_of(run, OPTION_output)) : plot_tensor(run, tensor);
  else {
    flow_tensor_to_f64(tensor, 0, tensor->count, log_p);
    code = has(run, OPTION_output) ? draw_window(run, w, log_p) : show_window(run, w, log_p);
  }
  free(log_p);
  flow_tensors_free(&tensors);
  return code;
}

static flow_status choose_window(const Run *run, Window *w, flow_error *error) {
  flow_status status = plot_window(run, &w->frame, error);
  if (status) return status;
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
  if (has(run, OPTION_output) && gnuplot_check(text_of(run, OPTION_output), &error)) return failed(run, FLOW_BAD_CALL, &error);
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
