/* SPDX-License-Identifier: Apache-2.0 */
#include "runnable.h"
#include <stdlib.h>
#include <string.h>
#include "bind.h"
#include "checked.h"
#include "compile_function.h"
#include "program.h"

/* ---- weights ---------------------------------------------------------------------------------------------------------- */

/* *name: of the file, freed by the caller. */
static flow_status read_weights(const Study *study, const RunnableOptions *from, const TypedFlow *flow, char **name, FlowTensors *tensors, flow_error *error) {
  flow_status status = FLOW_OK;
  *name = NULL;
  if (!from->weights && (!flow || !flow->weights))
    return flow_fail(error, FLOW_BAD_CALL, "the network has layers, but no weights are named: --weights FILE, or :weights FILE at the prompt");
  const Naming by = {from->run, from->memory, from->path, &study->sources};
  if (!from->weights) status = named_file(&by, NAMED_WEIGHTS, flow, name, error);
  else if (!(*name = strdup(from->weights))) status = flow_fail(error, FLOW_NO_MEMORY, "out of memory");
  if (!status) status = flow_tensors_read(&flow_standard_allocator, *name, tensors, error);
  if (status) free(*name);
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

/* ---- how much there is to do ----------------------------------------------------------------------------------------------- */

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

/* What the code is long by: of a large value there is a loop, of a small one each element.  A constant that is only moved about
 * is no code. */
enum { LONGEST = 32, MOST_CODE = 1 << 13 };
static uint64_t length_of_code(const IrFunction *f) {
  uint64_t length = 0;
  bool computes = false;
  for (Ref i = 0; i < f->nodes; i++) {
    int64_t count = shape_count(&f->node[i].shape);
    length += (uint64_t)(count < LONGEST ? count : LONGEST);
    computes = computes || (f->node[i].op != IR_constant && ir_op_class[f->node[i].op] != IR_LAYOUT);
  }
  return computes ? length : 0;
}

static bool wants_code(const RunnableOptions *how, const IrFunction *f) {
  uint64_t length = length_of_code(f);
  return how->code != NO_CODE && length > 0 && length <= MOST_CODE;
}

/* ---- the code ------------------------------------------------------------------------------------------------------------ */

/* What a call needs besides weights, in one block: x, u and scratch, each where a lane buffer may begin. */
static flow_status prepare_call(Runnable *runnable, const flow_model *model, flow_error *error) {
  size_t x, u, scratch, both;
  if (model->times_rows || model->cond_rows || runnable->level->lanes != 1) return flow_fail(error, FLOW_INTERNAL, "a value has code for a velocity");
  bool fits = flow_model_lanes_bytes(model, runnable->level, model->dim, &x) &&
              flow_model_lanes_bytes(model, runnable->level, (uint64_t)model->dim + model->extras, &u) &&
              flow_model_scratch_bytes(runnable->level, 0, &scratch) && flow_add_size(x, u, &both) && flow_add_size(both, scratch, &runnable->bytes);
  char *memory = fits ? flow_alloc_aligned(&flow_standard_allocator, runnable->bytes) : NULL;
  if (!memory) return flow_fail(error, FLOW_NO_MEMORY, "out of memory for a value");
  runnable->memory = memory;
  runnable->call = (flow_call){
      .size = sizeof(flow_call), .lanes = 1, .weights = runnable->blob.data, .x = memory, .u = memory + x, .scratch = memory + both};
  return FLOW_OK;
}

static flow_status compile(Runnable *runnable, const FlowTensors *tensors, const char *name, bool quick, flow_error *error) {
  FlowCompileOptions settings = flow_compile_defaults();
  settings.precision = FLOW_F64;
  settings.rows = true;
  settings.quick = quick;
  flow_status status = flow_compile_function(&flow_standard_allocator, runnable->ir, &settings, &runnable->compiled, error);
  if (!status) status = flow_compiled_link(runnable->compiled, FLOW_ENTRY_EVAL, error);
  if (status) return status;
  const flow_model *model = flow_compiled_model(runnable->compiled);
  status = flow_model_level(model, 0, &runnable->level, error);
  if (!status) status = flow_model_pack(&flow_standard_allocator, model, tensors, name, &runnable->blob, error);
  return status ? status : prepare_call(runnable, model, error);
}

/* ---- a function that can be run ------------------------------------------------------------------------------------------ */

static flow_status make(Study *study, const RunnableOptions *how, IrFunction *f, const FlowTensors *tensors, const char *name,
                        Runnable *runnable, flow_error *error) {
  runnable->ir = ir_optimise(f, FLOW_F64);
  runnable->shape = runnable->ir->node[runnable->ir->result].shape;
  runnable->results = (size_t)shape_count(&runnable->shape);
  if (wants_code(how, runnable->ir)) return compile(runnable, tensors, name, how->code == CODE_FOR_ONCE, error);
  runnable->weight = numbers_of(study, runnable->ir, tensors);
  return FLOW_OK;
}

flow_status runnable_make(Study *study, const RunnableOptions *how, const TypedFunction *function, Runnable *runnable, flow_error *error) {
  WhoseQuestion question = {.program = study->program, .function = function, .asked = how->flow, .file_given = how->weights != NULL};
  if (how->memory) question.folders = how->memory->folders;
  const WhoseWeights whose = whose_weights(&study->arena, &question);
  const TypedFlow *flow = whose.flow;
  if (whose.why) return flow_fail(error, FLOW_BAD_CALL, "%s", whose.why);
  IrFunction *f = ir_lower_function(&study->arena, function, flow ? flow->prefix : "", &study->diagnostics);
  if (!f || study->diagnostics.errors) return FLOW_BAD_PROGRAM;
  if (how->most && numbers_computed(f) > how->most)
    return flow_fail(error, FLOW_BAD_CALL, "more than %llu numbers", (unsigned long long)how->most);
  if (how->typed.to > how->typed.from) runnable->literal = ir_literals_to_inputs(f, how->typed);
  if (!f->weights) return make(study, how, f, NULL, "", runnable, error);
  FlowTensors tensors;
  char *name;
  flow_status status = read_weights(study, how, flow, &name, &tensors, error);
  if (status) return status;
  status = bind(study, f, flow, &tensors, error);
  if (!status) status = make(study, how, f, &tensors, name, runnable, error);
  flow_tensors_free(&tensors);
  free(name);
  return status;
}

void runnable_free(Runnable *runnable) {
  if (runnable->memory) flow_free_aligned(&flow_standard_allocator, runnable->memory, runnable->bytes);
  if (runnable->blob.data) flow_blob_free(&runnable->blob);
  flow_compiled_free(runnable->compiled);
  *runnable = (Runnable){0};
}

/* ---- running ---------------------------------------------------------------------------------------------------------------- */

static const double *input_of(const Runnable *runnable, uint32_t i, const double *const *input) {
  return runnable->literal && runnable->literal[i] ? runnable->literal[i] : input[i];
}

static flow_status interpret(const Runnable *runnable, const double *const *input, double *result, flow_error *error) {
  uint32_t inputs = runnable->ir->inputs;
  const double **all = calloc(inputs + 1u, sizeof *all);
  for (uint32_t i = 0; all && i < inputs; i++) all[i] = input_of(runnable, i, input);
  bool done = all && ir_run_f64(runnable->ir, all, runnable->weight, result);
  free(all);
  return done ? FLOW_OK : flow_fail(error, FLOW_NO_MEMORY, "out of memory for a value");
}

flow_status runnable_run(const Runnable *runnable, const double *const *input, double *result, flow_error *error) {
  if (!runnable->compiled) return interpret(runnable, input, result, error);
  double *x = runnable->call.x;
  for (uint32_t i = 0; i < runnable->ir->inputs; i++) {
    size_t count = (size_t)shape_count(&runnable->ir->input[i].shape);
    memcpy(x, input_of(runnable, i, input), count * sizeof *x);
    x += count;
  }
  const flow_model *model = flow_compiled_model(runnable->compiled);
  int code = runnable->level->eval(&runnable->call);
  if (code < 0) return flow_model_refused(model, "eval", code, error);
  memcpy(result, (const double *)runnable->call.u + model->dim, runnable->results * sizeof *result);
  return FLOW_OK;
}
