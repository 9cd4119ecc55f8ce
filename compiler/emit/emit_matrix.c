/* SPDX-License-Identifier: Apache-2.0 */
/* emit_matrix.c -- elimination, each lane with a matrix of its own (the arithmetic stands in ir.h).
 *
 * The matrix is copied to working rows and the right side to the rows of the result; both change in place.  Lanes disagree on
 * which rows change places, so that is a select of both rows, element by element. */
#include "emit_parts.h"

typedef struct Matrix {
  Emit *e;
  const TileStatement *statement;
  const TileOp *op;
  const IrNode *node;
  int64_t n, m;                 /* rows, right sides */
  Val result;                   /* first element of this matrix in the result, i64 */
} Matrix;

static Val work_at(const Matrix *x, Val i, Val j) {
  Emit *e = x->e;
  LL *ll = &e->ll;
  Val base = e->base[e->section == TILE_DERIVE ? BASE_OUTPUT : BASE_SCRATCH];
  Val row = ll_iadd(ll, ll_iadd(ll, ll_imul(ll, i, x->n), j), ll_int(ll, x->statement->work));
  return ll_at(ll, base, ll_iadd(ll, ll_imul(ll, row, emit_row_bytes(e)), e->lane_bytes));
}

static Val right_at(const Matrix *x, Val i, Val c) {
  LL *ll = &x->e->ll;
  return emit_address(x->e, x->op->node, ll_iadd(ll, x->result, ll_iadd(ll, ll_imul(ll, i, x->m), c)));
}

typedef Val At(const Matrix *x, Val i, Val j);

static Val get(const Matrix *x, At *at, Val i, Val j) { return ll_load_lanes(&x->e->ll, at(x, i, j)); }
static void put(const Matrix *x, At *at, Val i, Val j, Val value) { ll_store_lanes(&x->e->ll, at(x, i, j), value); }

static LLLoop from_to(const Matrix *x, Val from, int64_t to) { return ll_loop(&x->e->ll, from, ll_int(&x->e->ll, to), 1); }
static Val zero(const Matrix *x) { return ll_int(&x->e->ll, 0); }

/* ---- copying in ------------------------------------------------------------------------------------------------------- */

static void copy_matrix(const Matrix *x, Val *index, uint32_t loops) {
  LLLoop i = from_to(x, zero(x), x->n), j = from_to(x, zero(x), x->n);
  index[loops] = i.i, index[loops + 1] = j.i;
  const TileAccess *a = &x->op->operand[0];
  put(x, work_at, i.i, j.i, emit_load(x->e, a->base, emit_element(x->e, a, index, loops + 2)));
  ll_loop_end(&x->e->ll, &j);
  ll_loop_end(&x->e->ll, &i);
}

/* Row i and what stands behind it; `flat` counts right sides. */
static void copy_right(const Matrix *x, Val *index, uint32_t axis, Val flat) {
  LL *ll = &x->e->ll;
  const Shape *shape = &x->node->shape;
  if (axis == shape->rank) {
    const TileAccess *b = &x->op->operand[1];
    Val to = emit_address(x->e, x->op->node, ll_iadd(ll, x->result, flat));
    ll_store_lanes(ll, to, emit_load(x->e, b->base, emit_element(x->e, b, index, axis)));
    return;
  }
  LLLoop loop = from_to(x, zero(x), shape->dim[axis]);
  index[axis] = loop.i;
  copy_right(x, index, axis + 1, ll_iadd(ll, ll_imul(ll, flat, shape->dim[axis]), loop.i));
  ll_loop_end(ll, &loop);
}

/* ---- elimination -------------------------------------------------------------------------------------------------------- */

static void exchange(const Matrix *x, At *at, Val swap, Val i, Val k, Val from, int64_t to) {
  LL *ll = &x->e->ll;
  LLLoop j = from_to(x, from, to);
  Val a = get(x, at, i, j.i), b = get(x, at, k, j.i);
  put(x, at, i, j.i, ll_select(ll, swap, b, a));
  put(x, at, k, j.i, ll_select(ll, swap, a, b));
  ll_loop_end(ll, &j);
}

static Val size_of(const Matrix *x, Val value) {
  const bool constant[] = {false};
  return ll_op(&x->e->ll, IR_abs, &value, constant);
}

static void bring_up_pivot(const Matrix *x, Val k, Val below) {
  LL *ll = &x->e->ll;
  LLLoop i = from_to(x, below, x->n);
  Val swap = LLVMBuildFCmp(ll->builder, LLVMRealOGT, size_of(x, get(x, work_at, i.i, k)), size_of(x, get(x, work_at, k, k)), "");
  exchange(x, work_at, swap, i.i, k, k, x->n);
  if (x->m) exchange(x, right_at, swap, i.i, k, zero(x), x->m);
  ll_loop_end(ll, &i);
}

