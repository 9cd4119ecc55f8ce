/* SPDX-License-Identifier: Apache-2.0 */
/* ll.c -- see ll.h. */
#include "ll.h"
#include <math.h>
#include <string.h>

void ll_open(LL *ll, LLVMContextRef context, const char *name, int precision, unsigned lanes) {
  *ll = (LL){.context = context, .precision = precision, .lanes = lanes};
  ll->module = LLVMModuleCreateWithNameInContext(name, context);
  ll->builder = LLVMCreateBuilderInContext(context);
  ll->real = precision == 4 ? LLVMFloatTypeInContext(context) : LLVMDoubleTypeInContext(context);
  ll->integer = LLVMIntTypeInContext(context, (unsigned)precision * 8);
  ll->vector = LLVMVectorType(ll->real, lanes);
  ll->integers = LLVMVectorType(ll->integer, lanes);
  ll->i1 = LLVMInt1TypeInContext(context);
  ll->truths = LLVMVectorType(ll->i1, lanes);
  ll->i8 = LLVMInt8TypeInContext(context);
  ll->i32 = LLVMInt32TypeInContext(context);
  ll->i64 = LLVMInt64TypeInContext(context);
  ll->pointer = LLVMPointerTypeInContext(context, 0);
  ll->nothing = LLVMVoidTypeInContext(context);
}

/* ---- functions ---------------------------------------------------------------------------------------------------- */

static void attribute(LL *ll, Val function, const char *name) {
  unsigned kind = LLVMGetEnumAttributeKindForName(name, strlen(name));
  LLVMAddAttributeAtIndex(function, (LLVMAttributeIndex)LLVMAttributeFunctionIndex,
                          LLVMCreateEnumAttribute(ll->context, kind, 0));
}

Val ll_function(LL *ll, const char *name, LLVMTypeRef result, LLVMTypeRef *parameter, unsigned count, bool exported) {
  LLVMTypeRef type = LLVMFunctionType(result, parameter, count, 0);
  ll->function = LLVMAddFunction(ll->module, name, type);
  attribute(ll, ll->function, "nounwind");
  if (!exported) {
    LLVMSetLinkage(ll->function, LLVMInternalLinkage);
    attribute(ll, ll->function, "noinline");
  }
  LLVMPositionBuilderAtEnd(ll->builder, LLVMAppendBasicBlockInContext(ll->context, ll->function, "entry"));
  return ll->function;
}

Val ll_parameter(LL *ll, unsigned i) { return LLVMGetParam(ll->function, i); }

Val ll_call(LL *ll, Val function, Val *argument, unsigned count) {
  return LLVMBuildCall2(ll->builder, LLVMGlobalGetValueType(function), function, argument, count, "");
}

void ll_return(LL *ll) { LLVMBuildRetVoid(ll->builder); }

LLPlace ll_leave(LL *ll) { return (LLPlace){LLVMGetInsertBlock(ll->builder), ll->function}; }

void ll_resume(LL *ll, LLPlace place) {
  ll->function = place.function;
  LLVMPositionBuilderAtEnd(ll->builder, place.block);
}

/* ---- control ------------------------------------------------------------------------------------------------------- */

static LLVMBasicBlockRef block(LL *ll) { return LLVMAppendBasicBlockInContext(ll->context, ll->function, ""); }

Val ll_carry(LL *ll, LLLoop *loop, Val first) {
  Val phi = LLVMBuildPhi(ll->builder, LLVMTypeOf(first), "");
  loop->first[loop->carried] = first;
  loop->next[loop->carried] = phi;
  return loop->phi[loop->carried++] = phi;
}

LLLoop ll_loop(LL *ll, Val from, Val to, int64_t step) {
  LLLoop loop = {.before = LLVMGetInsertBlock(ll->builder), .body = block(ll), .from = from, .to = to};
  loop.step = ll_int(ll, step);
  LLVMBuildBr(ll->builder, loop.body);
  LLVMPositionBuilderAtEnd(ll->builder, loop.body);
  loop.i = LLVMBuildPhi(ll->builder, ll->i64, "");
  return loop;
}

