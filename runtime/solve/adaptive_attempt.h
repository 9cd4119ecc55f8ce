/* SPDX-License-Identifier: Apache-2.0 */
/* adaptive_attempt.h -- one attempted step of a tile in plain C, by a level's `eval_lane`.
 *
 * What the compiled `attempt` of flow/model.h does in one go, for models that come without it (a velocity that is a C
 * function, flow/ode.h).  Every operation is the same and in the same order, so the bits are too.  The call is that of
 * `attempt`, but its scratch has flow_attempt_bytes and its stages stand flow_attempt_stage_bytes apart, so that each is
 * 64-byte aligned as `eval_lane` may want. */
#ifndef FLOW_ADAPTIVE_ATTEMPT_H
#define FLOW_ADAPTIVE_ATTEMPT_H
#include <stdbool.h>
#include "flow/model.h"

bool flow_attempt_bytes(const flow_model *model, const flow_level *level, size_t *bytes);
size_t flow_attempt_stage_bytes(const flow_level *level);
/* From stage to stage in `k`, whichever of the two makes the attempts of this level. */
static inline size_t flow_attempt_pitch(const flow_level *level) {
  return level->attempt ? (size_t)level->stage_bytes : flow_attempt_stage_bytes(level);
}
/* 0, or what an entry of the model answered. */
int flow_attempt(const flow_model *model, const flow_level *level, const flow_call *call);

#endif
