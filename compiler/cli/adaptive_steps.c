/* SPDX-License-Identifier: Apache-2.0 */
#include "adaptive_steps.h"
#include "accuracy_choice.h"
#include "diag.h" /* diag_nearest */
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- whether, and how ---------------------------------------------------------------------------------------------- */

static const char standard_method[] = "dopri5";
enum { TRAINING_ATTEMPTS = 1000 };      /* all that are accepted are kept in memory */

static bool given(const Run *run, OptionId option) { return option_is_of(option, run->line->verb) && has(run, option); }

static bool adapts(const Run *run, const TypedFlow *flow) {
  if (!option_is_of(OPTION_rtol, run->line->verb)) return false;
  if (flow->map && !program_wants_a_solver(run)) return false;        /* a jump */
  if (given(run, OPTION_rtol) || given(run, OPTION_atol)) return true;
  if (given(run, OPTION_steps) || given(run, OPTION_grid) || flow->steps > 0) return false;
  const char *name = given(run, OPTION_solver) ? text_of(run, OPTION_solver) : flow->solver;
  const FlowTableau *tableau = flow_tableau_find(name ? name : standard_method);
  return tableau && tableau->error[0].order;
}

unsigned adaptive_steps_entries(const Run *run, const Program *program) {
  const TypedFlow *flow = flow_compiled_flow(program->compiled);
  if (accuracy_wanted(run, program)) return FLOW_ENTRY_STEP | FLOW_ENTRY_EVAL_LANE | FLOW_ENTRY_ATTEMPT;
  return flow && adapts(run, flow) ? FLOW_ENTRY_EVAL_LANE | FLOW_ENTRY_ATTEMPT : FLOW_ENTRY_STEP;
}

/* The name on the command line; else the flow's, if that method can adapt; else by precision, tolerance and smoothness. */
static flow_status choose_method(const Run *run, const TypedFlow *flow, uint32_t precision, AdaptiveSteps *steps, const FlowTableau **tableau,
                                 flow_error *error) {
  const FlowTableau *of_flow = flow->solver ? flow_tableau_find(flow->solver) : NULL;
  bool flow_names_it = of_flow && of_flow->error[0].order;
  steps->automatic = !given(run, OPTION_solver) && !flow_names_it;
  *tableau = steps->automatic ? flow_automatic_method(precision, steps->smoothness == IR_SMOOTH, steps->what.tolerance) : of_flow;
  if (!given(run, OPTION_solver)) return FLOW_OK;
  const char *name = text_of(run, OPTION_solver);
  *tableau = flow_tableau_find(name);
  if (!*tableau) {
    const char *near = diag_nearest(name, flow_tableau_names(), flow_tableau_count());
    return flow_fail(error, FLOW_BAD_CALL, "there is no solver `%s`; %s `%s`%s", name, near ? "did you mean" : "one is",
                     near ? near : standard_method, near ? "?" : "");
  }
  if ((*tableau)->error[0].order) return FLOW_OK;
  return flow_fail(error, FLOW_BAD_CALL, "`%s` has no estimate of its error and cannot keep to a tolerance: --solver %s, or --steps 100",
                   name, standard_method);
}

static flow_status take_number(const Run *run, OptionId option, double below, double *value, flow_error *error) {
  if (!given(run, option)) return FLOW_OK;
  const char *text = text_of(run, option);
  char *end;
  *value = strtod(text, &end);
  if (end != text && !*end && *value > 0 && *value < below) return FLOW_OK;
  return flow_fail(error, FLOW_BAD_CALL, "--%s wants a number above 0%s, such as %s, not `%s`", options[option].name,
                   below == 1 ? " and below 1" : "", below == 1 ? "1e-5" : "0.01", text);
}

static flow_status choose_step_bounds(const Run *run, FlowAdaptive *what, flow_error *error) {
  flow_status status = take_number(run, OPTION_min_step, INFINITY, &what->least_step, error);
  if (!status) status = take_number(run, OPTION_max_step, INFINITY, &what->largest_step, error);
  if (!status && given(run, OPTION_max_step) && what->largest_step < what->least_step)
    return flow_fail(error, FLOW_BAD_CALL, "--max-step %.6g is less than --min-step %.6g", what->largest_step, what->least_step);
  return status;
}

