/* SPDX-License-Identifier: Apache-2.0 */
/* emit_attempt.c -- the entry `attempt` of flow/model.h: one attempted step, each lane at its own time with its own h.
 *
 *   flow_attempt    the loop over stages: argument, time, times section, sample section
 *   attempt_move    x + h sum c_i k_i
 *   attempt_time    t + c h, not beyond the end
 *   attempt_settle  for each vector: error, control of the step, accept or not
 *
 * The method is data.  runtime/solve/adaptive_attempt.inc is the same in C, operation by operation: keep both alike. */
#include <stddef.h>
#include "emit_parts.h"

#define CALL(name) offsetof(flow_call, name)
#define METHOD(name) offsetof(flow_method, name)

uint64_t emit_attempt_bytes(const Emit *e) {
  uint64_t row = (uint64_t)emit_row_bytes(e), times = (uint64_t)e->program->section[TILE_TIMES].output_rows;
  uint64_t lanes = (uint64_t)e->program->dim * row + e->level.stage_bytes + (1 + times) * row;
  return (lanes + 63) / 64 * 64 + e->level.scratch_bytes;
}

/* ---- words ---------------------------------------------------------------------------------------------------------- */

static Val each(Emit *e, IrOp op, Val a, Val b) { return ll_op(&e->ll, op, (Val[]){a, b}, NULL); }
static Val absolute(Emit *e, Val a) { return ll_op(&e->ll, IR_abs, &a, NULL); }
static Val larger(Emit *e, Val a, Val b) { return ll_select(&e->ll, each(e, IR_less, b, a), a, b); }
static Val lesser(Emit *e, Val a, Val b) { return ll_select(&e->ll, each(e, IR_less, a, b), a, b); }
static Val number(Emit *e, double value) { return ll_number(&e->ll, value); }

/* 1/n in the precision's own arithmetic */
static Val reciprocal(Emit *e, int64_t n) {
  return number(e, e->ll.precision == 4 ? (double)(1.0f / (float)n) : 1.0 / (double)n);
}

static Val load_u64(Emit *e, Val pointer, size_t byte) {
  Val value = LLVMBuildLoad2(e->ll.builder, e->ll.i64, ll_at(&e->ll, pointer, ll_int(&e->ll, (int64_t)byte)), "");
  LLVMSetAlignment(value, 8);
  return value;
}

static Val is_set(Emit *e, Val bits, Val bit) {
  Val shifted = LLVMBuildLShr(e->ll.builder, bits, bit, "");
  return LLVMBuildTrunc(e->ll.builder, shifted, e->ll.i1, "");
}

static Val compare_integers(Emit *e, LLVMIntPredicate how, Val a, Val b) { return LLVMBuildICmp(e->ll.builder, how, a, b, ""); }
static Val vector_bytes(Emit *e, Val vector) { return ll_imul(&e->ll, vector, (int64_t)e->ll.lanes * e->ll.precision); }

/* A lane row at the vector at hand. */
static Val lane_row(Emit *e, Val lane, enum flow_lane_row row) {
  return ll_at(&e->ll, ll_at(&e->ll, lane, ll_int(&e->ll, (int64_t)row * emit_row_bytes(e))), e->lane_bytes);
}

static Val method_number(Emit *e, Val method, enum flow_method_number which) {
  Val numbers = ll_load_pointer(&e->ll, method, METHOD(number));
  return ll_load_scalar(&e->ll, ll_at(&e->ll, numbers, ll_int(&e->ll, (int64_t)which * e->ll.precision)));
}

