/* SPDX-License-Identifier: Apache-2.0 */
/* rows.c -- a function of the program at many points, by compiled code: where the interpreter would take too long. */
#include "compile_function.h"
#include "eval.h"
#include "verify_parts.h"

typedef struct RowCode {
  struct RowCode *next;
  const IrFunction *of;
  FlowCompiled *compiled;
  const flow_model *model;      /* NULL: there is none */
  const flow_level *level;
  FlowBlob blob;
} RowCode;

static flow_status make(Verify *v, RowCode *code, const Function *f, flow_error *error) {
  const VerifyOptions *o = &v->options;
  FlowCompileOptions how = o->how;
  how.precision = FLOW_F64;
  flow_status status = flow_compile_function(o->allocator, f->lowered, &how, &code->compiled, error);
  if (!status) status = flow_compiled_link(code->compiled, FLOW_ENTRY_EVAL, error);
  if (status) return status;
  const flow_model *model = flow_compiled_model(code->compiled);
  status = flow_model_level(model, 0, &code->level, error);
  if (!status) status = flow_model_pack(o->allocator, model, f->tensors, f->tensors_name, &code->blob, error);
  if (!status) code->model = model;
  return status;
}

static const RowCode *code_of(Verify *v, const Function *f) {
  for (const RowCode *code = v->codes; code; code = code->next)
    if (code->of == f->lowered) return code;
  RowCode *code = arena_alloc(&v->arena, sizeof *code);
  *code = (RowCode){.next = v->codes, .of = f->lowered};
  v->codes = code;
  flow_error error = {{0}};
  if (make(v, code, f, &error) == FLOW_NO_MEMORY) longjmp(v->no_memory, 1);
  return code;
}

bool function_run_rows(Verify *v, const Function *f, const double *inputs, uint64_t count, double *results) {
  const RowCode *code = code_of(v, f);
  if (!code->model) return false;
  double time = 0, *u = new_rows(v, count, code->model->dim);
  FlowEvaluation what = {.model = code->model, .level = code->level, .weights = code->blob.data, .count = count, .t = &time,
                         .x = inputs, .u = u, .extra = results, .allocator = v->options.allocator};
  flow_error error = {{0}};
  flow_status status = flow_evaluate(&what, &error);
  if (status == FLOW_NO_MEMORY) longjmp(v->no_memory, 1);
  return status == FLOW_OK;
}

void codes_free(Verify *v) {
  for (RowCode *code = v->codes; code; code = code->next) {
    if (code->blob.data) flow_blob_free(&code->blob);
    flow_compiled_free(code->compiled);
  }
}
