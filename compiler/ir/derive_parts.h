/* SPDX-License-Identifier: Apache-2.0 */
/* derive_parts.h -- what the files of the derivatives share; nobody else includes it. */
#ifndef FLOW_IR_DERIVE_PARTS_H
#define FLOW_IR_DERIVE_PARTS_H
#include "derive.h"

/* ---- derive_each.c -------------------------------------------------------------------------------------------------- */
/* The partial derivative of an elementwise node in one operand; IR_NONE stands for 1.  Not for flat operations or
 * choices. */
Ref derive_partial(IrFunction *f, Ref node, uint32_t operand);
bool derive_is_flat(IrOp op);           /* derivative 0: floor, sign, comparisons, logic */
bool derive_is_choice(IrOp op);         /* max, min, select */
/* For max and min: a truth value, "the first operand's derivative holds".  At a tie an operand that is constant wins, else the
 * first.  For select: its condition. */
Ref derive_chosen(IrFunction *f, Ref node, bool first_varies, bool second_varies);
/* For reduce_max, reduce_min, reduce_top: the share of each element in the derivative, 1 for the one that is taken and equal
 * parts where several are; the operand's shape. */
Ref derive_shares(IrFunction *f, Ref node);
/* 1 / sqrt(variance + eps) of a standardize node, without the last axis. */
Ref derive_standard_scale(IrFunction *f, Ref node);

/* ---- derive_jvp.c --------------------------------------------------------------------------------------------------- */
/* The tangents of a value, factor * base, for directions i = 0 .. m-1 in front of the value's own index:
 *   ZERO    nothing depends on the variable
 *   UNITS   base[i, index] = 1 where i == at + sum step[a]*index[a], else 0
 *   DENSE   base: a node [m] ++ shape; or of the value's shape where there is one direction without an axis
 * factor: a node of the value's shape; IR_NONE: 1. */
typedef enum { TANGENT_ZERO, TANGENT_UNITS, TANGENT_DENSE } TangentKind;
typedef struct Tangent {
  TangentKind kind;
  Ref factor, base;
  int64_t at, step[FLOW_MOST_RANK];
} Tangent;

typedef struct Forward {
  IrFunction *f;
  Ref from, variable;
  bool lead;                    /* a leading axis of directions */
  int64_t directions;
  Tangent *tangent;             /* [nodes of the stretch], by node - from; the variable's own apart */
  Tangent seed;
  Ref end;
} Forward;

Tangent forward_of(const Forward *d, Ref r);
/* The tangents as one node, [m] ++ shape (of the value's shape without lead); not of ZERO. */
Ref forward_dense(Forward *d, const Tangent *t, const Shape *shape, Span at);
Shape forward_shape(const Forward *d, const Shape *shape);              /* [m] ++ shape */
/* A constant-over-directions value seen with the axis of directions. */
Ref forward_lift(Forward *d, Ref r);
Tangent tangent_dense(Ref base);
Tangent tangent_add(Forward *d, const Tangent *a, const Tangent *b, const Shape *shape, Span at);
/* Runs over the stretch; the tangent of value.  false: some value has no room for the axis of directions. */
bool forward_run(Forward *d, Ref value, Tangent *tangent);

/* ---- derive_contract.c ---------------------------------------------------------------------------------------------- */
Tangent forward_contract(Forward *d, Ref node);
/* Sum over the last axis of weights * tangent of `of`, both of of's shape; weights IR_NONE: 1. */
Tangent forward_sum_last(Forward *d, Ref weights, Ref of, const Tangent *t, Span at);

/* ---- derive_matrix.c ------------------------------------------------------------------------------------------------ */
Tangent forward_solve(Forward *d, Ref r);
Tangent forward_logdet(Forward *d, Ref r);
Ref backward_solve_b(IrFunction *f, Ref r, Ref c);      /* what the right side gets */
Ref backward_solve_a(IrFunction *f, Ref r, Ref b_cotangent);    /* what the matrix gets, from that */
Ref backward_logdet(IrFunction *f, Ref r, Ref c);

