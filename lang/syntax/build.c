/* SPDX-License-Identifier: Apache-2.0 */
/* build.c -- nodes; chains of one level grow in place. */
#include "build.h"
#include "names.h"
#include <string.h>

Ast *make_node(Parse *parse, AstKind kind, Span at) {
  Ast *ast = arena_alloc(parse->arena, sizeof *ast);
  ast->kind = kind;
  ast->at = at;
  return ast;
}

static bool is_full(size_t count) { return (count & (count - 1)) == 0; }

void add_item(Parse *parse, AstList *list, Ast *item) {
  if (is_full(list->count))
    list->at = arena_grow(parse->arena, list->at, list->count, list->count ? 2 * list->count : 1, sizeof(Ast *));
  list->at[list->count++] = item;
}

static void add_operator(Parse *parse, Ast *ast, AstOp op, Span at) {
  size_t count = ast->items.count - 1;
  if (is_full(count)) {
    size_t room = count ? 2 * count : 1;
    ast->ops = arena_grow(parse->arena, ast->ops, count, room, sizeof *ast->ops);
    ast->op_at = arena_grow(parse->arena, ast->op_at, count, room, sizeof *ast->op_at);
  }
  ast->ops[count] = op;
  ast->op_at[count] = at;
}

static Ast *chain(Parse *parse, AstKind kind, bool same, Span at, AstOp op, Span op_at, Ast *left, Ast *right) {
  Ast *ast = left;
  if (!same || left->parenthesised || left->kind != kind) {
    ast = make_node(parse, kind, at);
    ast->name_at = op_at;
    add_item(parse, &ast->items, left);
  }
  ast->at = at;
  add_operator(parse, ast, op, op_at);
  add_item(parse, &ast->items, right);
  return ast;
}

static bool additive(AstOp op) { return op == AST_ADD || op == AST_SUBTRACT; }

Ast *make_binary(Parse *parse, Span at, AstOp op, Span op_at, Ast *left, Ast *right) {
  bool same = left->kind == AST_CHAIN && additive(left->ops[0]) == additive(op);
  return chain(parse, AST_CHAIN, same, at, op, op_at, left, right);
}

Ast *make_compare(Parse *parse, Span at, AstOp op, Span op_at, Ast *left, Ast *right) {
  return chain(parse, AST_COMPARE, false, at, op, op_at, left, right);
}

Ast *make_logic(Parse *parse, AstKind kind, Span at, Span op_at, Ast *left, Ast *right) {
  return chain(parse, kind, true, at, AST_ADD, op_at, left, right);
}

Ast *make_unary(Parse *parse, AstKind kind, Span at, Span op_at, Ast *operand) {
  Ast *ast = make_node(parse, kind, at);
  ast->name_at = op_at;
  add_item(parse, &ast->items, operand);
  return ast;
}

Ast *make_power(Parse *parse, Span at, Span op_at, Ast *base, Ast *exponent) {
  Ast *ast = make_unary(parse, AST_POWER, at, op_at, base);
  add_item(parse, &ast->items, exponent);
  return ast;
}

bool go_deeper(Parse *parse, Span at) {
  if (++parse->depth <= AST_MOST_NESTING) return true;
  if (!parse->lines.too_deep)
    diag_error(parse->diagnostics, E0104, at, "more than %d operators nest to the right", AST_MOST_NESTING);
  parse->lines.too_deep = true;
  return false;
}

/* f(x)(y)(z).. nests to the left. */
static void check_postfix(Parse *parse, const Ast *base, Span at) {
  int depth = 0;
  while (base && (base->kind == AST_CALL || base->kind == AST_INDEX) && depth <= AST_MOST_NESTING) {
    base = base->kind == AST_CALL ? base->function : base->items.at[0];
    depth++;
  }
  if (depth > AST_MOST_NESTING - 1 && !parse->lines.too_deep) {
    diag_error(parse->diagnostics, E0104, at, "more than %d calls of calls", AST_MOST_NESTING);
    parse->lines.too_deep = true;
  }
}

static void check_selector(Parse *parse, const Ast *selector) {
  if (selector->kind != AST_NEGATE || selector->items.at[0]->kind != AST_NUMBER) return;
  Diag *diag = diag_error(parse->diagnostics, E0108, selector->at, "indices count from 0, never from the end");
  diag_help(parse->diagnostics, diag, "the last of n elements is [n - 1]");
}

Ast *make_index(Parse *parse, Span at, Ast *base, AstList selectors) {
  Ast *ast = base;
  if (base->kind != AST_INDEX || base->parenthesised || base->has_range) {
    check_postfix(parse, base, at);
    if (parse->lines.too_deep) return make_node(parse, AST_ERROR, at);
    ast = make_node(parse, AST_INDEX, at);
    add_item(parse, &ast->items, base);
  }
  ast->at = at;
  for (size_t i = 0; i < selectors.count; i++) {
    check_selector(parse, selectors.at[i]);
    add_item(parse, &ast->items, selectors.at[i]);
    ast->has_range = ast->has_range || selectors.at[i]->kind == AST_RANGE;
  }
  return ast;
}

Ast *make_call(Parse *parse, Span at, Ast *function, AstList items, AstList extra) {
  check_postfix(parse, function, at);
  if (parse->lines.too_deep) return make_node(parse, AST_ERROR, at);
  Ast *ast = make_node(parse, AST_CALL, at);
  ast->function = function;
  ast->name_at = function->at;
  ast->items = items;
  ast->extra = extra;
  return ast;
}

static bool mentions_list(const AstList *list, const char *name);