static flow_status choose_tolerance(const Run *run, const TypedFlow *flow, uint32_t precision, FlowTolerance *tolerance, flow_error *error) {
  *tolerance = (FlowTolerance){flow->rtol, flow->atol, 0};
  flow_status status = take_number(run, OPTION_rtol, 1, &tolerance->rtol, error);
  if (!status) status = take_number(run, OPTION_atol, 1, &tolerance->atol, error);
  if (!status) status = take_number(run, OPTION_ltol, 1, &tolerance->ltol, error);
  if (tolerance->rtol == 0) tolerance->rtol = tolerance->atol > 0 ? tolerance->atol : flow_standard_tolerance(precision);
  if (tolerance->atol == 0) tolerance->atol = tolerance->rtol;
  if (tolerance->ltol == 0) tolerance->ltol = tolerance->atol;
  return status;
}

/* Options that belong to adaptive steps alone; --accuracy is one where a jump leaves nothing to search. */
static flow_status refuse_options(const Run *run, bool jump, flow_error *error) {
  static const OptionId of_adaptive[] = {OPTION_ltol, OPTION_max_steps, OPTION_min_step, OPTION_max_step, OPTION_replay, OPTION_accuracy};
  static const char of_steps[] = "--%s is for steps that adapt; this solve has a number of steps (--rtol 1e-5 asks for others)";
  static const char of_jump[] = "--%s is for solves; a flow that is given by a map is evaluated once (--rtol 1e-5 asks for a solve)";
  for (size_t i = 0; i < sizeof of_adaptive / sizeof *of_adaptive; i++)
    if (given(run, of_adaptive[i])) return flow_fail(error, FLOW_BAD_CALL, jump ? of_jump : of_steps, options[of_adaptive[i]].name);
  return FLOW_OK;
}

static flow_status choose_replay(const Run *run, AdaptiveSteps *steps, flow_error *error) {
  if (!given(run, OPTION_replay)) return FLOW_OK;
  if (!given(run, OPTION_one_sample)) return flow_fail(error, FLOW_BAD_CALL, "--replay shows the steps of one sample; --only 17 says which");
  steps->replay_path = text_of(run, OPTION_replay);
  steps->what.traced = count_of(run, OPTION_one_sample, 0);
  return FLOW_OK;
}

/* What kinks cost; the numbers are measurements of trained networks of 3 x 64 units (README.md of runtime/solve). */
static void warn_of_kinks(const Run *run, const AdaptiveSteps *steps, const FlowTableau *tableau, bool log_p) {
  const FlowTolerance *t = &steps->what.tolerance;
  double tightest = fmin(fmin(t->rtol, t->atol), log_p ? t->ltol : INFINITY);
  if (steps->smoothness == IR_SMOOTH || tightest >= 1e-6 || has(run, OPTION_quiet)) return;
  if (tableau->order >= 8)
    warn(&run->terminal, "%s misses kinks, and this velocity %s: where dopri5 had log p to 5e-6 at 1e-9, it was off by up to 5e-4",
         tableau->name, ir_smoothness_words(steps->smoothness));
  if (steps->smoothness <= IR_C0 && log_p)
    warn(&run->terminal, "the slopes of this velocity jump (relu, selu, abs, max): log p to a tolerance below 1e-6 costs many steps; with SELU "
                         "4,900 evaluations at 1e-9, where a smooth network takes 190, and 1,500 at 1e-7, off by up to 1e-3");
}