/* sum[v] = sum of c_i k_i at `place` (a row and vector, in bytes) and the vectors behind it, from 0 on, term by term. */
static void combine_vectors(Emit *e, Val terms, Val k, Val place, unsigned vectors, Val *sum) {
  LL *ll = &e->ll;
  Val count = ll_load_u32(ll, terms, offsetof(flow_combination, count));
  Val stage = ll_load_pointer(ll, terms, offsetof(flow_combination, stage));
  Val coefficient = ll_load_pointer(ll, terms, offsetof(flow_combination, coefficient));
  LLLoop term = ll_loop(ll, ll_int(ll, 0), count, 1);
  for (unsigned v = 0; v < vectors; v++) sum[v] = ll_carry(ll, &term, number(e, 0));
  Val at = ll_imul(ll, ll_load_u32(ll, ll_at(ll, stage, ll_imul(ll, term.i, 4)), 0), (int64_t)e->level.stage_bytes);
  Val c = ll_load_scalar(ll, ll_at(ll, coefficient, ll_imul(ll, term.i, ll->precision))), from = ll_at(ll, ll_at(ll, k, at), place);
  for (unsigned v = 0; v < vectors; v++)
    term.next[v] = ll_fma(ll, c, ll_load_lanes(ll, ll_at(ll, from, vector_bytes(e, ll_int(ll, v)))), sum[v]);
  ll_loop_end(ll, &term);
  for (unsigned v = 0; v < vectors; v++) sum[v] = term.next[v];
}

static Val combine(Emit *e, Val terms, Val k, Val place) {
  Val sum;
  combine_vectors(e, terms, k, place, 1, &sum);
  return sum;
}

/* ---- arguments and times of stages ------------------------------------------------------------------------------------ */

/* The vectors of attempt_move in groups: a chain of additions alone would wait for each of them. */
enum { GROUP = 4 };
static void move_vectors(Emit *e, unsigned group) {
  LL *ll = &e->ll;
  LLLoop row = ll_loop(ll, ll_int(ll, 0), ll_parameter(ll, 5), 1);
  LLLoop vector = ll_loop(ll, ll_int(ll, 0), ll_parameter(ll, 6), group);
  Val lane = vector_bytes(e, vector.i), place = ll_iadd(ll, ll_imul(ll, row.i, emit_row_bytes(e)), lane), sum[GROUP];
  combine_vectors(e, ll_parameter(ll, 3), ll_parameter(ll, 2), place, group, sum);
  for (unsigned v = 0; v < group; v++) {
    Val further = vector_bytes(e, ll_int(ll, v));
    Val x = ll_load_lanes(ll, ll_at(ll, ll_at(ll, ll_parameter(ll, 1), place), further));
    Val h = ll_load_lanes(ll, ll_at(ll, ll_at(ll, ll_parameter(ll, 4), lane), further));
    ll_store_lanes(ll, ll_at(ll, ll_at(ll, ll_parameter(ll, 0), place), further), ll_fma(ll, h, sum[v], x));
  }
  ll_loop_end(ll, &vector);
  ll_loop_end(ll, &row);
}

/* void attempt_move(to, x, k, terms, h, rows, vectors) */
static Val move_function(Emit *e) {
  LL *ll = &e->ll;
  LLVMTypeRef type[] = {ll->pointer, ll->pointer, ll->pointer, ll->pointer, ll->pointer, ll->i64, ll->i64};
  Val function = ll_function(ll, "attempt_move", ll->nothing, type, 7, false);
  Val rest = LLVMBuildAnd(ll->builder, ll_parameter(ll, 6), ll_int(ll, GROUP - 1), "");
  LLIf whole = ll_if(ll, compare_integers(e, LLVMIntEQ, rest, ll_int(ll, 0)));
  move_vectors(e, GROUP);
  ll_else(ll, &whole);
  move_vectors(e, 1);
  ll_endif(ll, &whole);
  ll_return(ll);
  return function;
}

