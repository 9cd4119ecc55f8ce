/* SPDX-License-Identifier: Apache-2.0 */
/* printed.c -- rows as texts, and texts as numbers. */
#include "printed.h"
#include <stdlib.h>
#include <string.h>

typedef struct Text {
  const char *name;
  uint32_t order;
  const char *a, *b, *c;
  struct { uint32_t order; const char *weight; } error[2];
  struct { uint32_t order; const char *a, *c, *weight; } dense;
} Text;

#define ROW(...) #__VA_ARGS__
#define NO_ROWS ""
#define NO_ERROR {{0, ""}, {0, ""}}
#define ERROR(order, weight) {{order, weight}, {0, ""}}
#define ERRORS(order, weight, other_order, other_weight) {{order, weight}, {other_order, other_weight}}
#define HERMITE(order) {order, "", "", ""}
#define QUARTIC(weight) {4, "", "", weight}
#define FURTHER(order, a, c, weight) {order, a, c, weight}
static const Text text[] = {
#define TABLEAU(name, order, a, b, c, error, control, dense, source, help) {#name, order, a, b, c, error, dense},
#define ALIAS(name, row)
#include "tableau.def"
#undef TABLEAU
#undef ALIAS
};

size_t printed_count(void) { return sizeof text / sizeof text[0]; }

/* The next number of a row: digits, or a quotient of two. */
static long double next(const char **at) {
  char *end;
  long double number = strtold(*at, &end);
  if (end == *at) abort();
  end += strspn(end, " ");
  if (*end == '/') number /= strtold(end + 1, &end);
  *at = end + strspn(end, " ,");
  return number;
}

static uint32_t read_row(const char *row, long double *to) {
  uint32_t count = 0;
  while (*row) to[count++] = next(&row);
  return count;
}

/* Rows of stages first, first + 1, ... of as many entries, to the end of the text; one past the last. */
static uint32_t read_triangle(const char *rows, uint32_t first, Stages *stages) {
  uint32_t stage = first;
  for (; *rows; stage++)
    for (uint32_t i = 0; i < stage; i++) stages->a[stage][i] = next(&rows);
  return stage;
}

void printed_read(size_t index, Printed *method) {
  const Text *row = &text[index];
  memset(method, 0, sizeof *method);
  method->name = row->name;
  method->order = row->order;
  method->steps = read_row(row->b, method->b);
  read_triangle(row->a, 1, &method->stages);
  read_row(row->c, method->stages.c);
  memcpy(method->stages.a[method->steps], method->b, sizeof method->b);
  method->stages.c[method->steps] = 1;
  method->stages.count = read_triangle(row->dense.a, method->steps + 1, &method->stages);
  read_row(row->dense.c, method->stages.c + method->steps + 1);
  for (int e = 0; e < 2; e++) {
    method->error_order[e] = row->error[e].order;
    read_row(row->error[e].weight, method->error[e]);
  }
  method->dense_order = row->dense.order;
  for (const char *at = row->dense.weight; *at; method->rows++)
    for (uint32_t j = 0; j < method->stages.count; j++) method->dense[method->rows][j] = next(&at);
}

void printed_dense_weights(const Printed *method, long double theta, long double *weight) {
  for (uint32_t j = 0; j < method->stages.count; j++) {
    long double first = j == 0, end = j == method->steps, b = method->b[j], basis = theta * (1 - theta);
    weight[j] = theta * b + basis * (first - b) + basis * theta * (2 * b - first - end);
    basis *= theta;
    for (uint32_t row = 0; row < method->rows; row++) {
      basis *= row % 2 ? theta : 1 - theta;
      weight[j] += basis * method->dense[row][j];
    }
  }
}
