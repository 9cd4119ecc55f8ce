/* SPDX-License-Identifier: Apache-2.0 */
/* check_program.h -- from what was written to what it means: names, shapes, layers and flows of one file.
 *
 *   CheckOptions options = {.solver = names, .solvers = count};
 *   TypedProgram *program = flow_check(&arena, &diagnostics, prelude, file, &options);
 *   if (diagnostics.errors == 0) ... program->flow[0].velocity ...
 *
 * All errors of a file are found in one run; one cause gives one error.  The program is never NULL: what is in it is
 * sound where diagnostics hold no error, and is not to be lowered where they do.  Everything is the arena's.
 *
 * Order of the work (a file each): names.c gathers the definitions, resolve.c binds every name in them, cycles.c puts
 * them in order, check.c asks for every function whose shapes are known and flow.c for what a flow needs, instance.c types
 * a function for given shapes, cost.c counts what it will cost. */
#ifndef FLOW_CHECK_PROGRAM_H
#define FLOW_CHECK_PROGRAM_H
#include "diag.h"
#include "typed.h"

typedef struct CheckOptions {
  const char *const *solver;    /* the solvers that a flow may name; NULL: euler, midpoint, heun, rk4 */
  uint32_t solvers;
  const char *const *adaptive;  /* of these, the ones that estimate their error: they need no number of steps */
  uint32_t adaptives;
  const char *loss;             /* a `fn` that takes the place of the loss of ... */
  const char *loss_of;          /* ... this flow; NULL: of all */
} CheckOptions;

/* The text of prelude.flow, to be parsed into the same SourceMap under the name "<prelude>". */
extern const char flow_prelude_text[];
extern const size_t flow_prelude_length;

/* options may be NULL. */
TypedProgram *flow_check(Arena *arena, Diagnostics *diagnostics, const AstFile *prelude, const AstFile *file,
                         const CheckOptions *options);

/* The field or network called `name` for a state and conditions of these shapes; state may be NULL where the shapes
 * stand in the declaration, and conditions may be fewer than declared where the rest are known.  NULL after an error in
 * the program's diagnostics.  Works as long as the arena lives. */
TypedFunction *flow_check_instance(const TypedProgram *program, const char *name, const Shape *state,
                                   const Shape *condition, uint32_t conditions);

/* An expression of the program's names, as a function without parameters that may call networks as a field does; a truth
 * value becomes 1 or 0.  Where it was parsed is a matter of the caller: its text is a source of the same map.  NULL after an
 * error in the program's diagnostics.  Works as long as the arena lives. */
TypedFunction *flow_check_value(const TypedProgram *program, const Ast *value);

/* "[64]", "[2, 3]", "a scalar": a shape as messages show it, in the arena. */
const char *shape_text(Arena *arena, const Shape *shape);

#endif
