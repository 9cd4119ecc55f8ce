/* SPDX-License-Identifier: Apache-2.0 */
/* plot_verb.c -- flowc plot: a formula over a grid of points (compiled, in f64), a flow by its samples, a file. */
#include "plot_verb.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "picture.h"
#include "plot_target.h"
#include "program.h"
#include "runnable.h"
#include "run_verb.h"

enum { CURVE_POINTS = 241 };

PlotStyle plot_style(const Run *run) { return (PlotStyle){run->terminal.width, has(run, OPTION_ascii) || !run->terminal.utf8}; }

int plot_show(const Run *run, char *text) {
  if (!text) return failed(run, FLOW_NO_MEMORY, NULL);
  fputs(text, stdout);
  free(text);
  return 0;
}

/* ---- what the options say ------------------------------------------------------------------------------------------------------ */

static flow_status read_time(const Run *run, double *time, flow_error *error) {
  const char *text = text_of(run, OPTION_time);
  char *end;
  *time = text ? strtod(text, &end) : 0;
  if (!text || (end != text && !*end && isfinite(*time))) return FLOW_OK;
  return flow_fail(error, FLOW_BAD_CALL, "--time wants one number here, not `%s`", text);
}

/* ---- a formula at a point ------------------------------------------------------------------------------------------------------- */

typedef struct Formula {
  const Run *run;
  Study *study;
  Target target;
  Runnable runnable;
  double time, point[2], *result;
  const double **input;
  PlotFrame frame;
} Formula;

/* --condition NAME=1,2,3 for each parameter behind the state. */
static flow_status read_conditions(Formula *formula, flow_error *error) {
  const TypedFunction *field = formula->target.field;
  for (uint32_t p = 2; p < field->parameters; p++) {
    const char *name = field->parameter_name[p], *text = NULL;
    for (size_t i = 0; i < formula->run->line->conditions; i++) {
      const char *given = formula->run->line->condition[i];
      if (strncmp(given, name, strlen(name)) == 0 && given[strlen(name)] == '=') text = given + strlen(name) + 1;
    }
    size_t count = (size_t)shape_count(&field->parameter[p]), i = 0;
    double *number = arena_array(&formula->study->arena, count + 1, sizeof *number);
    for (char *end; text && i < count; i++, text = end + (*end == ',')) {
      number[i] = strtod(text, &end);
      if (end == text) break;
    }
    if (i < count) return flow_fail(error, FLOW_BAD_CALL, "`%s` also depends on %s: --condition %s=... with %zu numbers", field->name, name, name, count);
    formula->input[p] = number;
  }
  return FLOW_OK;
}

static flow_status prepare(Formula *formula, const char *path, flow_error *error) {
  const Run *run = formula->run;
  const TypedFunction *field = formula->target.field;
  RunnableOptions how = {text_of(run, OPTION_flow), text_of(run, OPTION_weights), path, .run = run, .code = CODE_FOR_OFTEN};
  if (run->program && strcmp(path, run->program->path) == 0) how.memory = run->program;
  flow_status status = runnable_make(formula->study, &how, field, &formula->runnable, error);
  if (status) return status;
  formula->result = arena_array(&formula->study->arena, formula->runnable.results + 1, sizeof(double));
  formula->input = arena_array(&formula->study->arena, field->parameters + 1u, sizeof *formula->input);
  formula->input[0] = &formula->time;
  formula->input[1] = formula->point;
  return read_conditions(formula, error);
}

static bool at(Formula *formula, double x, double y) {
  formula->point[0] = x;
  formula->point[1] = y;
  return runnable_run(&formula->runnable, formula->input, formula->result, NULL) == FLOW_OK;
}

/* ---- over a grid: rows of numbers as gnuplot takes them ----------------------------------------------------------------------------- */

static double middle(double low, double high, size_t i, size_t count) { return low + (high - low) * ((double)i + 0.5) / (double)count; }

static double *over_plane(Formula *formula, PlotGrid grid, size_t numbers) {
  PlotFrame f = formula->frame;
  size_t width = 2 + numbers;
  double *row = malloc((grid.across * grid.down + 1) * width * sizeof *row), *to = row;
  for (size_t d = 0; row && d < grid.down; d++)
    for (size_t a = 0; a < grid.across; a++, to += width) {
      to[0] = middle(f.x0, f.x1, a, grid.across);
      to[1] = middle(f.y1, f.y0, d, grid.down);
      if (!at(formula, to[0], to[1])) return free(row), NULL;
      memcpy(to + 2, formula->result, numbers * sizeof *to);
    }
  return row;
}

static double *over_line(Formula *formula) {
  double *row = malloc(2 * CURVE_POINTS * sizeof *row);
  for (size_t i = 0; row && i < CURVE_POINTS; i++) {
    row[2 * i] = formula->frame.x0 + (formula->frame.x1 - formula->frame.x0) * (double)i / (CURVE_POINTS - 1);
    if (!at(formula, row[2 * i], 0)) return free(row), NULL;
    row[2 * i + 1] = formula->result[0];
  }
  return row;
}

