/* SPDX-License-Identifier: Apache-2.0 */
/* probes.h -- random vectors e with E[e e^T] = 1, by which the trace of a Jacobian is estimated: E[e . J e] = tr J
 * (Hutchinson, Commun. Stat. Simul. Comput. 18 (1989), 1059).
 *
 *   rademacher  components +1 or -1: exact for a diagonal J, and never noisier than
 *   gaussian    standard normal components
 *
 * Component c of probe p of a sample is number p*dim + c of (seed, stream, sample), see random.h: a sign is +1 where the highest
 * bit of that word is 0.  A probe is the same whoever asks for it, however many are asked for at once. */
#ifndef FLOW_PROBES_H
#define FLOW_PROBES_H
#include "flow/status.h"
#include "random.h"

typedef enum FlowProbeKind { FLOW_PROBE_RADEMACHER, FLOW_PROBE_GAUSSIAN } FlowProbeKind;

typedef struct FlowProbes {
  FlowProbeKind kind;
  uint64_t seed;
  uint32_t first, count;        /* probes first .. first + count - 1 */
  uint32_t stream;              /* 0: FLOW_STREAM_PROBES */
} FlowProbes;

/* BAD_CALL if there are none, or so many that their components cannot be numbered. */
flow_status flow_probes_check(const FlowProbes *probes, uint64_t dim, flow_error *error);

/* The probes of samples first, first + 1, ... into the tile's lanes: [count][dim] rows from row `row` on.  Does not pad. */
void flow_probes_fill(const FlowProbes *probes, uint64_t first, uint64_t dim, uint64_t row, const FlowTile *tile);

#endif
