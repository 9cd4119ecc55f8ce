/* SPDX-License-Identifier: Apache-2.0 */
#include "train_settings.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_EXACT_NORM = 8 };      /* numbers of a state whose Jacobian is made as a whole */

/* ---- words --------------------------------------------------------------------------------------------------------------- */

static int index_of(const char *word, const char *const *list, int count) {
  for (int i = 0; word && i < count; i++)
    if (strcmp(word, list[i]) == 0) return i;
  return -1;
}

static const char *const path_word[] = {
#define PATH(name, last, text) #name,
#include "paths.def"
#undef PATH
};
static const char *const schedule_word[] = {
#define SCHEDULE(name, text) #name,
#include "schedules.def"
#undef SCHEDULE
};
static const char *const optimiser_word[] = {
#define OPTIMISER(name, moments, rate, text) #name,
#include "optimisers.def"
#undef OPTIMISER
};
static const char *const initial_word[] = {"kaiming", "xavier", "normal", "zeros"};
static const char *const coupling_word[] = {
#define COUPLING(name, text) #name,
#include "couplings.def"
#undef COUPLING
};

#define CHOOSE(to, kind, word, list)                                                 \
  do {                                                                               \
    int found_ = index_of(word, list, (int)(sizeof(list) / sizeof *(list)));         \
    if (found_ >= 0) (to) = (kind)found_;                                            \
  } while (0)

static flow_status take_path(const TypedFlow *flow, const TypedTrain *train, FlowTrainSettings *s, flow_error *error) {
  const char *word = train && train->path ? train->path : flow->path ? flow->path : "condot";
  int path = index_of(word, path_word, FLOW_PATHS);
  if (path < 0)
    return flow_fail(error, FLOW_BAD_PROGRAM, "the flow `%s` has a path of its own, and training knows condot, vp and cosine", flow->name);
  if (flow->predicts && flow->path && strcmp(flow->path, word) != 0)
    return flow_fail(error, FLOW_BAD_CALL, "the flow `%s` makes its velocity along `path %s`, and is to be trained along `%s`: they are one",
                     flow->name, flow->path, word);
  s->path = (FlowPath)path;
  s->t0 = flow->time_from, s->t1 = flow->time_to;
  s->s0 = flow->path_from, s->s1 = flow->path_to;
  return FLOW_OK;
}

static void take_words(const TypedTrain *train, TrainPlan *plan) {
  FlowTrainSettings *s = &plan->settings;
  CHOOSE(s->optimiser, FlowOptimiser, train->optimiser, optimiser_word);
  CHOOSE(s->schedule, FlowSchedule, train->schedule, schedule_word);
  if (train->loss && program_own_loss(train->loss) >= 0) s->loss = (FlowTrainLoss)program_own_loss(train->loss);
  CHOOSE(s->coupling, FlowCoupling, train->coupling, coupling_word);
  CHOOSE(plan->initial, InitialWay, train->initial, initial_word);
  plan->initial_scale = train->initial_scale;
}

/* ---- numbers -------------------------------------------------------------------------------------------------------------- */

static void take_number(double from, double *to) {
  if (from >= 0) *to = from;
}

static void take_count(int64_t from, uint64_t *to) {
  if (from >= 0) *to = (uint64_t)from;
}

static void take_numbers(const TypedTrain *train, FlowTrainSettings *s) {
  s->rate = flow_optimiser_rate(s->optimiser);
  if (s->optimiser == FLOW_OPTIMISER_sgd) s->beta1 = 0;
  if (!train) return;
  take_number(train->rate, &s->rate);
  take_number(train->momentum, &s->beta1);
  take_number(train->decay, &s->decay);
  take_number(train->clip, &s->clip);
  take_number(train->average, &s->average);
  take_number(train->validation, &s->validation);
  take_number(train->kinetic, &s->terms.kinetic);
  take_number(train->jacobian, &s->terms.jacobian);
  take_count(train->batch, &s->batch);
  take_count(train->iterations, &s->iterations);
  take_count(train->warm_up, &s->warm_up);
  take_count(train->seed, &s->seed);
}