/* void attempt_time(to, lane, method, stage, vectors) */
static Val time_function(Emit *e) {
  LL *ll = &e->ll;
  LLVMTypeRef type[] = {ll->pointer, ll->pointer, ll->pointer, ll->i64, ll->i64};
  Val function = ll_function(ll, "attempt_time", ll->nothing, type, 5, false);
  Val lane = ll_parameter(ll, 1), method = ll_parameter(ll, 2);
  Val nodes = ll_load_pointer(ll, method, METHOD(node));
  Val c = ll_load_scalar(ll, ll_at(ll, nodes, ll_imul(ll, ll_parameter(ll, 3), ll->precision)));
  Val end = method_number(e, method, FLOW_METHOD_END), direction = method_number(e, method, FLOW_METHOD_DIRECTION);
  LLLoop vector = ll_loop(ll, ll_int(ll, 0), ll_parameter(ll, 4), 1);
  e->lane_bytes = vector_bytes(e, vector.i);
  Val h = ll_load_lanes(ll, lane_row(e, lane, FLOW_LANE_STEP)), t = ll_load_lanes(ll, lane_row(e, lane, FLOW_LANE_TIME));
  Val at = ll_fma(ll, c, h, t), beyond = each(e, IR_mul, each(e, IR_sub, at, end), direction);
  Val time = ll_select(ll, each(e, IR_less, number(e, 0), beyond), end, at);
  ll_store_lanes(ll, ll_at(ll, ll_parameter(ll, 0), e->lane_bytes), time);
  ll_loop_end(ll, &vector);
  ll_return(ll);
  return function;
}

/* ---- settling ------------------------------------------------------------------------------------------------------------ */

/* The parameters of attempt_settle and what is loaded once. */
typedef struct Settle {
  Val x, end, moved, k, lane, method;
  Val stages, estimates, rows;          /* rows: of the state and of the extras that take part */
  Val has_extras;
  int64_t all_rows;             /* of buffers */
} Settle;

static Val place_of(Emit *e, Val row) { return ll_iadd(&e->ll, ll_imul(&e->ll, row, emit_row_bytes(e)), e->lane_bytes); }
static Val load_place(Emit *e, Val base, Val place) { return ll_load_lanes(&e->ll, ll_at(&e->ll, base, place)); }
static Val stage_base(Emit *e, const Settle *s, Val stage) {
  return ll_at(&e->ll, s->k, ll_imul(&e->ll, stage, (int64_t)e->level.stage_bytes));
}

/* One row's part of the error: *sum += q^2, *wrong += end - end. */
static void add_row_error(Emit *e, const Settle *s, Val terms, Val row, Val h, bool extra, Val *sum, Val *wrong) {
  Val place = place_of(e, row), end = load_place(e, s->end, place), none = number(e, 0);
  Val q = each(e, IR_mul, h, combine(e, terms, s->k, place)), change = each(e, IR_sub, end, end);
  if (extra) {
    q = each(e, IR_mul, q, method_number(e, s->method, FLOW_METHOD_PER_LTOL));
    q = ll_select(&e->ll, s->has_extras, q, none);
    change = ll_select(&e->ll, s->has_extras, change, none);
  } else {
    Val largest = larger(e, absolute(e, load_place(e, s->x, place)), absolute(e, end));
    Val rtol = method_number(e, s->method, FLOW_METHOD_RTOL), atol = method_number(e, s->method, FLOW_METHOD_ATOL);
    q = each(e, IR_div, q, ll_fma(&e->ll, rtol, largest, atol));
  }
  *sum = ll_fma(&e->ll, q, q, *sum);
  *wrong = each(e, IR_add, *wrong, change);
}

/* Mean over rows from .. to - 1 of the squares; *wrong goes on. */
static Val mean_error(Emit *e, const Settle *s, Val terms, int64_t from, int64_t to, Val h, Val *wrong) {
  LL *ll = &e->ll;
  LLLoop row = ll_loop(ll, ll_int(ll, from), ll_int(ll, to), 1);
  Val sum = ll_carry(ll, &row, number(e, 0)), bad = ll_carry(ll, &row, *wrong);
  add_row_error(e, s, terms, row.i, h, from > 0, &sum, &bad);
  row.next[0] = sum;
  row.next[1] = bad;
  ll_loop_end(ll, &row);
  *wrong = row.next[1];
  return row.next[0];
}

