/* SPDX-License-Identifier: Apache-2.0 */
/* tableau.c -- the table's rows as structs, and the search by name. */
#include "tableau.h"
#include <string.h>

#define ROW(...) ((const double[]){__VA_ARGS__})
#define NO_ROWS NULL
#define LENGTH(row) (sizeof row / sizeof(double))
#define NO_ERROR {{0, NULL}, {0, NULL}}
#define ERROR(order, weight) {{order, weight}, {0, NULL}}
#define ERRORS(order, weight, other_order, other_weight) {{order, weight}, {other_order, other_weight}}
#define NO_CONTROL {0, 0, 0, 0, 0}
#define CONTROL(safety, beta, alpha, least, most) {safety, beta, alpha, least, most}
#define HERMITE(order) {order, 0, NULL, NULL, 0, NULL}
#define QUARTIC(weight) {4, 0, NULL, NULL, 1, weight}
#define FURTHER(order, a, c, weight) {order, LENGTH(c), a, c, 4, weight}

static const FlowTableau table[] = {
#define TABLEAU(name, order, a, b, c, error, control, dense, source, help)                                             \
  {#name, order, LENGTH(b), a, b, c, error, control, dense, source, help},
#define ALIAS(name, row)
#include "tableau.def"
#undef TABLEAU
#undef ALIAS
};
enum { COUNT = sizeof table / sizeof table[0] };

static const char *const names[] = {
#define TABLEAU(name, order, a, b, c, error, control, dense, source, help) #name,
#define ALIAS(name, row) #name,
#include "tableau.def"
#undef TABLEAU
#undef ALIAS
  NULL};

static const char *const alias[][2] = {
#define TABLEAU(name, order, a, b, c, error, control, dense, source, help)
#define ALIAS(name, row) {#name, #row},
#include "tableau.def"
#undef TABLEAU
#undef ALIAS
};

size_t flow_tableau_count(void) { return COUNT; }

const FlowTableau *flow_tableau_at(size_t index) { return index < COUNT ? &table[index] : NULL; }

const char *flow_tableau_alias(const char *name) {
  for (size_t i = 0; i < sizeof alias / sizeof alias[0]; i++)
    if (strcmp(alias[i][0], name) == 0) return alias[i][1];
  return NULL;
}

const FlowTableau *flow_tableau_find(const char *name) {
  const char *row = flow_tableau_alias(name);
  for (size_t i = 0; i < COUNT; i++)
    if (strcmp(table[i].name, row ? row : name) == 0) return &table[i];
  return NULL;
}

const char *const *flow_tableau_names(void) { return names; }

/* Rows of length first, first + 1, ... stand one after the other: where row `index` of them begins. */
static size_t packed(size_t first, size_t index) { return index * first + index * (index - 1) / 2; }

const double *flow_tableau_row(const FlowTableau *tableau, uint32_t stage) {
  uint32_t end = tableau->stages;
  if (stage == end) return tableau->b;
  if (stage > end) return tableau->dense.a + packed(end + 1, stage - end - 1);
  return stage ? tableau->a + packed(0, stage) : NULL;
}

double flow_tableau_c(const FlowTableau *tableau, uint32_t stage) {
  uint32_t end = tableau->stages;
  if (stage == end) return 1;
  return stage > end ? tableau->dense.c[stage - end - 1] : tableau->c[stage];
}