static void complete(Val phi, Val first, LLVMBasicBlockRef before, Val next, LLVMBasicBlockRef end) {
  LLVMAddIncoming(phi, &first, &before, 1);
  LLVMAddIncoming(phi, &next, &end, 1);
}

void ll_loop_end(LL *ll, LLLoop *loop) {
  Val next = ll_iadd(ll, loop->i, loop->step);
  LLVMBasicBlockRef end = LLVMGetInsertBlock(ll->builder), after = block(ll);
  Val again = LLVMBuildICmp(ll->builder, LLVMIntSLT, next, loop->to, "");
  LLVMBuildCondBr(ll->builder, again, loop->body, after);
  complete(loop->i, loop->from, loop->before, next, end);
  for (unsigned k = 0; k < loop->carried; k++) complete(loop->phi[k], loop->first[k], loop->before, loop->next[k], end);
  LLVMPositionBuilderAtEnd(ll->builder, after);
}

LLIf ll_if(LL *ll, Val condition) {
  LLIf branch = {block(ll), block(ll)};
  LLVMBasicBlockRef then = block(ll);
  LLVMBuildCondBr(ll->builder, condition, then, branch.otherwise);
  LLVMPositionBuilderAtEnd(ll->builder, then);
  return branch;
}

void ll_else(LL *ll, LLIf *branch) {
  LLVMBuildBr(ll->builder, branch->after);
  LLVMPositionBuilderAtEnd(ll->builder, branch->otherwise);
}

void ll_endif(LL *ll, LLIf *branch) {
  LLVMBuildBr(ll->builder, branch->after);
  LLVMPositionBuilderAtEnd(ll->builder, branch->after);
}

/* ---- whole numbers and addresses --------------------------------------------------------------------------------------- */

Val ll_int(LL *ll, int64_t value) { return LLVMConstInt(ll->i64, (unsigned long long)value, 1); }
Val ll_iadd(LL *ll, Val a, Val b) { return LLVMBuildAdd(ll->builder, a, b, ""); }

Val ll_imul(LL *ll, Val a, int64_t factor) {
  return factor == 1 ? a : LLVMBuildMul(ll->builder, a, ll_int(ll, factor), "");
}

Val ll_at(LL *ll, Val pointer, Val bytes) {
  if (LLVMIsAConstantInt(bytes) && LLVMConstIntGetSExtValue(bytes) == 0) return pointer;
  return LLVMBuildGEP2(ll->builder, ll->i8, pointer, &bytes, 1, "");
}

static Val load(LL *ll, LLVMTypeRef type, Val pointer, unsigned align) {
  Val value = LLVMBuildLoad2(ll->builder, type, pointer, "");
  LLVMSetAlignment(value, align);
  return value;
}

Val ll_load_pointer(LL *ll, Val pointer, int64_t byte) {
  return load(ll, ll->pointer, ll_at(ll, pointer, ll_int(ll, byte)), 8);
}
Val ll_load_u32(LL *ll, Val pointer, int64_t byte) {
  return LLVMBuildZExt(ll->builder, load(ll, ll->i32, ll_at(ll, pointer, ll_int(ll, byte)), 4), ll->i64, "");
}

Val ll_load_i64(LL *ll, Val pointer, int64_t byte) { return load(ll, ll->i64, ll_at(ll, pointer, ll_int(ll, byte)), 8); }

/* ---- lanes ----------------------------------------------------------------------------------------------------------------- */

static Val constant_lanes(LL *ll, Val scalar) {
  Val lane[64];
  for (unsigned i = 0; i < ll->lanes; i++) lane[i] = scalar;
  return LLVMConstVector(lane, ll->lanes);
}

Val ll_number(LL *ll, double value) { return constant_lanes(ll, LLVMConstReal(ll->real, value)); }

static unsigned vector_bytes(const LL *ll) { return (unsigned)ll->precision * ll->lanes; }

Val ll_load_lanes(LL *ll, Val pointer) { return load(ll, ll->vector, pointer, vector_bytes(ll)); }
void ll_store_lanes(LL *ll, Val pointer, Val value) {
  LLVMSetAlignment(LLVMBuildStore(ll->builder, value, pointer), vector_bytes(ll));
}

