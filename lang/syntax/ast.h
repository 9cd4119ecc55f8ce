/* SPDX-License-Identifier: Apache-2.0 */
/* ast.h -- a .flow file as the parser leaves it: what was written, where, and nothing about what it means.
 *
 * Nodes are fat structs in an arena; a kind uses the fields that its line below names.  Chains of one precedence
 * level (a + b - c, stages of a pipe, `and`s) are stored flat, so that a walk is never deeper than the nesting that
 * the parser allows (AST_MOST_NESTING).  Names are interned: equal names are equal pointers, in NFKC. */
#ifndef FLOW_AST_H
#define FLOW_AST_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "source.h" /* Span */

enum { AST_MOST_NESTING = 256 };

typedef struct Ast Ast;
typedef struct AstList { Ast **at; size_t count; } AstList;

typedef enum {
  /* expressions */
  AST_NUMBER,   /* number; text = as written                                                        */
  AST_NAME,     /* name                                                                             */
  AST_CHAIN,    /* items [n], ops [n-1]: one level of `+ -` or `* / @`, left to right               */
  AST_NEGATE,   /* items [1]                                                                        */
  AST_POWER,    /* items [2]: base, exponent                                                        */
  AST_COMPARE,  /* items [2], ops [1]                                                               */
  AST_NOT,      /* items [1]                                                                        */
  AST_AND,      /* items [n]                                                                        */
  AST_OR,       /* items [n]                                                                        */
  AST_CALL,     /* function [Ast], items: arguments, extra: arguments after `;`, label: "name" or 0, no_bias;
                   function is AST_NAME, or AST_CALL for div(f)(t, x) and its like                  */
  AST_INDEX,    /* items [1 + n]: base, then selectors: expressions or AST_RANGE                    */
  AST_RANGE,    /* items [2]: from, to; either may be NULL (v[:5], v[2:])                           */
  AST_BRACKET,  /* items [n]                                                                        */
  AST_FOR,      /* name (index), extent (or NULL), body; operator: AST_ARRAY, AST_SUM, AST_MAX, AST_MIN */
  AST_IF,       /* items [3]: condition, then, else                                                 */
  AST_PIPE,     /* items [1 + n]: operand, then stages; a stage is AST_STAGE                        */
  AST_STAGE,    /* name, items: arguments in parentheses then those that follow, label, no_bias,
                   extent: count of `repeat` or NULL (name is then the thing repeated)              */
  AST_STRING,   /* text                                                                             */
  AST_VELOCITY_OF, /* name: `velocity of psi`                                                       */
  AST_ERROR,    /* a place where a syntax error was reported                                        */
  /* definitions: name, name_at */
  AST_LET,      /* body                                                                             */
  AST_DIM,      /* body                                                                             */
  AST_FN, AST_FIELD, AST_NETWORK, AST_MAP, AST_DENSITY,
                /* items: parameters (AST_PARAMETER), sizes: those of the result, with has_result, lets: AST_LETs, body.
                   a field given as `field w = velocity of psi` has has_parameters false.  MAP: inverse [AST_FN or NULL].
                   DENSITY: draw [AST_DRAW or NULL]                                                  */
  AST_PARAMETER,/* name, sizes with has_shape, is_dim                                                */
  AST_DRAW,     /* items: AST_LETs (k ~ choice(8)) with body; body: the result                       */
  AST_CHECK,    /* text or NULL, body                                                                */
  AST_FLOW,     /* items: AST_CLAUSE, AST_ERROR                                                             */
  AST_CLAUSE,   /* name (the first word), items: values in order, as expressions: numbers, strings, names, calls;
                   bare words that follow (`steps`, `prefix`, `->`) are AST_NAMEs;
                   extra: the clauses of a block (`train { .. }`)                                   */
  AST_KIND_COUNT
} AstKind;

typedef enum { AST_ARRAY, AST_SUM, AST_MAX, AST_MIN } AstFor;
typedef enum { AST_ADD, AST_SUBTRACT, AST_MULTIPLY, AST_DIVIDE, AST_MATMUL,
               AST_LESS, AST_LESS_EQUAL, AST_GREATER, AST_GREATER_EQUAL, AST_EQUAL, AST_NOT_EQUAL } AstOp;

struct Ast {
  AstKind kind;
  Span at;                      /* the whole construct */
  Span name_at;                 /* the name or the operator, where there is one */
  const char *name;
  const char *text;
  const char *label;            /* "name" of an instance, or NULL */
  Span label_at;
  double number;
  AstList items, extra, sizes, lets;
  AstOp *ops;
  Span *op_at;                  /* [items.count - 1] */
  Ast *function, *body, *extent, *inverse, *draw;
  AstFor operator_;
  bool no_bias, has_shape, has_result, has_parameters, is_dim, parenthesised;
  bool has_range;               /* INDEX: one of its selectors is a RANGE */
};

/* A file: its definitions in order. */
typedef struct AstFile { AstList definitions; } AstFile;

#endif