/* err^2 of the vector at hand: a turn for each estimate, the one before kept. */
static Val measure(Emit *e, const Settle *s, Val h) {
  LL *ll = &e->ll;
  int64_t dim = e->program->dim, extras = s->all_rows - dim;
  Val errors = ll_load_pointer(ll, s->method, METHOD(error)), zero = number(e, 0);
  LLLoop estimate = ll_loop(ll, ll_int(ll, 0), s->estimates, 1);
  ll_carry(ll, &estimate, zero);
  Val before = ll_carry(ll, &estimate, zero), bad = zero;
  ll_carry(ll, &estimate, zero);
  Val terms = ll_at(ll, errors, ll_imul(ll, estimate.i, sizeof(flow_combination)));
  Val mean = each(e, IR_mul, mean_error(e, s, terms, 0, dim, h, &bad), reciprocal(e, dim));
  if (extras) mean = ll_fma(ll, mean_error(e, s, terms, dim, s->all_rows, h, &bad), reciprocal(e, extras), mean);
  estimate.next[0] = before;
  estimate.next[1] = mean;
  estimate.next[2] = bad;
  ll_loop_end(ll, &estimate);
  Val first = estimate.next[0], last = estimate.next[1];
  Val both = ll_fma(ll, number(e, 0.01), last, first);
  Val divisor = ll_select(ll, each(e, IR_equal, both, zero), number(e, 1), both);
  Val of_two = each(e, IR_mul, first, each(e, IR_div, first, divisor));
  Val two = compare_integers(e, LLVMIntSGT, s->estimates, ll_int(ll, 1));
  return each(e, IR_add, LLVMBuildSelect(ll->builder, two, of_two, last, ""), estimate.next[2]);
}

/* |k_last - k_before|^2 and the same of their arguments. */
static void compare_last_stages(Emit *e, const Settle *s) {
  LL *ll = &e->ll;
  Val last = stage_base(e, s, ll_iadd(ll, s->stages, ll_int(ll, -1)));
  Val before = stage_base(e, s, ll_iadd(ll, s->stages, ll_int(ll, -2)));
  LLLoop row = ll_loop(ll, ll_int(ll, 0), ll_int(ll, e->program->dim), 1);
  Val slope = ll_carry(ll, &row, number(e, 0)), spread = ll_carry(ll, &row, number(e, 0)), place = place_of(e, row.i);
  Val du = each(e, IR_sub, load_place(e, last, place), load_place(e, before, place));
  Val dx = each(e, IR_sub, load_place(e, s->end, place), load_place(e, s->moved, place));
  row.next[0] = ll_fma(ll, du, du, slope);
  row.next[1] = ll_fma(ll, dx, dx, spread);
  ll_loop_end(ll, &row);
  ll_store_lanes(ll, lane_row(e, s->lane, FLOW_LANE_SLOPE), row.next[0]);
  ll_store_lanes(ll, lane_row(e, s->lane, FLOW_LANE_SPREAD), row.next[1]);
}

static void control(Emit *e, const Settle *s, Val error, Val accepted) {
  LL *ll = &e->ll;
  Val memory_at = lane_row(e, s->lane, FLOW_LANE_MEMORY), memory = ll_load_lanes(ll, memory_at);
  Val bounded = larger(e, lesser(e, error, number(e, 1e30)), number(e, 1e-30));
  Val l = each(e, IR_mul, number(e, 0.5), ll_elementary(ll, IR_log, &bounded, true));
  Val g = ll_fma(ll, method_number(e, s->method, FLOW_METHOD_MINUS_ALPHA), l, method_number(e, s->method, FLOW_METHOD_SAFETY));
  Val with_memory = ll_fma(ll, method_number(e, s->method, FLOW_METHOD_BETA), memory, g);
  Val highest = ll_select(ll, accepted, ll_load_lanes(ll, lane_row(e, s->lane, FLOW_LANE_CEILING)), number(e, 0));
  g = lesser(e, ll_select(ll, accepted, with_memory, g), highest);
  g = larger(e, g, method_number(e, s->method, FLOW_METHOD_FLOOR));
  ll_store_lanes(ll, lane_row(e, s->lane, FLOW_LANE_FACTOR), ll_elementary(ll, IR_exp, &g, true));
  Val kept = larger(e, l, method_number(e, s->method, FLOW_METHOD_LEAST_MEMORY));
  ll_store_lanes(ll, memory_at, ll_select(ll, accepted, kept, memory));
}

