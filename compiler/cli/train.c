/* SPDX-License-Identifier: Apache-2.0 */
/* train.c -- flowc train: from a program and data to a file of weights. */
#include "show_progress.h"
#include "train_curve.h"
#include "train_files.h"
#include "train_log.h"
#include "train_settings.h"
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

enum { CHECKPOINT_EVERY = 1000, LOG_EVERY = 100, VALIDATIONS = 50 };

typedef struct Train {
  const Run *run;
  Program program;
  TrainPlan plan;
  TrainFiles files;
  FlowTraining *training;
  FlowTrainReport last;
  TrainLog log;
  TrainCurve curve;
  ShowProgress progress;
  uint64_t first;             /* iterations that were done before this run */
  double sum, kinetic, jacobian; /* of the losses and their terms since the last row of the log */
  uint64_t summed;
  double validation;          /* NaN: not computed yet */
  bool stopped;
} Train;

/* ---- the run ---------------------------------------------------------------------------------------------------- */

/* A checkpoint that cannot be written ends nothing: there may be room when the next one is due. */
static void save(const Train *train) {
  flow_error error = {{0}};
  if (flow_training_save(train->training, train->files.checkpoint, train->files.previous, &error))
    warn(&train->run->terminal, "%s; no checkpoint was written, the training goes on", error.text);
}

static bool every(uint64_t done, uint64_t interval, uint64_t total) { return interval && (done % interval == 0 || done == total); }

static flow_status note(Train *train, flow_error *error) {
  const FlowTrainSettings *s = &train->plan.settings;
  uint64_t done = train->last.iteration, log_every = count_of(train->run, OPTION_log_every, LOG_EVERY);
  bool validate = flow_training_held(train->training) > 0 && every(done, s->iterations / VALIDATIONS + 1, s->iterations);
  flow_status status = FLOW_OK;
  train_curve_add(&train->curve, done, train->last.loss);
  train->sum += train->last.loss;
  train->kinetic += train->last.kinetic;
  train->jacobian += train->last.jacobian;
  double count = (double)++train->summed;
  if (validate) status = flow_training_validate(train->training, &train->validation, error);
  if (status || (!validate && !every(done, log_every, s->iterations))) return status;
  train_log_add(&train->log, &(TrainRow){done, train->sum / count, validate ? train->validation : NAN, train->last.rate, train->last.norm,
                                         seconds_now() - train->progress.started, train->kinetic / count, train->jacobian / count});
  train->sum = train->kinetic = train->jacobian = 0;
  train->summed = 0;
  return FLOW_OK;
}

/* "  kinetic 1.52  jacobian 3.04", as the last iteration had them; "" without terms. */
static void terms_text(const Train *train, char *text, size_t size) {
  const FlowTrainTerms *terms = &train->plan.settings.terms;
  size_t length = 0;
  text[0] = 0;
  if (terms->kinetic > 0) length = (size_t)snprintf(text, size, "  kinetic %.4g", train->last.kinetic);
  if (terms->jacobian > 0) snprintf(text + length, size - length, "  jacobian %.4g", train->last.jacobian);
}

static void show(Train *train) {
  char text[512], terms[64];
  if (!progress_due(&train->progress)) return;
  terms_text(train, terms, sizeof terms);
  train_line(&train->curve, train->first, train->last.iteration, terms, train->last.rate, seconds_now() - train->progress.started,
             train->run->terminal.utf8, text, sizeof text);
  progress_line(&train->progress, text);
}

static flow_status iterate(Train *train, flow_error *error) {
  uint64_t total = train->plan.settings.iterations, interval = count_of(train->run, OPTION_checkpoint_every, CHECKPOINT_EVERY);
  flow_status status = FLOW_OK;
  while (!status && flow_training_done(train->training) < total) {
    status = flow_training_step(train->training, &train->last, error);
    if (!status) status = note(train, error);
    train->stopped = status == FLOW_CANCELLED || (!status && progress_stopped());
    if (status == FLOW_CANCELLED) status = FLOW_OK;     /* the iteration at hand is as if it had not begun */
    if (status) break;
    bool due = interval && train->last.iteration % interval == 0;
    if (due || train->stopped) save(train);
    if (train->stopped) break;
    show(train);
  }
  return status;
}