static flow_status take_options(const Run *run, TrainPlan *plan, flow_error *error) {
  FlowTrainSettings *s = &plan->settings;
  s->batch = count_of(run, OPTION_batch, s->batch);
  s->iterations = count_of(run, OPTION_iterations, s->iterations);
  s->seed = count_of(run, OPTION_train_seed, s->seed);
  if (has(run, OPTION_coupling)) s->coupling = (FlowCoupling)option_of(run, OPTION_coupling)->choice;
  flow_status status = number_given(run, OPTION_rate, &s->rate, error);
  if (!status) status = number_given(run, OPTION_average, &s->average, error);
  if (!status) status = number_given(run, OPTION_validation, &s->validation, error);
  if (!status) status = number_given(run, OPTION_kinetic, &s->terms.kinetic, error);
  if (!status) status = number_given(run, OPTION_jacobian, &s->terms.jacobian, error);
  if (status) return status;
  s->threads = (int)count_of(run, OPTION_threads, 0);
  return FLOW_OK;
}

static flow_status take_matching(const Run *run, const TypedFlow *flow, FlowTrainSettings *s, flow_error *error) {
  static const OptionId of_likelihood[] = {OPTION_trace, OPTION_probes, OPTION_probe, OPTION_rtol, OPTION_atol, OPTION_ltol, OPTION_max_steps,
                                           OPTION_min_step, OPTION_max_step};
  for (size_t i = 0; i < sizeof of_likelihood / sizeof *of_likelihood; i++)
    if (has(run, of_likelihood[i]))
      return flow_fail(error, FLOW_BAD_CALL, "--%s belongs to --loss likelihood; flow matching solves nothing", options[of_likelihood[i]].name);
  return take_path(flow, flow->train, s, error);
}

static bool adapts(const Run *run, const Program *program) { return adaptive_steps_entries(run, program) & FLOW_ENTRY_ATTEMPT; }

/* The solve of the likelihood; flow matching has a path. */
static flow_status take_solve(const Run *run, const Program *program, TrainPlan *plan, flow_error *error) {
  const TypedFlow *flow = flow_compiled_flow(program->compiled);
  FlowTrainSettings *s = &plan->settings;
  if (s->loss != FLOW_LOSS_likelihood) return take_matching(run, flow, s, error);
  if (has(run, OPTION_coupling)) return flow_fail(error, FLOW_BAD_CALL, "--coupling belongs to flow matching, not to the likelihood");
  flow_status status = trace_choose(run, program, &plan->steps.trace, error);
  if (!status && !adapts(run, program)) status = sampling_fixed_steps(run, flow, &plan->steps, error);
  s->t0 = flow->time_from, s->t1 = flow->time_to;
  s->solve = (FlowTrainSolve){.tableau = plan->steps.what.tableau, .steps = plan->steps.what.steps, .grid = plan->steps.what.grid,
                              .probes = plan->steps.trace.probes, .probe = plan->steps.trace.probe};
  return status;
}

/* The loss that an option names, else the block; and what it needs of a sample. */
static void take_loss(const Run *run, const TypedFlow *flow, TrainPlan *plan) {
  FlowTrainSettings *s = &plan->settings;
  const char *asked = text_of(run, OPTION_loss);
  int own = asked ? program_own_loss(asked) : -1;
  if (asked) s->loss = own >= 0 ? (FlowTrainLoss)own : FLOW_LOSS_flow_matching;
  if (!flow->loss || own >= 0) return;
  snprintf(plan->loss_name, sizeof plan->loss_name, "%s", flow->loss->name);
  s->loss_name = plan->loss_name;
  s->parts = flow->loss->parts;
}

/* How the Jacobian is measured.  Along a solve with an estimated trace the same products serve both. */
static flow_status take_norm(const Run *run, const TypedFlow *flow, FlowTrainSettings *s, flow_error *error) {
  const char *said = flow->train ? flow->train->jacobian_norm : NULL;
  bool asked = has(run, OPTION_jacobian_norm), estimated = s->loss == FLOW_LOSS_likelihood && s->solve.probes > 0;
  bool exact = asked ? option_of(run, OPTION_jacobian_norm)->choice == 0 : said ? strcmp(said, "exact") == 0 : !estimated && flow->dim <= MOST_EXACT_NORM;
  if (s->terms.jacobian <= 0)
    return asked ? flow_fail(error, FLOW_BAD_CALL, "--jacobian-norm says how, and --jacobian X is missing: how much of it") : FLOW_OK;
  if (exact && estimated)
    return flow_fail(error, FLOW_BAD_CALL, "the Jacobian is to be measured exactly, and its trace is estimated: --trace exact makes both so");
  s->terms.probe = !exact;
  if (!exact && s->loss != FLOW_LOSS_likelihood) s->parts |= 1u << FLOW_PART_probe;
  return FLOW_OK;
}

