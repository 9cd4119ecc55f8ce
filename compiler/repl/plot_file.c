/* SPDX-License-Identifier: Apache-2.0 */
/* plot_file.c -- pictures of arrays: samples as points, histograms, images or pairs of their components; columns as a curve. */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "picture.h"
#include "plot_verb.h"

enum { MOST_PAIRS = 8, BARS = 60, GALLERY = 8 };

typedef struct Rows {
  const Run *run;
  double *x; /* [rows][dim] */
  size_t rows, dim;
  uint64_t all;
} Rows;

static bool read_rows(const FlowTensor *tensor, Rows *rows) {
  rows->all = tensor->rank ? tensor->dim[0] : 1;
  rows->rows = rows->all < PICTURE_MOST_ROWS ? (size_t)rows->all : PICTURE_MOST_ROWS;
  rows->dim = rows->all ? (size_t)(tensor->count / rows->all) : 0;
  if (rows->dim && rows->rows > SIZE_MAX / sizeof(double) / rows->dim) return false;
  rows->x = malloc((rows->rows * rows->dim + 1) * sizeof *rows->x);
  if (rows->x) flow_tensor_to_f64(tensor, 0, (uint64_t)rows->rows * rows->dim, rows->x);
  return rows->x != NULL;
}

static int fitting(const Rows *rows) {
  int as = rows->run->line->value[OPTION_picture_kind].choice;
  if (as != AS_FITTING) return as;
  return rows->dim == 1 ? AS_HISTOGRAM : rows->dim == 64 ? AS_IMAGES : AS_SCATTER;
}

/* ---- on the terminal -------------------------------------------------------------------------------------------------------- */

/* A page is what one component makes with those behind it; a person says when to go on.  false: it is enough. */
static bool turn_page(void) {
  char answer[16];
  if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO)) return true;
  fputs("-- Enter: the next page, q: enough -- ", stdout);
  fflush(stdout);
  return fgets(answer, sizeof answer, stdin) && answer[0] != 'q';
}

static int show_pairs(const Rows *rows) {
  size_t dim = rows->dim < MOST_PAIRS ? rows->dim : MOST_PAIRS;
  PlotStyle style = plot_style(rows->run);
  int code = 0;
  for (size_t a = 0; a < dim && !code; a++) {
    if (a > 0 && !turn_page()) return 0;
    for (size_t b = a; b < dim && !code; b++) {
      if (a == b) printf("component %zu\n", a);
      else printf("components %zu (to the right) and %zu (upwards)\n", a, b);
      code = plot_show(rows->run, a == b ? plot_histogram(rows->x + a, rows->rows, rows->dim, style)
                                         : plot_scatter(rows->x + a, rows->x + b, rows->rows, rows->dim, style));
    }
  }
  if (dim < rows->dim && !code) printf("the first %zu of %zu components\n", dim, rows->dim);
  return code;
}

/* The last column over the first; one column over its number. */
static double *curve_points(const Rows *rows) {
  double *point = malloc((2 * rows->rows + 1) * sizeof *point);
  for (size_t i = 0; point && i < rows->rows; i++) {
    point[i] = rows->dim > 1 ? rows->x[i * rows->dim] : (double)i;
    point[rows->rows + i] = rows->x[i * rows->dim + rows->dim - 1];
  }
  return point;
}

static int show_curve(const Rows *rows) {
  double *point = curve_points(rows);
  PlotFrame frame = picture_frame(rows->run, false);
  int code = plot_show(rows->run, point ? plot_curve(point, point + rows->rows, rows->rows, frame, plot_style(rows->run)) : NULL);
  free(point);
  return code;
}