static bool mentions(const Ast *ast, const char *name) {
  if (!ast) return false;
  if ((ast->kind == AST_NAME || ast->kind == AST_STAGE) && ast->name == name) return true;
  if (ast->kind == AST_ERROR) return true;
  return mentions(ast->function, name) || mentions(ast->body, name) || mentions(ast->extent, name) ||
         mentions_list(&ast->items, name) || mentions_list(&ast->extra, name);
}

static bool mentions_list(const AstList *list, const char *name) {
  for (size_t i = 0; i < list->count; i++)
    if (mentions(list->at[i], name)) return true;
  return false;
}

/* `sum k: a[k] + 1` adds 1 for every k, which is hardly what its author sees. */
static void check_sum(Parse *parse, const Ast *sum) {
  const Ast *body = sum->body;
  if (body->kind != AST_CHAIN || body->parenthesised || !additive(body->ops[0])) return;
  for (size_t i = 0; i < body->items.count; i++) {
    const Ast *term = body->items.at[i];
    if (mentions(term, sum->name)) continue;
    Diag *diag = diag_error(parse->diagnostics, E0117, term->at, "this term of the sum does not mention `%s`", sum->name);
    diag_help(parse->diagnostics, diag, "to add it once: (sum %s: ..) and then the term", sum->name);
    diag_help(parse->diagnostics, diag, "to add it for every %s: sum %s: (.. and the term)", sum->name, sum->name);
    return;
  }
}

Ast *make_for(Parse *parse, Span at, AstFor operator_, Token name, Span name_at, Ast *extent, Ast *body) {
  Ast *ast = make_node(parse, AST_FOR, at);
  ast->operator_ = operator_;
  ast->name = name.text;
  ast->name_at = name_at;
  ast->extent = extent;
  ast->body = body;
  if (operator_ == AST_SUM) check_sum(parse, ast);
  return ast;
}

static bool is_operand(const Ast *ast) {
  if (ast->parenthesised) return true;
  switch (ast->kind) {
  case AST_NUMBER: case AST_NAME: case AST_CALL: case AST_INDEX: case AST_BRACKET: case AST_PIPE: case AST_ERROR:
  case AST_VELOCITY_OF: return true;
  default: return false;
  }
}

static const char *written(Parse *parse, Span at) {
  const Source *source = parse->lines.lexer.source;
  return arena_text(parse->arena, source->text + (at.from - source->base), at.to - at.from);
}

Ast *make_pipe(Parse *parse, Span at, Ast *left, Span pipe_at, Ast *stage) {
  if (!is_operand(left)) {
    Diag *diag = diag_error(parse->diagnostics, E0105, pipe_at, "a pipe does not mix with operators");
    diag_note(parse->diagnostics, diag, left->at, "only one operand may stand left of `|>`");
    diag_help(parse->diagnostics, diag, "put in parentheses what goes through the pipe");
    diag_fix(parse->diagnostics, diag, left->at, "(%s)", written(parse, left->at));
  }
  Ast *ast = left;
  if (left->kind != AST_PIPE || left->parenthesised) {
    ast = make_node(parse, AST_PIPE, at);
    ast->name_at = pipe_at;
    add_item(parse, &ast->items, left);
  }
  ast->at = at;
  add_item(parse, &ast->items, stage);
  return ast;
}

Ast *make_mixed(Parse *parse, Span at, Ast *pipe, Span op_at) {
  Diag *diag = diag_error(parse->diagnostics, E0105, op_at, "nothing but `|>` follows a stage");
  diag_fix(parse->diagnostics, diag, pipe->at, "(%s)", written(parse, pipe->at));
  return make_node(parse, AST_ERROR, at);
}

Ast *make_definition(Parse *parse, AstKind kind, Span at, Token name, Span name_at) {
  Ast *ast = make_node(parse, kind, at);
  ast->name = name.text;
  ast->name_at = name_at;
  return ast;
}

Token word_token(Parse *parse, const char *text) {
  return (Token){.text = name_intern(parse->diagnostics->sources, text, strlen(text))};
}

Ast *make_name(Parse *parse, Token name, Span at) {
  Ast *ast = make_node(parse, AST_NAME, at);
  ast->name = name.text;
  ast->name_at = at;
  return ast;
}

Ast *velocity_of(Parse *parse, Span at, Token name, Span name_at) {
  Ast *ast = make_node(parse, AST_VELOCITY_OF, at);
  ast->name = name.text;
  ast->name_at = name_at;
  return ast;
}

Ast *make_range(Parse *parse, Span at, Ast *from, Ast *to) {
  Ast *ast = make_node(parse, AST_RANGE, at);
  add_item(parse, &ast->items, from);
  add_item(parse, &ast->items, to);
  return ast;
}

Ast *make_stage(Parse *parse, Span at, Token name, Span name_at, AstList first, AstList then, Ast *count) {
  Ast *ast = make_node(parse, AST_STAGE, at);
  ast->name = name.text;
  ast->name_at = name_at;
  ast->items = first;
  for (size_t i = 0; i < then.count; i++) add_item(parse, &ast->items, then.at[i]);
  ast->extent = count;
  return ast;
}

Ast *label(Parse *parse, Ast *call, Span at, const Token *text, Span text_at, bool no_bias) {
  (void)parse;
  call->at = at;
  if (text) {
    call->label = text->text;
    call->label_at = text_at;
  }
  call->no_bias = no_bias;
  return call;
}

Ast *define(Parse *parse, AstKind kind, Span at, Ast *header, Ast *body) {
  (void)parse;
  header->kind = kind;
  header->at = at;
  header->has_parameters = true;
  header->lets = body->lets;
  header->body = body->body;
  return header;
}
