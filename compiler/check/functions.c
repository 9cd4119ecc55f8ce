/* SPDX-License-Identifier: Apache-2.0 */
/* functions.c -- a function of the program, lowered, filled with weights and run in f64 by the interpreter. */
#include <string.h>
#include "bind.h"
#include "derive.h"
#include "ir_walk.h"
#include "verify_parts.h"

/* A side of a claim may use a part of what the file holds: first as the flow does, then with every tensor excused. */
static bool bind(Verify *v, IrFunction *f, const TypedFlow *flow, const FlowTensors *tensors) {
  const char *prefix = flow ? flow->prefix : "";
  flow_error error = {{0}};
  Diagnostics unseen = {.arena = &v->arena, .sources = v->diagnostics.sources};
  if (!ir_bind(f, tensors, prefix, flow ? flow->skip : NULL, flow ? flow->skips : 0, &unseen, &error)) return true;
  const char **all = arena_array(&v->arena, tensors->count + (size_t)1, sizeof *all);
  for (uint32_t i = 0; i < tensors->count; i++) all[i] = tensors->tensor[i].name;
  return !ir_bind(f, tensors, prefix, all, (uint32_t)tensors->count, &unseen, &error);
}

typedef struct TensorNumbers {
  struct TensorNumbers *next;
  const FlowTensors *of;
  const double **tensor; /* [of->count]: the numbers of each that was asked for, else NULL */
} TensorNumbers;

static const double **numbers_known(Verify *v, const FlowTensors *tensors) {
  for (TensorNumbers *numbers = v->numbers; numbers; numbers = numbers->next)
    if (numbers->of == tensors) return numbers->tensor;
  TensorNumbers *numbers = arena_alloc(&v->arena, sizeof *numbers);
  *numbers = (TensorNumbers){v->numbers, tensors, arena_array(&v->arena, tensors->count, sizeof *numbers->tensor)};
  v->numbers = numbers;
  return numbers->tensor;
}

/* The numbers of a tensor; read once. */
static const double *numbers_of(Verify *v, const FlowTensors *tensors, const char *name) {
  const FlowTensor *tensor = flow_tensors_find(tensors, name);
  const double **known = &numbers_known(v, tensors)[tensor - tensors->tensor];
  if (*known) return *known;
  double *number = arena_array(&v->arena, (size_t)tensor->count + 1, sizeof *number);
  flow_tensor_to_f64(tensor, 0, tensor->count, number);
  return *known = number;
}

const double *const *weights_of(Verify *v, const IrFunction *f, const FlowTensors *tensors) {
  if (!f->weights) return NULL;
  const double **weight = arena_array(&v->arena, f->weights, sizeof *weight);
  for (uint32_t w = 0; w < f->weights; w++) weight[w] = numbers_of(v, tensors, f->weight[w].name);
  return weight;
}

static Function cannot(const char *why) { return (Function){.why = why}; }

/* Of the flow, or those that are of all. */
static VerifyWeights tensors_of(const Verify *v, const TypedFlow *flow) {
  if (!flow || !v->options.weights_of) return (VerifyWeights){v->options.tensors, v->options.tensors_name};
  return v->options.weights_of[flow - v->program->flow];
}

/* Why the tensors of a flow are not there. */
static Function cannot_fill(Verify *v, const TypedFlow *flow) {
  const char *asked = v->options.asked;
  if (!flow || !asked || strcmp(flow->name, asked) == 0) return cannot("its layers have no weights");
  return cannot(arena_format(&v->arena, "its layers have the weights of the flow `%s`, and --flow asks for `%s`", flow->name, asked));
}

Function function_lower(Verify *v, const TypedFunction *function, FlowExtras extras) {
  const WhoseWeights whose = whose_weights(&v->arena, &(WhoseQuestion){.program = v->program, .function = function, .asked = v->options.asked,
                                                                       .file_given = v->options.file_given, .folders = v->options.how.folders});
  if (whose.why) return (Function){.why = whose.why, .several = whose.several};
  const VerifyWeights weights = tensors_of(v, whose.flow);
  const char *prefix = whose.flow ? whose.flow->prefix : "";
  v->diagnostics.errors = 0;
  IrFunction *f = extras ? ir_lower(&v->arena, function, prefix, &v->diagnostics)
                         : ir_lower_function(&v->arena, function, prefix, &v->diagnostics);
  if (!f || v->diagnostics.errors) return cannot("it is too large to be evaluated");
  if (f->weights && !weights.tensors) return cannot_fill(v, whose.flow);
  if (f->weights && !bind(v, f, whose.flow, weights.tensors)) return cannot("its layers do not find their tensors in the weights file");
  Function result = {.weight = weights_of(v, f, weights.tensors), .tensors = weights.tensors, .tensors_name = weights.name};
  if (extras && !(f = ir_with_extras(f, (IrExtras)extras, 1))) return cannot("its derivative is too large to be evaluated");
  result.lowered = f;
  result.ir = ir_optimise(f, FLOW_F64);
  result.results = (uint64_t)shape_count(&result.ir->node[result.ir->result].shape);
  return result;
}

void function_run(Verify *v, const Function *f, const double *const *input, double *result) {
  if (!ir_run_f64(f->ir, input, f->weight, result)) longjmp(v->no_memory, 1);
}

void find_labels(const IrFunction *f, int64_t *label) {
  for (Ref i = 0; i < f->nodes; i++) {
    if (f->node[i].op != IR_lookup) continue;
    const IrNode *from = &f->node[f->node[i].arg[1]];
    while (from->op == IR_view || from->op == IR_pin || from->op == IR_variable) from = &f->node[from->arg[0]];
    if (from->op == IR_input && from->shape.rank == 0) label[from->slot] = f->node[f->node[i].arg[0]].shape.dim[0];
  }
}

uint64_t function_cost(const Function *f) {
  uint64_t cost = 1;
  for (Ref i = 0; i < f->ir->nodes; i++) {
    const IrNode *node = &f->ir->node[i];
    uint64_t terms = node->op == IR_contract ? (uint64_t)ir_contract_terms(node) : 1;
    cost += (uint64_t)shape_count(&node->shape) * (terms ? terms : 1);
  }
  return cost;
}

static const float *rounded(Verify *v, const double *number, size_t count) {
  float *copy = arena_array(&v->arena, count + 1, sizeof *copy);
  for (size_t i = 0; i < count; i++) copy[i] = (float)number[i];
  return copy;
}

const float *const *weights_in_f32(Verify *v, const IrFunction *f, const double *const *weight) {
  const float **narrow = arena_array(&v->arena, f->weights + 1u, sizeof *narrow);
  for (uint32_t w = 0; w < f->weights; w++) narrow[w] = rounded(v, weight[w], (size_t)shape_count(&f->weight[w].shape));
  return narrow;
}

bool run_in_f32(Verify *v, const IrFunction *f, const float *const *weight, const PointNames *names, const double *number, double *result) {
  const float **input = arena_array(&v->arena, names->names, sizeof *input);
  for (uint32_t n = 0; n < names->names; n++) {
    size_t count = (size_t)shape_count(&names->shape[n]);
    input[n] = rounded(v, number, count);
    number += count;
  }
  size_t results = (size_t)shape_count(&f->node[f->result].shape);
  float *narrow = arena_array(&v->arena, results + 1, sizeof *narrow);
  if (!ir_run_f32(f, input, weight, narrow)) return false;
  for (size_t i = 0; i < results; i++) result[i] = (double)narrow[i];
  return true;
}
