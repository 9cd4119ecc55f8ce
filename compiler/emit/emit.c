/* SPDX-License-Identifier: Apache-2.0 */
/* emit.c -- sections become functions, and the entries of flow/model.h stand around them. */
#include "emit.h"
#include <stddef.h>
#include "emit_module.h"
#include "emit_parts.h"

/* ---- sections ------------------------------------------------------------------------------------------------------ */

static void emit_statements(Emit *e) {
  const TileSection *s = &e->program->section[e->section];
  for (uint32_t i = 0; i < s->statements; i++) {
    switch (s->statement[i].kind) {
    case TILE_MM: emit_mm(e, &s->statement[i]); break;
    case TILE_LOOP: emit_loop(e, &s->statement[i]); break;
    case TILE_STRAIGHT: emit_straight(e, &s->statement[i]); break;
    case TILE_LOOKUP: emit_lookup(e, &s->statement[i]); break;
    case TILE_MATRIX: emit_matrix(e, &s->statement[i]); break;
    case TILE_GRADIENT: emit_gradient(e, &s->statement[i]); break;
    }
  }
}

static Val section_function(Emit *e, const char *name, TileSectionId section, bool times_in_lanes) {
  LL *ll = &e->ll;
  LLVMTypeRef type[BASE_COUNT + 1];
  for (int i = 0; i < BASE_COUNT; i++) type[i] = ll->pointer;
  type[BASE_COUNT] = ll->i64;
  Val function = ll_function(ll, name, ll->nothing, type, BASE_COUNT + 1, false);
  for (int i = 0; i < BASE_COUNT; i++) e->base[i] = ll_parameter(ll, (unsigned)i);
  e->vectors = ll_parameter(ll, BASE_COUNT);
  e->section = section;
  e->times_in_lanes = times_in_lanes;
  emit_statements(e);
  ll_return(ll);
  return function;
}

/* ---- entries --------------------------------------------------------------------------------------------------------- */

#define FIELD(name) offsetof(flow_call, name)

static Val open_entry(Emit *e, const char *name) {
  LLVMTypeRef parameter[] = {e->ll.pointer};
  return ll_function(&e->ll, name, e->ll.i32, parameter, 1, true);
}

static void close_entry(Emit *e) { LLVMBuildRet(e->ll.builder, LLVMConstInt(e->ll.i32, 0, 0)); }

Val emit_call_vectors(Emit *e, Val call) {
  LL *ll = &e->ll;
  return LLVMBuildUDiv(ll->builder, ll_load_u32(ll, call, FIELD(lanes)), ll_int(ll, ll->lanes), "");
}

void emit_load_bases(Emit *e, Val call, Val *base) {
  LL *ll = &e->ll;
  const size_t field[BASE_COUNT] = {[BASE_WEIGHTS] = FIELD(weights), [BASE_TIMES] = FIELD(times), [BASE_COND] = FIELD(cond),
                                    [BASE_CONDITIONS] = FIELD(conditions), [BASE_X] = FIELD(x), [BASE_TIME] = FIELD(t),
                                    [BASE_OUTPUT] = FIELD(u), [BASE_SCRATCH] = FIELD(scratch)};
  for (int i = 0; i < BASE_COUNT; i++) base[i] = ll_load_pointer(ll, call, (int64_t)field[i]);
}

/* int entry(call): the section on the call's buffers. */
static void simple_entry(Emit *e, const char *name, Val section) {
  Val argument[BASE_COUNT + 1];
  open_entry(e, name);
  Val call = ll_parameter(&e->ll, 0);
  emit_load_bases(e, call, argument);
  argument[BASE_COUNT] = emit_call_vectors(e, call);
  ll_call(&e->ll, section, argument, BASE_COUNT + 1);
  close_entry(e);
}

/* ---- step ---------------------------------------------------------------------------------------------------------------
 * for s in 0..stages:  k_s = u(stage_times[s], combine(x, combination[s]))
 * x = combine(x, combination[stages])
 * combine(x, c): x, then fma(c_i, k_stage(i), .) term by term. */

/* void combine(out, x, k, combination, vectors): term after term over rows and vectors, so that nothing but the lanes is loaded
 * within. */
