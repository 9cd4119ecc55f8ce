/* SPDX-License-Identifier: Apache-2.0 */
#include "picture.h"
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

static bool read_span(const char **text, double *low, double *high) {
  char *end;
  *low = strtod(*text, &end);
  if (end == *text || *end != ':') return false;
  const char *second = end + 1;
  *high = strtod(second, &end);
  *text = end;
  return end != second && isfinite(*low) && isfinite(*high) && *low < *high && isfinite(*high - *low);
}

flow_status picture_window(const Run *run, PlotFrame *frame, bool *y_said, flow_error *error) {
  *frame = (PlotFrame){-3, 3, -3, 3, run->terminal.colour_out};
  *y_said = false;
  const char *text = text_of(run, OPTION_window);
  if (!text) return FLOW_OK;
  bool good = read_span(&text, &frame->x0, &frame->x1);
  if (good && !*text) {
    frame->y0 = frame->x0, frame->y1 = frame->x1;
    return FLOW_OK;
  }
  good = good && *text++ == ',' && read_span(&text, &frame->y0, &frame->y1) && !*text;
  *y_said = true;
  return good ? FLOW_OK : flow_fail(error, FLOW_BAD_CALL, "--window wants A:B or A:B,C:D with A < B and C < D, not `%s`", text_of(run, OPTION_window));
}

PlotFrame picture_frame(const Run *run, bool plane) {
  PlotFrame frame;
  bool y_said;
  if (!has(run, OPTION_window) || picture_window(run, &frame, &y_said, NULL)) return (PlotFrame){0};
  if (!plane && !y_said) frame.y0 = frame.y1 = 0;
  frame.colour = false;
  return frame;
}

bool picture_window_fits(const Run *run, bool images) {
  if (!images || !has(run, OPTION_window)) return true;
  complain(&run->terminal, "--window is what axes span, and images have none; --as scatter draws the first two of their numbers");
  return false;
}

static char *draw(const Run *run, const double *x, size_t rows, size_t dim, PlotStyle style) {
  if (dim == 1) return plot_histogram_in(picture_frame(run, false), x, rows, 1, style);
  if (dim == 64) return plot_images(x, rows, 8, style);
  return plot_scatter_in(picture_frame(run, true), x, x + 1, rows, dim, style);
}

int picture_of_rows(const Run *run, FILE *to, const double *x, size_t rows, size_t dim, uint64_t all) {
  PlotStyle style = {run->terminal.width, has(run, OPTION_ascii) || !run->terminal.utf8};
  if (rows == 0 || dim == 0) {
    complain(&run->terminal, "there is nothing to draw in %zu rows of %zu numbers", rows, dim);
    return flow_status_exit_code(FLOW_BAD_INPUT);
  }
  if (!picture_window_fits(run, dim == 64)) return flow_status_exit_code(FLOW_BAD_CALL);
  char *text = draw(run, x, rows, dim, style);
  if (!text) return failed(run, FLOW_NO_MEMORY, NULL);
  fputs(text, to);
  if (dim > 2 && dim != 64) fprintf(to, "the first two of %zu components; plot --as pairs draws more\n", dim);
  if (all > rows) fprintf(to, "the first %zu of %" PRIu64 " samples\n", rows, all);
  free(text);
  return 0;
}

int picture_of_tensors(const Run *run, const FlowTensors *tensors) {
  int code = 0;
  for (uint32_t i = 0; i < tensors->count && !code; i++) {
    const FlowTensor *tensor = &tensors->tensor[i];
    uint64_t rows = tensor->rank ? tensor->dim[0] : 1, dim = rows ? tensor->count / rows : 0;
    uint64_t shown = rows < PICTURE_MOST_ROWS ? rows : PICTURE_MOST_ROWS;
    double *x = dim && shown <= SIZE_MAX / sizeof *x / dim ? malloc((size_t)(shown * dim) * sizeof *x) : NULL;
    if (dim && !x) return failed(run, FLOW_NO_MEMORY, NULL);
    if (dim) flow_tensor_to_f64(tensor, 0, shown * dim, x);
    if (tensors->count > 1) {
      print_foreign(stdout, tensor->name);
      fputc('\n', stdout);
    }
    code = picture_of_rows(run, stdout, x, (size_t)shown, (size_t)dim, rows);
    free(x);
  }
  return code;
}
