/* SPDX-License-Identifier: Apache-2.0 */
/* emit_mm.c -- weights times lanes: the micro-kernels.
 *
 * A kernel holds R output rows of V vectors of lanes in registers and runs over the columns k:
 *     acc[r][v] = init[r][v];   for k: acc[r][v] = fma(w[k][r], x[k][v], acc[r][v])
 * with w from a packed panel (8 rows side by side, one column after the other) and x rows of lanes.  Two columns are
 * written out per turn of the loop (4 to 5 % faster).  R is 8 with 32 registers and 4, half a panel, with 16; the last
 * rows of a layer that fill no block have a kernel of their own; V is 3 for full tiles, 1 for what is left of a tile.
 *
 * The epilogue is applied to the block while it is in L1: a loop over its rows, V vectors at a time, that costs no more
 * than working on the registers and is a third of the code.
 *
 * Kernels are shared by all layers that agree in their key: the numbers of rows in registers and of vectors, where the
 * accumulators start, whether the number of columns is odd, and the epilogue.  All else is an argument; so the copies of a
 * product (the tangents of a layer, through the same weights) are calls in a loop. */
#include <string.h>
#include "emit_parts.h"

enum { MOST_EXTERNAL = TILE_MOST_EXTERNAL, MOST_VECTORS = 3 };
typedef enum { START_ZERO, START_SCALAR, START_LANES } Start;

/* One pointer argument of a kernel: what an epilogue operand or the start reads, or where a value is stored; row r of a copy
 * is at pointer + r*step bytes, and the pointer at element offset + copy*copy_step. */
typedef struct External { Ref base; int64_t offset, row_step, copy_step; bool lanes; int64_t step; bool store; } External;

typedef struct Kernel {
  Emit *e;
  const TileStatement *mm;
  int rows, vectors;            /* in registers */
  Start start;
  External external[MOST_EXTERNAL];
  unsigned externals;
  /* being built */
  Val panel, x, columns, blocks, first_row, block_area, pointer[MOST_EXTERNAL];
} Kernel;

/* ---- what it touches from outside --------------------------------------------------------------------------------------- */

static unsigned external(Kernel *k, External wanted) {
  for (unsigned i = 0; i < k->externals; i++) {
    const External *old = &k->external[i];
    if (old->base == wanted.base && old->store == wanted.store && old->offset == wanted.offset && old->row_step == wanted.row_step &&
        old->copy_step == wanted.copy_step)
      return i;
  }
  k->external[k->externals] = wanted;
  return k->externals++;
}

static External external_read(const Emit *e, const TileStatement *mm, const TileAccess *access) {
  bool lanes = emit_in_lanes(e, access->base);
  int64_t unit = lanes ? emit_row_bytes(e) : e->ll.precision, row = access->map.stride[mm->space.rank - 1];
  return (External){access->base, access->map.offset, row, mm->space.rank > 1 ? access->map.stride[0] : 0, lanes, row * unit, false};
}

static External external_store(const Emit *e, const TileStatement *mm, Ref node) {
  return (External){node, 0, 1, mm->rows, true, emit_row_bytes(e), true};
}

/* Which op of the statement computes `base`, or -1. */
static int own_op(const TileStatement *mm, Ref base) {
  for (uint32_t i = 0; i < mm->ops; i++)
    if (mm->op[i].node == base) return (int)i;
  return -1;
}

static bool immediate(const Emit *e, const TileStatement *mm, const TileAccess *access) {
  const IrNode *base = &e->f->node[access->base];
  bool moves = false;
  for (uint32_t k = 0; k < mm->space.rank; k++) moves = moves || (access->map.stride[k] && mm->space.dim[k] > 1);
  return base->op == IR_constant && !moves;
}

static void find_externals(Kernel *k) {
  const TileStatement *mm = k->mm;
  k->externals = 0;
  if (k->start != START_ZERO) external(k, external_read(k->e, mm, &mm->op[0].operand[2]));
  for (uint32_t i = 0; i < mm->ops; i++) {
    const IrNode *node = &k->e->f->node[mm->op[i].node];
    for (uint32_t a = 0; i && a < node->args; a++)
      if (own_op(mm, mm->op[i].operand[a].base) < 0 && !immediate(k->e, mm, &mm->op[i].operand[a]))
        external(k, external_read(k->e, mm, &mm->op[i].operand[a]));
    if (mm->op[i].stored) external(k, external_store(k->e, mm, mm->op[i].node));
  }
}

