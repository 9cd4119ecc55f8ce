/* SPDX-License-Identifier: Apache-2.0 */
#include "variants.h"

/* A row for each FLOW_COMPUTES_... */
static const struct Row {
  const char *word;
  FlowExtras extras;
  unsigned entries;
  bool few;
} row[] = {
    [FLOW_COMPUTES_VELOCITY] = {"velocity", FLOW_NO_EXTRAS, FLOW_ENTRY_EVAL | FLOW_ENTRY_EVAL_LANE | FLOW_ENTRY_STEP | FLOW_ENTRY_ATTEMPT, true},
    [FLOW_COMPUTES_LOG_P] = {"log_p", FLOW_LOG_P, FLOW_ENTRY_EVAL | FLOW_ENTRY_EVAL_LANE | FLOW_ENTRY_STEP | FLOW_ENTRY_ATTEMPT, true},
    [FLOW_COMPUTES_PROBES] = {"probes", FLOW_PROBES, FLOW_ENTRY_EVAL_LANE | FLOW_ENTRY_STEP | FLOW_ENTRY_ATTEMPT, false},
    [FLOW_COMPUTES_JVP] = {"jvp", FLOW_JVP, FLOW_ENTRY_EVAL | FLOW_ENTRY_EVAL_LANE, false},
    [FLOW_COMPUTES_JUMP] = {"jump", FLOW_LOG_P, FLOW_ENTRY_STEP, true},
    [FLOW_COMPUTES_VJP] = {"vjp", FLOW_VJP, FLOW_ENTRY_EVAL | FLOW_ENTRY_EVAL_LANE, false},
};

unsigned aot_entries(uint32_t computes) { return row[computes].entries; }
bool aot_is_for_few(uint32_t computes) { return row[computes].few; }
const char *aot_word(uint32_t computes) { return row[computes].word; }

static bool is_exact(const TypedFlow *flow) { return flow && flow->dim <= FLOW_MOST_EXACT; }

void aot_compile_options(uint32_t computes, const TypedFlow *flow, const AotWishes *wishes, FlowCompileOptions *options) {
  options->extras = row[computes].extras;
  options->as_velocity = computes != FLOW_COMPUTES_JUMP;
  options->probes = wishes->probes ? wishes->probes : FLOW_STANDARD_PROBES;
  if (computes == FLOW_COMPUTES_JUMP && !is_exact(flow)) options->extras = FLOW_NO_EXTRAS;
}

uint32_t aot_choose(const TypedFlow *flow, const AotWishes *wishes, uint32_t computes[AOT_MOST_VARIANTS]) {
  uint32_t count = 0;
  computes[count++] = FLOW_COMPUTES_VELOCITY;
  if (is_exact(flow)) computes[count++] = FLOW_COMPUTES_LOG_P;
  if (flow && (wishes->probes || (!is_exact(flow) && !flow->map))) computes[count++] = FLOW_COMPUTES_PROBES;
  computes[count++] = FLOW_COMPUTES_JVP;
  if (wishes->vjp) computes[count++] = FLOW_COMPUTES_VJP;
  if (flow && flow->map) computes[count++] = FLOW_COMPUTES_JUMP;
  return count;
}

bool aot_asked_for(uint32_t computes, const AotWishes *wishes) {
  return computes == FLOW_COMPUTES_VELOCITY || (computes == FLOW_COMPUTES_PROBES && wishes->probes) || (computes == FLOW_COMPUTES_VJP && wishes->vjp);
}