flow_status adaptive_steps_choose(const Run *run, const Program *program, FlowSampling *sampling, AdaptiveSteps *steps, flow_error *error) {
  const TypedFlow *flow = flow_compiled_flow(program->compiled);
  bool searched = accuracy_wanted(run, program);        /* steps or tolerance are found later */
  *steps = (AdaptiveSteps){.wanted = !searched && adapts(run, flow)};
  double target;
  if (searched) return accuracy_check(run, &target, error);
  if (!steps->wanted) return refuse_options(run, program->model->jump, error);
  uint32_t precision = program->model->precision;
  if (flow_compiled_smoothness(program->compiled, &steps->smoothness, error)) return FLOW_NO_MEMORY;
  flow_status status = given(run, OPTION_steps) || given(run, OPTION_grid)
                           ? flow_fail(error, FLOW_BAD_CALL, "--rtol and --atol let steps adapt; --%s says where they end: one or the other",
                                       given(run, OPTION_steps) ? "steps" : "grid")
                           : choose_tolerance(run, flow, precision, &steps->what.tolerance, error);
  if (!status) status = choose_method(run, flow, precision, steps, &sampling->tableau, error);
  if (!status) status = choose_step_bounds(run, &steps->what, error);
  if (!status) status = choose_replay(run, steps, error);
  if (status) return status;
  steps->what.most_attempts = count_of(run, OPTION_max_steps, run->line->verb == VERB_train ? TRAINING_ATTEMPTS : 0);
  const char *warning = flow_tolerance_warning(precision, steps->what.tolerance);
  if (warning && !has(run, OPTION_quiet)) warn(&run->terminal, "%s", warning);
  warn_of_kinks(run, steps, sampling->tableau, program->model->extras > 0);
  return FLOW_OK;
}

/* ---- the solve ------------------------------------------------------------------------------------------------------- */

static void write_attempt(void *user, const FlowAttempt *attempt) {
  FILE *to = user;
  fprintf(to, "%u,%.17g,%.17g,%.6g,%d", attempt->number, attempt->t, attempt->h, attempt->error, attempt->accepted);
  for (uint64_t c = 0; c < attempt->dim; c++) fprintf(to, ",%.17g", attempt->x[c]);
  fputc('\n', to);
}

static flow_status open_replay(AdaptiveSteps *steps, uint64_t dim, flow_error *error) {
  bool standard = strcmp(steps->replay_path, "-") == 0;
  steps->replay = standard ? stdout : fopen(steps->replay_path, "w");
  if (!steps->replay) return flow_fail(error, FLOW_BAD_FILE, "%s: %s", steps->replay_path, strerror(errno));
  fputs("attempt,t,h,error,accepted", steps->replay);
  for (uint64_t c = 0; c < dim; c++) fprintf(steps->replay, ",x%" PRIu64, c);
  fputc('\n', steps->replay);
  steps->what.trace = write_attempt;
  steps->what.trace_user = steps->replay;
  return FLOW_OK;
}

static flow_status close_replay(AdaptiveSteps *steps, flow_error *error) {
  bool bad = ferror(steps->replay), standard = steps->replay == stdout;
  bad = (standard ? fflush(steps->replay) : fclose(steps->replay)) != 0 || bad;
  steps->replay = NULL;
  return bad ? flow_fail(error, FLOW_BAD_FILE, "%s: not all of the steps could be written", steps->replay_path) : FLOW_OK;
}

flow_status adaptive_steps_solve(AdaptiveSteps *steps, const FlowSampling *sampling, flow_error *error) {
  if (!steps->wanted) return flow_sample(sampling, error);
  flow_status status = steps->replay_path ? open_replay(steps, sampling->model->dim, error) : FLOW_OK;
  if (status) return status;
  steps->what.sampling = *sampling;
  steps->what.summary = &steps->summary;
  status = flow_sample_adaptive(&steps->what, error);
  if (!steps->replay) return status;
  flow_error why = {{0}};
  flow_status closed = close_replay(steps, &why);
  return status || !closed ? status : flow_fail(error, closed, "%s", why.text);
}

void adaptive_steps_note(AdaptiveSteps *steps, const flow_model *model, const FlowRows *rows) {
  enum { SHOWN = sizeof steps->stopped_at / sizeof steps->stopped_at[0] };
  for (uint64_t i = 0; steps->stopped_numbers == 0 && i < rows->count; i++) {
    if (rows->status[i] == FLOW_SAMPLE_OK) continue;
    steps->stopped_dim = model->dim;
    steps->stopped_numbers = model->dim < SHOWN ? model->dim : SHOWN;
    for (uint64_t c = 0; c < steps->stopped_numbers; c++) {
      uint64_t at = i * model->dim + c;
      steps->stopped_at[c] = model->precision == FLOW_F32 ? (double)((const float *)rows->value)[at] : ((const double *)rows->value)[at];
    }
  }
}