static int show(const Rows *rows) {
  PlotStyle style = plot_style(rows->run);
  size_t side = (size_t)lround(sqrt((double)rows->dim));
  switch (fitting(rows)) {
  case AS_PAIRS: return show_pairs(rows);
  case AS_CURVE: return show_curve(rows);
  case AS_HISTOGRAM: return plot_show(rows->run, plot_histogram_in(picture_frame(rows->run, false), rows->x, rows->rows, rows->dim, style));
  case AS_IMAGES:
    if (side * side == rows->dim) return plot_show(rows->run, plot_images(rows->x, rows->rows, side, style));
    complain(&rows->run->terminal, "--as images: %zu numbers are no square of pixels", rows->dim);
    return flow_status_exit_code(FLOW_BAD_INPUT);
  default: return picture_of_rows(rows->run, stdout, rows->x, rows->rows, rows->dim, rows->all);
  }
}

/* ---- in a file --------------------------------------------------------------------------------------------------------------- */

static double *points_of(const Rows *rows, Picture *picture) {
  double *number = malloc((2 * rows->rows + 1) * sizeof *number);
  PlotRange x, y;
  for (size_t i = 0; number && i < rows->rows; i++) {
    number[2 * i] = rows->x[i * rows->dim];
    number[2 * i + 1] = rows->x[i * rows->dim + (rows->dim > 1)];
  }
  *picture = (Picture){.kind = PICTURE_POINTS, .number = number, .rows = rows->rows};
  if (number && plot_range(number, rows->rows, 2, 0.002, &x) && plot_range(number + 1, rows->rows, 2, 0.002, &y))
    picture->frame = (PlotFrame){x.low, x.high, y.low, y.high, true};
  PlotFrame said = picture_frame(rows->run, true);
  if (said.x1 > said.x0) picture->frame = said;
  return number;
}

static double *bars_of(const Rows *rows, Picture *picture) {
  PlotRange range;
  double *number = calloc(2 * BARS, sizeof *number);
  *picture = (Picture){.kind = PICTURE_BARS, .number = number, .rows = BARS};
  if (!number || !plot_range(rows->x, rows->rows, rows->dim, 0.002, &range)) return number;
  PlotFrame said = picture_frame(rows->run, false);
  if (said.x1 > said.x0) picture->frame = said, range.low = said.x0, range.high = said.x1;
  double width = (range.high - range.low) / BARS;
  for (int b = 0; b < BARS; b++) number[2 * b] = range.low + (b + 0.5) * width;
  for (size_t i = 0; i < rows->rows; i++) {
    double at = (rows->x[i * rows->dim] - range.low) / width;
    if (at >= 0 && at < BARS) number[2 * (int)at + 1]++;
  }
  return number;
}

/* As many images as stand in a square, nearly, each with a dark line to its neighbours. */
static double *gallery_of(const Rows *rows, size_t side, Picture *picture) {
  size_t images = rows->rows < GALLERY * GALLERY ? rows->rows : GALLERY * GALLERY, in_line = (size_t)ceil(sqrt((double)images));
  size_t across = in_line * (side + 1), down = (images + in_line - 1) / in_line * (side + 1);
  double *number = malloc(3 * across * down * sizeof *number);
  *picture = (Picture){.kind = PICTURE_SHADES, .number = number, .rows = across * down, .across = across};
  for (size_t i = 0; number && i < across * down; i++) {
    size_t x = i % across, y = i / across, image = y / (side + 1) * in_line + x / (side + 1), column = x % (side + 1), row = y % (side + 1);
    bool inside = column < side && row < side && image < images;
    number[3 * i] = (double)x;
    number[3 * i + 1] = (double)(down - 1 - y);
    number[3 * i + 2] = inside ? rows->x[image * rows->dim + row * side + column] : NAN;
  }
  picture->frame = (PlotFrame){-0.5, (double)across - 0.5, -0.5, (double)down - 0.5, true};
  return number;
}

static double *pairs_of(const Rows *rows, Picture *picture) {
  size_t dim = rows->dim < MOST_PAIRS ? rows->dim : MOST_PAIRS;
  double *number = malloc((rows->rows * dim + 1) * sizeof *number);
  for (size_t i = 0; number && i < rows->rows; i++) memcpy(number + i * dim, rows->x + i * rows->dim, dim * sizeof *number);
  *picture = (Picture){.kind = PICTURE_PAIRS, .number = number, .rows = rows->rows, .across = dim};
  return number;
}