FlowCompileOptions train_plan_options(const Run *run, const TrainPlan *plan) {
  const FlowTrainSettings *s = &plan->settings;
  FlowCompileOptions how = program_options(run);
  how.extras = s->loss == FLOW_LOSS_likelihood ? (s->solve.probes ? FLOW_ADJOINT_PROBES : FLOW_ADJOINT_LOG_P)
               : s->loss_name                  ? FLOW_PROGRAM_LOSS
                                               : FLOW_SQUARES;
  how.probes = s->solve.probes;
  how.kinetic = s->terms.kinetic;
  how.jacobian = s->terms.jacobian;
  how.jacobian_probe = s->terms.probe;
  return how;
}

flow_status train_plan(const Run *run, const Program *program, TrainPlan *plan, flow_error *error) {
  const TypedFlow *flow = flow_compiled_flow(program->compiled);
  *plan = (TrainPlan){.settings = flow_train_defaults()};
  if (!flow) return flow_fail(error, FLOW_BAD_CALL, "%s has no flow, and only a flow can be trained", program->path);
  const TypedTrain *train = flow->train;
  plan->settings.allocator = &flow_standard_allocator;
  if (train) take_words(train, plan);
  take_numbers(train, &plan->settings);
  take_loss(run, flow, plan);
  flow_status status = take_options(run, plan, error);
  if (!status) status = take_solve(run, program, plan, error);
  return status ? status : take_norm(run, flow, &plan->settings, error);
}

/* ---- files ------------------------------------------------------------------------------------------------------------------ */

static flow_status read_named(const Run *run, const Program *program, NamedFile kind, Given *given, flow_error *error) {
  char *path = NULL;
  flow_status status = program_file(run, program, kind, flow_compiled_flow(program->compiled), &path, error);
  if (!status) status = given_read(kind == NAMED_DATA ? "data" : "source", path, given, error);
  free(path);
  return status;
}

static flow_status read_data(const Run *run, const Program *program, const TypedTrain *train, TrainPlan *plan, flow_error *error) {
  FlowTrainSettings *s = &plan->settings;
  s->data_name = has(run, OPTION_data) ? text_of(run, OPTION_data) : train ? train->data : NULL;
  if (!s->data_name)
    return flow_fail(error, FLOW_BAD_CALL, "--data is missing: the points to learn from, one a row (`flowc data moons -n 10000 -o x.npy` makes some)");
  flow_status status = has(run, OPTION_data) ? given_read("--data", s->data_name, &plan->data, error)
                                             : read_named(run, program, NAMED_DATA, &plan->data, error);
  if (!status) status = given_rows("--data", &plan->data, program->model->dim, error);
  if (status) return status;
  s->data = &plan->data.tensor;
  return FLOW_OK;
}

static flow_status read_source(const Run *run, const Program *program, const TypedFlow *flow, TrainPlan *plan, flow_error *error) {
  flow_status status = flow_compiled_source(program->compiled, &plan->source, error);
  if (!status && flow->source == SOURCE_FILE) status = read_named(run, program, NAMED_SOURCE, &plan->from, error);
  if (plan->source.kind == FLOW_SOURCE_TENSOR) plan->source.tensor = &plan->from.tensor;
  plan->settings.source = &plan->source;
  return status;
}

/* The same text and weights once more, for the way from the data to the source. */
static flow_status compile_ahead(const Run *run, const Program *program, TrainPlan *plan, flow_error *error) {
  FlowCompileOptions how = train_plan_options(run, plan);
  how.extras = trace_extras(&plan->steps.trace);
  flow_status status = flow_compile(&flow_standard_allocator, program->path, (const char *)program->text.data, program->text.size, &how,
                                    &plan->ahead, error);
  if (!status) status = flow_compiled_bind(plan->ahead, &program->tensors, error);
  if (!status) status = flow_compiled_link(plan->ahead, adaptive_steps_entries(run, program), error);
  if (!status) plan->settings.solve.ahead = flow_compiled_model(plan->ahead);
  return status;
}

