/* SPDX-License-Identifier: Apache-2.0 */
/* compile_front.c -- parse, check, choose, lower, freeze: everything before layout and machine code. */
#include <string.h>
#include <time.h>
#include "compiled.h"
#include "derive.h"
#include "parse.h"
#include "tableau.h"

double compile_clock_ms(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec * 1e3 + (double)t.tv_nsec * 1e-6;
}

/* ---- which velocity ------------------------------------------------------------------------------------------------ */

static const char *listed(FlowCompiled *c, const char *const *name, uint32_t count) {
  const char *list = "";
  for (uint32_t i = 0; i < count; i++) list = arena_format(&c->arena, "%s%s%s", list, i ? ", " : "", name[i]);
  return list;
}

static flow_status choose_flow(FlowCompiled *c, const char *file, flow_error *error) {
  TypedProgram *p = c->program;
  const char **name = arena_array(&c->arena, p->flows + 1, sizeof *name);
  for (uint32_t i = 0; i < p->flows; i++) name[i] = p->flow[i].name;
  if (c->options.flow) {
    for (uint32_t i = 0; i < p->flows; i++)
      if (!strcmp(p->flow[i].name, c->options.flow)) c->flow = &p->flow[i];
    if (c->flow) return FLOW_OK;
    const char *near = diag_nearest(c->options.flow, name, p->flows);
    if (near) return flow_fail(error, FLOW_BAD_CALL, "%s: there is no flow `%s`; did you mean `%s`?", file, c->options.flow, near);
    return flow_fail(error, FLOW_BAD_CALL, "%s: there is no flow `%s`; it has: %s", file, c->options.flow,
                     p->flows ? listed(c, name, p->flows) : "none");
  }
  if (p->flows == 1 || (p->flows > 1 && c->options.first_flow)) c->flow = &p->flow[0];
  if (!c->flow && p->flows > 1 && (c->options.need_flow || !c->options.field))
    return flow_fail(error, FLOW_BAD_CALL, "%s: there are %u flows (%s); choose one with --flow NAME", file, p->flows,
                     listed(c, name, p->flows));
  if (!c->flow && c->options.need_flow)
    return flow_fail(error, FLOW_BAD_CALL, "%s: there is no flow; add one, as in  flow main { source normal(2)  velocity %s  "
                     "solver rk4 steps 50 }", file, p->fields ? p->field[0]->name : "u");
  return FLOW_OK;
}

static flow_status choose_function(FlowCompiled *c, const char *file, flow_error *error) {
  TypedProgram *p = c->program;
  if (c->options.field) {
    Shape state = {1, {c->flow ? c->flow->dim : 0}};
    c->function = flow_check_instance(p, c->options.field, c->flow ? &state : NULL, NULL, 0);
    if (c->function || c->diagnostics.errors) return c->function ? FLOW_OK : FLOW_BAD_PROGRAM;
    return flow_fail(error, FLOW_BAD_CALL, "%s: there is no field or network `%s` whose shapes are known", file, c->options.field);
  }
  if (c->flow) {
    c->function = c->flow->velocity;
    return FLOW_OK;
  }
  const char **name = arena_array(&c->arena, p->fields + 1, sizeof *name);
  for (uint32_t i = 0; i < p->fields; i++) name[i] = p->field[i]->name;
  if (p->fields == 1) c->function = p->field[0];
  if (p->fields > 1 && !c->options.first_flow)
    return flow_fail(error, FLOW_BAD_CALL, "%s: there is no flow, and there are %u fields (%s); choose one with --field NAME", file,
                     p->fields, listed(c, name, p->fields));
  return FLOW_OK;               /* none: a file of functions can still be checked */
}

/* A flow's velocity has that flow's weights; another field those of the flow that uses it. */
static void choose_weights(FlowCompiled *c) {
  WhoseQuestion question = {.program = c->program, .function = c->function, .asked = c->options.flow, .folders = c->options.folders};
  c->filled_by = c->flow;
  if (!c->function || !c->options.field) return;
  WhoseWeights whose = whose_weights(&c->arena, &question);
  c->no_weights = whose.why;
  question.file_given = true;
  if (whose.why) whose = whose_weights(&c->arena, &question);
  c->no_prefix = whose.why;
  c->filled_by = whose.flow;
}

/* ---- the stages ------------------------------------------------------------------------------------------------------ */

static uint32_t count_names(const char *const *name) {
  uint32_t count = 0;
  while (name && name[count]) count++;
  return count;
}

/* The same words in the driver and in the IR. */
_Static_assert((int)FLOW_LOG_P == (int)IR_LOG_P && (int)FLOW_PROBES == (int)IR_PROBES && (int)FLOW_JVP == (int)IR_JVP &&
                   (int)FLOW_VJP == (int)IR_VJP, "FlowExtras and IrExtras name the same things");

/* The loss of the flow in the place of its velocity; it trains no weights that are not the velocity's too. */
static flow_status lower_loss(FlowCompiled *c, flow_error *error) {
  const TypedLoss *loss = c->flow ? c->flow->loss : NULL;
  uint32_t weights = c->source->weights;
  if (!loss) return flow_fail(error, FLOW_BAD_CALL, "`%s` names no loss of the program", c->source->name);
  c->source = ir_lower_loss(&c->arena, loss->function, c->flow->prefix, &c->diagnostics);
  if (c->source && c->source->weights > weights) {
    Diag *diag = diag_error(&c->diagnostics, E0513, loss->at, "`%s` trains a layer that is no part of the velocity `%s`", loss->name, c->function->name);
    diag_note(&c->diagnostics, diag, c->source->weight[weights].at, "this one");
    diag_help(&c->diagnostics, diag, "a loss calls the networks of the velocity, under the names that they have there");
  }
  return c->source && !c->diagnostics.errors ? FLOW_OK : FLOW_BAD_PROGRAM;
}