/* ---- the key ------------------------------------------------------------------------------------------------------------- */

static const char *kernel_key(Kernel *k) {
  Emit *e = k->e;
  const TileStatement *mm = k->mm;
  const char *key = arena_format(e->arena, "%d x %d, start %d, %s%s", k->rows, k->vectors, k->start,
                                 mm->columns == 1 ? "one" : mm->columns & 1 ? "odd" : "even", mm->op[0].stored ? ", stored" : "");
  for (unsigned i = 0; i < k->externals; i++)
    key = arena_format(e->arena, "%s; %c%lld%s", key, k->external[i].store ? 's' : k->external[i].lanes ? 'l' : 'c',
                       (long long)k->external[i].step, e->f->node[k->external[i].base].truth ? "?" : "");
  for (uint32_t i = 1; i < mm->ops; i++) {
    const IrNode *node = &e->f->node[mm->op[i].node];
    key = arena_format(e->arena, "%s; %s", key, ir_op_name[node->op]);
    for (uint32_t a = 0; a < node->args; a++) {
      const TileAccess *access = &mm->op[i].operand[a];
      int own = own_op(mm, access->base);
      if (own >= 0) key = arena_format(e->arena, "%s @%d", key, own);
      else if (immediate(e, mm, access))
        key = arena_format(e->arena, "%s %a", key, e->f->node[access->base].data[access->map.offset]);
      else key = arena_format(e->arena, "%s #%u", key, external(k, external_read(e, mm, access)));
    }
    if (mm->op[i].stored) key = arena_format(e->arena, "%s >%u", key, external(k, external_store(e, mm, mm->op[i].node)));
  }
  return key;
}

/* ---- the body -------------------------------------------------------------------------------------------------------------- */

/* A row: a run-time number and a constant on top.  What is constant folds into the address of the instruction. */
typedef struct Row { Val start; int64_t plus; } Row;

static int64_t vector_at(const Kernel *k, int vector) { return (int64_t)vector * k->e->ll.lanes * k->e->ll.precision; }

static Val row_address(Kernel *k, unsigned external_, Row row, int vector) {
  LL *ll = &k->e->ll;
  const External *x = &k->external[external_];
  Val start = x->step ? ll_at(ll, k->pointer[external_], ll_imul(ll, row.start, x->step)) : k->pointer[external_];
  return ll_at(ll, start, ll_int(ll, row.plus * x->step + (x->lanes ? vector_at(k, vector) : 0)));
}

static Val read_external(Kernel *k, unsigned i, Row row, int vector) {
  LL *ll = &k->e->ll;
  Val address = row_address(k, i, row, vector);
  Val value = k->external[i].lanes ? ll_load_lanes(ll, address) : ll_load_scalar(ll, address);
  if (!k->e->f->node[k->external[i].base].truth) return value;
  return LLVMBuildFCmp(ll->builder, LLVMRealUNE, value, ll_number(ll, 0), "");
}

static void store_external(Kernel *k, unsigned i, Row row, int vector, Val value) {
  LL *ll = &k->e->ll;
  if (k->e->f->node[k->external[i].base].truth) value = ll_select(ll, value, ll_number(ll, 1), ll_number(ll, 0));
  ll_store_lanes(ll, row_address(k, i, row, vector), value);
}

/* One column into all accumulators. */
static void column(Kernel *k, Val panel, Val at, Val *acc) {
  LL *ll = &k->e->ll;
  Val x[MOST_VECTORS];
  Val xs = ll_at(ll, k->x, ll_imul(ll, at, emit_row_bytes(k->e)));
  Val ws = ll_at(ll, panel, ll_imul(ll, at, TILE_PANEL * ll->precision));
  for (int v = 0; v < k->vectors; v++)
    x[v] = ll_load_lanes(ll, ll_at(ll, xs, ll_int(ll, vector_at(k, v))));
  for (int r = 0; r < k->rows; r++) {
    Val w = ll_load_scalar(ll, ll_at(ll, ws, ll_int(ll, (int64_t)r * ll->precision)));
    for (int v = 0; v < k->vectors; v++) acc[r * k->vectors + v] = ll_fma(ll, w, x[v], acc[r * k->vectors + v]);
  }
}

