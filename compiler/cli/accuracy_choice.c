/* SPDX-License-Identifier: Apache-2.0 */
#include "accuracy_choice.h"
#include "show_progress.h"
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

enum { MOST_SEARCHED = 512, MOST_CONFIRMED = 16384, LEAST_POINTS = 16 };

/* ---- the command line ------------------------------------------------------------------------------------------------ */

bool accuracy_wanted(const Run *run, const Program *program) {
  const TypedFlow *flow = flow_compiled_flow(program->compiled);
  bool given = option_is_of(OPTION_accuracy, run->line->verb) && has(run, OPTION_accuracy);
  return given && flow && (!flow->map || program_wants_a_solver(run));
}

flow_status accuracy_check(const Run *run, double *target, flow_error *error) {
  static const OptionId found[] = {OPTION_steps, OPTION_grid, OPTION_rtol, OPTION_atol, OPTION_ltol, OPTION_max_steps, OPTION_replay};
  const char *text = text_of(run, OPTION_accuracy);
  for (size_t i = 0; i < sizeof found / sizeof *found; i++)
    if (option_is_of(found[i], run->line->verb) && has(run, found[i]))
      return flow_fail(error, FLOW_BAD_CALL, "--accuracy finds the steps or the tolerance by itself; --%s says them: one or the other",
                       options[found[i]].name);
  char *end;
  *target = strtod(text, &end);
  if (end != text && !*end && *target > 0 && *target < 1) return FLOW_OK;
  return flow_fail(error, FLOW_BAD_CALL, "--accuracy wants a number above 0 and below 1, such as 1e-4, not `%s`", text);
}

/* ---- the search -------------------------------------------------------------------------------------------------------- */

typedef struct Watch {
  ShowProgress progress;
  uint64_t done, all;           /* methods */
} Watch;

static int step_progress(void *user, uint64_t done, uint64_t all) {
  Watch *watch = user;
  if (all) watch->done = done, watch->all = all;
  return progress_step(&watch->progress, watch->done, watch->all ? watch->all : 1);
}

/* As many points as a tight solve of all has some seconds for, by the products of an evaluation: about 16 a nanosecond, and
 * 600 evaluations of twice their size for each point.  A number of the model, not of the clock. */
static uint64_t affordable_points(const Program *program) {
  const double products_ns = 16, evaluations = 1200, seconds = 4, least_ns = 30;
  double ns = least_ns + (double)flow_compiled_cost(program->compiled).multiply_adds[FLOW_COST_SAMPLE] / products_ns;
  double points = seconds * 1e9 / (evaluations * ns);
  return points > MOST_SEARCHED + MOST_CONFIRMED ? MOST_SEARCHED + MOST_CONFIRMED : points < LEAST_POINTS ? LEAST_POINTS : (uint64_t)points;
}

/* Of an evaluation in steps that adapt, against one in fixed steps: times in each lane, and some nanoseconds of control, which
 * a velocity without products is cheaper than. */
static double adaptive_cost(const Program *program) {
  return 1.25 + 40 / (16 + (double)flow_compiled_cost(program->compiled).multiply_adds[FLOW_COST_SAMPLE]);
}

/* The solve that will be run: samples forward, or data backward to the density. */
static FlowAccuracy describe(const Program *program, Sampling *sampling, const FlowSource *data, const FlowSource *density, double target) {
  FlowAccuracy what = {.solve = sampling->what,
                       .reference = {.model = program->model, .level = program->level, .weights = program->blob.data},
                       .target = target,
                       .adaptive_cost = adaptive_cost(program),
                       .draws = sampling->source.kind != FLOW_SOURCE_TENSOR,
                       .probes = sampling->trace.probes > 0};
  if (density) {
    what.draws = false;
    what.solve.source = data;
    what.solve.density = density;
    what.solve.density_at_end = true;
    what.solve.t0 = sampling->what.t1;
    what.solve.t1 = sampling->what.t0;
  }
  uint64_t points = affordable_points(program);
  what.points = points > 4 * MOST_SEARCHED ? MOST_SEARCHED : points / 4 + 1;
  what.confirmations = points - what.points;
  return what;
}

