/* SPDX-License-Identifier: Apache-2.0 */
#include "sampling.h"
#include "accuracy_choice.h"
#include "diag.h" /* diag_nearest */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>


static flow_status choose_solver(const Run *run, const TypedFlow *flow, FlowSampling *what, flow_error *error) {
  const char *name = has(run, OPTION_solver) ? text_of(run, OPTION_solver) : flow->solver;
  if (!name)
    return flow_fail(error, FLOW_BAD_CALL,
                     "the flow `%s` names no solver; say --solver midpoint --steps 100, or add a `solver` line",
                     flow->name);
  what->tableau = flow_tableau_find(name);
  if (!what->tableau) {
    const char *near = diag_nearest(name, flow_tableau_names(), flow_tableau_count());
    if (near) return flow_fail(error, FLOW_BAD_CALL, "there is no solver `%s`; did you mean `%s`?", name, near);
    return flow_fail(error, FLOW_BAD_CALL, "there is no solver `%s`; `flowc help solvers` lists what there is", name);
  }
  return FLOW_OK;
}

/* The flow's rule for where steps end. */
static void space(const TypedFlow *flow, Sampling *sampling) {
  static const FlowSpacing spacing[] = {
      [SPACING_EQUAL] = FLOW_SPACING_EQUAL, [SPACING_COSINE] = FLOW_SPACING_COSINE, [SPACING_POWER] = FLOW_SPACING_POWER};
  sampling->what.grid = &sampling->grid;
  sampling->grid = (FlowGrid){.spacing = spacing[flow->spacing], .power = flow->spacing_power, .from = flow->time_from};
}

/* The flow's rule for its own number of steps or for that of --steps. */
static flow_status space_steps(const Run *run, const TypedFlow *flow, Sampling *sampling, flow_error *error) {
  FlowSampling *what = &sampling->what;
  space(flow, sampling);
  what->steps = has(run, OPTION_steps) ? option_of(run, OPTION_steps)->count : (uint64_t)(flow->steps > 0 ? flow->steps : 0);
  if (what->steps > 0) return FLOW_OK;
  return flow_fail(error, FLOW_BAD_CALL, "a solve by `%s` wants a number of steps of at least 1: --steps 100", what->tableau->name);
}

flow_status sampling_fixed_steps(const Run *run, const TypedFlow *flow, Sampling *sampling, flow_error *error) {
  flow_status status = choose_solver(run, flow, &sampling->what, error);
  return status ? status : space_steps(run, flow, sampling, error);
}

/* --grid: the times at which steps end; --steps may divide its intervals. */
static flow_status take_grid(const Run *run, Sampling *sampling, flow_error *error) {
  FlowSampling *what = &sampling->what;
  flow_status status = wanted_times_read("--grid", text_of(run, OPTION_grid), &sampling->nodes, error);
  if (status) return status;
  uint64_t intervals = sampling->nodes.count - 1;
  sampling->grid = (FlowGrid){.spacing = FLOW_SPACING_GIVEN, .intervals = intervals, .node = sampling->nodes.time};
  what->steps = has(run, OPTION_steps) ? option_of(run, OPTION_steps)->count : intervals;
  flow_error why = {{0}};
  status = flow_grid_check(&sampling->grid, what->steps, what->t0, what->t1, &why);
  return status ? flow_fail(error, status, "--grid: %s", why.text) : FLOW_OK;
}

/* A jump is one evaluation, whatever the flow says of solvers. */
static void jump(FlowSampling *what) {
  what->tableau = flow_tableau_find("euler");
  what->steps = 1;
}

static flow_status choose_grid(const Run *run, const TypedFlow *flow, Sampling *sampling, flow_error *error) {
  sampling->what.grid = &sampling->grid;
  return has(run, OPTION_grid) ? take_grid(run, sampling, error) : space_steps(run, flow, sampling, error);
}

flow_status sampling_density(const Program *program, FlowSource *source, flow_error *error) {
  const TypedFlow *flow = flow_compiled_flow(program->compiled);
  flow_error why = {{0}};
  flow_status status = flow_compiled_source(program->compiled, source, error);
  if (status) return status;
  status = flow_source_has_density(source, &why);
  return status ? flow_fail(error, status, "%s: the flow `%s` has no log-density: %s", program->path, flow->name, why.text)
                : FLOW_OK;
}