/* ---- derive_view.c -------------------------------------------------------------------------------------------------- */
/* A view of `of` whose arithmetic is done for the viewed elements alone, as far as it stands in nodes from `from` on. */
Ref derive_pull(IrFunction *f, Ref from, Ref of, const Shape *shape, const IrMap *map, Span at);
/* The transpose of a view: adds c, of the view's shape, up in the elements that it was taken from.  IR_NONE: no room for
 * another axis. */
Ref derive_scatter(IrFunction *f, Ref c, const IrMap *map, const Shape *into, Span at);
/* Along `axis`, `before` zeros in front and zeros behind up to `length`. */
Ref derive_pad(IrFunction *f, Ref of, uint32_t axis, int64_t before, int64_t length, Span at);
/* [m] ++ shape: 1 where the first index is at + sum step[a]*index[a]. */
Ref derive_units(IrFunction *f, int64_t m, const Shape *shape, int64_t first, const int64_t *step, Span at);

/* ---- derive_order.c ------------------------------------------------------------------------------------------------- */
/* The sum of all elements of r, which nodes from `from` on compute, in an order of summation that costs little: products of
 * weights first, where at most two indices are left for the rest. */
Ref derive_total(IrFunction *f, Ref from, Ref r, Span at);

/* ---- derive_vjp.c --------------------------------------------------------------------------------------------------- */
/* What each use of a weight contributes to w * (the gradient of value by that weight), values of the weights' shapes. */
typedef struct WeightGradients { uint32_t count; Ref *value; uint32_t *slot; Ref state; } WeightGradients;
/* And the gradient by `state`, unless it is IR_NONE.  false: no room for an axis. */
bool derive_weight_gradients(IrFunction *f, Ref value, Ref state, Ref w, WeightGradients *gradients);

/* ---- rates.c ---------------------------------------------------------------------------------------------------------- */
typedef struct Wanted {
  bool log_p, estimated;        /* the rate of log p; by the vectors */
  Ref vectors;                  /* [count * n] numbers, for the estimates, and for |J|^2; IR_NONE: all is exact */
  uint32_t count;
  const IrTerms *terms;
} Wanted;
typedef struct Rates {
  Ref log_p;                    /* a vector: -div u, or -e . J e for each vector; of a jump -log |det J| */
  uint32_t terms;
  Ref term[IR_MOST_TERMS];      /* those that are wanted: |u|^2, |J|^2 (the mean over the vectors) */
} Rates;
/* Of u in the state x.  false: no room for an axis. */
bool derive_rates(IrFunction *f, Ref u, Ref x, const Wanted *wanted, Rates *rates, Span at);
/* The condition of this name, flat; a new one, the last, where there is none. */
Ref derive_vectors(IrFunction *f, const char *name, int64_t numbers, Span at);
Ref derive_dot(IrFunction *f, Ref a, Ref b, Span at);                   /* the sum of the products of all their elements */

/* ---- extras.c --------------------------------------------------------------------------------------------------------- */
IrFunction *derive_copy(const IrFunction *from);        /* to add nodes and inputs to; the first keeps its own */
Ref derive_condition(IrFunction *f, const char *name, const Shape *shape, Span at);     /* a further input, the last */
Ref derive_state(IrFunction *f);                        /* the node of input 1 */
Ref derive_flat(IrFunction *f, Ref r);                  /* as a vector */
/* What `probes` vectors are wanted for: estimates of the trace where there are some, |J|^2 where terms want it so.  They are the
 * condition "probes", a new one. */
Wanted derive_wanted(IrFunction *f, bool log_p, uint32_t probes, const IrTerms *terms, Span at);

/* Little words. */
Ref derive_like(IrFunction *f, Ref like, double value);                 /* a number of like's shape */
Ref derive_times(IrFunction *f, Ref a, Ref b, Span at);                 /* IR_NONE: 1 */
Ref derive_sum_last(IrFunction *f, Ref a, Ref b, Span at);              /* sum over the last axis of a*b; b IR_NONE: of a */

#endif
