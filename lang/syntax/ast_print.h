/* SPDX-License-Identifier: Apache-2.0 */
/* ast_print.h -- the AST as text, for --emit=ast and for tests: one definition a line, in the manner of Lisp.
 *
 *   fn f(x, y: [2]) = 2*x + y[0]     (fn f ( (x) (y [2])) (chain (chain 2 * x) + (index y 0)))
 *
 * No places are in it: two files that differ in space and comments only print alike. */
#ifndef FLOW_AST_PRINT_H
#define FLOW_AST_PRINT_H
#include "arena.h"
#include "ast.h"

char *ast_print(Arena *arena, const AstFile *file);

#endif
