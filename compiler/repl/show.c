/* SPDX-License-Identifier: Apache-2.0 */
#include "show.h"
#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>

enum { MOST_EXACT = 8, MOST_WHOLE = 100, AT_BEGIN = 5, AT_END = 2 };

static void show_number(FILE *to, double number, bool exact) {
  char text[40] = "nan"; /* whatever its sign */
  for (int digits = exact ? 15 : 6; digits <= 17 && number == number; digits++) {
    snprintf(text, sizeof text, "%.*g", digits, number);
    if (!exact || strtod(text, NULL) == number) break;
  }
  fputs(text, to);
}

typedef struct Showing {
  FILE *to;
  const Shape *shape;
  int64_t count;
} Showing;

static int64_t elements_below(const Shape *shape, uint32_t axis) {
  int64_t count = 1;
  for (uint32_t k = axis; k < shape->rank; k++) count *= shape->dim[k];
  return count;
}

/* The part of the value that the first `axis` indices choose; rows of a matrix stand below each other. */
static void show_axis(const Showing *showing, const double *number, uint32_t axis) {
  const Shape *shape = showing->shape;
  if (axis == shape->rank) {
    show_number(showing->to, *number, showing->count <= MOST_EXACT);
    return;
  }
  int64_t length = shape->dim[axis], step = elements_below(shape, axis + 1);
  bool whole = showing->count <= MOST_WHOLE || length <= AT_BEGIN + AT_END + 1, lines = axis + 1 < shape->rank;
  fputc('[', showing->to);
  for (int64_t i = 0; i < length; i++) {
    if (i > 0) fprintf(showing->to, lines ? ",\n%*s" : ", ", lines ? (int)axis + 1 : 0, "");
    if (!whole && i == AT_BEGIN) {
      fputs("...", showing->to);
      i = length - AT_END - 1;
    } else {
      show_axis(showing, number + i * step, axis + 1);
    }
  }
  fputc(']', showing->to);
}

void show_value(FILE *to, const double *number, const Shape *shape) {
  Showing showing = {to, shape, elements_below(shape, 0)};
  show_axis(&showing, number, 0);
}

void show_shape(FILE *to, const Shape *shape) {
  if (shape->rank == 0) {
    fputs("scalar", to);
    return;
  }
  for (uint32_t r = 0; r < shape->rank; r++) fprintf(to, "%s%" PRId64, r ? ", " : "[", shape->dim[r]);
  fputc(']', to);
}

void show_signature(FILE *to, const TypedFunction *function) {
  fprintf(to, "%s(", function->name);
  for (uint32_t p = 0; p < function->parameters; p++) {
    fprintf(to, "%s%s", p ? ", " : "", function->parameter_name[p]);
    if (function->parameter[p].rank) fputs(": ", to);
    if (function->parameter[p].rank) show_shape(to, &function->parameter[p]);
  }
  fputs(") -> ", to);
  show_shape(to, &function->result->shape);
}