/* Columns `from` to `until` - 1 of each row, closely packed. */
static double *columns_of(const double *row, size_t rows, size_t width, size_t from, size_t until) {
  double *packed = malloc((rows * (until - from) + 1) * sizeof *packed);
  for (size_t i = 0; packed && i < rows; i++) memcpy(packed + i * (until - from), row + i * width + from, (until - from) * sizeof *packed);
  return packed;
}

/* ---- on the terminal ------------------------------------------------------------------------------------------------------------------ */

static char *text_of_plane(Formula *formula, PlotStyle style) {
  bool arrows = formula->target.kind == TARGET_QUIVER;
  PlotGrid grid = arrows ? plot_quiver_grid(formula->frame, style) : plot_heat_grid(formula->frame, style);
  size_t numbers = arrows ? 2 : 1, count = grid.across * grid.down;
  double *row = grid.across ? over_plane(formula, grid, numbers) : NULL;
  double *packed = row ? columns_of(row, count, 2 + numbers, 2, 2 + numbers) : NULL;
  char *text = NULL;
  if (packed && arrows) text = plot_quiver(packed, grid, formula->frame, style);
  else if (packed) text = plot_heat(packed, formula->frame, formula->target.is_density ? PLOT_LOG_DENSITY_DEPTH : 0, style);
  free(row);
  free(packed);
  return text;
}

static char *text_of_line(Formula *formula, PlotStyle style) {
  double *row = over_line(formula), *x = row ? columns_of(row, CURVE_POINTS, 2, 0, 1) : NULL, *y = row ? columns_of(row, CURVE_POINTS, 2, 1, 2) : NULL;
  char *text = x && y ? plot_curve(x, y, CURVE_POINTS, formula->frame, style) : NULL;
  free(row), free(x), free(y);
  return text;
}

static int show(Formula *formula) {
  PlotStyle style = plot_style(formula->run);
  int code = plot_show(formula->run, formula->target.kind == TARGET_CURVE ? text_of_line(formula, style) : text_of_plane(formula, style));
  if (!code && !has(formula->run, OPTION_quiet)) printf("%*s  t = %g\n", 9, "", formula->time);
  return code;
}

/* ---- in a file -------------------------------------------------------------------------------------------------------------------------- */

/* Arrows are as long as their grid is wide. */
static void fit_arrows(double *row, PlotGrid grid, PlotFrame f) {
  double most = 0, cell = fmin((f.x1 - f.x0) / (double)grid.across, (f.y1 - f.y0) / (double)grid.down);
  for (size_t i = 0; i < grid.across * grid.down; i++) most = fmax(most, hypot(row[4 * i + 2], row[4 * i + 3]));
  for (size_t i = 0; i < grid.across * grid.down && most > 0; i++) row[4 * i + 2] *= 0.95 * cell / most, row[4 * i + 3] *= 0.95 * cell / most;
}

static void raise_floor(double *row, size_t rows) {
  double most = -INFINITY;
  for (size_t i = 0; i < rows; i++) most = isfinite(row[3 * i + 2]) ? fmax(most, row[3 * i + 2]) : most;
  for (size_t i = 0; i < rows; i++) row[3 * i + 2] = fmax(row[3 * i + 2], most - PLOT_LOG_DENSITY_DEPTH);
}

static int draw(Formula *formula, const char *path) {
  TargetKind kind = formula->target.kind;
  PlotGrid grid = kind == TARGET_QUIVER ? (PlotGrid){24, 24} : (PlotGrid){120, 120};
  double *row = kind == TARGET_CURVE ? over_line(formula) : over_plane(formula, grid, kind == TARGET_QUIVER ? 2 : 1);
  if (!row) return failed(formula->run, FLOW_NO_MEMORY, NULL);
  if (kind == TARGET_QUIVER) fit_arrows(row, grid, formula->frame);
  if (kind == TARGET_HEAT && formula->target.is_density) raise_floor(row, grid.across * grid.down);
  Picture picture = {.kind = kind == TARGET_CURVE ? PICTURE_CURVE : kind == TARGET_QUIVER ? PICTURE_ARROWS : PICTURE_HEAT,
                     .number = row,
                     .rows = kind == TARGET_CURVE ? CURVE_POINTS : grid.across * grid.down,
                     .across = grid.across};
  picture.frame = formula->frame;
  flow_error error = {{0}};
  flow_status status = gnuplot_draw(&picture, path, &error);
  free(row);
  return status ? failed(formula->run, status, &error) : 0;
}

/* ---- a flow: its samples ------------------------------------------------------------------------------------------------------------------ */

/* The same options, for `flowc sample`. */
static int sample(const Run *run, const char *flow, const char *file) {
  CommandLine line = *run->line;
  line.verb = VERB_sample;
  line.operands = 1;
  line.value[OPTION_flow] = (OptionValue){.given = true, .text = flow};
  line.value[OPTION_picture].given = false;
  if (file) line.value[OPTION_output] = (OptionValue){.given = true, .text = file}, line.value[OPTION_quiet].given = true;
  else line.value[OPTION_plot].given = true;
  Run other = *run;
  other.line = &line;
  return run_verb(&other);
}