/* Tolerances and their method, by what the compiled velocity is like; else options of theirs are refused. */
static flow_status take_tolerances(const Run *run, const Program *program, TrainPlan *plan, flow_error *error) {
  Program ahead = *program;
  ahead.compiled = plan->ahead;
  ahead.model = plan->settings.solve.ahead;
  flow_status status = adaptive_steps_choose(run, &ahead, &plan->steps.what, &plan->steps.adaptive, error);
  if (status || !plan->steps.adaptive.wanted) return status;
  plan->settings.solve.tableau = plan->steps.what.tableau;
  plan->settings.solve.adaptive = &plan->steps.adaptive.what;
  return FLOW_OK;
}

/* ---- labels ----------------------------------------------------------------------------------------------------------------- */

/* The condition that a value is, or a view of one; -1: it is something else. */
static int condition_of(const IrFunction *ir, Ref at) {
  while (ir->node[at].op == IR_view) at = ir->node[at].arg[0];
  const IrNode *node = &ir->node[at];
  return node->op == IR_input && node->slot >= 2 ? (int)node->slot - 2 : -1;
}

/* A label that has no row in its table makes the loss NaN, in whichever iteration meets it first. */
static flow_status check_labels(const FlowTensor *labels, const char *name, int64_t rows, const char *layer, flow_error *error) {
  uint64_t lines = labels->rank ? labels->dim[0] : 1, width = lines ? labels->count / lines : 1;
  for (uint64_t i = 0; i < labels->count; i++) {
    double label = flow_tensor_at(labels, i);
    if (label >= 0 && label < (double)rows && label == floor(label)) continue;
    return flow_fail(error, FLOW_BAD_INPUT, "condition '%s': row %llu: the label %.9g is outside of a table of %lld rows, in the layer `%s`: labels are 0 to %lld",
                     name, (unsigned long long)(width ? i / width : 0), label, (long long)rows, layer, (long long)rows - 1);
  }
  return FLOW_OK;
}

static flow_status check_all_labels(const Program *program, const TrainPlan *plan, flow_error *error) {
  const IrFunction *ir = flow_compiled_ir(program->compiled, false);
  uint32_t own = flow_train_conditions(&plan->settings);
  flow_status status = FLOW_OK;
  for (Ref i = 0; !status && i < ir->nodes; i++) {
    const IrNode *node = &ir->node[i], *table = node->op == IR_lookup ? &ir->node[node->arg[0]] : NULL;
    int at = table ? condition_of(ir, node->arg[1]) : -1;
    if (at < 0 || (uint32_t)at >= own || table->op != IR_weight) continue;
    const IrWeight *weight = &ir->weight[table->slot];
    status = check_labels(&plan->conditions.tensor[at], program->model->condition[at].name, table->shape.dim[0], weight->name ? weight->name : "embedding", error);
  }
  return status;
}

flow_status train_plan_inputs(const Run *run, const Program *program, TrainPlan *plan, flow_error *error) {
  const TypedFlow *flow = flow_compiled_flow(program->compiled);
  FlowTrainSettings *s = &plan->settings;
  s->model = program->model;
  s->level = program->level;
  s->formulas = ir_fingerprint(flow_compiled_ir(program->compiled, true));
  flow_status status = read_data(run, program, flow->train, plan, error);
  if (!status) status = read_source(run, program, flow, plan, error);
  if (!status)
    status = given_conditions(run->line, program->model, program->model->conditions - program->own_conditions, &plan->conditions, error);
  s->condition = plan->conditions.tensor;
  if (!status) status = check_all_labels(program, plan, error);
  if (!status && s->loss == FLOW_LOSS_likelihood) status = compile_ahead(run, program, plan, error);
  if (!status && s->loss == FLOW_LOSS_likelihood) status = take_tolerances(run, program, plan, error);
  return status;
}

void train_plan_free(TrainPlan *plan) {
  flow_compiled_free(plan->ahead);
  given_free(&plan->data);
  given_free(&plan->from);
  given_conditions_free(&plan->conditions);
}