static Val combine_function(Emit *e) {
  LL *ll = &e->ll;
  LLVMTypeRef type[] = {ll->pointer, ll->pointer, ll->pointer, ll->pointer, ll->i64};
  Val function = ll_function(ll, "combine", ll->nothing, type, 5, false), out = ll_parameter(ll, 0);
  Val combination = ll_parameter(ll, 3);
  Val count = ll_load_u32(ll, combination, offsetof(flow_combination, count));
  Val stage = ll_load_pointer(ll, combination, offsetof(flow_combination, stage));
  Val coefficient = ll_load_pointer(ll, combination, offsetof(flow_combination, coefficient));
  int64_t stage_bytes = emit_state_rows(e) * emit_row_bytes(e);
  LLLoop term = ll_loop(ll, ll_int(ll, 0), count, 1);
  Val first = LLVMBuildICmp(ll->builder, LLVMIntEQ, term.i, ll_int(ll, 0), "");
  Val from = LLVMBuildSelect(ll->builder, first, ll_parameter(ll, 1), out, "");
  Val k = ll_at(ll, ll_parameter(ll, 2), ll_imul(ll, ll_load_u32(ll, ll_at(ll, stage, ll_imul(ll, term.i, 4)), 0), stage_bytes));
  Val c = ll_load_scalar(ll, ll_at(ll, coefficient, ll_imul(ll, term.i, ll->precision)));
  LLLoop row = ll_loop(ll, ll_int(ll, 0), ll_int(ll, emit_state_rows(e)), 1);
  Val row_at = ll_imul(ll, row.i, emit_row_bytes(e));
  LLLoop vector = ll_loop(ll, ll_int(ll, 0), ll_parameter(ll, 4), 1);
  Val at = ll_iadd(ll, row_at, ll_imul(ll, vector.i, (int64_t)ll->lanes * ll->precision));
  Val moved = ll_fma(ll, c, ll_load_lanes(ll, ll_at(ll, k, at)), ll_load_lanes(ll, ll_at(ll, from, at)));
  ll_store_lanes(ll, ll_at(ll, out, at), moved);
  ll_loop_end(ll, &vector);
  ll_loop_end(ll, &row);
  ll_loop_end(ll, &term);
  ll_return(ll);
  return function;
}

/* One stage: quiet where its bit is set in the mask, and there is something to be quiet about. */
static void evaluate(Emit *e, Val sample, Val quiet, Val mask, Val stage, Val *argument) {
  LL *ll = &e->ll;
  if (!quiet) {
    ll_call(ll, sample, argument, BASE_COUNT + 1);
    return;
  }
  Val bit = LLVMBuildAnd(ll->builder, LLVMBuildLShr(ll->builder, mask, stage, ""), ll_int(ll, 1), "");
  LLIf silent = ll_if(ll, LLVMBuildICmp(ll->builder, LLVMIntNE, bit, ll_int(ll, 0), ""));
  ll_call(ll, quiet, argument, BASE_COUNT + 1);
  ll_else(ll, &silent);
  ll_call(ll, sample, argument, BASE_COUNT + 1);
  ll_endif(ll, &silent);
}