/* x and k_0 where the lane accepts */
static void accept(Emit *e, const Settle *s, Val accepted) {
  LL *ll = &e->ll;
  Val last = stage_base(e, s, ll_iadd(ll, s->stages, ll_int(ll, -1)));
  LLLoop row = ll_loop(ll, ll_int(ll, 0), s->rows, 1);
  Val place = place_of(e, row.i), x = ll_at(ll, s->x, place), k = ll_at(ll, s->k, place);
  ll_store_lanes(ll, x, ll_select(ll, accepted, load_place(e, s->end, place), ll_load_lanes(ll, x)));
  ll_store_lanes(ll, k, ll_select(ll, accepted, load_place(e, last, place), ll_load_lanes(ll, k)));
  ll_loop_end(ll, &row);
}

/* void attempt_settle(x, end, moved, k, lane, method, vectors) */
static Val settle_function(Emit *e) {
  LL *ll = &e->ll;
  LLVMTypeRef type[] = {ll->pointer, ll->pointer, ll->pointer, ll->pointer, ll->pointer, ll->pointer, ll->i64};
  Val function = ll_function(ll, "attempt_settle", ll->nothing, type, 7, false);
  Settle s = {.x = ll_parameter(ll, 0), .end = ll_parameter(ll, 1), .moved = ll_parameter(ll, 2), .k = ll_parameter(ll, 3),
              .lane = ll_parameter(ll, 4), .method = ll_parameter(ll, 5),
              .all_rows = (int64_t)e->level.stage_bytes / emit_row_bytes(e)};
  Val extras = ll_load_u32(ll, s.method, METHOD(extras));
  s.stages = ll_load_u32(ll, s.method, METHOD(stages));
  s.estimates = ll_load_u32(ll, s.method, METHOD(estimates));
  s.rows = ll_iadd(ll, ll_int(ll, e->program->dim), extras);
  s.has_extras = compare_integers(e, LLVMIntNE, extras, ll_int(ll, 0));
  LLLoop vector = ll_loop(ll, ll_int(ll, 0), ll_parameter(ll, 6), 1);
  e->lane_bytes = vector_bytes(e, vector.i);
  Val error = measure(e, &s, ll_load_lanes(ll, lane_row(e, s.lane, FLOW_LANE_STEP)));
  Val accepted = each(e, IR_less_equal, error, number(e, 1));
  ll_store_lanes(ll, lane_row(e, s.lane, FLOW_LANE_ERROR), error);
  compare_last_stages(e, &s);
  control(e, &s, error, accepted);
  accept(e, &s, accepted);
  ll_loop_end(ll, &vector);
  ll_return(ll);
  return function;
}

/* ---- the entry ------------------------------------------------------------------------------------------------------------- */

typedef struct Scratch { Val moved, end, time, times, rest; } Scratch;

static Scratch divide_scratch(Emit *e, Val scratch) {
  LL *ll = &e->ll;
  int64_t row = emit_row_bytes(e);
  Scratch parts = {.moved = scratch};
  parts.end = ll_at(ll, parts.moved, ll_int(ll, e->program->dim * row));
  parts.time = ll_at(ll, parts.end, ll_int(ll, (int64_t)e->level.stage_bytes));
  parts.times = ll_at(ll, parts.time, ll_int(ll, row));
  parts.rest = ll_at(ll, scratch, ll_int(ll, (int64_t)(emit_attempt_bytes(e) - e->level.scratch_bytes)));
  return parts;
}