static void columns_loop(Kernel *k, Val panel, Val *acc) {
  LL *ll = &k->e->ll;
  int count = k->rows * k->vectors;
  bool odd = k->mm->columns & 1;
  if (k->mm->columns > 1) {
    Val pairs = odd ? ll_iadd(ll, k->columns, ll_int(ll, -1)) : k->columns;
    LLLoop loop = ll_loop(ll, ll_int(ll, 0), pairs, 2);
    for (int i = 0; i < count; i++) acc[i] = ll_carry(ll, &loop, acc[i]);
    column(k, panel, loop.i, acc);
    column(k, panel, ll_iadd(ll, loop.i, ll_int(ll, 1)), acc);
    for (int i = 0; i < count; i++) loop.next[i] = acc[i];
    ll_loop_end(ll, &loop);
  }
  if (odd) column(k, panel, ll_iadd(ll, k->columns, ll_int(ll, -1)), acc);
}

static void start_rows(Kernel *k, Val row, Val *acc) {
  for (int r = 0; r < k->rows; r++)
    for (int v = 0; v < k->vectors; v++) {
      bool again = k->start == START_SCALAR && v;
      acc[r * k->vectors + v] = k->start == START_ZERO ? ll_number(&k->e->ll, 0)
                                : again ? acc[r * k->vectors] : read_external(k, 0, (Row){row, r}, v);
    }
}

/* Where the finished block waits for its epilogue: in its own rows if it is stored anyway, else in the block area. */
static Val block_address(Kernel *k, Val row, Row row_in_block, int vector) {
  LL *ll = &k->e->ll;
  if (k->mm->op[0].stored)
    return row_address(k, external(k, external_store(k->e, k->mm, k->mm->op[0].node)), (Row){row, row_in_block.plus}, vector);
  Val start = ll_at(ll, k->block_area, ll_imul(ll, row_in_block.start, emit_row_bytes(k->e)));
  return ll_at(ll, start, ll_int(ll, row_in_block.plus * emit_row_bytes(k->e) + vector_at(k, vector)));
}

static void epilogue_row(Kernel *k, Val row, Val row_in_block) {
  Emit *e = k->e;
  const TileStatement *mm = k->mm;
  Val (*value)[MOST_VECTORS] = arena_array(e->arena, mm->ops, sizeof *value);
  for (int v = 0; v < k->vectors; v++)
    value[0][v] = ll_load_lanes(&e->ll, block_address(k, row, (Row){row_in_block, 0}, v));
  for (uint32_t i = 1; i < mm->ops; i++) {
    const TileOp *op = &mm->op[i];
    const IrNode *node = &e->f->node[op->node];
    for (int v = 0; v < k->vectors; v++) {
      Val operand[3];
      for (uint32_t a = 0; a < node->args; a++) {
        int own = own_op(mm, op->operand[a].base);
        if (own >= 0) operand[a] = value[own][v];
        else if (immediate(e, mm, &op->operand[a]))
          operand[a] = emit_load(e, op->operand[a].base, ll_int(&e->ll, op->operand[a].map.offset));
        else operand[a] = read_external(k, external(k, external_read(e, mm, &op->operand[a])), (Row){row, 0}, v);
      }
      value[i][v] = emit_each(e, op->node, operand, true);
      if (op->stored) store_external(k, external(k, external_store(e, mm, op->node)), (Row){row, 0}, v, value[i][v]);
    }
  }
}

/* One block of rows: start, columns, epilogue. */
static void block_of_rows(Kernel *k, Val panel, Val row) {
  LL *ll = &k->e->ll;
  Val acc[LL_MOST_CARRIED];
  start_rows(k, row, acc);
  columns_loop(k, panel, acc);
  for (int r = 0; r < k->rows; r++)
    for (int v = 0; v < k->vectors; v++)
      ll_store_lanes(ll, block_address(k, row, (Row){ll_int(ll, 0), r}, v), acc[r * k->vectors + v]);
  if (k->mm->ops == 1) return;
  LLLoop rows = ll_loop(ll, ll_int(ll, 0), ll_int(ll, k->rows), 1);
  epilogue_row(k, ll_iadd(ll, row, rows.i), rows.i);
  ll_loop_end(ll, &rows);
}

