/* SPDX-License-Identifier: Apache-2.0 */
/* report.c -- errors of the checker: once per place, never while quiet, and never at a place the user cannot see
 * without the call that led there. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include "checker.h"

enum { LONGEST = 1024 };

bool in_prelude(const Checker *c, Span at) {
  const Source *source = source_of(c->diagnostics->sources, at);
  return source && source->name[0] == '<' && strcmp(source->name, "<prelude>") == 0;
}

const char *text_of(Checker *c, Span at) {
  const Source *source = source_of(c->diagnostics->sources, at);
  if (!source || at.to <= at.from || at.to - source->base > source->length) return "";
  return arena_text(c->arena, source->text + (at.from - source->base), at.to - at.from);
}

char char_at(const Checker *c, uint32_t offset) {
  const Source *source = source_of(c->diagnostics->sources, (Span){offset, offset + 1});
  return source && offset - source->base < source->length ? source->text[offset - source->base] : '\0';
}

/* True the first time: a function that is typed for several shapes would say the same thing for each. */
static bool first_time(Checker *c, DiagCode code, Span at) {
  struct Reported **bucket = &c->seen[(at.from * 31u + (uint32_t)code) & 255u];
  for (struct Reported *r = *bucket; r; r = r->next)
    if (r->code == code && r->at.from == at.from && r->at.to == at.to) return false;
  struct Reported *r = arena_alloc(c->arena, sizeof *r);
  *r = (struct Reported){code, at, *bucket};
  *bucket = r;
  return true;
}

/* The shapes that a callee was given explain an error inside it. */
static void note_trail(Checker *c, Diag *diag) {
  int shown = 0;
  for (const Trail *t = c->trail; t && shown < 3; t = t->below) {
    const Ast *definition = t->callee->definition->ast;
    if (t->at.from == definition->name_at.from) continue;       /* typed for its own declaration: nobody called it */
    bool generic = t->callee->definition->prelude;
    char shapes[LONGEST / 2] = "";
    size_t used = 0;
    for (size_t i = 0; i < definition->items.count; i++) {
      const Ast *p = definition->items.at[i];
      const Shape *key = &t->callee->key[i];
      if (p->has_shape) generic = true;
      if (!p->has_shape && !p->is_dim) continue;
      int n = p->is_dim ? snprintf(shapes + used, sizeof shapes - used, "%s%s = %lld", used ? ", " : "", p->name,
                                   (long long)key->dim[0])
                        : snprintf(shapes + used, sizeof shapes - used, "%s%s: %s", used ? ", " : "", p->name,
                                   shape_text(c->arena, key));
      if (n < 0 || (size_t)n >= sizeof shapes - used) break;
      used += (size_t)n;
    }
    if (!generic) continue;
    note(c, diag, t->at, "in `%s` with %s, called here", t->callee->function.name, used ? shapes : "these arguments");
    shown++;
  }
}

static Diag *add(Checker *c, DiagLevel level, DiagCode code, Span at, const char *text) {
  Diag *unseen = arena_alloc(c->arena, sizeof *unseen);
  c->reported = true;
  if (c->quiet > 0 || !first_time(c, code, at)) return unseen;
  Diag *diag = level == DIAG_ERROR ? diag_error(c->diagnostics, code, at, "%s", text)
                                   : diag_warning(c->diagnostics, code, at, "%s", text);
  return diag ? diag : unseen;
}

Diag *report(Checker *c, DiagCode code, Span at, const char *format, ...) {
  char text[LONGEST];
  va_list list;
  va_start(list, format);
  vsnprintf(text, sizeof text, format, list);
  va_end(list);
  Span within = at;
  const Trail *trail = c->trail;
  while (trail && in_prelude(c, at)) {              /* the user wrote the call, not what is wrong inside it */
    at = trail->at;
    trail = trail->below;
  }
  Diag *diag = add(c, DIAG_ERROR, code, at, text);
  if (c->quiet > 0 || !diag->text) return diag;
  if (within.from != at.from) diag_note(c->diagnostics, diag, within, "within the library, here");
  note_trail(c, diag);
  return diag;
}

Diag *report_warning(Checker *c, DiagCode code, Span at, const char *format, ...) {
  char text[LONGEST];
  va_list list;
  va_start(list, format);
  vsnprintf(text, sizeof text, format, list);
  va_end(list);
  bool before = c->reported;
  Diag *diag = add(c, DIAG_WARNING, code, at, text);
  c->reported = before;
  return diag;
}

void note(Checker *c, Diag *diag, Span at, const char *format, ...) {
  char text[LONGEST];
  va_list list;
  va_start(list, format);
  vsnprintf(text, sizeof text, format, list);
  va_end(list);
  if (diag->text) diag_note(c->diagnostics, diag, at, "%s", text);
}

void help(Checker *c, Diag *diag, const char *format, ...) {
  char text[LONGEST];
  va_list list;
  va_start(list, format);
  vsnprintf(text, sizeof text, format, list);
  va_end(list);
  if (diag->text) diag_help(c->diagnostics, diag, "%s", text);
}

void fix(Checker *c, Diag *diag, Span at, const char *format, ...) {
  char text[LONGEST];
  va_list list;
  va_start(list, format);
  vsnprintf(text, sizeof text, format, list);
  va_end(list);
  if (diag->text) diag_fix(c->diagnostics, diag, at, "%s", text);
}

bool spend(Checker *c, Span at) {
  if (c->steps < MOST_STEPS) {
    c->steps += c->quiet > 0 ? GUESS : 1;
    return true;
  }
  if (c->steps < UINT64_MAX) {
    uint32_t quiet = c->quiet;
    c->quiet = 0;
    c->steps = UINT64_MAX;                          /* once */
    report(c, E0313, at, "the program is too large: checking it takes more than %llu steps", (unsigned long long)MOST_STEPS);
    c->quiet = quiet;
  }
  c->reported = true;
  return false;
}
