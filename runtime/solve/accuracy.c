/* SPDX-License-Identifier: Apache-2.0 */
#include "accuracy.h"
#include "accuracy_points.h"
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { MOST_MEASURES = 12, MOST_ROUNDS = 40, FIRST_EVALUATIONS = 8, MOST_EVALUATIONS = 20000, TIMED_STEPS = 8 };
static const double margin = 2, dearer = 2;     /* a method that costs more than twice the best so far is given up */

typedef struct Search {
  const FlowAccuracy *what;
  FlowAccuracyResult *result;
  AccuracyPoints points, further;
  double goal, best;            /* the error that holds; the least cost so far */
  uint64_t done, all;           /* methods */
  FlowTrial measured[FLOW_MOST_TRIALS];         /* before it was tightened */
  FlowTrial second_best;        /* the cheapest that would be confirmed but for its tail; no tableau: there is none */
} Search;

/* ---- does it hold? ---------------------------------------------------------------------------------------------------- */

/* What the worst of 100,000 samples will be, if the tail of the errors goes on as it does from one in a thousand to the worst of
 * n points: as a power of the number.  Few points say nothing of a tail. */
static double worst_of_many(const FlowTrial *trial) {
  const double many = 1e5, few = 2000, most_exponent = 1.5;
  double n = (double)trial->points;
  if (n < few || n >= many || !(trial->most > 0) || !isfinite(trial->worst)) return trial->worst;
  double exponent = log(many / n) / log(n / 1000);
  return trial->worst * pow(trial->worst / trial->most, exponent < most_exponent ? exponent : most_exponent);
}

/* The error in units of what is allowed: more than 1 does not hold. */
static double excess(const Search *search, const FlowTrial *trial) {
  double here = trial->worst / search->goal, far = trial->far / search->what->target;
  return far > here ? far : here;
}

/* ---- one method ---------------------------------------------------------------------------------------------------------- */

static flow_status measure(Search *search, AccuracyPoints *points, FlowTrial *trial, flow_error *error) {
  flow_status status = accuracy_points_measure(points, trial, error);
  if (status) return status;
  trial->far = worst_of_many(trial);
  trial->holds = excess(search, trial) <= 1;
  return FLOW_OK;
}

/* The steps by which an error that falls with their order would be just right. */
static double right_steps(const Search *search, const FlowTrial *trial) {
  double ratio = excess(search, trial);
  if (!(ratio < 1e300)) return 4 * (double)trial->steps;
  double factor = pow(ratio > 1e-30 ? ratio : 1e-30, 1.0 / trial->tableau->order);
  return (double)trial->steps * (factor > 16 ? 16 : factor);
}

static uint64_t bounded(double value, uint64_t least, uint64_t most) {
  if (!(value > (double)least)) return least;
  return value < (double)most ? (uint64_t)value : most;
}

/* The next number of steps to try, given the most that failed and the fewest that held; 0: these are near enough. */
static uint64_t next_steps(const Search *search, const FlowTrial *last, uint64_t failed, uint64_t held) {
  double right = ceil(right_steps(search, last));
  if (!held) return bounded(1.05 * right, failed + 1, UINT64_MAX / 2);
  if (held - failed <= 1 + held / 40) return 0;
  return bounded(right, failed + 1, held - 1);
}

static bool too_dear(const Search *search, const FlowTrial *trial, double steps) {
  double evaluations = steps * trial->tableau->stages;
  return evaluations > MOST_EVALUATIONS || evaluations > dearer * search->best;
}

/* More steps without a smaller error: the precision's floor, or stiffness that no such steps overcome. */
static bool is_flat(const FlowTrial *before, const FlowTrial *now) {
  return before->steps && isfinite(before->worst) && now->steps > before->steps + before->steps / 3 && now->worst > 0.8 * before->worst;
}

