/* SPDX-License-Identifier: Apache-2.0 */
#include "ir_trace.h"
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include "ir_run.h"
#include "ir_walk.h"

typedef struct Trace {
  const IrFunction *f;
  int precision;
  void **value;                 /* [nodes]: elements of each, in the precision; inputs and weights too */
  const void **arg;             /* [most args] */
} Trace;

/* ---- values -------------------------------------------------------------------------------------------------------------- */

static size_t bytes_of(const Trace *trace, Ref node) {
  return (size_t)shape_count(&trace->f->node[node].shape) * (size_t)trace->precision;
}

static double at(const Trace *trace, Ref node, int64_t element) {
  const void *value = trace->value[node];
  return trace->precision == 4 ? (double)((const float *)value)[element] : ((const double *)value)[element];
}

static void copy_rounded(const Trace *trace, Ref node, const double *from) {
  int64_t count = shape_count(&trace->f->node[node].shape);
  for (int64_t e = 0; e < count; e++) {
    if (trace->precision == 4)
      ((float *)trace->value[node])[e] = (float)from[e];
    else
      ((double *)trace->value[node])[e] = from[e];
  }
}

static bool evaluate(Trace *trace, Ref i, const double *const *input, const double *const *weight) {
  const IrNode *node = &trace->f->node[i];
  trace->value[i] = flow_alloc(trace->f->arena->allocator, bytes_of(trace, i));
  if (!trace->value[i]) return false;
  if (node->op == IR_input || node->op == IR_weight) {
    copy_rounded(trace, i, node->op == IR_input ? input[node->slot] : weight[node->slot]);
    return true;
  }
  for (uint32_t j = 0; j < node->args; j++) trace->arg[j] = trace->value[node->arg[j]];
  if (trace->precision == 4) return ir_evaluate_f32(trace->f, node, (const float *const *)trace->arg, trace->value[i]);
  return ir_evaluate_f64(trace->f, node, (const double *const *)trace->arg, trace->value[i]);
}

/* ---- back from the result ------------------------------------------------------------------------------------------------- */

typedef struct Element {
  Ref node;
  int64_t at;
} Element;

static bool is_finite(const Trace *trace, Element e) { return isfinite(at(trace, e.node, e.at)); }

static bool first_of(const Trace *trace, Ref node, int64_t from, int64_t to, Element *found) {
  for (int64_t e = from; e < to; e++)
    if (!isfinite(at(trace, node, e))) return *found = (Element){node, e}, true;
  return false;
}

static bool try_element(const Trace *trace, Ref node, int64_t element, Element *found) {
  return first_of(trace, node, element, element + 1, found);
}

static bool before_each(const Trace *trace, const IrNode *node, int64_t element, Element *found) {
  if (node->op == IR_select) return try_element(trace, node->arg[at(trace, node->arg[0], element) != 0 ? 1 : 2], element, found);
  if (node->op == IR_found) return try_element(trace, node->arg[1], element, found);       /* however the search got lost */
  for (uint32_t j = 0; j < node->args; j++)
    if (try_element(trace, node->arg[j], element, found)) return true;
  return false;
}

/* The index of a flat element of the result. */
static void index_of(const Shape *shape, int64_t element, int64_t *index) {
  for (uint32_t k = shape->rank; k-- > 0; element /= shape->dim[k]) index[k] = element % shape->dim[k];
}

static bool before_view(const Trace *trace, const IrNode *node, int64_t element, Element *found) {
  int64_t index[IR_MOST_AXES] = {0};
  index_of(&node->shape, element, index);
  return try_element(trace, node->arg[0], ir_map_at(&node->map, node->shape.rank, index), found);
}

/* What an operand has from the axis on is one run. */
static bool before_concat(const Trace *trace, const IrNode *node, int64_t element, Element *found) {
  int64_t rounds = 1;
  for (uint32_t k = 0; k < node->axis; k++) rounds *= node->shape.dim[k];
  int64_t width = shape_count(&node->shape) / rounds, round = element / width, place = element % width;
  for (uint32_t j = 0; j < node->args; j++) {
    int64_t run = shape_count(&trace->f->node[node->arg[j]].shape) / rounds;
    if (place < run) return try_element(trace, node->arg[j], round * run + place, found);
    place -= run;
  }
  return false;
}

static bool is_known_label(double label, int64_t rows) { return label >= 0 && label < (double)rows && label == floor(label); }

static bool before_lookup(const Trace *trace, const IrNode *node, int64_t element, Element *found) {
  const Shape *table = &trace->f->node[node->arg[0]].shape;
  double label = at(trace, node->arg[1], element / table->dim[1]);
  if (isnan(label) || isinf(label)) return try_element(trace, node->arg[1], element / table->dim[1], found);
  if (!is_known_label(label, table->dim[0])) return false;
  return try_element(trace, node->arg[0], (int64_t)label * table->dim[1] + element % table->dim[1], found);
}

static bool before_reduction(const Trace *trace, const IrNode *node, int64_t element, Element *found) {
  const Shape *from = &trace->f->node[node->arg[0]].shape;
  int64_t n = from->dim[from->rank - 1];
  return first_of(trace, node->arg[0], element * n, (element + 1) * n, found);
}

static bool before_contract(const Trace *trace, const IrNode *node, int64_t element, Element *found) {
  int64_t extent[IR_MOST_AXES], index[IR_MOST_AXES] = {0}, terms = ir_contract_terms(node);
  uint32_t axes = ir_contract_space(node, extent);
  if (node->args == 3 && try_element(trace, node->arg[2], element, found)) return true;
  index_of(&node->shape, element, index);
  for (int64_t k = 0; k < terms; k++) {
    if (try_element(trace, node->arg[0], ir_map_at(&node->map, axes, index), found)) return true;
    if (try_element(trace, node->arg[1], ir_map_at(&node->map_b, axes, index), found)) return true;
    ir_next_point(axes, extent, index);
  }
  return false;
}

