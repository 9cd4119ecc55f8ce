/* SPDX-License-Identifier: Apache-2.0 */
/* synthetic.h -- trees that nobody wrote, of what could have been written.
 *
 * They are placed at the text that they stand for.  Names in them begin with blanks where no name of the file may get
 * between: one blank for an operator (" ddt") or a `let`, two for a definition (alias_of). */
#ifndef FLOW_SYNTHETIC_H
#define FLOW_SYNTHETIC_H
#include "checker.h"

Ast *synthetic(Checker *c, AstKind kind, const char *name, Span at);
void append_item(Checker *c, AstList *list, Ast *item);

Ast *synthetic_name(Checker *c, const char *name, Span at);
Ast *synthetic_number(Checker *c, double number, Span at);
/* first op[0] rest[0] op[1] rest[1] ..: operators of one level. */
Ast *synthetic_chain(Checker *c, Ast *first, const AstOp *op, Ast *const *rest, size_t count);
Ast *synthetic_two(Checker *c, Ast *left, AstOp op, Ast *right);
/* name() and operator(definition)(), their arguments to be appended. */
Ast *synthetic_call(Checker *c, const char *name, Span at);
Ast *synthetic_operator(Checker *c, const char *operator_, const char *definition, Span at);
/* What is passed on: the names of parameters [from, until). */
void append_names(Checker *c, AstList *to, const AstList *parameters, size_t from, size_t until, Span at);
/* A parameter's sizes. */
void declare_shape(Checker *c, Ast *parameter, const Shape *shape, Span at);
void append_let(Checker *c, Ast *function, const char *name, Ast *value);

/* A name for a definition that nothing hides; of_prelude: the library's own, whatever the file has under its name. */
const char *alias_of(Checker *c, Definition *definition);
Definition *of_prelude(Checker *c, const char *name);

#endif
