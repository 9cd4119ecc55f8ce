/* SPDX-License-Identifier: Apache-2.0 */
#include "accuracy_choice.h"

enum { MOST_MULTIPLY_ADDS = 16 << 20 };         /* of an evaluation; beyond, a tight solve takes minutes a point */

flow_status accuracy_reference_open(const Run *run, const Program *program, const Trace *trace, AccuracyReference *reference, flow_error *error) {
  *reference = (AccuracyReference){0};
  FlowCompileCost cost = flow_compiled_cost(program->compiled);
  if (program->model->precision == FLOW_F64 || cost.multiply_adds[FLOW_COST_SAMPLE] > MOST_MULTIPLY_ADDS) return FLOW_OK;
  FlowCompileOptions how = program_options(run);
  how.precision = FLOW_F64;
  how.extras = program->model->extras ? trace_extras(trace) : FLOW_NO_EXTRAS;
  how.probes = trace->probes;
  const FlowTensors *tensors = program->has_tensors ? &program->tensors : NULL;
  const char *text = program->text.data ? (const char *)program->text.data : "";
  flow_status status = flow_compile(&flow_standard_allocator, program->path, text, program->text.size, &how, &reference->compiled, error);
  if (!status && tensors) status = flow_compiled_bind(reference->compiled, tensors, error);
  if (!status) status = flow_compiled_link(reference->compiled, FLOW_ENTRY_EVAL_LANE | FLOW_ENTRY_ATTEMPT, error);
  if (status) return status;
  const flow_model *model = flow_compiled_model(reference->compiled);
  status = flow_model_level(model, 0, &reference->level, error);
  if (!status) status = flow_model_pack(&flow_standard_allocator, model, tensors, program->weights_path, &reference->blob, error);
  if (!status) reference->model = model;
  return status;
}

void accuracy_reference_close(AccuracyReference *reference) {
  if (reference->blob.data) flow_blob_free(&reference->blob);
  flow_compiled_free(reference->compiled);
  *reference = (AccuracyReference){0};
}
