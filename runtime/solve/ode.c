/* SPDX-License-Identifier: Apache-2.0 */
/* ode.c -- the entries of a model around a C function, and a solve from array to array. */
#include "ode.h"
#include "adaptive.h"
#include <inttypes.h>
#include <string.h>

/* ---- the model ------------------------------------------------------------------------------------------------------- */

static const FlowOdeModel *made_of(const flow_call *call) { return call->weights; }

static int copy_times(const flow_call *call) {
  memcpy(call->u, call->t, (size_t)call->lanes * made_of(call)->model.precision);
  return 0;
}

static int evaluate(const flow_call *call) {
  const FlowOdeModel *made = made_of(call);
  made->velocity(made->user, call->lanes, made->level.lanes, call->times, call->x, call->u);
  return 0;
}

static int evaluate_at(const flow_call *call) {
  const FlowOdeModel *made = made_of(call);
  made->velocity(made->user, call->lanes, made->level.lanes, flow_ode_spread_time(call, call->times), call->x, call->u);
  return 0;
}

void flow_ode_model(FlowOdeModel *made, uint32_t dim, uint32_t precision, flow_velocity *velocity, void *user) {
  uint64_t row = (uint64_t)FLOW_ODE_LANES * precision;
  *made = (FlowOdeModel){.velocity = velocity, .user = user};
  made->level = (flow_level){.cpu = FLOW_CPU_V3, .lanes = FLOW_ODE_LANES, .quantum = 1, .scratch_bytes = (dim + UINT64_C(1)) * row,
                             .stage_bytes = dim * row, .eval = evaluate_at, .eval_lane = evaluate, .step = flow_ode_step,
                             .times = copy_times};
  made->model = (flow_model){.abi = FLOW_MODEL_ABI, .size = sizeof(flow_model), .precision = precision, .dim = dim, .levels = 1,
                             .times_rows = 1, .name = "the velocity", .level = &made->level};
}

/* ---- from array to array ------------------------------------------------------------------------------------------------ */

static flow_status take_rows(void *user, const FlowRows *rows, flow_error *error) {
  const flow_ode *ode = user;
  size_t row = (size_t)ode->dim * ode->precision;
  (void)error;
  memcpy((char *)ode->result + rows->first * row, rows->value, rows->count * row);
  if (ode->status) memcpy(ode->status + rows->first, rows->status, rows->count);
  for (uint64_t i = 0; ode->report && rows->report && i < rows->count; i++) {
    const FlowSampleReport *from = &rows->report[i];
    ode->report[rows->first + i] =
        (flow_ode_report){from->t, from->smallest_step, from->attempts, from->rejected, from->evaluations, from->stiff};
  }
  return FLOW_OK;
}

static flow_status check(const flow_ode *ode, const FlowTableau *tableau, flow_error *error) {
  if (!ode->velocity || !ode->start || !ode->result)
    return flow_fail(error, FLOW_BAD_CALL, "a solve needs a velocity, a start and a place for its result");
  if (ode->precision != FLOW_F32 && ode->precision != FLOW_F64)
    return flow_fail(error, FLOW_BAD_CALL, "a precision of %" PRIu32 " bytes; FLOW_F32 and FLOW_F64 are known", ode->precision);
  if (!tableau) return flow_fail(error, FLOW_BAD_CALL, "there is no method '%s'; dopri5 is one", ode->method);
  return FLOW_OK;
}

flow_status flow_ode_solve(const flow_ode *ode, flow_error *error) {
  const FlowTableau *tableau = flow_tableau_find(ode->method ? ode->method : "dopri5");
  flow_status status = check(ode, tableau, error);
  if (status) return status;
  FlowOdeModel made;
  flow_ode_model(&made, ode->dim, ode->precision, ode->velocity, ode->user);
  FlowTensor start = {.name = "start", .type = ode->precision == FLOW_F32 ? FLOW_TYPE_F32 : FLOW_TYPE_F64, .rank = 2,
                      .dim = {ode->count, ode->dim}, .count = ode->count * ode->dim, .data = ode->start};
  FlowSource source = {.kind = FLOW_SOURCE_TENSOR, .dim = ode->dim, .tensor = &start, .name = "start"};
  FlowSummary summary;
  FlowAdaptive adaptive = {.sampling = {.model = &made.model, .weights = &made, .source = &source, .end = ode->count,
                                        .tableau = tableau, .steps = ode->steps, .t0 = ode->t0, .t1 = ode->t1, .threads = ode->threads,
                                        .allocator = &flow_standard_allocator, .sink = take_rows, .user = (void *)(uintptr_t)ode,
                                        .summary = &summary},
                           .tolerance = {.rtol = ode->rtol, .atol = ode->atol}, .most_attempts = ode->most_attempts};
  status = ode->steps ? flow_sample(&adaptive.sampling, error) : flow_sample_adaptive(&adaptive, error);
  return status ? status : flow_summary_status(&summary, error);
}

const char *flow_ode_status_text(uint8_t status) { return flow_sample_status_text((FlowSampleStatus)status); }