/* Block i starts at row first + i*R; with R = 4 two blocks share a panel. */
static Val panel_of_block(Kernel *k, Val block) {
  LL *ll = &k->e->ll;
  int64_t column_bytes = TILE_PANEL * ll->precision;
  Val bytes = ll_imul(ll, k->columns, column_bytes);
  if (k->rows != k->e->block_rows || k->rows == TILE_PANEL)
    return ll_at(ll, k->panel, LLVMBuildMul(ll->builder, block, bytes, ""));
  Val panel = LLVMBuildLShr(ll->builder, block, ll_int(ll, 1), ""), half = LLVMBuildAnd(ll->builder, block, ll_int(ll, 1), "");
  Val at = LLVMBuildMul(ll->builder, panel, bytes, "");
  return ll_at(ll, ll_at(ll, k->panel, at), ll_imul(ll, half, k->rows * ll->precision));
}

enum { FIXED_PARAMETERS = 6 };

static Val build_kernel(Kernel *k) {
  LL *ll = &k->e->ll;
  LLVMTypeRef type[FIXED_PARAMETERS + MOST_EXTERNAL] = {ll->pointer, ll->pointer, ll->pointer, ll->i64, ll->i64, ll->i64};
  for (unsigned i = 0; i < k->externals; i++) type[FIXED_PARAMETERS + i] = ll->pointer;
  LLPlace outside = ll_leave(ll);
  Val function = ll_function(ll, "mm", ll->nothing, type, FIXED_PARAMETERS + k->externals, false);
  k->panel = ll_parameter(ll, 0), k->x = ll_parameter(ll, 1), k->block_area = ll_parameter(ll, 2);
  k->columns = ll_parameter(ll, 3), k->blocks = ll_parameter(ll, 4), k->first_row = ll_parameter(ll, 5);
  for (unsigned i = 0; i < k->externals; i++) k->pointer[i] = ll_parameter(ll, FIXED_PARAMETERS + i);
  LLLoop blocks = ll_loop(ll, ll_int(ll, 0), k->blocks, 1);
  block_of_rows(k, panel_of_block(k, blocks.i), ll_iadd(ll, k->first_row, ll_imul(ll, blocks.i, k->rows)));
  ll_loop_end(ll, &blocks);
  ll_return(ll);
  ll_resume(ll, outside);
  return function;
}

Val emit_shared_kernel(const Emit *e, const char *key) {
  for (uint32_t i = 0; i < e->kernels; i++)
    if (!strcmp(e->kernel[i].key, key)) return e->kernel[i].function;
  return NULL;
}

Val emit_share_kernel(Emit *e, const char *key, Val function) {
  e->kernel = arena_grow(e->arena, e->kernel, e->kernels, e->kernels + 1, sizeof *e->kernel);
  e->kernel[e->kernels++] = (EmitKernel){key, function};
  return function;
}

static Val find_kernel(Kernel *k) {
  const char *key = kernel_key(k);
  Val function = emit_shared_kernel(k->e, key);
  return function ? function : emit_share_kernel(k->e, key, build_kernel(k));
}

/* ---- the calls ------------------------------------------------------------------------------------------------------------- */

/* The products for one copy, whose number is a run-time value. */
typedef struct Call { Emit *e; const TileStatement *mm; Start start; int vectors; Val copy; } Call;

static Val copied(const Call *c, int64_t offset, int64_t copy_step) {
  return ll_iadd(&c->e->ll, ll_int(&c->e->ll, offset), ll_imul(&c->e->ll, c->copy, copy_step));
}

