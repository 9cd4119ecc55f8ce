/* SPDX-License-Identifier: Apache-2.0 */
/* ll_elementary.c -- the functions of elementary.inc (runtime/math), instantiated on vectors of LLVM values.
 *
 * The same text makes the scalar C functions of the runtime and of the interpreter: that is why their bits agree. */
#include "ll.h"
#include <string.h>

#define V Val
#define M Val
#define I Val
#define LINKAGE static inline
#define PARAMS LL *ll,
#define ARGS ll,
#define B ll->builder

static Val lanes_of_int(LL *ll, uint64_t value) {
  Val lane[64];
  for (unsigned i = 0; i < ll->lanes; i++) lane[i] = LLVMConstInt(ll->integer, value, 0);
  return LLVMConstVector(lane, ll->lanes);
}

static Val compare_reals(LL *ll, LLVMRealPredicate how, Val a, Val b) { return LLVMBuildFCmp(B, how, a, b, ""); }

static Val call_one(LL *ll, const char *name, Val a) { return ll_intrinsic(ll, name, &a, 1); }

typedef Val Template(LL *ll, Val x);

static Val in_any_lane(LL *ll, Val m) {
  Val bits = LLVMBuildBitCast(B, m, LLVMIntTypeInContext(ll->context, ll->lanes), "");
  return LLVMBuildICmp(B, LLVMIntNE, bits, LLVMConstNull(LLVMTypeOf(bits)), "");
}

/* `fast`, and where m holds in some lane f(x) there: skipped where it holds in none. */
static Val slow_lanes(LL *ll, Val m, Val fast, Template *f, Val x) {
  LLVMBasicBlockRef before = LLVMGetInsertBlock(B);
  LLVMBasicBlockRef slow = LLVMAppendBasicBlockInContext(ll->context, ll->function, "");
  LLVMBasicBlockRef after = LLVMAppendBasicBlockInContext(ll->context, ll->function, "");
  LLVMBuildCondBr(B, in_any_lane(ll, m), slow, after);
  LLVMPositionBuilderAtEnd(B, slow);
  Val mixed = ll_select(ll, m, f(ll, x), fast);
  LLVMBasicBlockRef end = LLVMGetInsertBlock(B);
  LLVMBuildBr(B, after);
  LLVMPositionBuilderAtEnd(B, after);
  Val phi = LLVMBuildPhi(B, ll->vector, "");
  LLVMAddIncoming(phi, &fast, &before, 1);
  LLVMAddIncoming(phi, &mixed, &end, 1);
  return phi;
}

#define F32 1
#define F64 0
#define NAME(f) real32_##f
#include "ll_words.h"
#include "elementary.inc"

#define F32 0
#define F64 1
#define V Val
#define M Val
#define I Val
#define LINKAGE static inline
#define PARAMS LL *ll,
#define ARGS ll,
#define NAME(f) real64_##f
#include "ll_words.h"
#include "elementary.inc"

/* One row per function: ops.def's name is elementary.def's. */
typedef Val Template2(LL *ll, Val x, Val y);
typedef struct Elementary { IrOp op; Template *f32, *f64; Template2 *f32_2, *f64_2; } Elementary;
#define ONE(name) {IR_##name, real32_##name, real64_##name, NULL, NULL}
#define TWO(name) {IR_##name, NULL, NULL, real32_##name, real64_##name}
static const Elementary elementary[] = {
    ONE(exp), ONE(exp2n), ONE(expm1), ONE(log),  ONE(log1p), ONE(sigmoid), ONE(tanh),
    ONE(erf), ONE(sin),   ONE(cos),   ONE(tan), ONE(atan),  TWO(pow),
};

static const Elementary *find(IrOp op) {
  for (size_t i = 0; i < sizeof elementary / sizeof *elementary; i++)
    if (elementary[i].op == op) return &elementary[i];
  return NULL;
}

bool ll_is_elementary(IrOp op) { return find(op) != NULL; }

static Val instantiate(LL *ll, const Elementary *f, Val *x) {
  if (f->f32) return (ll->precision == 4 ? f->f32 : f->f64)(ll, x[0]);
  return (ll->precision == 4 ? f->f32_2 : f->f64_2)(ll, x[0], x[1]);
}

static Val out_of_line(LL *ll, const Elementary *f) {
  LLVMTypeRef type[] = {ll->vector, ll->vector};
  LLPlace outside = ll_leave(ll);
  unsigned operands = f->f32 ? 1 : 2;
  Val function = ll_function(ll, ir_op_name[f->op], ll->vector, type, operands, false), x[2];
  for (unsigned i = 0; i < operands; i++) x[i] = ll_parameter(ll, i);
  LLVMBuildRet(ll->builder, instantiate(ll, f, x));
  ll_resume(ll, outside);
  return function;
}

Val ll_elementary(LL *ll, IrOp op, Val *operand, bool inline_it) {
  const Elementary *f = find(op);
  if (inline_it) return instantiate(ll, f, operand);
  if (!ll->elementary[op]) ll->elementary[op] = out_of_line(ll, f);
  return ll_call(ll, ll->elementary[op], operand, f->f32 ? 1 : 2);
}