static bool before_any(const Trace *trace, const IrNode *node, Element *found) {
  for (uint32_t j = 0; j < node->args; j++)
    if (first_of(trace, node->arg[j], 0, shape_count(&trace->f->node[node->arg[j]].shape), found)) return true;
  return false;
}

/* An operand's element that is not finite and that this one is made of. */
static bool before(const Trace *trace, Element e, Element *found) {
  const IrNode *node = &trace->f->node[e.node];
  switch (ir_op_class[node->op]) {
  case IR_EACH: return before_each(trace, node, e.at, found);
  case IR_LAYOUT:
    return node->op == IR_view     ? before_view(trace, node, e.at, found)
           : node->op == IR_concat ? before_concat(trace, node, e.at, found)
                                   : before_lookup(trace, node, e.at, found);
  case IR_SUM: return node->op == IR_contract ? before_contract(trace, node, e.at, found) : before_reduction(trace, node, e.at, found);
  case IR_WHOLE: case IR_MATRIX: return before_any(trace, node, found);
  case IR_LEAF: case IR_COMPARE: case IR_LOGIC: break;
  }
  return false;
}

static Element culprit_of(const Trace *trace, Element e) {
  Element next;
  while (before(trace, e, &next) && trace->f->node[next.node].op != IR_constant) e = next;
  return e;
}

/* ---- which layer ------------------------------------------------------------------------------------------------------------ */

/* The nearest node from here back that reads a tensor: the highest number among what it is made of. */
static void find_layer(const Trace *trace, Ref from, char *name, size_t room) {
  const IrFunction *f = trace->f;
  bool *made_of = flow_alloc_array(f->arena->allocator, (size_t)from + 1, sizeof *made_of);
  const char *layer = NULL;
  if (made_of) made_of[from] = true;
  for (Ref i = from + 1; made_of && !layer && i-- > 0;) {
    const IrNode *node = &f->node[i];
    if (!made_of[i]) continue;
    if (node->op == IR_weight) layer = f->weight[node->slot].name;
    for (uint32_t j = 0; j < node->args; j++) {
      made_of[node->arg[j]] = true;
      const IrNode *operand = &f->node[node->arg[j]];
      while (operand->op == IR_view) operand = &f->node[operand->arg[0]];
      if (!layer && operand->op == IR_weight) layer = f->weight[operand->slot].name;
    }
  }
  flow_free(f->arena->allocator, made_of, ((size_t)from + 1) * sizeof *made_of);
  const char *dot = layer ? strrchr(layer, '.') : NULL;
  bool part = dot && (strcmp(dot, ".weight") == 0 || strcmp(dot, ".bias") == 0);
  snprintf(name, room, "%.*s", part ? (int)(dot - layer) : (int)room, layer ? layer : "");
}

static IrCulprit describe(const Trace *trace, Element e) {
  const IrNode *node = &trace->f->node[e.node];
  IrCulprit culprit = {.node = e.node, .element = e.at, .value = at(trace, e.node, e.at)};
  find_layer(trace, e.node, culprit.layer, sizeof culprit.layer);
  if (ir_op_class[node->op] == IR_EACH && node->args <= IR_MOST_CULPRIT_OPERANDS) {
    culprit.operands = node->args;
    for (uint32_t j = 0; j < node->args; j++) culprit.operand[j] = at(trace, node->arg[j], e.at);
  }
  if (node->op == IR_lookup) culprit.label = at(trace, node->arg[1], e.at / trace->f->node[node->arg[0]].shape.dim[1]);
  return culprit;
}

/* ---- all of it -------------------------------------------------------------------------------------------------------------- */

static IrTrace run(Trace *trace, const double *const *input, const double *const *weight, double *result, IrCulprit *culprit) {
  const IrFunction *f = trace->f;
  for (Ref i = 0; i <= f->result; i++)
    if (!evaluate(trace, i, input, weight)) return IR_TRACE_NO_MEMORY;
  int64_t count = shape_count(&f->node[f->result].shape);
  for (int64_t e = 0; result && e < count; e++) result[e] = at(trace, f->result, e);
  for (int64_t e = 0; e < count; e++) {
    Element last = {f->result, e};
    if (is_finite(trace, last)) continue;
    *culprit = describe(trace, culprit_of(trace, last));
    return IR_TRACE_CULPRIT;
  }
  return IR_TRACE_FINITE;
}

IrTrace ir_trace(const IrFunction *f, int precision, const double *const *input, const double *const *weight, double *result,
                 IrCulprit *culprit) {
  const FlowAllocator *allocator = f->arena->allocator;
  size_t args = ir_most_args(f);
  Trace trace = {f, precision, flow_alloc_array(allocator, f->nodes, sizeof(void *)), flow_alloc_array(allocator, args, sizeof(void *))};
  IrTrace answer = trace.value && trace.arg ? run(&trace, input, weight, result, culprit) : IR_TRACE_NO_MEMORY;
  for (Ref i = 0; trace.value && i < f->nodes; i++) flow_free(allocator, trace.value[i], trace.value[i] ? bytes_of(&trace, i) : 0);
  flow_free(allocator, trace.value, f->nodes * sizeof(void *));
  flow_free(allocator, trace.arg, args * sizeof(void *));
  return answer;
}