static void step_entry(Emit *e, Val sample, Val quiet) {
  LL *ll = &e->ll;
  Val combine = combine_function(e);
  Val base[BASE_COUNT + 1];
  open_entry(e, "flow_step");
  Val call = ll_parameter(ll, 0), vectors = emit_call_vectors(e, call);
  emit_load_bases(e, call, base);
  Val stages = ll_load_u32(ll, call, FIELD(stages)), x = base[BASE_X];
  Val stage_times = ll_load_pointer(ll, call, FIELD(stage_times));
  Val combination = ll_load_pointer(ll, call, FIELD(combination));
  int64_t x_bytes = emit_state_rows(e) * emit_row_bytes(e), combination_bytes = sizeof(flow_combination);
  Val moved = base[BASE_SCRATCH], rest = ll_at(ll, moved, ll_int(ll, x_bytes));
  Val k = ll_at(ll, rest, ll_int(ll, (int64_t)e->level.scratch_bytes - x_bytes));
  LLLoop s = ll_loop(ll, ll_int(ll, 0), stages, 1);
  Val terms = ll_at(ll, combination, ll_imul(ll, s.i, combination_bytes));
  Val none = LLVMBuildICmp(ll->builder, LLVMIntEQ, ll_load_u32(ll, terms, offsetof(flow_combination, count)), ll_int(ll, 0), "");
  LLIf start = ll_if(ll, none);
  ll_else(ll, &start);
  Val moving[] = {moved, x, k, terms, vectors};
  ll_call(ll, combine, moving, 5);
  ll_endif(ll, &start);
  base[BASE_X] = LLVMBuildSelect(ll->builder, none, x, moved, "");
  base[BASE_TIMES] = ll_load_pointer(ll, ll_at(ll, stage_times, ll_imul(ll, s.i, sizeof(void *))), 0);
  base[BASE_OUTPUT] = ll_at(ll, k, ll_imul(ll, s.i, x_bytes));
  base[BASE_SCRATCH] = rest;
  base[BASE_COUNT] = vectors;
  evaluate(e, sample, quiet, ll_load_i64(ll, call, FIELD(quiet)), s.i, base);
  ll_loop_end(ll, &s);
  Val last[] = {x, x, k, ll_at(ll, combination, ll_imul(ll, stages, combination_bytes)), vectors};
  ll_call(ll, combine, last, 5);
  close_entry(e);
}

/* ---- jump ---------------------------------------------------------------------------------------------------------------
 * The step of a flow that is given by a map: x = the value at x, and what the extras say is added to them. */

static void jump_entry(Emit *e, Val sample, Val quiet) {
  LL *ll = &e->ll;
  Val base[BASE_COUNT + 1];
  open_entry(e, "flow_step");
  Val call = ll_parameter(ll, 0);
  emit_load_bases(e, call, base);
  int64_t row_bytes = emit_row_bytes(e), dim = e->program->dim;
  Val x = base[BASE_X], value = base[BASE_SCRATCH];
  base[BASE_TIMES] = ll_load_pointer(ll, ll_load_pointer(ll, call, FIELD(stage_times)), 0);
  base[BASE_OUTPUT] = value;
  base[BASE_SCRATCH] = ll_at(ll, value, ll_int(ll, emit_state_rows(e) * row_bytes));
  base[BASE_COUNT] = emit_call_vectors(e, call);
  evaluate(e, sample, quiet, ll_load_i64(ll, call, FIELD(quiet)), ll_int(ll, 0), base);
  LLLoop vector = ll_loop(ll, ll_int(ll, 0), base[BASE_COUNT], 1);
  Val lane = ll_imul(ll, vector.i, (int64_t)ll->lanes * ll->precision);
  for (int extras = 0; extras < (e->program->extras ? 2 : 1); extras++) {
    LLLoop row = ll_loop(ll, ll_int(ll, extras ? dim : 0), ll_int(ll, extras ? emit_state_rows(e) : dim), 1);
    Val at = ll_iadd(ll, ll_imul(ll, row.i, row_bytes), lane), new = ll_load_lanes(ll, ll_at(ll, value, at));
    if (extras) new = LLVMBuildFAdd(ll->builder, ll_load_lanes(ll, ll_at(ll, x, at)), new, "");
    ll_store_lanes(ll, ll_at(ll, x, at), new);
    ll_loop_end(ll, &row);
  }
  ll_loop_end(ll, &vector);
  close_entry(e);
}

/* ---- gradient ------------------------------------------------------------------------------------------------------------- */

/* The sample section with times in lanes; its last statements add to the caller's sums. */
static void gradient_entry(Emit *e) {
  LL *ll = &e->ll;
  open_entry(e, "flow_gradient");
  Val call = ll_parameter(ll, 0);
  emit_load_bases(e, call, e->base);
  e->vectors = emit_call_vectors(e, call);
  e->section = TILE_SAMPLE;
  e->times_in_lanes = true;
  e->gradient = ll_load_pointer(ll, call, FIELD(gradient));
  e->live = ll_load_u32(ll, call, FIELD(live));
  emit_statements(e);
  close_entry(e);
}

/* ---- the module --------------------------------------------------------------------------------------------------------- */

