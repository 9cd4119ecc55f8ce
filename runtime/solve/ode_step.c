/* SPDX-License-Identifier: Apache-2.0 */
/* ode_step.c -- a step of fixed length around a C function.  Alone in its file for its instructions: see CMakeLists.txt. */
#include "ode.h"
#include <string.h>

static const FlowOdeModel *made_of(const flow_call *call) { return call->weights; }

/* The time of a stage in every lane, behind the state's rows in scratch. */
void *flow_ode_spread_time(const flow_call *call, const void *time) {
  const FlowOdeModel *made = made_of(call);
  size_t size = made->model.precision;
  char *to = (char *)call->scratch + made->level.stage_bytes;
  for (uint32_t i = 0; i < call->lanes; i++) memcpy(to + i * size, time, size);
  return to;
}

/* to = x + sum c_i k_i, term by term */
#define COMBINE(T, FMA)                                                                                                \
  static void combine_##T(const flow_call *call, const flow_combination *terms, const char *k, void *target) {         \
    const FlowOdeModel *made = made_of(call);                                                                          \
    for (uint32_t row = 0; row < made->model.dim; row++) {                                                             \
      const T *x = (const T *)call->x + (size_t)row * FLOW_ODE_LANES;                                                  \
      T *to = (T *)target + (size_t)row * FLOW_ODE_LANES;                                                              \
      for (uint32_t i = 0; i < call->lanes; i++) {                                                                     \
        T sum = x[i];                                                                                                  \
        for (uint32_t term = 0; term < terms->count; term++) {                                                         \
          const T *stage = (const T *)(const void *)(k + terms->stage[term] * made->level.stage_bytes);                \
          sum = FMA(((const T *)terms->coefficient)[term], stage[(size_t)row * FLOW_ODE_LANES + i], sum);              \
        }                                                                                                              \
        to[i] = sum;                                                                                                   \
      }                                                                                                                \
    }                                                                                                                  \
  }
COMBINE(float, __builtin_fmaf)
COMBINE(double, __builtin_fma)

static void combine(const flow_call *call, const flow_combination *terms, const char *k, void *to) {
  if (made_of(call)->model.precision == FLOW_F32)
    combine_float(call, terms, k, to);
  else
    combine_double(call, terms, k, to);
}

int flow_ode_step(const flow_call *call) {
  const FlowOdeModel *made = made_of(call);
  char *k = (char *)call->scratch + made->level.scratch_bytes;
  for (uint32_t s = 0; s < call->stages; s++) {
    combine(call, &call->combination[s], k, call->scratch);
    made->velocity(made->user, call->lanes, made->level.lanes, flow_ode_spread_time(call, call->stage_times[s]), call->scratch,
                   k + s * made->level.stage_bytes);
  }
  combine(call, &call->combination[call->stages], k, call->x);
  return 0;
}
