/* SPDX-License-Identifier: Apache-2.0 */
/* compile_source.c -- the flow's source for the runtime. */
#include "compiled.h"
#include "solve.h"

static flow_status describe_source(FlowCompiled *c, FlowSource *source, flow_error *error) {
  const TypedFlow *flow = c->flow;
  *source = (FlowSource){.dim = (uint64_t)flow->dim};
  switch (flow->source) {
  case SOURCE_NORMAL: source->kind = FLOW_SOURCE_NORMAL; return FLOW_OK;
  case SOURCE_UNIFORM:
    source->kind = FLOW_SOURCE_UNIFORM;
    source->low = flow->uniform_low;
    source->high = flow->uniform_high;
    return FLOW_OK;
  case SOURCE_GAUSSIAN:
    source->kind = FLOW_SOURCE_GAUSSIAN;
    source->mean = flow->mean;
    source->factor = flow->factor;
    return FLOW_OK;
  case SOURCE_FILE:
    source->kind = FLOW_SOURCE_TENSOR;
    source->name = flow->source_path;
    return FLOW_OK;
  case SOURCE_DENSITY: return compile_density_source(c, source, error);
  }
  return flow_fail(error, FLOW_INTERNAL, "a source of an unknown kind");
}

flow_status flow_compiled_source(FlowCompiled *c, FlowSource *source, flow_error *error) {
  if (setjmp(c->no_memory)) return flow_fail(error, FLOW_NO_MEMORY, "out of memory while compiling");
  if (!c->flow) return flow_fail(error, FLOW_BAD_CALL, "there is no flow, and so no source");
  return describe_source(c, source, error);
}