static double *curve_rows(const Rows *rows, Picture *picture) {
  double *point = curve_points(rows), *number = malloc((2 * rows->rows + 1) * sizeof *number);
  for (size_t i = 0; point && number && i < rows->rows; i++) {
    number[2 * i] = point[i];
    number[2 * i + 1] = point[rows->rows + i];
  }
  free(point);
  *picture = (Picture){.kind = PICTURE_CURVE, .number = number, .rows = rows->rows, .frame = picture_frame(rows->run, false)};
  return number;
}

static int draw(const Rows *rows, const char *path) {
  Picture picture;
  size_t side = (size_t)lround(sqrt((double)rows->dim));
  int as = fitting(rows);
  double *number = as == AS_CURVE                              ? curve_rows(rows, &picture)
                   : as == AS_HISTOGRAM                        ? bars_of(rows, &picture)
                   : as == AS_PAIRS                            ? pairs_of(rows, &picture)
                   : as == AS_IMAGES && side * side == rows->dim ? gallery_of(rows, side, &picture)
                                                               : points_of(rows, &picture);
  flow_error error = {{0}};
  flow_status status = number ? gnuplot_draw(&picture, path, &error) : FLOW_NO_MEMORY;
  free(number);
  return status ? failed(rows->run, status, &error) : 0;
}

/* ---- both -------------------------------------------------------------------------------------------------------------------- */

int plot_tensor(const Run *run, const FlowTensor *tensor) {
  Rows rows = {.run = run};
  if (!read_rows(tensor, &rows)) return failed(run, FLOW_NO_MEMORY, NULL);
  int code;
  if (rows.rows == 0 || rows.dim == 0) {
    complain(&run->terminal, "there is nothing to draw in %zu rows of %zu numbers", rows.rows, rows.dim);
    code = flow_status_exit_code(FLOW_BAD_INPUT);
  } else if (!picture_window_fits(run, fitting(&rows) == AS_IMAGES)) {
    code = flow_status_exit_code(FLOW_BAD_CALL);
  } else {
    code = has(run, OPTION_picture) ? draw(&rows, text_of(run, OPTION_picture)) : show(&rows);
    if (code && has(run, OPTION_picture) && run->program) show(&rows); /* a person at the prompt sees it all the same */
  }
  free(rows.x);
  return code;
}

/* A log of a training is an array of two columns here. */
static int plot_log(const Run *run, const double *x, const double *y, size_t count) {
  double *column = malloc(2 * count * sizeof *column);
  if (!column) return failed(run, FLOW_NO_MEMORY, NULL);
  for (size_t i = 0; i < count; i++) column[2 * i] = x[i], column[2 * i + 1] = y[i];
  CommandLine line = *run->line;
  line.value[OPTION_picture_kind].choice = AS_CURVE;
  Run other = *run;
  other.line = &line;
  FlowTensor tensor = {.name = "", .type = FLOW_TYPE_F64, .rank = 2, .dim = {count, 2}, .count = 2 * count, .data = column};
  int code = plot_tensor(&other, &tensor);
  free(column);
  return code;
}

int plot_file(const Run *run, const char *path) {
  int as = run->line->value[OPTION_picture_kind].choice;
  double *x, *y;
  size_t count;
  if ((as == AS_FITTING || as == AS_CURVE) && plot_log_read(path, &x, &y, &count)) {
    int code = plot_log(run, x, y, count);
    free(x), free(y);
    return code;
  }
  FlowTensors tensors;
  flow_error error = {{0}};
  flow_status status = flow_tensors_read(&flow_standard_allocator, path, &tensors, &error);
  if (status) return failed(run, status, &error);
  const FlowTensor *tensor = tensors.count == 1 ? &tensors.tensor[0] : flow_tensors_find(&tensors, "samples");
  int code = 0;
  if (tensor) code = plot_tensor(run, tensor);
  else code = failed(run, FLOW_BAD_INPUT, &(flow_error){"the file has several arrays, and none is called `samples`; `flowc inspect --plot` draws them all"});
  flow_tensors_free(&tensors);
  return code;
}