/* The fewest steps that hold.  One that does not hold stays with the most steps that were tried. */
static flow_status search_steps(Search *search, FlowTrial *found, flow_error *error) {
  FlowTrial trial = *found, before;
  uint64_t failed = 0, held = 0, next = 0;
  int flat = 0;
  trial.steps = FIRST_EVALUATIONS / trial.tableau->stages ? FIRST_EVALUATIONS / trial.tableau->stages : 1;
  for (int i = 0; i < MOST_MEASURES; i++) {
    before = i ? trial : *found;
    if (i) trial.steps = next;
    flow_status status = measure(search, &search->points, &trial, error);
    if (status) return status;
    if (trial.holds || !held) *found = trial;
    flat += !held && is_flat(&before, &trial);
    if (trial.holds)
      held = trial.steps;
    else
      failed = trial.steps;
    next = next_steps(search, &trial, failed, held);
    found->given_up = !held && next && flat < 2 && too_dear(search, &trial, (double)next);
    if (next == 0 || flat == 2 || found->given_up) break;
  }
  return FLOW_OK;
}

static double least_tolerance(const Search *search) { return search->what->solve.model->precision == FLOW_F32 ? 1e-7 : 1e-14; }

/* Two digits, rounded down, so that it can be written as it is used. */
static double short_number(double value) {
  char text[32];
  double unit = pow(10, floor(log10(value)) - 1);
  snprintf(text, sizeof text, "%.1e", floor(value / unit * (1 + 1e-9)) * unit);
  return strtod(text, NULL);
}

static double bounded_tolerance(const Search *search, double value) {
  double least = least_tolerance(search), most = 0.1;
  return short_number(value < least ? least : value > most ? most : value);
}

/* The loosest tolerance that holds, within a factor of about 2. */
static flow_status search_tolerance(Search *search, FlowTrial *found, flow_error *error) {
  FlowTrial trial = *found;
  double failed = INFINITY;
  trial.tolerance = bounded_tolerance(search, search->goal);
  for (int i = 0; i < MOST_MEASURES / 2; i++) {
    flow_status status = measure(search, &search->points, &trial, error);
    if (status) return status;
    if (trial.holds || !found->holds) *found = trial;
    if (!trial.holds) failed = trial.tolerance;
    found->given_up = !found->holds && trial.cost > dearer * search->best;
    if (found->given_up) break;
    if (trial.holds && trial.worst > search->goal / 3) break;
    double ratio = 1 / excess(search, &trial), next = trial.tolerance * 0.8 * (ratio > 1e-3 ? ratio < 30 ? ratio : 30 : 1e-3);
    next = bounded_tolerance(search, next);
    if (found->holds ? next >= failed || next <= found->tolerance : next >= trial.tolerance) break;
    trial.tolerance = next;
  }
  return FLOW_OK;
}

/* ---- all of them ----------------------------------------------------------------------------------------------------------- */

static flow_status report(const Search *search, flow_error *error) {
  const FlowSampling *solve = &search->what->solve;
  if (!solve->progress || !solve->progress(solve->user, search->done, search->all)) return FLOW_OK;
  return flow_fail(error, FLOW_CANCELLED, "stopped on request after %" PRIu64 " of %" PRIu64 " methods", search->done, search->all);
}

static flow_status try_method(Search *search, const FlowTableau *tableau, bool adaptive, flow_error *error) {
  FlowAccuracyResult *result = search->result;
  if (result->trials == FLOW_MOST_TRIALS) return FLOW_OK;
  FlowTrial *trial = &result->trial[result->trials++];
  *trial = (FlowTrial){.tableau = tableau, .adaptive = adaptive};
  flow_status status = adaptive ? search_tolerance(search, trial, error) : search_steps(search, trial, error);
  if (!status && trial->holds && trial->cost < search->best) search->best = trial->cost;
  search->done++;
  return status ? status : report(search, error);
}

static bool is_tried(const Search *search, const FlowTableau *tableau) { return !search->what->only || search->what->only == tableau; }

/* From the last row of the table, whose methods tell soonest which others are too dear. */
static flow_status try_all(Search *search, flow_error *error) {
  flow_status status = FLOW_OK;
  for (size_t i = flow_tableau_count(); i-- > 0 && !status;) {
    const FlowTableau *tableau = flow_tableau_at(i);
    if (!is_tried(search, tableau)) continue;
    status = try_method(search, tableau, false, error);
    if (!status && tableau->error[0].order) status = try_method(search, tableau, true, error);
  }
  return status;
}