/* Where the states at the start come from: --from, else the flow's source. */
static flow_status choose_source(const Run *run, const Program *program, const TypedFlow *flow, Sampling *sampling,
                                 flow_error *error) {
  FlowSource *source = &sampling->source;
  flow_status status;
  if (has(run, OPTION_from)) {
    *source = (FlowSource){.kind = FLOW_SOURCE_TENSOR, .dim = program->model->dim, .name = text_of(run, OPTION_from)};
    status = given_read("--from", source->name, &sampling->from, error);
  } else {
    status = flow_compiled_source(program->compiled, source, error);
    if (!status && flow->source == SOURCE_FILE) {
      char *path;
      status = program_file(run, program, NAMED_SOURCE, flow, &path, error);
      if (!status) status = given_read("source", path, &sampling->from, error);
      free(path);
    }
  }
  source->tensor = source->kind == FLOW_SOURCE_TENSOR ? &sampling->from.tensor : NULL;
  return status;
}

static flow_status choose_only(const Run *run, const FlowTensor *rows, Sampling *sampling, flow_error *error) {
  uint64_t only = count_of(run, OPTION_one_sample, 0);
  if (has(run, OPTION_range)) return flow_fail(error, FLOW_BAD_CALL, "--only and --range both say which samples: one or the other");
  if (only == UINT64_MAX || ((rows || has(run, OPTION_count)) && only >= sampling->what.end))
    return flow_fail(error, FLOW_BAD_CALL, "--only %" PRIu64 ": the last sample is %" PRIu64, only, sampling->what.end - 1);
  sampling->what.first = only;
  sampling->what.end = only + 1;
  return FLOW_OK;
}

static flow_status choose_range(const Run *run, uint64_t standard, Sampling *sampling, flow_error *error) {
  const FlowTensor *rows = sampling->source.tensor;
  uint64_t all = has(run, OPTION_count) ? count_of(run, OPTION_count, 0)
                 : rows                 ? (rows->rank ? rows->dim[0] : 1)
                                        : standard;
  sampling->what.first = 0;
  sampling->what.end = all;
  if (has(run, OPTION_one_sample)) return choose_only(run, rows, sampling, error);
  if (!has(run, OPTION_range)) return FLOW_OK;
  const OptionValue *range = option_of(run, OPTION_range);
  bool data = run->line->verb == VERB_logp;
  if (range->to > all && (has(run, OPTION_count) || rows || data))
    return flow_fail(error, FLOW_BAD_CALL, "--range %s goes beyond the %" PRIu64 " %s", range->text, all,
                     data ? "rows of the data" : "samples");
  sampling->what.first = range->from;
  sampling->what.end = range->to;
  return FLOW_OK;
}

static flow_status prepare(const Run *run, const Program *program, uint64_t count, Sampling *sampling,
                           flow_error *error) {
  const TypedFlow *flow = flow_compiled_flow(program->compiled);
  if (!flow) return flow_fail(error, FLOW_BAD_CALL, "%s has no flow, and only a flow can be sampled", program->path);
  FlowSampling *what = &sampling->what;
  *what = (FlowSampling){.model = program->model,
                         .level = program->level,
                         .weights = program->blob.data,
                         .source = &sampling->source,
                         .t0 = flow->time_from,
                         .t1 = flow->time_to,
                         .allocator = &flow_standard_allocator};
  what->seed = count_of(run, OPTION_seed, 0);
  sampling->probes = (FlowProbes){.kind = sampling->trace.probe, .seed = what->seed, .count = sampling->trace.probes};
  if (sampling->density.dim) what->density = &sampling->density;
  if (sampling->trace.probes) what->probes = &sampling->probes;
  what->threads = (int)count_of(run, OPTION_threads, 0);
  flow_status status = adaptive_steps_choose(run, program, what, &sampling->adaptive, error);
  bool searched = accuracy_wanted(run, program), steps = !sampling->adaptive.wanted && !program->model->jump && !searched;
  if (searched) space(flow, sampling);
  if (program->model->jump) jump(what);
  if (!status && steps) status = choose_solver(run, flow, what, error);
  if (!status && steps) status = choose_grid(run, flow, sampling, error);
  if (sampling->adaptive.wanted) what->adaptive = &sampling->adaptive.what;
  if (!status) status = choose_source(run, program, flow, sampling, error);
  if (!status) status = given_rows("--from", &sampling->from, program->model->dim, error);
  if (!status) status = choose_range(run, count, sampling, error);
  if (!status) status = given_conditions(run->line, program->model, program->model->conditions - program->own_conditions,
                                          &sampling->conditions, error);
  what->condition = sampling->conditions.tensor;
  return status;
}

flow_status sampling_prepare(const Run *run, const Program *program, uint64_t count, Sampling *sampling,
                             flow_error *error) {
  *sampling = (Sampling){.density = sampling->density, .trace = sampling->trace};
  flow_status status = prepare(run, program, count, sampling, error);
  if (status) sampling_free(sampling);
  return status;
}

void sampling_free(Sampling *sampling) {
  wanted_times_free(&sampling->nodes);
  given_conditions_free(&sampling->conditions);
  given_free(&sampling->from);
}
