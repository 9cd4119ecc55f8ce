/* SPDX-License-Identifier: Apache-2.0 */
/* random_expression.h -- expressions of a wanted shape; shared by the two files of the generator. */
#ifndef FLOW_TEST_RANDOM_EXPRESSION_H
#define FLOW_TEST_RANDOM_EXPRESSION_H
#include "random_flow.h"

enum { MOST_NAMES = 64 };

/* A name in scope: rank 0, [n] or [m, n]. */
typedef struct Name { const char *name; uint32_t rank, m, n; } Name;
/* A function in scope: its parameters' ranks and sizes, and what it gives. */
typedef struct Known { const char *name; uint32_t parameters; Name parameter[4]; Name result; bool network; } Known;

typedef struct Random {
  Arena *arena;
  uint64_t state;
  const RandomFlowOptions *options;
  Name name[MOST_NAMES];
  uint32_t names;
  Known known[16];
  uint32_t knowns;
  uint32_t loops;               /* open: `for` and `sum` around the expression */
  uint32_t counter;             /* makes names of loops */
  uint32_t budget;              /* of nodes that the definition may still have */
  bool literal;                 /* a function's body: t and x may be literals at a call */
} Random;

uint32_t random_below(Random *r, uint32_t n);
bool random_chance(Random *r, uint32_t percent);
const char *random_number(Random *r);
void random_name(Random *r, const char *name, uint32_t rank, uint32_t m, uint32_t n);

/* Each is one operand: a name, a call, or in parentheses. */
const char *random_scalar(Random *r, int depth);
const char *random_vector(Random *r, uint32_t n, int depth);
const char *random_matrix(Random *r, uint32_t m, uint32_t n, int depth);
const char *random_of(Random *r, const Name *shape, int depth);

#endif