static void call_kernel(const Call *c, int rows, int64_t blocks, int64_t first_row) {
  Emit *e = c->e;
  LL *ll = &e->ll;
  const TileStatement *mm = c->mm;
  Kernel k = {.e = e, .mm = mm, .rows = rows, .vectors = c->vectors, .start = c->start};
  find_externals(&k);
  Val function = find_kernel(&k);
  int64_t panel = first_row / TILE_PANEL * mm->columns * TILE_PANEL + first_row % TILE_PANEL;
  const TileAccess *lanes = &mm->op[0].operand[mm->lanes_operand];
  Val scratch = ll_at(ll, e->base[BASE_SCRATCH], e->lane_bytes);
  Val argument[FIXED_PARAMETERS + MOST_EXTERNAL] = {
      ll_at(ll, e->base[BASE_WEIGHTS], ll_int(ll, (int64_t)mm->panels + panel * ll->precision)),
      emit_address(e, lanes->base, copied(c, lanes->map.offset, mm->space.rank > 1 ? lanes->map.stride[0] : 0)), scratch,
      ll_int(ll, mm->columns), ll_int(ll, blocks), ll_int(ll, first_row)};
  for (unsigned i = 0; i < k.externals; i++) {
    const External *x = &k.external[i];
    argument[FIXED_PARAMETERS + i] = emit_address(e, x->base, copied(c, x->offset, x->copy_step));
  }
  ll_call(ll, function, argument, FIXED_PARAMETERS + k.externals);
}

static void all_rows(const Call *c) {
  int64_t blocks = c->mm->rows / c->e->block_rows, left = c->mm->rows % c->e->block_rows;
  if (blocks) call_kernel(c, c->e->block_rows, blocks, 0);
  if (left) call_kernel(c, (int)left, 1, blocks * c->e->block_rows);
}

static void all_copies(Emit *e, const TileStatement *mm, Start start, int vectors) {
  LL *ll = &e->ll;
  Call c = {e, mm, start, vectors, ll_int(ll, 0)};
  if (mm->copies == 1) {
    all_rows(&c);
    return;
  }
  LLLoop loop = ll_loop(ll, ll_int(ll, 0), ll_int(ll, mm->copies), 1);
  c.copy = loop.i;
  all_rows(&c);
  ll_loop_end(ll, &loop);
}

static void narrow(Emit *e, const TileStatement *mm, Start start) {
  LL *ll = &e->ll;
  LLLoop loop = ll_loop(ll, ll_int(ll, 0), e->vectors, 1);
  e->lane_bytes = ll_imul(ll, loop.i, (int64_t)ll->lanes * ll->precision);
  all_copies(e, mm, start, 1);
  ll_loop_end(ll, &loop);
}

/* As many blocks of MOST_VECTORS as there are, where nothing is left; else one vector after the other. */
static void wide(Emit *e, const TileStatement *mm, Start start) {
  LL *ll = &e->ll;
  Val most = ll_int(ll, MOST_VECTORS), groups = LLVMBuildUDiv(ll->builder, e->vectors, most, "");
  LLIf branch = ll_if(ll, LLVMBuildICmp(ll->builder, LLVMIntEQ, LLVMBuildMul(ll->builder, groups, most, ""), e->vectors, ""));
  LLLoop loop = ll_loop(ll, ll_int(ll, 0), groups, 1);
  e->lane_bytes = ll_imul(ll, loop.i, (int64_t)MOST_VECTORS * ll->lanes * ll->precision);
  all_copies(e, mm, start, MOST_VECTORS);
  ll_loop_end(ll, &loop);
  ll_else(ll, &branch);
  narrow(e, mm, start);
  ll_endif(ll, &branch);
}

void emit_mm(Emit *e, const TileStatement *mm) {
  LL *ll = &e->ll;
  Start start = START_ZERO;
  if (e->level.lanes == 1) {
    emit_mm_rows(e, mm);
    return;
  }
  if (e->f->node[mm->op[0].node].args > 2)
    start = emit_in_lanes(e, mm->op[0].operand[2].base) ? START_LANES : START_SCALAR;
  if (e->section != TILE_SAMPLE && e->section != TILE_QUIET) {  /* once a solve: one vector at a time is code enough */
    narrow(e, mm, start);
    return;
  }
  if (e->level.lanes > MOST_VECTORS * ll->lanes) {      /* a training's tile on the narrower of two vectors */
    wide(e, mm, start);
    return;
  }
  Val full = LLVMBuildICmp(ll->builder, LLVMIntEQ, e->vectors, ll_int(ll, MOST_VECTORS), "");
  LLIf branch = ll_if(ll, full);
  e->lane_bytes = ll_int(ll, 0);
  all_copies(e, mm, start, MOST_VECTORS);
  ll_else(ll, &branch);
  narrow(e, mm, start);
  ll_endif(ll, &branch);
}
