/* SPDX-License-Identifier: Apache-2.0 */
#include "train_names.h"
#include "checked.h"
#include "tensors_build.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- names ------------------------------------------------------------------------------------------------------------- */

/* A call without a name stands as "<2>." in a path (ir.h). */
static bool is_mark(const IrFunction *f, const char *at, unsigned long *number, const char **end) {
  if (*at != '<' || at[1] < '0' || at[1] > '9') return false;
  char *after;
  *number = strtoul(at + 1, &after, 10);
  *end = after + 1;
  return *after == '>' && *number < f->weights;
}

/* Are there calls of networks with labels straight behind this path? */
static bool has_calls(const IrFunction *f, const char *scope) {
  size_t length = strlen(scope);
  unsigned long number;
  const char *end;
  for (uint32_t i = 0; i < f->weights; i++)
    if (strncmp(f->weight[i].scope, scope, length) == 0 && is_mark(f, f->weight[i].scope + length, &number, &end)) return true;
  return false;
}

static size_t put_path(const IrFunction *f, const char *path, char *to, size_t room) {
  size_t length = 0;
  while (*path && length + 24 < room) {
    unsigned long number;
    const char *end;
    if (is_mark(f, path, &number, &end)) {
      length += (size_t)snprintf(to + length, room - length, "%lu", number);
      path = end;
    } else {
      to[length++] = *path++;
    }
  }
  to[length] = 0;
  return length;
}

/* Longer names are cut, and then refused as no tensor's. */
static void put_name(const IrFunction *f, const IrWeight *w, char *to, size_t room) {
  size_t length = put_path(f, w->labelled ? w->name : w->scope, to, room);
  if (w->labelled || length + 64 > room) return;
  uint32_t number = has_calls(f, w->scope) ? w->layer : 2 * w->layer;
  snprintf(to + length, room - length, "%u%s%s", number, w->part ? "." : "", w->part ? w->part : "");
}

/* ---- a file that would fit ----------------------------------------------------------------------------------------------- */

enum { MOST_NAME = 512 };

static int by_name(const void *a, const void *b) { return flow_natural_order(((const FlowTensor *)a)->name, ((const FlowTensor *)b)->name); }

static uint64_t most_numbers(const IrFunction *f) {
  uint64_t most = 1;
  for (uint32_t i = 0; i < f->weights; i++) {
    uint64_t count = (uint64_t)shape_count(&f->weight[i].shape);
    if (count > most) most = count;
  }
  return most;
}

flow_status train_tensors(const IrFunction *f, FlowTensors *tensors, flow_error *error) {
  size_t numbers = (size_t)most_numbers(f) * sizeof(float), names, bytes;
  if (!flow_mul_size(f->weights, MOST_NAME, &names) || !flow_add_size(numbers, names, &bytes))
    return flow_fail(error, FLOW_NO_MEMORY, "out of memory for the names of %u weights", f->weights);
  flow_status status = flow_tensors_make(&flow_standard_allocator, "the weights", f->weights, bytes, tensors, error);
  if (status) return status;
  memset(tensors->memory, 0, bytes);
  for (uint32_t i = 0; i < f->weights; i++) {
    const Shape *shape = &f->weight[i].shape;
    char *name = (char *)tensors->memory + numbers + (size_t)i * MOST_NAME;
    put_name(f, &f->weight[i], name, MOST_NAME);
    tensors->tensor[i] = (FlowTensor){.name = name, .type = FLOW_TYPE_F32, .rank = shape->rank, .count = (uint64_t)shape_count(shape),
                                      .data = tensors->memory};
    for (uint32_t k = 0; k < shape->rank; k++) tensors->tensor[i].dim[k] = (uint64_t)shape->dim[k];
  }
  if (f->weights) qsort(tensors->tensor, f->weights, sizeof *tensors->tensor, by_name);
  return FLOW_OK;
}

/* ---- first numbers -------------------------------------------------------------------------------------------------------- */

/* A table that `embedding` looks into. */
static bool is_table(const IrFunction *f, uint32_t slot) {
  for (uint32_t i = 0; i < f->nodes; i++)
    if (f->node[i].op == IR_lookup && f->node[f->node[i].arg[0]].op == IR_weight && f->node[f->node[i].arg[0]].slot == slot) return true;
  return false;
}

static const IrWeight *weight_of_bias(const IrFunction *f, const IrWeight *bias) {
  for (uint32_t i = 0; i < f->weights; i++) {
    const IrWeight *w = &f->weight[i];
    if (w->part && strcmp(w->part, "weight") == 0 && w->layer == bias->layer && w->at.from == bias->at.from && strcmp(w->scope, bias->scope) == 0)
      return w;
  }
  return NULL;
}

static FlowInitial constant(double value) { return (FlowInitial){FLOW_INITIAL_CONSTANT, value}; }
static FlowInitial uniform(double bound) { return (FlowInitial){FLOW_INITIAL_UNIFORM, bound}; }

static FlowInitial of_matrix(InitialWay way, double scale, double inputs, double outputs) {
  switch (way) {
  case INITIAL_XAVIER: return uniform(sqrt(6 / (inputs + outputs)));
  case INITIAL_NORMAL: return (FlowInitial){FLOW_INITIAL_NORMAL, scale};
  case INITIAL_ZEROS: return constant(0);
  case INITIAL_KAIMING: break;
  }
  return uniform(1 / sqrt(inputs));
}

static FlowInitial rule_of(const IrFunction *f, uint32_t slot, InitialWay way, double scale) {
  const IrWeight *w = &f->weight[slot];
  double last = w->shape.rank ? (double)w->shape.dim[w->shape.rank - 1] : 1;
  if (!w->part) return of_matrix(way == INITIAL_XAVIER ? INITIAL_KAIMING : way, scale, last, last);
  if (strcmp(w->part, "bias") == 0) {
    const IrWeight *of = weight_of_bias(f, w);
    return way == INITIAL_KAIMING && of && of->shape.rank == 2 ? uniform(1 / sqrt((double)of->shape.dim[1])) : constant(0);
  }
  if (w->shape.rank != 2) return constant(1);
  if (is_table(f, slot)) return (FlowInitial){FLOW_INITIAL_NORMAL, 1};
  return of_matrix(way, scale, last, (double)w->shape.dim[0]);
}

void train_initial(const IrFunction *f, InitialWay way, double scale, FlowInitial *rule) {
  for (uint32_t i = 0; i < f->weights; i++) rule[i] = rule_of(f, i, way, scale);
}

void train_print_names(const IrFunction *f, const FlowInitial *rule, FILE *to) {
  static const char *const word[] = {[FLOW_INITIAL_CONSTANT] = "all", [FLOW_INITIAL_UNIFORM] = "uniform +-", [FLOW_INITIAL_NORMAL] = "normal, deviation"};
  for (uint32_t i = 0; i < f->weights; i++) {
    const IrWeight *w = &f->weight[i];
    fprintf(to, "%-32s  [", w->name ? w->name : "?");
    for (uint32_t k = 0; k < w->shape.rank; k++) fprintf(to, "%s%lld", k ? ", " : "", (long long)w->shape.dim[k]);
    fprintf(to, "]  %s %.4g\n", word[rule[i].kind], rule[i].scale);
  }
}