/* ---- before and after --------------------------------------------------------------------------------------------- */

static void print_solve(const FlowTrainSolve *solve, const Trace *trace) {
  fprintf(stderr, "likelihood by %s", solve->tableau->name);
  if (solve->adaptive)
    fprintf(stderr, " to rtol %.3g, atol %.3g, log p %.3g", solve->adaptive->tolerance.rtol, solve->adaptive->tolerance.atol,
            solve->adaptive->tolerance.ltol);
  else
    fprintf(stderr, " in %" PRIu64 " steps", solve->steps);
  if (trace->probes) fprintf(stderr, ", %u %s probe%s a sample", trace->probes, trace_probe_name(trace), trace->probes == 1 ? "" : "s");
}

static void print_terms(const FlowTrainTerms *terms) {
  if (terms->kinetic > 0) fprintf(stderr, " + %g kinetic", terms->kinetic);
  if (terms->jacobian > 0) fprintf(stderr, " + %g jacobian (%s)", terms->jacobian, terms->probe ? "estimated" : "exact");
}

static void print_start(const Train *train) {
  const FlowTrainSettings *s = &train->plan.settings;
  if (has(train->run, OPTION_quiet)) return;
  fprintf(stderr, "%zu weights, %" PRIu64 " rows to learn from%s", flow_training_weights(train->training),
          s->data->dim[0] - flow_training_held(train->training), flow_training_held(train->training) ? "" : "\n");
  if (flow_training_held(train->training)) fprintf(stderr, ", %" PRIu64 " held out\n", flow_training_held(train->training));
  if (s->loss == FLOW_LOSS_likelihood)
    print_solve(&s->solve, &train->plan.steps.trace);
  else
    fprintf(stderr, "%s%spath %s", s->loss_name ? s->loss_name : "", s->loss_name ? " along " : "", flow_path_name(s->path));
  print_terms(&s->terms);
  fprintf(stderr, ", %s %.3g, batch %" PRIu64 ", %" PRIu64 " iterations; %.3g MB for gradients\n", flow_optimiser_name(s->optimiser),
          s->rate, s->batch, s->iterations, (double)flow_training_bytes(train->training) / 1e6);
  if (train->first) fprintf(stderr, "goes on after iteration %" PRIu64 "\n", train->first);
}

static void print_end(const Train *train, double seconds) {
  uint64_t iterations = train->last.iteration - train->first;
  char shape[CURVE_CELLS * 4 + 1], terms[64];
  if (has(train->run, OPTION_quiet) || iterations == 0) return;
  train_curve_text(&train->curve, train->run->terminal.utf8, shape, sizeof shape);
  terms_text(train, terms, sizeof terms);
  fprintf(stderr, "%" PRIu64 " iterations in %.2f s (%.1f us each); loss %.4f%s", iterations, seconds, 1e6 * seconds / (double)iterations,
          train->curve.recent, terms);
  if (flow_training_held(train->training)) fprintf(stderr, ", held out %.4f", train->validation);
  fprintf(stderr, "  %s\n", shape);
  const FlowAdjointReport *solve = &train->last.solve;
  if (solve->steps)
    fprintf(stderr, "steps of a solve in the last iteration: %" PRIu64 " to %" PRIu64 ", %.1f in the mean; %.1f %% of the attempts rejected\n",
            solve->least, solve->most, (double)solve->steps / (double)train->plan.settings.batch,
            100 * (double)solve->rejected / (double)(solve->steps + solve->rejected));
}

static int stopped(const Train *train) {
  complain(&train->run->terminal, "stopped after iteration %" PRIu64 "; the same command with --resume goes on", train->last.iteration);
  return flow_status_exit_code(FLOW_CANCELLED);
}

/* The loss is not finite: the weights before it stay, for another try with --weights. */
static void keep_last(const Train *train) {
  flow_error error = {{0}};
  if (train_write(train->files.stopped, train->training, train->program.model, false, &error))
    warn(&train->run->terminal, "%s", error.text);
  else
    warn(&train->run->terminal, "the weights before the last iteration are in %s, for --weights", train->files.stopped);
}

