/* SPDX-License-Identifier: Apache-2.0 */
/* compiled_ir.h -- a frozen function as machine code in the test's process, evaluated point by point in lanes. */
#ifndef FLOW_TEST_COMPILED_IR_H
#define FLOW_TEST_COMPILED_IR_H
#include "emit.h"

enum { ONE_LANE = 1, ONE_LANE_QUICK = 2 };  /* as a schedule: code for one sample at a time, optimised or not */

typedef struct CompiledIr {
  Arena *arena;
  const IrFunction *f;
  TileProgram *tile;
  int precision;
  flow_level level;
  EmitCode *code;
  char *blob, *times_row, *scratch;
  double **weight;              /* [weights][elements], exact in f32 */
} CompiledIr;

/* schedule: FLOW_CPU_V3 or V4, the vector width; v4 runs split on a processor without AVX-512. */
CompiledIr *compile_ir(Arena *arena, IrFunction *frozen, int precision, int schedule, unsigned entries, double **weight);
void free_compiled_ir(CompiledIr *compiled);

/* Evaluates `lanes` points (at most level.lanes); point i is state[i], time[i], condition[i] and goes to result[i], extras
 * behind the state.  All
 * numbers f64 (rounded to the precision on the way in).  lane_times: each point at its own time, else all at time[0]. */
void run_compiled_ir(CompiledIr *compiled, uint32_t lanes, bool lane_times, double *const *state, const double *time,
                     double *const *condition, double **result);
#endif