char *temporary_begin(const Run *run, const char *suffix) {
  const char *folder = getenv("TMPDIR");
  char *name = NULL;
  if (asprintf(&name, "%s/flowc-XXXXXX%s", folder && *folder ? folder : "/tmp", suffix) < 0) return failed(run, FLOW_NO_MEMORY, NULL), NULL;
  int made = mkstemps(name, (int)strlen(suffix));
  if (made >= 0) return close(made), name;
  flow_error error = {{0}};
  flow_fail(&error, FLOW_BAD_FILE, "%s: a file for the numbers of a picture could not be made", name);
  failed(run, FLOW_BAD_FILE, &error);
  free(name);
  return NULL;
}

void temporary_end(char *path) {
  if (path) unlink(path);
  free(path);
}

static int plot_flow(const Run *run, const char *flow) {
  if (!has(run, OPTION_picture) && run->line->value[OPTION_picture_kind].choice == AS_FITTING) return sample(run, flow, NULL);
  char *name = temporary_begin(run, ".npy");
  int code = name ? sample(run, flow, name) : flow_status_exit_code(FLOW_BAD_FILE);
  if (!code) code = plot_file(run, name);
  temporary_end(name);
  return code;
}

/* ---- the verb --------------------------------------------------------------------------------------------------------------------------------- */

static int plot_formula(Formula *formula, const char *path, flow_status status, flow_error *error) {
  const Run *run = formula->run;
  bool y_said = false;
  if (!status) status = picture_window(run, &formula->frame, &y_said, error);
  if (!y_said && formula->target.kind == TARGET_CURVE) formula->frame.y0 = formula->frame.y1 = 0;
  if (!status) status = read_time(run, &formula->time, error);
  if (!status) status = prepare(formula, path, error);
  if (!status && !has(run, OPTION_picture)) return show(formula);
  if (!status) {
    int code = draw(formula, text_of(run, OPTION_picture));
    if (code && run->program) show(formula); /* a person at the prompt sees it all the same */
    return code;
  }
  if (formula->study->diagnostics.errors) diag_print(&formula->study->diagnostics, stderr, run->terminal.colour_error);
  return error->text[0] || !formula->study->diagnostics.errors ? failed(run, status, error) : flow_status_exit_code(status);
}

static int plot_program(Formula *formula, const char *path, const char *text) {
  const Run *run = formula->run;
  Study *study = formula->study;
  flow_error error = {{0}};
  if (setjmp(study->no_memory)) return failed(run, FLOW_NO_MEMORY, &(flow_error){"out of memory"});
  flow_status status = FLOW_OK;
  if (has(run, OPTION_picture)) status = gnuplot_check(text_of(run, OPTION_picture), &error);
  const char *name = run->line->operands > 1 ? run->line->operand[1] : text_of(run, OPTION_flow);
  if (!status) status = plot_target(study, path, text, name, &formula->target, &error);
  if (!status && formula->target.kind == TARGET_FLOW) return plot_flow(run, formula->target.name);
  return plot_formula(formula, path, status, &error);
}

/* What no picture can do is said before anything is computed. */
static flow_status check_window(const Run *run, flow_error *error) {
  PlotFrame frame;
  bool y_said;
  flow_status status = picture_window(run, &frame, &y_said, error);
  int as = run->line->value[OPTION_picture_kind].choice;
  if (status || !has(run, OPTION_window) || (as != AS_IMAGES && as != AS_PAIRS && !(as == AS_HISTOGRAM && y_said))) return status;
  return flow_fail(error, FLOW_BAD_CALL, as == AS_HISTOGRAM ? "--window of a histogram is A:B: the counts fit themselves" : "--window is for one pair of axes, and --as %s has none or many",
                   as == AS_IMAGES ? "images" : "pairs");
}

int verb_plot(const Run *run) {
  flow_error error = {{0}};
  if (check_window(run, &error)) return failed(run, FLOW_BAD_CALL, &error);
  const char *path = run->line->operand[0], *suffix = strrchr(path, '.');
  bool session = run->program && strcmp(path, run->program->path) == 0;
  if (!session && !(suffix && strcmp(suffix, ".flow") == 0) && strcmp(path, "-") != 0) {
    int drawn = plot_file(run, path);
    return drawn ? drawn : finish_output(run);
  }
  FlowBytes bytes = {0};
  int code = program_read_text(run, path, &bytes);
  if (code) return code;
  char *text = strndup(bytes.data ? (const char *)bytes.data : "", bytes.size);
  Formula formula = {.run = run, .study = text ? study_new() : NULL};
  code = formula.study ? plot_program(&formula, path, text) : failed(run, FLOW_NO_MEMORY, NULL);
  runnable_free(&formula.runnable);
  study_free(formula.study);
  free(text);
  flow_bytes_free(&flow_standard_allocator, &bytes);
  return code ? code : finish_output(run);
}
