/* SPDX-License-Identifier: Apache-2.0 */
/* tableau.c -- the table's rows as structs, and the search by name. */
#include "tableau.h"
#include <string.h>

#define ROW(...) ((const double[]){__VA_ARGS__})
#define NONE 0, NULL
#define EMBEDDED(order, weights) order, weights

static const FlowTableau table[] = {
#define TABLEAU(name, order, a, b, c, embedded, source, help)                                                          \
  {#name, order, sizeof b / sizeof(double), a, b, c, embedded, source, help},
#include "tableau.def"
#undef TABLEAU
};
enum { COUNT = sizeof table / sizeof table[0] };

static const char *const names[COUNT + 1] = {
#define TABLEAU(name, order, a, b, c, embedded, source, help) #name,
#include "tableau.def"
#undef TABLEAU
};

size_t flow_tableau_count(void) { return COUNT; }

const FlowTableau *flow_tableau_at(size_t index) { return index < COUNT ? &table[index] : NULL; }

const FlowTableau *flow_tableau_find(const char *name) {
  for (size_t i = 0; i < COUNT; i++)
    if (strcmp(table[i].name, name) == 0) return &table[i];
  return NULL;
}

const char *const *flow_tableau_names(void) { return names; }

bool flow_tableau_first_same_as_last(const FlowTableau *tableau) {
  uint32_t last = tableau->stages - 1;
  if (last == 0 || tableau->c[last] != 1) return false;
  return memcmp(tableau->a + (size_t)last * tableau->stages, tableau->b, tableau->stages * sizeof *tableau->b) == 0;
}
