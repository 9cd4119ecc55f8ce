/* SPDX-License-Identifier: Apache-2.0 */
#include "picture.h"
#include "plot.h"
#include <inttypes.h>
#include <stdlib.h>

static char *draw(const double *x, size_t rows, size_t dim, PlotStyle style) {
  if (dim == 1) return plot_histogram(x, rows, 1, style);
  if (dim == 64) return plot_images(x, rows, 8, style);
  return plot_scatter(x, x + 1, rows, dim, style);
}

int picture_of_rows(const Run *run, FILE *to, const double *x, size_t rows, size_t dim, uint64_t all) {
  PlotStyle style = {run->terminal.width, has(run, OPTION_ascii) || !run->terminal.utf8};
  if (rows == 0 || dim == 0) {
    complain(&run->terminal, "there is nothing to draw in %zu rows of %zu numbers", rows, dim);
    return flow_status_exit_code(FLOW_BAD_INPUT);
  }
  char *text = draw(x, rows, dim, style);
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