static FlowTrial *cheapest(FlowAccuracyResult *result) {
  FlowTrial *best = NULL;
  for (uint32_t i = 0; i < result->trials; i++) {
    FlowTrial *trial = &result->trial[i];
    if (trial->holds && (!best || trial->cost < best->cost)) best = trial;
  }
  return best;
}

/* More steps, or a smaller tolerance, by what the error was too large.  It holds then as far as is known: it is measured where
 * it is the cheapest again. */
static void tighten(Search *search, FlowTrial *trial) {
  FlowTrial tighter = *trial;
  if (trial->adaptive) {
    double ratio = 1 / excess(search, trial), factor = 0.8 * (ratio > 0.05 ? ratio : 0.05);
    if (trial->tolerance * factor < least_tolerance(search)) return;
    tighter.tolerance = short_number(trial->tolerance * factor);
    tighter.cost *= pow(trial->tolerance / tighter.tolerance, 1.0 / trial->tableau->order);
  } else {
    tighter.steps = bounded(1.05 * right_steps(search, trial), trial->steps + 1, UINT64_MAX / 2);
    tighter.cost = (double)tighter.steps * trial->tableau->stages;
    if (tighter.cost > MOST_EVALUATIONS) return;
  }
  tighter.holds = true;
  tighter.points = 0;
  search->measured[trial - search->result->trial] = *trial;
  *trial = tighter;
}

static flow_status confirm(Search *search, flow_error *error) {
  FlowTrial *trial;
  for (int round = 0; round < MOST_ROUNDS && (trial = cheapest(search->result)) && !trial->confirmed; round++) {
    if (search->further.count) {
      flow_status status = measure(search, &search->further, trial, error);
      if (!status) status = report(search, error);
      if (status) return status;
    }
    trial->confirmed = trial->holds;
    if (trial->holds) continue;
    bool better = !search->second_best.tableau || trial->cost < search->second_best.cost;
    if (trial->worst <= search->goal && better) search->second_best = *trial;
    tighten(search, trial);
  }
  return FLOW_OK;
}

static int compare_trials(const void *left, const void *right) {
  const FlowTrial *a = left, *b = right;
  if (a->holds != b->holds) return a->holds ? -1 : 1;
  if (a->holds && a->cost != b->cost) return a->cost < b->cost ? -1 : 1;
  return a->worst < b->worst ? -1 : a->worst > b->worst;
}

static void take_second_best(Search *search) {
  const FlowTrial *second = &search->second_best;
  const FlowTrial *first = cheapest(search->result);
  for (uint32_t i = 0; second->tableau && !(first && first->confirmed) && i < search->result->trials; i++) {
    FlowTrial *trial = &search->result->trial[i];
    if (trial->tableau != second->tableau || trial->adaptive != second->adaptive) continue;
    *trial = *second;
    trial->holds = trial->confirmed = true;
  }
}

static void settle(Search *search) {
  FlowAccuracyResult *result = search->result;
  for (uint32_t i = 0; i < result->trials; i++)         /* tightened, but not measured again: as it was measured last */
    if (search->measured[i].tableau && !result->trial[i].points) result->trial[i] = search->measured[i];
  take_second_best(search);
  qsort(result->trial, result->trials, sizeof *result->trial, compare_trials);
  for (uint32_t i = 0; i < result->trials; i++) {
    if (result->trial[i].confirmed && !result->chosen) result->chosen = &result->trial[i];
    if (result->trial[i].worst < result->floor) result->floor = result->trial[i].worst;
  }
}

/* ---- the reference --------------------------------------------------------------------------------------------------------- */