static unsigned vector_lanes(const TileProgram *program, const EmitOptions *options) {
  if (options->rows) return 1;
  int schedule = options->schedule;
  return (unsigned)((schedule == FLOW_CPU_V4 ? 64 : 32) / program->precision);
}

static uint64_t aligned(uint64_t bytes) { return (bytes + 63) / 64 * 64; }

flow_level emit_level(const TileProgram *program, const EmitOptions *options) {
  uint32_t quantum = vector_lanes(program, options);
  flow_level level = {.cpu = (uint32_t)options->cpu, .lanes = options->rows ? 1 : tile_lanes(program, quantum), .quantum = quantum};
  uint64_t row = (uint64_t)level.lanes * (uint64_t)program->precision;
  int64_t rows = 0;
  for (int s = TILE_TIMES; s < TILE_SECTIONS; s++)
    if (program->section[s].scratch_rows > rows) rows = program->section[s].scratch_rows;
  int64_t state = program->dim + program->extras;
  level.stage_bytes = (uint64_t)state * row;            /* a multiple of 32: rows are whole vectors */
  level.scratch_bytes = aligned((uint64_t)(rows + state) * row);
  level.attempt_bytes = emit_attempt_bytes(&(Emit){.program = program, .level = level, .ll.precision = program->precision});
  return level;
}

/* The sample section, and without what only the extras need; times broadcast or in lanes, which is the same for one lane. */
typedef struct Sample { Val whole, quiet; } Sample;
static Sample sample_functions(Emit *e, bool times_in_lanes, bool quiet) {
  Sample sample = {section_function(e, times_in_lanes ? "sample_lane" : "sample", TILE_SAMPLE, times_in_lanes), NULL};
  if (quiet && e->program->extras) sample.quiet = section_function(e, times_in_lanes ? "quiet_lane" : "quiet", TILE_QUIET, times_in_lanes);
  return sample;
}

void emit_module(Emit *e, Arena *arena, LLVMContextRef context, const TileProgram *program, const EmitOptions *options) {
  *e = (Emit){.program = program, .f = program->ir, .arena = arena, .level = emit_level(program, options), .quick = options->quick};
  e->block_rows = options->schedule == FLOW_CPU_V4 ? 8 : 4;
  e->table = arena_array(arena, program->ir->nodes, sizeof *e->table);
  ll_open(&e->ll, context, program->ir->name, program->precision, vector_lanes(program, options));
  const unsigned entries = options->entries, uniform = FLOW_ENTRY_EVAL | FLOW_ENTRY_STEP, lane = FLOW_ENTRY_EVAL_LANE | FLOW_ENTRY_ATTEMPT;
  bool attempts = entries & FLOW_ENTRY_ATTEMPT, steps = entries & FLOW_ENTRY_STEP;
  Val times = program->section[TILE_TIMES].output_rows ? section_function(e, "times", TILE_TIMES, false) : NULL;
  Sample broadcast = {NULL, NULL}, own = {NULL, NULL};
  if (entries & uniform || (options->rows && entries & lane)) broadcast = sample_functions(e, false, steps || (options->rows && attempts));
  if (entries & lane) own = options->rows ? broadcast : sample_functions(e, true, attempts);
  if (entries & FLOW_ENTRY_EVAL) simple_entry(e, "flow_eval", broadcast.whole);
  if (steps) (program->jump ? jump_entry : step_entry)(e, broadcast.whole, broadcast.quiet);
  if (entries & FLOW_ENTRY_EVAL_LANE) simple_entry(e, "flow_eval_lane", own.whole);
  if (attempts) emit_attempt(e, &(EmitAttempt){.times = times, .sample = own.whole, .sample_quiet = own.quiet});
  if (program->section[TILE_DERIVE].output_rows)
    simple_entry(e, "flow_derive", section_function(e, "derive", TILE_DERIVE, false));
  if (options->entries & FLOW_ENTRY_GRADIENT) gradient_entry(e);
  if (times) simple_entry(e, "flow_times", times);
  if (program->section[TILE_COND].output_rows) simple_entry(e, "flow_cond", section_function(e, "cond", TILE_COND, false));
}