Val ll_spread(LL *ll, Val scalar) {
  Val zero = LLVMConstInt(ll->i32, 0, 0), nothing = LLVMGetPoison(ll->vector);
  Val one = LLVMBuildInsertElement(ll->builder, nothing, scalar, zero, "");
  return LLVMBuildShuffleVector(ll->builder, one, nothing, LLVMConstNull(LLVMVectorType(ll->i32, ll->lanes)), "");
}

Val ll_load_scalar(LL *ll, Val pointer) { return ll_spread(ll, load(ll, ll->real, pointer, (unsigned)ll->precision)); }

Val ll_intrinsic(LL *ll, const char *name, Val *operand, unsigned count) {
  LLVMTypeRef type = LLVMTypeOf(operand[0]);
  unsigned id = LLVMLookupIntrinsicID(name, strlen(name));
  return ll_call(ll, LLVMGetIntrinsicDeclaration(ll->module, id, &type, 1), operand, count);
}

Val ll_fma(LL *ll, Val a, Val b, Val c) {
  Val operand[] = {a, b, c};
  return ll_intrinsic(ll, "llvm.fma", operand, 3);
}

Val ll_select(LL *ll, Val truth, Val a, Val b) { return LLVMBuildSelect(ll->builder, truth, a, b, ""); }

static Val compare(LL *ll, LLVMRealPredicate how, Val a, Val b) { return LLVMBuildFCmp(ll->builder, how, a, b, ""); }

/* a > b ? a : b (or <), but NaN where a is: where a cannot be NaN the first select alone does, as one instruction. */
static Val extreme(LL *ll, LLVMRealPredicate how, Val a, Val b, bool a_is_number) {
  Val larger = ll_select(ll, compare(ll, how, a, b), a, b);
  return a_is_number ? larger : ll_select(ll, compare(ll, LLVMRealUNO, a, a), a, larger);
}

Val ll_op(LL *ll, IrOp op, Val *v, const bool *constant) {
  LLVMBuilderRef b = ll->builder;
  switch (op) {
  case IR_neg: return LLVMBuildFNeg(b, v[0], "");
  case IR_add: return LLVMBuildFAdd(b, v[0], v[1], "");
  case IR_sub: return LLVMBuildFSub(b, v[0], v[1], "");
  case IR_mul: return LLVMBuildFMul(b, v[0], v[1], "");
  case IR_div: return LLVMBuildFDiv(b, v[0], v[1], "");
  case IR_fma: return ll_fma(ll, v[0], v[1], v[2]);
  case IR_sqrt: return ll_intrinsic(ll, "llvm.sqrt", v, 1);
  case IR_floor: return ll_intrinsic(ll, "llvm.floor", v, 1);
  case IR_abs: return ll_intrinsic(ll, "llvm.fabs", v, 1);
  case IR_max: return extreme(ll, LLVMRealOGT, v[0], v[1], constant && constant[0]);
  case IR_min: return extreme(ll, LLVMRealOLT, v[0], v[1], constant && constant[0]);
  case IR_found: return LLVMBuildFAdd(b, v[0], ll_select(ll, compare(ll, LLVMRealOLE, v[2], ll_number(ll, 1e-10)), ll_number(ll, 0), ll_number(ll, (double)NAN)), "");
  case IR_select: return ll_select(ll, v[0], v[1], v[2]);
  case IR_less: return compare(ll, LLVMRealOLT, v[0], v[1]);
  case IR_less_equal: return compare(ll, LLVMRealOLE, v[0], v[1]);
  case IR_equal: return compare(ll, LLVMRealOEQ, v[0], v[1]);
  case IR_not_equal: return compare(ll, LLVMRealUNE, v[0], v[1]);
  case IR_and: return LLVMBuildAnd(b, v[0], v[1], "");
  case IR_or: return LLVMBuildOr(b, v[0], v[1], "");
  case IR_not: return LLVMBuildNot(b, v[0], "");
  case IR_view: return v[0];
  default: return NULL;         /* elementary functions: ll_elementary */
  }
}
