/* SPDX-License-Identifier: Apache-2.0 */
/* plan.c -- what a flow says beside its velocity: where it starts, from when to when, by which solver. */
#include "library.h"

static uint32_t start_kind(const TypedFlow *flow) {
  if (!flow) return FLOW_START_NONE;
  switch (flow->source) {
  case SOURCE_NORMAL: return FLOW_START_NORMAL;
  case SOURCE_UNIFORM: return FLOW_START_UNIFORM;
  case SOURCE_GAUSSIAN: return FLOW_START_GAUSSIAN;
  case SOURCE_FILE: return FLOW_START_GIVEN;
  case SOURCE_DENSITY: return FLOW_START_DENSITY;
  }
  return FLOW_START_NONE;
}

static void set_plan(flow_plan *plan, const TypedFlow *flow) {
  static const uint32_t spacing[] = {
      [SPACING_EQUAL] = FLOW_STEPS_EQUAL, [SPACING_COSINE] = FLOW_STEPS_COSINE, [SPACING_POWER] = FLOW_STEPS_POWER};
  plan->to = 1;
  if (!flow) return;
  plan->from = flow->time_from;
  plan->to = flow->time_to;
  plan->steps = (uint64_t)(flow->steps > 0 ? flow->steps : 0);
  plan->spacing = spacing[flow->spacing];
  plan->power = flow->spacing_power;
  plan->method = flow->solver;
  plan->rtol = flow->rtol;
  plan->atol = flow->atol;
}

static void set_start(flow_start *start, const TypedFlow *flow) {
  start->kind = start_kind(flow);
  if (start->kind == FLOW_START_UNIFORM) {
    start->low = flow->uniform_low;
    start->high = flow->uniform_high;
  }
  if (start->kind == FLOW_START_GAUSSIAN) {
    start->mean = flow->mean;
    start->factor = flow->factor;
  }
}

static uint32_t is_smooth(FlowCompiled *compiled) {
  IrSmoothness smoothness;
  return !flow_compiled_smoothness(compiled, &smoothness, NULL) && smoothness == IR_SMOOTH;
}

void aot_fill_export(FlowCompiled *compiled, const flow_model *model, flow_export *export) {
  const TypedFlow *flow = flow_compiled_flow(compiled);
  export->abi = FLOW_EXPORT_ABI;
  export->size = sizeof *export;
  export->table_bytes = FLOW_EXPORT_TABLE_BYTES;
  export->dim = model->dim;
  export->precision = model->precision;
  set_start(&export->start, flow);
  set_plan(&export->plan, flow);
  if (flow) export->plan.smooth = is_smooth(compiled);
}
