/* SPDX-License-Identifier: Apache-2.0 */
#include "trace.h"
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum {
  AUTO_PROBES = 4,    /* of a round */
  MOST_PROBES = 4096,
  TRAINING_PROBES = 1, /* there is another iteration */
  MOST_TRAINING_PROBES = 64 /* products of vectors in one contribution to a gradient (compiler/tile/gradient.c) */
};
enum { TRACE_EXACT, TRACE_HUTCHINSON };  /* the words of --trace */
static const double standard_target = 0.01;

flow_status trace_take_count(VerbId verb, const char *text, uint32_t *probes, flow_error *error) {
  char *end;
  unsigned long count = strtoul(text, &end, 10), most = verb == VERB_train ? MOST_TRAINING_PROBES : MOST_PROBES;
  if (*text < '0' || *text > '9' || *end || count < 1 || count > most)
    return flow_fail(error, FLOW_BAD_CALL, "--probes wants a whole number from 1 to %lu%s, not `%s`", most,
                     verb == VERB_logp ? ", or auto" : "", text);
  *probes = (uint32_t)count;
  return FLOW_OK;
}

static flow_status take_target(const Run *run, Trace *trace, flow_error *error) {
  trace->target = standard_target;
  trace->most = (uint32_t)count_of(run, OPTION_most_probes, MOST_PROBES);
  if (count_of(run, OPTION_most_probes, MOST_PROBES) > MOST_PROBES * 256 || trace->most < AUTO_PROBES)
    return flow_fail(error, FLOW_BAD_CALL, "--most-probes wants %d to %d", AUTO_PROBES, MOST_PROBES * 256);
  if (!has(run, OPTION_se)) return FLOW_OK;
  char *end;
  trace->target = strtod(text_of(run, OPTION_se), &end);
  if (*end || !(trace->target > 0) || trace->target - trace->target != 0)
    return flow_fail(error, FLOW_BAD_CALL, "--se wants a number above 0, not `%s`", text_of(run, OPTION_se));
  return FLOW_OK;
}

static const TypedTrain *train_of(const Run *run, const TypedFlow *flow) { return run->line->verb == VERB_train ? flow->train : NULL; }

/* Options of probes that an exact trace has no use for. */
static const OptionId of_probes[] = {OPTION_probes, OPTION_probe, OPTION_se, OPTION_most_probes};

static const Option *given_of_probes(const Run *run) {
  for (size_t i = 0; i < sizeof of_probes / sizeof *of_probes; i++)
    if (has(run, of_probes[i])) return &options[of_probes[i]];
  return NULL;
}

static bool is_exact(const Run *run, const TypedFlow *flow) {
  const TypedTrain *train = train_of(run, flow);
  if (has(run, OPTION_trace)) return run->line->value[OPTION_trace].choice == TRACE_EXACT;
  if (given_of_probes(run)) return false;
  if (train && (train->trace || train->probes > 0 || train->probe)) return train->trace && strcmp(train->trace, "exact") == 0;
  return flow->map || flow->dim <= FLOW_MOST_EXACT;
}

/* Of a training: as its block says where no option does. */
static flow_status choose_training_probes(const Run *run, const TypedFlow *flow, Trace *trace, flow_error *error) {
  const TypedTrain *train = flow->train;
  bool said = train && (train->trace || train->probes > 0 || train->probe);
  trace->probes = TRAINING_PROBES;
  if (train && train->probes > MOST_TRAINING_PROBES)
    return flow_fail(error, FLOW_BAD_CALL, "the flow `%s` asks for %" PRId64 " probes; a training takes at most %d, which are new in every iteration",
                     flow->name, train->probes, MOST_TRAINING_PROBES);
  if (train && train->probes > 0) trace->probes = (uint32_t)train->probes;
  if (train && train->probe && !has(run, OPTION_probe))
    trace->probe = strcmp(train->probe, "gaussian") == 0 ? FLOW_PROBE_GAUSSIAN : FLOW_PROBE_RADEMACHER;
  flow_status status = has(run, OPTION_probes) ? trace_take_count(run->line->verb, text_of(run, OPTION_probes), &trace->probes, error) : FLOW_OK;
  if (!status && !said && !has(run, OPTION_quiet) && !has(run, OPTION_trace) && !given_of_probes(run))
    warn(&run->terminal, "a state has %" PRId64 " numbers: the trace in the loss is estimated by a random vector, a new one in every iteration "
         "(--trace exact computes it)", flow->dim);
  return status;
}

static flow_status choose_probes(const Run *run, uint64_t dim, Trace *trace, flow_error *error) {
  const char *probes = text_of(run, OPTION_probes);
  bool automatic = probes ? strcmp(probes, "auto") == 0 : has(run, OPTION_se) || has(run, OPTION_most_probes);
  trace->probes = automatic ? AUTO_PROBES : FLOW_STANDARD_PROBES;
  if (automatic && run->line->verb != VERB_logp)
    return flow_fail(error, FLOW_BAD_CALL, "--probes auto is for flowc logp; a sample is on its way once, with a number of probes");
  if (automatic) return take_target(run, trace, error);
  if (has(run, OPTION_se) || has(run, OPTION_most_probes))
    return flow_fail(error, FLOW_BAD_CALL, "--%s is for --probes auto", has(run, OPTION_se) ? "se" : "most-probes");
  if (probes) return trace_take_count(run->line->verb, probes, &trace->probes, error);
  if (!has(run, OPTION_quiet) && !has(run, OPTION_trace) && !has(run, OPTION_probe))
    warn(&run->terminal, "a state has %" PRIu64 " numbers: log p is estimated by %d probes (--trace exact computes it, --probes auto "
         "adds probes until it is sure)",
         dim, FLOW_STANDARD_PROBES);
  return FLOW_OK;
}

flow_status trace_choose(const Run *run, const Program *program, Trace *trace, flow_error *error) {
  const TypedFlow *flow = flow_compiled_flow(program->compiled);
  *trace = (Trace){0};
  if (!is_exact(run, flow)) {
    trace->probe = (FlowProbeKind)run->line->value[OPTION_probe].choice;
    return run->line->verb == VERB_train ? choose_training_probes(run, flow, trace, error) : choose_probes(run, (uint64_t)flow->dim, trace, error);
  }
  const Option *useless = given_of_probes(run);
  if (useless) return flow_fail(error, FLOW_BAD_CALL, "--%s is for --trace hutchinson; an exact trace has no probes", useless->name);
  return FLOW_OK;
}

const char *trace_probe_name(const Trace *trace) { return trace->probe == FLOW_PROBE_RADEMACHER ? "Rademacher" : "Gaussian"; }
