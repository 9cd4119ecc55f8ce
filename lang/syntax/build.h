/* SPDX-License-Identifier: Apache-2.0 */
/* build.h -- how the grammar's actions make nodes; what a node alone can tell to be wrong is reported here. */
#ifndef FLOW_BUILD_H
#define FLOW_BUILD_H
#include "ast.h"
#include "lines.h"

typedef struct Parse {
  Arena *arena;
  Diagnostics *diagnostics;
  Lines lines;
  AstFile *file;
  Token before;                 /* the token before the current one, and the current one */
  Token now;
  int depth;                    /* nested to the right at this moment */
  size_t errors_before;         /* of other files */
  bool incomplete;
} Parse;

Ast *make_node(Parse *parse, AstKind kind, Span at);
void add_item(Parse *parse, AstList *list, Ast *item);

Ast *make_binary(Parse *parse, Span at, AstOp op, Span op_at, Ast *left, Ast *right);  /* + - * / @ */
Ast *make_compare(Parse *parse, Span at, AstOp op, Span op_at, Ast *left, Ast *right);
Ast *make_logic(Parse *parse, AstKind kind, Span at, Span op_at, Ast *left, Ast *right);
Ast *make_unary(Parse *parse, AstKind kind, Span at, Span op_at, Ast *operand);
Ast *make_power(Parse *parse, Span at, Span op_at, Ast *base, Ast *exponent);
Ast *make_index(Parse *parse, Span at, Ast *base, AstList selectors);
Ast *make_call(Parse *parse, Span at, Ast *function, AstList items, AstList extra);
Ast *make_for(Parse *parse, Span at, AstFor operator_, Token name, Span name_at, Ast *extent, Ast *body);
Ast *make_pipe(Parse *parse, Span at, Ast *left, Span pipe_at, Ast *stage);
Ast *make_mixed(Parse *parse, Span at, Ast *pipe, Span op_at);
Ast *make_definition(Parse *parse, AstKind kind, Span at, Token name, Span name_at);
bool go_deeper(Parse *parse, Span at);

Ast *make_name(Parse *parse, Token name, Span at);
Ast *velocity_of(Parse *parse, Span at, Token name, Span name_at);
Ast *make_range(Parse *parse, Span at, Ast *from, Ast *to);
Ast *make_stage(Parse *parse, Span at, Token name, Span name_at, AstList first, AstList then, Ast *count);
Ast *label(Parse *parse, Ast *call, Span at, const Token *text, Span text_at, bool no_bias);
Ast *define(Parse *parse, AstKind kind, Span at, Ast *header, Ast *body);
Token word_token(Parse *parse, const char *text);

/* Words the error at the current token (syntax_error.c); found and expected are names of symbols. */
void report_syntax_error(Parse *parse, Span at, const char *found, const char *const *expected, int count);

#endif