static int train_all(Train *train) {
  const Run *run = train->run;
  flow_error error = {{0}};
  flow_status status = has(run, OPTION_resume) ? train_resume(run, &train->files, train->training, &error) : FLOW_OK;
  train->first = train->last.iteration = flow_training_done(train->training);
  train->curve.total = train->plan.settings.iterations;
  train->log.kinetic = train->plan.settings.terms.kinetic > 0;
  train->log.jacobian = train->plan.settings.terms.jacobian > 0;
  if (!status) status = train_log_open(text_of(run, OPTION_log), train->first, &train->log, &error);
  if (status) return failed(run, status, &error);
  print_start(train);
  progress_begin(&train->progress, run);
  status = iterate(train, &error);
  double seconds = seconds_now() - train->progress.started;
  progress_end(&train->progress);
  flow_error of_log = {{0}};
  flow_status logged = train_log_close(&train->log, &of_log);
  if (!status && !train->stopped) status = train_write(train->files.weights, train->training, train->program.model, true, &error);
  if (status == FLOW_FAILED_SAMPLES) keep_last(train);
  if (status) return failed(run, status, &error);
  print_end(train, seconds);
  if (logged) return failed(run, logged, &of_log);
  return train->stopped ? stopped(train) : 0;
}

static bool is_stopped(void *user) {
  (void)user;
  return progress_stopped();
}

/* First weights: of --weights, or by the rule. */
static flow_status begin(Train *train, const FlowInitial *rule, flow_error *error) {
  static const FlowStop stop = {is_stopped, NULL};
  train->plan.settings.stop = &stop;
  flow_status status = flow_training_open(&train->plan.settings, &train->training, error);
  if (status) return status;
  if (has(train->run, OPTION_weights)) return flow_training_take(train->training, &train->program.tensors, train->program.weights_path, error);
  flow_training_initialise(train->training, rule);
  return FLOW_OK;
}

static int prepare(Train *train, FlowInitial *rule) {
  const Run *run = train->run;
  flow_error error = {{0}};
  train_initial(flow_compiled_ir(train->program.compiled, false), train->plan.initial, train->plan.initial_scale, rule);
  if (has(run, OPTION_names)) {
    train_print_names(flow_compiled_ir(train->program.compiled, false), rule, stdout);
    return finish_output(run);
  }
  flow_status status = train_files(run, &train->files, &error);
  int code = status ? failed(run, status, &error) : program_link(run, &train->program, FLOW_ENTRY_GRADIENT);
  if (code) return code;
  status = train_plan_inputs(run, &train->program, &train->plan, &error);
  if (!status) status = begin(train, rule, &error);
  return status ? failed(run, status, &error) : train_all(train);
}

/* Names for the layers: those of --weights, or of a file that would fit. */
static int bind(Train *train) {
  const Run *run = train->run;
  Program *program = &train->program;
  flow_error error = {{0}};
  if (!program_has_weights(program)) {
    complain(&run->terminal, "%s: the velocity has no layers, and so nothing to train", program->path);
    return flow_status_exit_code(FLOW_BAD_INPUT);
  }
  if (!has(run, OPTION_weights)) {
    flow_status status = train_tensors(flow_compiled_ir(program->compiled, false), &program->tensors, &error);
    if (status) return failed(run, status, &error);
    program->has_tensors = true;
  }
  return program_bind(run, program);
}

static int train_program(Train *train) {
  const Run *run = train->run;
  flow_error error = {{0}};
  flow_status status = train_plan(run, &train->program, &train->plan, &error);
  if (status) return failed(run, status, &error);
  const FlowCompileOptions how = train_plan_options(run, &train->plan);
  int code = program_again(run, &train->program, &how);
  if (!code) code = bind(train);
  if (code) return code;
  FlowInitial *rule = calloc(flow_compiled_ir(train->program.compiled, false)->weights, sizeof *rule);
  status = rule ? FLOW_OK : flow_fail(&error, FLOW_NO_MEMORY, "out of memory");
  code = status ? failed(run, status, &error) : prepare(train, rule);
  free(rule);
  return code;
}

int verb_train(const Run *run) {
  Train train = {.run = run, .validation = NAN};
  int code = program_open(run, run->line->operand[0], &train.program);
  if (!code) code = train_program(&train);
  flow_training_close(train.training);
  train_plan_free(&train.plan);
  program_close(&train.program);
  return code;
}
