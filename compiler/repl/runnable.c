/* SPDX-License-Identifier: Apache-2.0 */
#include "runnable.h"
#include <stdlib.h>
#include <string.h>
#include "bind.h"
#include "program.h"

/* ---- weights ---------------------------------------------------------------------------------------------------------- */

/* The flow whose weights an expression sees: the one that was chosen, else the first that has any. */
static const TypedFlow *flow_with_weights(const WeightsFrom *from, const TypedProgram *program) {
  const char *wanted = from->flow;
  for (uint32_t f = 0; f < program->flows; f++)
    if (wanted ? strcmp(program->flow[f].name, wanted) == 0 : program->flow[f].weights != NULL) return &program->flow[f];
  return program->flows && !wanted ? &program->flow[0] : NULL;
}

static flow_status read_weights(const WeightsFrom *from, const TypedFlow *flow, FlowTensors *tensors, flow_error *error) {
  const char *given = from->weights;
  char *path = NULL;
  flow_status status = FLOW_OK;
  if (!given && (!flow || !flow->weights))
    return flow_fail(error, FLOW_BAD_CALL, "the network has layers, but no weights are named: --weights FILE, or :weights FILE at the prompt");
  if (!given) status = weights_path(from->path, flow->weights, &path, error);
  if (!status) status = flow_tensors_read(&flow_standard_allocator, given ? given : path, tensors, error);
  free(path);
  return status;
}

/* First as the flow does, then, since an expression may use a part of what the file holds, with every tensor excused. */
static flow_status bind(Study *study, IrFunction *f, const TypedFlow *flow, const FlowTensors *tensors, flow_error *error) {
  Diagnostics unseen = {.arena = &study->arena, .sources = &study->sources};
  const char *prefix = flow ? flow->prefix : "";
  if (!ir_bind(f, tensors, prefix, flow ? flow->skip : NULL, flow ? flow->skips : 0, &unseen, error)) return FLOW_OK;
  const char **all = arena_array(&study->arena, tensors->count + (size_t)1, sizeof *all);
  for (uint32_t i = 0; i < tensors->count; i++) all[i] = tensors->tensor[i].name;
  return ir_bind(f, tensors, prefix, all, (uint32_t)tensors->count, &study->diagnostics, error);
}

static const double *const *numbers_of(Study *study, const IrFunction *f, const FlowTensors *tensors) {
  const double **weight = arena_array(&study->arena, f->weights + 1u, sizeof *weight);
  for (uint32_t w = 0; w < f->weights; w++) {
    const FlowTensor *tensor = flow_tensors_find(tensors, f->weight[w].name);
    double *number = arena_array(&study->arena, (size_t)tensor->count + 1, sizeof *number);
    flow_tensor_to_f64(tensor, 0, tensor->count, number);
    weight[w] = number;
  }
  return weight;
}

/* Contractions count their terms. */
static uint64_t numbers_computed(const IrFunction *f) {
  uint64_t count = 0;
  for (Ref i = 0; i < f->nodes; i++) {
    const IrNode *node = &f->node[i];
    uint64_t terms = 1;
    for (uint32_t k = 0; node->op == IR_contract && k < node->sums; k++) terms *= (uint64_t)node->extent[k];
    count += (uint64_t)shape_count(&node->shape) * terms;
  }
  return count;
}

/* ---- a function that can be run ------------------------------------------------------------------------------------------ */

flow_status runnable_make(Study *study, const WeightsFrom *from, const TypedFunction *function, Runnable *runnable, flow_error *error) {
  const TypedFlow *flow = flow_with_weights(from, study->program);
  *runnable = (Runnable){0};
  IrFunction *f = ir_lower_function(&study->arena, function, flow ? flow->prefix : "", &study->diagnostics);
  if (!f || study->diagnostics.errors) return FLOW_BAD_PROGRAM;
  if (from->most && numbers_computed(f) > from->most) return flow_fail(error, FLOW_BAD_CALL, "more than %llu numbers", (unsigned long long)from->most);
  flow_status status = FLOW_OK;
  if (f->weights) {
    FlowTensors tensors;
    status = read_weights(from, flow, &tensors, error);
    if (status) return status;
    status = bind(study, f, flow, &tensors, error);
    if (!status) runnable->weight = numbers_of(study, f, &tensors);
    flow_tensors_free(&tensors);
    if (status) return status;
  }
  runnable->ir = ir_optimise(f, FLOW_F64);
  runnable->shape = runnable->ir->node[runnable->ir->result].shape;
  runnable->results = (size_t)shape_count(&runnable->shape);
  return FLOW_OK;
}

bool runnable_run(const Runnable *runnable, const double *const *input, double *result) {
  return ir_run_f64(runnable->ir, input, runnable->weight, result);
}
