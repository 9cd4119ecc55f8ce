/* SPDX-License-Identifier: Apache-2.0 */
/* cycles.c -- a definition that needs itself is refused, and the circle is shown; the rest is put in an order in which each
 * stands after what it mentions.
 *
 * A depth-first walk with its own stack: a file may hold a chain of a hundred thousand definitions. */
#include "checker.h"

typedef struct Visit { Definition *definition; uint32_t next; } Visit;

static void show_cycle(Checker *c, const Visit *stack, size_t from, size_t top) {
  const Definition *start = stack[from].definition;
  Diag *diag = top == from
                   ? report(c, E0203, start->ast->name_at, "`%s` is defined by itself", start->ast->name)
                   : report(c, E0203, start->ast->name_at, "`%s` is defined by way of itself", start->ast->name);
  for (size_t i = from; i <= top; i++) {
    const struct Mention *m = &stack[i].definition->mention[stack[i].next - 1];
    if (i - from < 8)
      note(c, diag, m->at, "`%s` needs `%s` here", stack[i].definition->ast->name, m->to->ast->name);
    stack[i].definition->broken = true;
  }
  help(c, diag, "there is no recursion; `repeat` and `for` do what has a fixed count");
}

static void visit_from(Checker *c, Definition *root, Visit *stack) {
  size_t depth = 0;
  stack[depth++] = (Visit){root, 0};
  root->visited = UNDER_WAY;
  while (depth > 0) {
    Visit *v = &stack[depth - 1];
    if (v->next == v->definition->mentions) {
      v->definition->visited = DONE;
      c->order[c->definitions++] = v->definition;
      depth--;
      continue;
    }
    Definition *to = v->definition->mention[v->next++].to;
    if (!to || to->visited == DONE) continue;
    if (to->visited == UNDER_WAY) {
      size_t from = depth - 1;
      while (stack[from].definition != to) from--;
      show_cycle(c, stack, from, depth - 1);
      continue;
    }
    to->visited = UNDER_WAY;
    stack[depth++] = (Visit){to, 0};
  }
}

void refuse_cycles(Checker *c) {
  size_t count = 0;
  for (Definition *d = c->first; d; d = d->next) count++;
  Visit *stack = arena_array(c->arena, count + 1, sizeof *stack);
  c->order = arena_array(c->arena, count + 1, sizeof *c->order);
  for (Definition *d = c->first; d; d = d->next)
    if (d->visited == FRESH) visit_from(c, d, stack);
}
