/* SPDX-License-Identifier: Apache-2.0 */
/* ast_print.c -- a walk as deep as the nesting that the parser allows. */
#include "ast_print.h"
#include "text_buffer.h"

static const char *const kind_word[AST_KIND_COUNT] = {
    [AST_CHAIN] = "chain",   [AST_NEGATE] = "negate", [AST_POWER] = "^",          [AST_COMPARE] = "compare",
    [AST_NOT] = "not",       [AST_AND] = "and",       [AST_OR] = "or",            [AST_CALL] = "call",
    [AST_INDEX] = "index",   [AST_RANGE] = "range",   [AST_BRACKET] = "bracket",  [AST_FOR] = "for",
    [AST_IF] = "if",         [AST_PIPE] = "pipe",     [AST_STAGE] = "stage",      [AST_VELOCITY_OF] = "velocity-of",
    [AST_LET] = "let",       [AST_DIM] = "dim",       [AST_FN] = "fn",            [AST_FIELD] = "field",
    [AST_NETWORK] = "network", [AST_MAP] = "map",     [AST_DENSITY] = "density",  [AST_DRAW] = "draw",
    [AST_CHECK] = "check",   [AST_FLOW] = "flow",     [AST_CLAUSE] = "clause",    [AST_ERROR] = "error",
};
static const char *const operator_word[] = {"+", "-", "*", "/", "@", "<", "<=", ">", ">=", "==", "!="};
static const char *const over_word[] = {"for", "sum", "max", "min"};

static void put(TextBuffer *out, const Ast *ast);

static void put_list(TextBuffer *out, const AstList *list) {
  for (size_t i = 0; i < list->count; i++) {
    text_puts(out, " ");
    put(out, list->at[i]);
  }
}

static void put_sizes(TextBuffer *out, const AstList *sizes) {
  text_puts(out, " [");
  for (size_t i = 0; i < sizes->count; i++) {
    if (i) text_puts(out, " ");
    put(out, sizes->at[i]);
  }
  text_puts(out, "]");
}

/* items and ops in turn: (chain a + b - c) */
static void put_chain(TextBuffer *out, const Ast *ast) {
  text_printf(out, "(%s ", kind_word[ast->kind]);
  for (size_t i = 0; i < ast->items.count; i++) {
    if (i) text_printf(out, " %s ", operator_word[ast->ops[i - 1]]);
    put(out, ast->items.at[i]);
  }
  text_puts(out, ")");
}

static void put_parameter(TextBuffer *out, const Ast *ast) {
  text_printf(out, "(%s%s", ast->is_dim ? "dim " : "", ast->name);
  if (ast->has_shape) put_sizes(out, &ast->sizes);
  text_puts(out, ")");
}

static void put_child(TextBuffer *out, const char *word, const Ast *child) {
  if (!child) return;
  text_printf(out, " %s", word);
  put(out, child);
}

static void put_node(TextBuffer *out, const Ast *ast) {
  text_printf(out, "(%s", ast->kind == AST_FOR ? over_word[ast->operator_] : kind_word[ast->kind]);
  if (ast->name) text_printf(out, " %s", ast->name);
  if (ast->kind == AST_CHECK && ast->text) text_printf(out, " \"%s\"", ast->text);
  put_child(out, "", ast->function);
  if (ast->has_parameters) text_puts(out, " (");
  put_list(out, &ast->items);
  if (ast->has_parameters) text_puts(out, ")");
  if (ast->extra.count) text_puts(out, " ;");
  put_list(out, &ast->extra);
  if (ast->has_result) put_sizes(out, &ast->sizes);
  put_list(out, &ast->lets);
  put_child(out, ast->kind == AST_STAGE ? "repeat " : "< ", ast->extent);
  put_child(out, "", ast->body);
  put_child(out, "", ast->inverse);
  put_child(out, "", ast->draw);
  if (ast->label) text_printf(out, " \"%s\"", ast->label);
  if (ast->no_bias) text_puts(out, " no-bias");
  text_puts(out, ")");
}

static void put(TextBuffer *out, const Ast *ast) {
  if (!ast) {
    text_puts(out, "_");
    return;
  }
  switch (ast->kind) {
  case AST_NUMBER: text_puts(out, ast->text); break;
  case AST_NAME: text_puts(out, ast->name); break;
  case AST_STRING: text_printf(out, "\"%s\"", ast->text); break;
  case AST_CHAIN: case AST_COMPARE: put_chain(out, ast); break;
  case AST_PARAMETER: put_parameter(out, ast); break;
  default: put_node(out, ast); break;
  }
}

char *ast_print(Arena *arena, const AstFile *file) {
  TextBuffer out = {.arena = arena};
  text_puts(&out, "");
  for (size_t i = 0; i < file->definitions.count; i++) {
    put(&out, file->definitions.at[i]);
    text_puts(&out, "\n");
  }
  return out.text;
}