static IrFunction *with_extras_of(FlowCompiled *c) {
  static const IrLoss loss[] = {[FLOW_SQUARES] = IR_SQUARES, [FLOW_PROGRAM_LOSS] = IR_OF_PROGRAM, [FLOW_ADJOINT] = IR_ADJOINT,
                                [FLOW_ADJOINT_LOG_P] = IR_ADJOINT_LOG_P, [FLOW_ADJOINT_PROBES] = IR_ADJOINT_PROBES};
  const FlowCompileOptions *o = &c->options;
  const IrTerms terms = {o->kinetic, o->jacobian, o->jacobian_probe};
  if (o->extras >= FLOW_SQUARES) return ir_with_gradients(c->source, loss[o->extras], o->probes, &terms);
  if (o->extras == FLOW_LOG_P || o->extras == FLOW_PROBES) return ir_with_rates(c->source, o->extras == FLOW_PROBES ? o->probes : 0, &terms);
  return ir_with_extras(c->source, (IrExtras)o->extras, o->probes);
}

static flow_status lower(FlowCompiled *c, flow_error *error) {
  if (!c->function) return FLOW_OK;
  if ((c->options.extras == FLOW_PROBES || c->options.extras == FLOW_ADJOINT_PROBES) && c->options.probes == 0)
    return flow_fail(error, FLOW_BAD_CALL, "0 probes: a model with probes has at least 1");
  double start = compile_clock_ms();
  bool jump = c->flow && c->flow->map && c->function == c->flow->velocity && !c->options.as_velocity;
  if (jump && c->options.extras == FLOW_PROBES)
    return flow_fail(error, FLOW_BAD_CALL, "the flow `%s` is given by a map, and its log p is exact: no probes", c->flow->name);
  bool path = jump && c->options.as_path;
  const TypedFunction *function = path ? compile_path(c) : jump ? compile_jump(c) : c->function;
  c->source = ir_lower(&c->arena, function, c->filled_by ? c->filled_by->prefix : "", &c->diagnostics);
  if (!c->source || c->diagnostics.errors) return FLOW_BAD_PROGRAM;
  c->source->jump = jump && !path;
  flow_status status = c->options.extras == FLOW_PROGRAM_LOSS ? lower_loss(c, error) : FLOW_OK;
  if (status) return status;
  IrFunction *with_extras = with_extras_of(c);
  if (with_extras && c->options.extras >= FLOW_SQUARES && with_extras->contributions == 0)
    return c->source->weights ? flow_fail(error, FLOW_BAD_PROGRAM, "`%s` depends on no weight, and so trains nothing", c->source->name)
                              : flow_fail(error, FLOW_BAD_PROGRAM, "`%s` has no weights to train", c->function->name);
  if (!with_extras) return flow_fail(error, FLOW_BAD_PROGRAM, "%s: its derivative has a value of more than %d numbers%s",
                                     c->source->name, IR_MOST_ELEMENTS,
                                     c->options.extras == FLOW_LOG_P ? "; log p can be estimated by probes" : "");
  c->frozen = ir_optimise(with_extras, c->options.precision);
  c->cost.lower_ms = compile_clock_ms() - start;
  c->cost.nodes = c->frozen->nodes;
  return FLOW_OK;
}

/* Of the solvers that a flow may name, those with an estimate of their error. */
static const char *const *adaptive_solvers(FlowCompiled *c, uint32_t *count) {
  const char **name = arena_array(&c->arena, flow_tableau_count(), sizeof *name);
  for (uint32_t i = 0; c->options.solver[i] && *count < flow_tableau_count(); i++) {
    const FlowTableau *tableau = flow_tableau_find(c->options.solver[i]);
    if (tableau && tableau->error[0].order) name[(*count)++] = c->options.solver[i];
  }
  return name;
}

flow_status compile_front(FlowCompiled *c, const char *name, const char *text, size_t length, flow_error *error) {
  double start = compile_clock_ms();
  const Source *prelude_source = source_add(&c->sources, "<prelude>", flow_prelude_text, flow_prelude_length);
  const Source *source = source_add(&c->sources, name, text, length);
  if (!prelude_source || !source) return flow_fail(error, FLOW_BAD_INPUT, "%s: the file is too large", name);
  AstFile *prelude = flow_parse(&c->sources, &c->arena, &c->diagnostics, prelude_source, NULL);
  AstFile *file = flow_parse(&c->sources, &c->arena, &c->diagnostics, source, NULL);
  c->file = file;
  if (!prelude || !file) return FLOW_BAD_PROGRAM;
  CheckOptions options = {.solver = c->options.solver, .solvers = count_names(c->options.solver), .loss = c->options.loss,
                          .loss_of = c->options.flow};
  options.adaptive = adaptive_solvers(c, &options.adaptives);
  c->program = flow_check(&c->arena, &c->diagnostics, prelude, file, &options);
  c->cost.front_ms = compile_clock_ms() - start;
  if (c->diagnostics.errors) return FLOW_BAD_PROGRAM;
  flow_status status = choose_flow(c, name, error);
  if (!status) status = choose_function(c, name, error);
  if (status) return status;
  choose_weights(c);
  return lower(c, error);
}