static flow_status refer(Search *search, flow_error *error) {
  const FlowAccuracy *what = search->what;
  bool f64 = what->reference.model->precision == FLOW_F64;
  double tolerance = what->target * 1e-4, most = f64 ? 1e-10 : 1e-6, least = f64 ? 1e-14 : 1e-6;
  FlowTrial tight = {.adaptive = true, .tolerance = tolerance > most ? most : tolerance < least ? least : tolerance};
  tight.tableau = flow_tableau_find(tight.tolerance < 1e-11 ? "dop853" : "dopri5");
  FlowTrial other = {.adaptive = true, .tolerance = 10 * tight.tolerance, .tableau = flow_tableau_find("tsit5")};
  flow_status status = accuracy_points_refer(&search->points, &tight, error);
  if (!status && search->further.count) status = accuracy_points_refer(&search->further, &tight, error);
  if (!status) status = accuracy_points_doubt(&search->points, &other, error);
  if (status) return status;
  FlowAccuracyResult *result = search->result;
  result->reference = tight.tableau;
  result->reference_tolerance = tight.tolerance;
  result->reference_error = other.worst;
  result->left_out = search->points.left_out + search->further.left_out;
  result->points = search->points.count + search->further.count;
  if (search->points.left_out < search->points.count) return FLOW_OK;
  return flow_fail(error, FLOW_BAD_INPUT, "none of %" PRIu64 " points has a finite %s by %s to %.3g: there is nothing to compare with",
                   search->points.count, what->solve.density ? "log p" : "end", tight.tableau->name, tight.tolerance);
}

static flow_status take_times(Search *search, flow_error *error) {
  FlowTrial fixed = {.tableau = flow_tableau_find("rk4"), .steps = TIMED_STEPS};
  FlowTrial adaptive = {.tableau = flow_tableau_find("dopri5"), .adaptive = true, .tolerance = 1e-3};
  flow_status status = accuracy_points_time(&search->points, &fixed, &search->result->fixed_ns, error);
  return status ? status : accuracy_points_time(&search->points, &adaptive, &search->result->adaptive_ns, error);
}

static flow_status check(const FlowAccuracy *what, flow_error *error) {
  if (!(what->target > 0 && what->target < 1e30))
    return flow_fail(error, FLOW_BAD_CALL, "an accuracy of %.17g: it is a number above 0", what->target);
  if (!what->solve.model || !what->reference.model || !what->solve.allocator || !what->solve.source || !what->result)
    return flow_fail(error, FLOW_BAD_CALL, "a search for an accuracy needs a model, a reference, a source, an allocator and room for its result");
  if (what->solve.model->jump) return flow_fail(error, FLOW_BAD_CALL, "%s is given by a map: it has no steps to choose", what->solve.model->name);
  if (what->solve.first >= what->solve.end || what->points == 0)
    return flow_fail(error, FLOW_BAD_CALL, "a search for an accuracy needs at least one point");
  return FLOW_OK;
}

static flow_status open_points(Search *search, flow_error *error) {
  const FlowAccuracy *what = search->what;
  uint64_t rows = what->solve.end - what->solve.first, points = what->points, further = what->confirmations;
  if (!what->draws && rows <= points + further) points = rows, further = 0;     /* every row there is */
  flow_status status = accuracy_points_open(what, 0, points, what->draws ? points + further : points, &search->points, error);
  if (!status && further)
    status = accuracy_points_open(what, what->draws ? points : 0, further, further, &search->further, error);
  return status;
}

flow_status flow_accuracy(const FlowAccuracy *what, flow_error *error) {
  flow_status status = check(what, error);
  if (status) return status;
  Search search = {.what = what, .result = what->result, .goal = what->target / margin, .best = INFINITY};
  *what->result = (FlowAccuracyResult){.floor = INFINITY};
  for (size_t i = 0; i < flow_tableau_count(); i++)
    if (is_tried(&search, flow_tableau_at(i))) search.all += flow_tableau_at(i)->error[0].order ? 2 : 1;
  status = report(&search, error);
  if (!status) status = open_points(&search, error);
  if (!status) status = refer(&search, error);
  if (!status) status = try_all(&search, error);
  if (!status) status = confirm(&search, error);
  if (!status) status = take_times(&search, error);
  if (!status) settle(&search);
  accuracy_points_close(&search.points);
  accuracy_points_close(&search.further);
  return status;
}
