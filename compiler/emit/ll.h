/* SPDX-License-Identifier: Apache-2.0 */
/* ll.h -- the words in which the emitter speaks to LLVM.
 *
 * A Val is a value of LLVM: mostly a vector of `lanes` numbers of the model's precision.  Verbs say what the emitter
 * means (load lanes, for i in 0..n), not which builder call spells it.  No target intrinsic, no fast-math flag and no
 * pass is ever used: what is emitted is final, and so are its bits. */
#ifndef FLOW_LL_H
#define FLOW_LL_H
#include <llvm-c/Core.h>
#include <stdbool.h>
#include <stdint.h>
#include "ir.h" /* IrOp */

typedef LLVMValueRef Val;

typedef struct LL {
  LLVMContextRef context;
  LLVMModuleRef module;
  LLVMBuilderRef builder;
  int precision;                /* bytes of a number */
  unsigned lanes;               /* of a vector */
  LLVMTypeRef real, vector;     /* float or double, and lanes of it */
  LLVMTypeRef integer, integers;        /* of the same width */
  LLVMTypeRef truths;           /* lanes of i1 */
  LLVMTypeRef i1, i8, i32, i64, pointer, nothing;
  Val function;                 /* being built */
  Val elementary[IR_OP_COUNT];  /* out-of-line elementary functions, made when first used */
} LL;

void ll_open(LL *ll, LLVMContextRef context, const char *name, int precision, unsigned lanes);

/* ---- functions ---------------------------------------------------------------------------------------------------- */
/* Opens a function of pointers and i64s at its entry block; internal unless exported. */
Val ll_function(LL *ll, const char *name, LLVMTypeRef result, LLVMTypeRef *parameter, unsigned count, bool exported);
Val ll_parameter(LL *ll, unsigned i);
Val ll_call(LL *ll, Val function, Val *argument, unsigned count);
void ll_return(LL *ll);
/* Remembers where the builder is, so that another function can be built meanwhile. */
typedef struct LLPlace { LLVMBasicBlockRef block; Val function; } LLPlace;
LLPlace ll_leave(LL *ll);
void ll_resume(LL *ll, LLPlace place);

/* ---- control ------------------------------------------------------------------------------------------------------- */
/* for (i = from; i < to; i += step) with values carried from turn to turn.  At least one turn is made.
 *   LLLoop loop = ll_loop(ll, from, to, step);
 *   Val sum = ll_carry(ll, &loop, zero);            // any number, before anything else in the body
 *   ... loop.i ...
 *   ll_next(&loop, 0, new_sum);
 *   ll_loop_end(ll, &loop);                         // afterwards loop.next[0] is the last value                      */
enum { LL_MOST_CARRIED = 32 };
typedef struct LLLoop {
  LLVMBasicBlockRef before, body;
  Val i, from, to, step;
  unsigned carried;
  Val phi[LL_MOST_CARRIED], next[LL_MOST_CARRIED], first[LL_MOST_CARRIED];
} LLLoop;
LLLoop ll_loop(LL *ll, Val from, Val to, int64_t step);
Val ll_carry(LL *ll, LLLoop *loop, Val first);
void ll_loop_end(LL *ll, LLLoop *loop);

/* if (condition) { ... } else { ... }, no values carried out. */
typedef struct LLIf { LLVMBasicBlockRef otherwise, after; } LLIf;
LLIf ll_if(LL *ll, Val condition);
void ll_else(LL *ll, LLIf *branch);
void ll_endif(LL *ll, LLIf *branch);

/* ---- whole numbers (i64) and addresses -------------------------------------------------------------------------------- */
Val ll_int(LL *ll, int64_t value);
Val ll_iadd(LL *ll, Val a, Val b);
Val ll_imul(LL *ll, Val a, int64_t factor);
Val ll_at(LL *ll, Val pointer, Val bytes);              /* pointer + bytes */
Val ll_load_u32(LL *ll, Val pointer, int64_t byte);     /* a u32 field, as i64 */
Val ll_load_i64(LL *ll, Val pointer, int64_t byte);
Val ll_load_pointer(LL *ll, Val pointer, int64_t byte);

/* ---- lanes -------------------------------------------------------------------------------------------------------------- */
Val ll_number(LL *ll, double value);                    /* rounded once to the precision, in every lane */
Val ll_load_lanes(LL *ll, Val pointer);                 /* aligned to the vector */
void ll_store_lanes(LL *ll, Val pointer, Val value);
Val ll_load_scalar(LL *ll, Val pointer);                /* one number, in every lane */
Val ll_spread(LL *ll, Val scalar);
Val ll_fma(LL *ll, Val a, Val b, Val c);
Val ll_intrinsic(LL *ll, const char *name, Val *operand, unsigned count);
Val ll_select(LL *ll, Val truth, Val a, Val b);
/* One elementwise operation of the IR; operands in order.  constant[i]: operand i is a constant that is not NaN. */
Val ll_op(LL *ll, IrOp op, Val *operand, const bool *constant);

/* ---- ll_elementary.c: the functions of elementary.inc, instantiated on lanes ---------------------------------------- */
bool ll_is_elementary(IrOp op);
/* inline_it: emit the operations here; else a call of one function shared by the module. */
Val ll_elementary(LL *ll, IrOp op, Val *operand, bool inline_it);

#endif