static flow_status choose_only(const Run *run, FlowAccuracy *what, flow_error *error) {
  const char *name = text_of(run, OPTION_solver);
  if (!name) return FLOW_OK;
  what->only = flow_tableau_find(name);
  if (what->only) return FLOW_OK;
  return flow_fail(error, FLOW_BAD_CALL, "there is no solver `%s`; `flowc help solvers` lists what there is", name);
}

/* What the search found becomes what the sampling does. */
static void take(const FlowTrial *chosen, Sampling *sampling) {
  FlowSampling *what = &sampling->what;
  what->tableau = chosen->tableau;
  what->steps = chosen->steps;
  if (!chosen->adaptive) return;
  sampling->adaptive.wanted = true;
  sampling->adaptive.what.tolerance = (FlowTolerance){chosen->tolerance, chosen->tolerance, chosen->tolerance};
  what->adaptive = &sampling->adaptive.what;
}

static flow_status nothing_holds(const Program *program, const FlowAccuracy *what, flow_error *error) {
  bool f32 = program->model->precision == FLOW_F32;
  return flow_fail(error, FLOW_BAD_CALL, "no method keeps %.3g of %s with a margin of 2%s: the best that was tried is off by %.2g at worst%s",
                   what->target, accuracy_of(what), f32 ? " in f32" : "", what->result->floor,
                   f32 ? ", and f32 ends near there for this flow; --precision f64 goes further" : "");
}

/* A reference that may be as wrong as what is allowed proves nothing. */
static flow_status judge(const Run *run, const FlowAccuracy *what, flow_error *error) {
  const FlowAccuracyResult *result = what->result;
  if (result->left_out && !has(run, OPTION_quiet))
    warn(&run->terminal, "%" PRIu64 " of %" PRIu64 " points failed even with tight steps and promise nothing", result->left_out, result->points);
  if (result->chosen && result->chosen->far > what->target && !has(run, OPTION_quiet))
    warn(&run->terminal, "a few paths have most of the error: the worst of 100,000 samples may be off by %.2g%s", result->chosen->far,
         what->solve.model->precision == FLOW_F32 ? " (--precision f64 may help)" : "");
  if (result->reference_error <= what->target / 4) return FLOW_OK;
  return flow_fail(error, FLOW_BAD_CALL,
                   "an accuracy of %.3g cannot be promised: two tight solves (%s to %.2g, tsit5 to %.2g) already differ by %.2g at worst",
                   what->target, result->reference->name, result->reference_tolerance, 10 * result->reference_tolerance, result->reference_error);
}

static flow_status search(const Run *run, const Program *program, FlowAccuracy *what, flow_error *error) {
  Watch watch = {.all = 0};
  what->solve.progress = step_progress;
  what->solve.user = &watch;
  progress_begin(&watch.progress, run);
  flow_status status = flow_accuracy(what, error);
  progress_end(&watch.progress);
  if (status) return status;
  if (!has(run, OPTION_quiet)) accuracy_report(run, what, flow_compiled_flow(program->compiled));
  status = judge(run, what, error);
  if (status || what->result->chosen) return status;
  return nothing_holds(program, what, error);
}

int accuracy_choose(const Run *run, const Program *program, Sampling *sampling, const FlowTensor *data, const FlowSource *density) {
  if (!accuracy_wanted(run, program)) return 0;
  flow_error error = {{0}};
  double target;
  flow_status status = accuracy_check(run, &target, &error);
  if (status) return failed(run, status, &error);
  FlowSource rows = {.kind = FLOW_SOURCE_TENSOR, .dim = program->model->dim, .tensor = data, .name = "the data"};
  FlowAccuracyResult result;
  FlowAccuracy what = describe(program, sampling, &rows, density, target);
  what.result = &result;
  AccuracyReference reference;
  status = accuracy_reference_open(run, program, &sampling->trace, &reference, &error);
  if (reference.model) what.reference = (FlowSampling){.model = reference.model, .level = reference.level, .weights = reference.blob.data};
  if (!status) status = choose_only(run, &what, &error);
  if (!status) status = search(run, program, &what, &error);
  if (!status) take(result.chosen, sampling);
  accuracy_reference_close(&reference);
  return status ? failed(run, status, &error) : 0;
}
