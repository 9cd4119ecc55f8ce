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

typedef enum { PREDICTS_VELOCITY, PREDICTS_NOISE, PREDICTS_DATA, PREDICTS_SCORE } Prediction;

typedef struct FlowReader {
  Checker *c;
  Definition *definition;       /* of the flow */
  TypedFlow *flow;
  const Ast *clause[CLAUSE_COUNT];      /* where each was met */
  Definition *velocity;
  Span source_at, velocity_at;
  bool lost_clause;             /* a clause was misspelt or malformed, so that none is reported missing */
  Typed *low, *high;            /* the bounds of `uniform` */
  Prediction predicts;
  Span predicts_at;
  Definition *alpha, *sigma;    /* of the path, functions of one number */
  bool steep;                   /* sigma' is infinite where sigma is 0 */
} FlowReader;

/* Fills its part of reader->flow; false: wrong, and reported. */
typedef struct ClauseRow { const char *word, *values; bool (*read)(FlowReader *reader, const Ast *clause); } ClauseRow;
extern const ClauseRow clause_row[CLAUSE_COUNT];

bool clause_value_word(const char *word);       /* `steps`, `prefix`: a word inside a clause */
bool fill_bounds(FlowReader *reader);   /* source.c: the bounds of `uniform`, once flow->dim is known */
bool read_source(FlowReader *reader, const Ast *clause);
bool read_train(FlowReader *reader, const Ast *clause);         /* train.c */

/* loss.c.  permit_losses comes before names are resolved; make_loss once the velocity is known: flow->loss. */
bool read_loss(FlowReader *reader, const Ast *clause, TypedTrain *train);
bool make_loss(FlowReader *reader);

/* predict.c.  convert_prediction puts the velocity that a prediction stands for in the place of reader->velocity. */
bool read_predicts(FlowReader *reader, const Ast *clause);
bool read_path(FlowReader *reader, const Ast *clause);
bool convert_prediction(FlowReader *reader);
void note_path(FlowReader *reader);     /* what training needs of it: flow->path, predicts, path_from, path_to */

/* clause.c: what the readers share */
bool malformed(FlowReader *reader, const Ast *clause, const char *form);        /* false */
bool is_word(const Ast *ast, const char *word);
bool is_text(const Ast *ast);
Typed *constant_of_clause(FlowReader *reader, const Ast *ast);

#endif