/* ---- the summary ------------------------------------------------------------------------------------------------------- */

static double percent(uint64_t part, uint64_t whole) { return whole ? 100.0 * (double)part / (double)whole : 0; }

static void print_failures(const AdaptiveSteps *steps) {
  const FlowAdaptiveSummary *summary = &steps->summary;
  for (int status = 1; status < FLOW_SAMPLE_STATUS_COUNT; status++)
    if (summary->solve.by_status[status])
      fprintf(stderr, "  %-10" PRIu64 " failed: %s\n", summary->solve.by_status[status], flow_sample_status_text((FlowSampleStatus)status));
  if (!summary->solve.failed) return;
  fprintf(stderr, "  the first one, sample %" PRIu64 ", stopped at t = %.9g", summary->solve.first_failed, summary->failed_at);
  for (uint64_t c = 0; c < steps->stopped_numbers; c++) fprintf(stderr, c ? ", %.6g" : ", x = [%.6g", steps->stopped_at[c]);
  if (steps->stopped_numbers) fputs(steps->stopped_dim > steps->stopped_numbers ? ", ...]" : "]", stderr);
  fprintf(stderr, "; --only %" PRIu64 " --replay steps.csv shows its steps\n", summary->solve.first_failed);
}

void adaptive_steps_print(const AdaptiveSteps *steps) {
  const FlowAdaptiveSummary *summary = &steps->summary;
  const FlowTolerance *tolerance = &steps->what.tolerance;
  if (!steps->wanted || summary->solve.samples == 0) return;
  fprintf(stderr, "%s, rtol %.3g, atol %.3g", steps->what.sampling.tableau->name, tolerance->rtol, tolerance->atol);
  if (steps->automatic) fprintf(stderr, " (no method was named; the velocity %s)", ir_smoothness_words(steps->smoothness));
  fputs(":\n", stderr);
  fprintf(stderr, "  evaluations   %" PRIu64 " to %" PRIu64 ", median %" PRIu64 "; the most: sample %" PRIu64 "\n", summary->least_evaluations,
          summary->most_evaluations, summary->median_evaluations, summary->hardest_sample);
  fprintf(stderr, "  steps         %" PRIu64 ", %.1f %% rejected", summary->attempts, percent(summary->rejected, summary->attempts));
  if (summary->smallest_step > 0) fprintf(stderr, "; the smallest %.3g, sample %" PRIu64, summary->smallest_step, summary->smallest_sample);
  fputc('\n', stderr);
  print_failures(steps);
  if (summary->stiff)
    fprintf(stderr, "  %-10" PRIu64 " stiff: stability, not the tolerance, set their steps; the first: sample %" PRIu64 "\n", summary->stiff,
            summary->first_stiff);
}

void adaptive_steps_print_json(const AdaptiveSteps *steps) {
  const FlowAdaptiveSummary *summary = &steps->summary;
  if (!steps->wanted) return;
  fprintf(stderr,
          "\"solver\": \"%s\", \"rtol\": %.9g, \"atol\": %.9g, \"evaluations\": {\"least\": %" PRIu64 ", \"median\": %" PRIu64
          ", \"most\": %" PRIu64 "}, \"attempts\": %" PRIu64 ", \"rejected\": %" PRIu64 ", \"smallest_step\": %.9g, \"hardest_sample\": %" PRIu64
          ", \"stiff\": %" PRIu64 ", \"automatic\": %s, \"smoothness\": \"%s\", ",
          steps->what.sampling.tableau->name, steps->what.tolerance.rtol, steps->what.tolerance.atol, summary->least_evaluations,
          summary->median_evaluations, summary->most_evaluations, summary->attempts, summary->rejected, summary->smallest_step,
          summary->hardest_sample, summary->stiff, steps->automatic ? "true" : "false", ir_smoothness_text(steps->smoothness));
}