static void take(const Matrix *x, At *at, Val q, Val i, Val k, Val from, int64_t to) {
  LL *ll = &x->e->ll;
  Val minus = LLVMBuildFNeg(ll->builder, q, "");
  LLLoop j = from_to(x, from, to);
  put(x, at, i, j.i, ll_fma(ll, minus, get(x, at, k, j.i), get(x, at, i, j.i)));
  ll_loop_end(ll, &j);
}

static void clear_column(const Matrix *x, Val k, Val below) {
  LL *ll = &x->e->ll;
  Val r = LLVMBuildFDiv(ll->builder, ll_number(ll, 1), get(x, work_at, k, k), "");
  LLLoop i = from_to(x, below, x->n);
  Val q = LLVMBuildFMul(ll->builder, get(x, work_at, i.i, k), r, "");
  take(x, work_at, q, i.i, k, below, x->n);
  if (x->m) take(x, right_at, q, i.i, k, zero(x), x->m);
  ll_loop_end(ll, &i);
}

static void eliminate(const Matrix *x) {
  LL *ll = &x->e->ll;
  if (x->n == 1) return;
  LLLoop k = from_to(x, zero(x), x->n - 1);
  Val below = ll_iadd(ll, k.i, ll_int(ll, 1));
  bring_up_pivot(x, k.i, below);
  clear_column(x, k.i, below);
  ll_loop_end(ll, &k);
}

/* ---- what comes out -------------------------------------------------------------------------------------------------------- */

/* The last row first: x_k = (b_k - a_k,k+1 x_k+1 - ...) / a_kk, in place. */
static void substitute(const Matrix *x) {
  LL *ll = &x->e->ll;
  LLLoop turn = from_to(x, zero(x), x->n);
  Val k = LLVMBuildSub(ll->builder, ll_int(ll, x->n - 1), turn.i, ""), above = ll_iadd(ll, k, ll_int(ll, 1));
  LLLoop c = from_to(x, zero(x), x->m);
  LLIf inner = ll_if(ll, LLVMBuildICmp(ll->builder, LLVMIntSLT, above, ll_int(ll, x->n), ""));
  LLLoop j = from_to(x, above, x->n);
  Val minus = LLVMBuildFNeg(ll->builder, get(x, work_at, k, j.i), "");
  put(x, right_at, k, c.i, ll_fma(ll, minus, get(x, right_at, j.i, c.i), get(x, right_at, k, c.i)));
  ll_loop_end(ll, &j);
  ll_else(ll, &inner);
  ll_endif(ll, &inner);
  put(x, right_at, k, c.i, LLVMBuildFDiv(ll->builder, get(x, right_at, k, c.i), get(x, work_at, k, k), ""));
  ll_loop_end(ll, &c);
  ll_loop_end(ll, &turn);
}

static void store_pivots(const Matrix *x) {
  LL *ll = &x->e->ll;
  LLLoop k = from_to(x, zero(x), x->n);
  ll_store_lanes(ll, emit_address(x->e, x->op->node, ll_iadd(ll, x->result, k.i)), get(x, work_at, k.i, k.i));
  ll_loop_end(ll, &k);
}

static void one_matrix(Matrix *x, Val *index, uint32_t loops) {
  copy_matrix(x, index, loops);
  if (x->m) copy_right(x, index, loops, zero(x));
  eliminate(x);
  if (x->m) substitute(x);
  else store_pivots(x);
}

static void all_matrices(Matrix *x, Val *index, uint32_t axis, uint32_t loops, Val flat) {
  LL *ll = &x->e->ll;
  if (axis == loops) {
    x->result = ll_imul(ll, flat, x->m ? x->n * x->m : x->n);
    one_matrix(x, index, loops);
    return;
  }
  int64_t extent = x->node->shape.dim[axis];
  LLLoop loop = from_to(x, zero(x), extent);
  index[axis] = loop.i;
  all_matrices(x, index, axis + 1, loops, ll_iadd(ll, ll_imul(ll, flat, extent), loop.i));
  ll_loop_end(ll, &loop);
}

void emit_matrix(Emit *e, const TileStatement *statement) {
  LL *ll = &e->ll;
  const IrNode *node = &e->f->node[statement->op[0].node];
  const Shape *a = &e->f->node[node->arg[0]].shape;
  uint32_t loops = a->rank - 2;
  Matrix x = {.e = e, .statement = statement, .op = &statement->op[0], .node = node, .n = a->dim[loops]};
  int64_t count = 1;
  for (uint32_t k = 0; k < loops; k++) count *= a->dim[k];
  if (node->op == IR_solve) x.m = shape_count(&node->shape) / (count * x.n);
  Val index[IR_MOST_AXES] = {0};
  LLLoop vector = ll_loop(ll, ll_int(ll, 0), e->vectors, 1);
  e->lane_bytes = ll_imul(ll, vector.i, (int64_t)ll->lanes * ll->precision);
  all_matrices(&x, index, 0, loops, ll_int(ll, 0));
  ll_loop_end(ll, &vector);
}
