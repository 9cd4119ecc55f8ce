/* SPDX-License-Identifier: Apache-2.0 */
/* emit_gradient.c -- what a tile adds to the gradient of a weight: sums over lanes.
 *
 *     sum[line][feature] = fma(left[line][lane], right[feature][lane], .)   for lane = 0 .. live-1, ascending
 *
 * Lanes are samples, and a vector must not be summed across.  So the right side is transposed, [lane][feature], by shuffles within
 * registers, and the lanes become a counted loop with features side by side: the micro-kernel of the layers (emit_mm.c) with
 * other strides.  A block of lines and three vectors of features are held in registers. */
#include "emit_parts.h"

enum { MOST_VECTORS = 3 };

typedef struct Gradient {
  Emit *e;
  const TileStatement *s;
  int64_t pitch;                /* bytes from lane to lane of the transposed side */
  Val work, sums, live;
} Gradient;

/* ---- transposing -------------------------------------------------------------------------------------------------------- */

/* Numbers `from` of a and b, alternately blocks of `run` of them: the step of a transpose by halves. */
static Val blend(LL *ll, Val a, Val b, unsigned run, bool high) {
  Val mask[64];
  for (unsigned i = 0; i < ll->lanes; i++) {
    unsigned block = i / run;                           /* even blocks come from a, odd ones from b */
    unsigned from = (block & ~1u) * run + (high ? run : 0) + i % run;
    mask[i] = LLVMConstInt(ll->i32, from + (block & 1 ? ll->lanes : 0), 0);
  }
  return LLVMBuildShuffleVector(ll->builder, a, b, LLVMConstVector(mask, ll->lanes), "");
}

/* A square of lanes x lanes numbers in registers: for run = 1, 2, 4, ... rows r and r + run exchange blocks. */
static void transpose(LL *ll, Val *row) {
  for (unsigned run = 1; run < ll->lanes; run *= 2)
    for (unsigned r = 0; r < ll->lanes; r++) {
      if (r & run) continue;
      Val low = blend(ll, row[r], row[r + run], run, false), high = blend(ll, row[r], row[r + run], run, true);
      row[r] = low, row[r + run] = high;
    }
}

/* Features first .. first + count - 1 of one line, of the vector of lanes at hand, to the rows of the transposed side. */
static void transpose_square(const Gradient *g, Val line, Val first, unsigned count, Val vector) {
  Emit *e = g->e;
  LL *ll = &e->ll;
  Val row[64];
  for (unsigned i = 0; i < ll->lanes; i++) {
    Val index[] = {line, ll_iadd(ll, first, ll_int(ll, i < count ? i : count - 1))};    /* the last one again: never read */
    row[i] = i < count ? emit_load(e, g->s->right.base, emit_element(e, &g->s->right, index, 2)) : row[count - 1];
  }
  transpose(ll, row);
  Val lane = ll_imul(ll, vector, ll->lanes);
  for (unsigned i = 0; i < ll->lanes; i++) {
    Val at = LLVMBuildMul(ll->builder, ll_iadd(ll, lane, ll_int(ll, i)), ll_int(ll, g->pitch), "");
    ll_store_lanes(ll, ll_at(ll, g->work, ll_iadd(ll, at, ll_imul(ll, first, ll->precision))), row[i]);
  }
}

static void transpose_line(const Gradient *g, Val line) {
  Emit *e = g->e;
  LL *ll = &e->ll;
  int64_t lanes = ll->lanes, squares = g->s->features / lanes, left = g->s->features % lanes;
  LLLoop vector = ll_loop(ll, ll_int(ll, 0), e->vectors, 1);
  e->lane_bytes = ll_imul(ll, vector.i, lanes * ll->precision);
  if (squares) {
    LLLoop square = ll_loop(ll, ll_int(ll, 0), ll_int(ll, squares), 1);
    transpose_square(g, line, ll_imul(ll, square.i, lanes), (unsigned)lanes, vector.i);
    ll_loop_end(ll, &square);
  }
  if (left) transpose_square(g, line, ll_int(ll, squares * lanes), (unsigned)left, vector.i);
  ll_loop_end(ll, &vector);
}

/* ---- the kernel ------------------------------------------------------------------------------------------------------------ */

/* void kernel(left, left_step, right, right_pitch, sums, sums_pitch, live, blocks): blocks of `lines` lines, `vectors` vectors of
 * features.  left_step: bytes from line to line.  With `ones` there is no left side, and one line. */
