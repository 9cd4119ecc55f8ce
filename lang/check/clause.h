/* SPDX-License-Identifier: Apache-2.0 */
/* clause.h -- what flow.c knows of the clauses: a row for each, with its reader. */
#ifndef FLOW_CLAUSE_H
#define FLOW_CLAUSE_H
#include "checker.h"

enum {
#define CLAUSE(word, values, help) CLAUSE_##word,
#include "clauses.def"
#undef CLAUSE
  CLAUSE_COUNT,
  MOST_FLOW_STEPS = 1000000000
};

typedef struct FlowReader {
  Checker *c;
  Definition *definition;       /* of the flow */
  TypedFlow *flow;
  const Ast *clause[CLAUSE_COUNT];      /* where each was met */
  Definition *velocity;
  Span source_at, velocity_at;
  bool lost_clause;             /* a clause was misspelt or malformed, so that none is reported missing */
  Typed *low, *high;            /* the bounds of `uniform` */
} FlowReader;

/* Fills its part of reader->flow; false: wrong, and reported. */
typedef struct ClauseRow { const char *word, *values; bool (*read)(FlowReader *reader, const Ast *clause); } ClauseRow;
extern const ClauseRow clause_row[CLAUSE_COUNT];

bool clause_value_word(const char *word);       /* `steps`, `prefix`: a word inside a clause */
bool fill_bounds(FlowReader *reader);   /* the bounds of `uniform`, once flow->dim is known */

#endif