/* The times section where this stage's time is not that of the stage before, then the sample section. */
static void evaluate_stage(Emit *e, const EmitAttempt *with, Val method, Val stage, const Scratch *scratch, Val *base, Val out) {
  LL *ll = &e->ll;
  base[BASE_TIME] = scratch->time;
  base[BASE_SCRATCH] = scratch->rest;
  if (with->times) {
    LLIf same = ll_if(ll, is_set(e, load_u64(e, method, METHOD(same_time)), stage));
    ll_else(ll, &same);
    base[BASE_OUTPUT] = scratch->times;
    ll_call(ll, with->times, base, BASE_COUNT + 1);
    ll_endif(ll, &same);
  }
  base[BASE_TIMES] = scratch->times;
  base[BASE_OUTPUT] = out;
  if (!with->sample_quiet) {
    ll_call(ll, with->sample, base, BASE_COUNT + 1);
    return;
  }
  LLIf quiet = ll_if(ll, is_set(e, load_u64(e, method, METHOD(quiet)), stage));
  ll_call(ll, with->sample_quiet, base, BASE_COUNT + 1);
  ll_else(ll, &quiet);
  ll_call(ll, with->sample, base, BASE_COUNT + 1);
  ll_endif(ll, &quiet);
}

void emit_attempt(Emit *e, const EmitAttempt *with) {
  LL *ll = &e->ll;
  Val move = move_function(e), time = time_function(e), settle = settle_function(e), base[BASE_COUNT + 1];
  LLVMTypeRef parameter[] = {ll->pointer};
  ll_function(ll, "flow_attempt", ll->i32, parameter, 1, true);
  Val call = ll_parameter(ll, 0), vectors = emit_call_vectors(e, call);
  emit_load_bases(e, call, base);
  base[BASE_COUNT] = vectors;
  Val method = ll_load_pointer(ll, call, CALL(method)), k = ll_load_pointer(ll, call, CALL(k));
  Val lane = ll_load_pointer(ll, call, CALL(lane));
  Val x = base[BASE_X], h = ll_at(ll, lane, ll_int(ll, FLOW_LANE_STEP * emit_row_bytes(e)));
  Scratch scratch = divide_scratch(e, base[BASE_SCRATCH]);
  Val stages = ll_load_u32(ll, method, METHOD(stages)), combination = ll_load_pointer(ll, method, METHOD(combination));
  Val dim = ll_int(ll, e->program->dim), all = ll_iadd(ll, dim, ll_load_u32(ll, method, METHOD(extras)));
  LLLoop stage = ll_loop(ll, ll_int(ll, 1), stages, 1);
  Val last = compare_integers(e, LLVMIntEQ, ll_iadd(ll, stage.i, ll_int(ll, 1)), stages);
  Val argument = LLVMBuildSelect(ll->builder, last, scratch.end, scratch.moved, "");
  Val rows = LLVMBuildSelect(ll->builder, last, all, dim, "");
  Val terms = ll_at(ll, combination, ll_imul(ll, stage.i, sizeof(flow_combination)));
  ll_call(ll, move, (Val[]){argument, x, k, terms, h, rows, vectors}, 7);
  ll_call(ll, time, (Val[]){scratch.time, lane, method, stage.i, vectors}, 5);
  base[BASE_X] = argument;
  evaluate_stage(e, with, method, stage.i, &scratch, base, ll_at(ll, k, ll_imul(ll, stage.i, (int64_t)e->level.stage_bytes)));
  ll_loop_end(ll, &stage);
  ll_call(ll, settle, (Val[]){x, scratch.end, scratch.moved, k, lane, method, vectors}, 7);
  LLVMBuildRet(ll->builder, LLVMConstInt(ll->i32, 0, 0));
}
