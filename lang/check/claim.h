/* SPDX-License-Identifier: Apache-2.0 */
/* claim.h -- what a `check` says, between the names (expand.c) and the shapes (claim.c). */
#ifndef FLOW_CLAIM_H
#define FLOW_CLAIM_H
#include "synthetic.h"

/* A name that a check leaves open, and the calls in which it is a whole argument: it has the shape of that parameter. */
typedef struct FreeName {
  const char *name;
  Span at;
  struct Use *use, *last_use;   /* free_name.c; NULL: it is no argument */
} FreeName;

enum { MOST_FREE_NAMES = 64 };

typedef struct Claim {
  const char *text;
  CheckKind kind;
  Span at, op_at;
  FreeName *name;               /* [MOST_FREE_NAMES] once there is one */
  uint32_t names;
  Definition *left, *right, *field;     /* functions of the free names; the field of a flux */
  const Ast *region;            /* of a flux or a mass */
  bool broken, crowded;         /* crowded: more names than that */
  struct Claim *next;
} Claim;

void expand_check(Checker *c, const Ast *check);
void list_checks(Checker *c, TypedProgram *program);    /* after the flows, whose states have sizes */

/* free_name.c */
FreeName *add_name(Checker *c, Claim *claim, const char *name, Span at);         /* NULL, and reported: they are too many */
void collect_names(Checker *c, Claim *claim, const Ast *ast);
void take_as_time(Checker *c, Claim *claim, Definition *field);         /* a loose name that is the field's word for t */
void refuse_loose_names(Checker *c, Claim *claim);      /* those that are no argument */
void find_times(Checker *c);                            /* after the cycles are refused, before is_time */
bool is_time(const FreeName *name);                     /* if it is a number: called t, or given to a parameter that takes a time */
bool give_shape(Checker *c, const TypedProgram *program, const FreeName *name, Ast *parameter, Shape *shape);

#endif