static Val build_kernel(Emit *e, int lines, int vectors, bool ones) {
  LL *ll = &e->ll;
  LLVMTypeRef type[] = {ll->pointer, ll->i64, ll->pointer, ll->i64, ll->pointer, ll->i64, ll->i64, ll->i64};
  LLPlace outside = ll_leave(ll);
  Val function = ll_function(ll, "sums", ll->nothing, type, 8, false), acc[LL_MOST_CARRIED], at[LL_MOST_CARRIED];
  Val left = ll_parameter(ll, 0), step = ll_parameter(ll, 1), right = ll_parameter(ll, 2), right_pitch = ll_parameter(ll, 3);
  Val sums = ll_parameter(ll, 4), pitch = ll_parameter(ll, 5), live = ll_parameter(ll, 6);
  LLLoop block = ll_loop(ll, ll_int(ll, 0), ll_parameter(ll, 7), 1);
  Val first = ll_imul(ll, block.i, lines);
  for (int r = 0; r < lines; r++)
    for (int v = 0; v < vectors; v++) {
      Val line = LLVMBuildMul(ll->builder, ll_iadd(ll, first, ll_int(ll, r)), pitch, "");
      at[r * vectors + v] = ll_at(ll, sums, ll_iadd(ll, line, ll_int(ll, (int64_t)v * ll->lanes * ll->precision)));
      acc[r * vectors + v] = ll_load_lanes(ll, at[r * vectors + v]);
    }
  LLLoop lane = ll_loop(ll, ll_int(ll, 0), live, 1);
  for (int i = 0; i < lines * vectors; i++) acc[i] = ll_carry(ll, &lane, acc[i]);
  Val x[MOST_VECTORS], row = ll_at(ll, right, LLVMBuildMul(ll->builder, lane.i, right_pitch, ""));
  for (int v = 0; v < vectors; v++) x[v] = ll_load_lanes(ll, ll_at(ll, row, ll_int(ll, (int64_t)v * ll->lanes * ll->precision)));
  for (int r = 0; r < lines; r++) {
    Val w = ll_number(ll, 1);
    if (!ones) {
      Val line = LLVMBuildMul(ll->builder, ll_iadd(ll, first, ll_int(ll, r)), step, "");
      w = ll_load_scalar(ll, ll_at(ll, left, ll_iadd(ll, line, ll_imul(ll, lane.i, ll->precision))));
    }
    for (int v = 0; v < vectors; v++) lane.next[r * vectors + v] = ll_fma(ll, w, x[v], acc[r * vectors + v]);
  }
  ll_loop_end(ll, &lane);
  for (int i = 0; i < lines * vectors; i++) ll_store_lanes(ll, at[i], lane.next[i]);
  ll_loop_end(ll, &block);
  ll_return(ll);
  ll_resume(ll, outside);
  return function;
}

static Val kernel(Emit *e, int lines, int vectors, bool ones) {
  const char *key = arena_format(e->arena, "sums %d x %d%s", lines, vectors, ones ? ", ones" : "");
  return emit_shared_kernel(e, key) ? emit_shared_kernel(e, key) : emit_share_kernel(e, key, build_kernel(e, lines, vectors, ones));
}

/* Lines first .. first + lines*blocks - 1, features of `vectors` vectors from `feature` on. */
static void call_kernel(const Gradient *g, int lines, int64_t blocks, int64_t first, int vectors, Val feature, Val line) {
  Emit *e = g->e;
  LL *ll = &e->ll;
  const TileStatement *s = g->s;
  bool ones = s->left.base == IR_NONE;
  int64_t pitch = (int64_t)s->pitch * ll->precision;
  Val bytes = ll_imul(ll, feature, ll->precision), left = g->work, step = ll_int(ll, 0);
  e->lane_bytes = ll_int(ll, 0);
  if (!ones) {
    left = emit_address(e, s->left.base, ll_int(ll, s->left.map.offset + first * s->left.map.stride[0]));
    step = ll_int(ll, s->left.map.stride[0] * emit_row_bytes(e));
  }
  Val sums = ll_at(ll, g->sums, ll_iadd(ll, ll_imul(ll, line, pitch), ll_iadd(ll, ll_int(ll, first * pitch), bytes)));
  Val argument[] = {left, step, ll_at(ll, g->work, bytes), ll_int(ll, g->pitch), sums, ll_int(ll, pitch), g->live, ll_int(ll, blocks)};
  ll_call(ll, kernel(e, lines, vectors, ones), argument, 8);
}

/* All features of a number of lines. */
static void call_features(const Gradient *g, int lines, int64_t blocks, int64_t first, Val line) {
  LL *ll = &g->e->ll;
  int64_t lanes = ll->lanes, vectors = (g->s->features + lanes - 1) / lanes, groups = vectors / MOST_VECTORS;
  if (groups) {
    LLLoop group = ll_loop(ll, ll_int(ll, 0), ll_int(ll, groups), 1);
    call_kernel(g, lines, blocks, first, MOST_VECTORS, ll_imul(ll, group.i, MOST_VECTORS * lanes), line);
    ll_loop_end(ll, &group);
  }
  if (vectors % MOST_VECTORS)
    call_kernel(g, lines, blocks, first, (int)(vectors % MOST_VECTORS), ll_int(ll, groups * MOST_VECTORS * lanes), line);
}

void emit_gradient(Emit *e, const TileStatement *statement) {
  LL *ll = &e->ll;
  Gradient g = {.e = e, .s = statement, .live = e->live};
  int64_t lanes = ll->lanes;
  g.pitch = (statement->features + lanes - 1) / lanes * lanes * ll->precision;
  g.work = ll_at(ll, e->base[BASE_SCRATCH], ll_int(ll, statement->work * emit_row_bytes(e)));
  g.sums = ll_at(ll, e->gradient, ll_int(ll, (int64_t)statement->sums));
  if (statement->left.base == IR_NONE) {        /* line by line, each transposed for itself */
    LLLoop line = ll_loop(ll, ll_int(ll, 0), ll_int(ll, statement->lines), 1);
    transpose_line(&g, line.i);
    call_features(&g, 1, 1, 0, line.i);
    ll_loop_end(ll, &line);
    return;
  }
  transpose_line(&g, ll_int(ll, 0));
  int64_t blocks = statement->lines / e->block_rows, left = statement->lines % e->block_rows;
  if (blocks) call_features(&g, e->block_rows, blocks, 0, ll_int(ll, 0));
  if (left) call_features(&g, (int)left, 1, blocks * e->block_rows, ll_int(ll, 0));
}
