/* SPDX-License-Identifier: Apache-2.0 */
/* bind_names.c -- the full name of every tensor of the program.
 *
 * A scope whose layers have no labels holds items, numbered in order of evaluation: layers, and unnamed calls of
 * networks whose own layers have labels, which the lowering wrote into the path as "<2>.".  Items take what stands
 * behind the scope in natural order: a layer the next stem, a call the next component.  Scopes inside a call are settled
 * after the call itself, so that their paths are known by then.
 *
 * What a label names, and what stands behind a scope with a path of its own, is nobody else's: a field may call one
 * network with names and another without, or one network under a name and again without. */
#include "bind_names.h"
#include <limits.h>
#include <stdlib.h>
#include <string.h>

/* ---- names -------------------------------------------------------------------------------------------------------- */
static bool is_digit(char c) { return c >= '0' && c <= '9'; }

static bool ends_in(const char *name, size_t length, const char *ending) {
  size_t n = strlen(ending);
  return length > n && memcmp(name + length - n, ending, n) == 0;
}

size_t bind_stem_length(const char *name) {
  size_t length = strlen(name);
  if (ends_in(name, length, ".weight")) return length - strlen(".weight");
  if (ends_in(name, length, ".bias")) return length - strlen(".bias");
  return length;
}

static bool starts_with(const char *name, const char *start) { return strncmp(name, start, strlen(start)) == 0; }

bool bind_counts(const Binding *b, uint32_t tensor) {
  return !b->skipped[tensor] && starts_with(b->tensors->tensor[tensor].name, b->prefix);
}

/* How much of a name is a component: up to and with its first part that is a number, else its first part. */
static size_t component_length(const char *name) {
  const char *part = name;
  for (;;) {
    const char *end = part;
    while (is_digit(*end)) end++;
    if (end > part && *end == '.') return (size_t)(end - name);
    end = strchr(part, '.');
    if (!end) break;
    part = end + 1;
  }
  const char *dot = strchr(name, '.');
  return dot ? (size_t)(dot - name) : strlen(name);
}

/* ---- scopes ------------------------------------------------------------------------------------------------------- */
typedef struct Item { bool call; const IrWeight *layer; const char *name; } Item; /* name: behind the scope; NULL: none left */
typedef struct Scope {
  const char *path;             /* as lowered: key */
  const char *settled;          /* with the components' names */
  Item *item;
  uint32_t items;
} Scope;
typedef struct Scopes { Scope *scope; uint32_t count; } Scopes;

/* The next "<n>" of a path, or NULL.  A label may look like one; items are no more than there are weights. */
static const char *next_mark(const Binding *b, const char *path, uint32_t *number, const char **end) {
  for (const char *mark = strchr(path, '<'); mark; mark = strchr(mark + 1, '<')) {
    char *after;
    unsigned long n = is_digit(mark[1]) ? strtoul(mark + 1, &after, 10) : ULONG_MAX;
    if (n >= b->f->weights || *after != '>') continue;
    *number = (uint32_t)n;
    *end = after + 1;
    return mark;
  }
  return NULL;
}

static bool is_literal(const Binding *b, const char *path) {
  uint32_t number;
  const char *end;
  return !next_mark(b, path, &number, &end);
}

static Scope *scope_of(Binding *b, Scopes *scopes, const char *path, size_t length) {
  for (uint32_t i = 0; i < scopes->count; i++)
    if (strlen(scopes->scope[i].path) == length && memcmp(scopes->scope[i].path, path, length) == 0) return &scopes->scope[i];
  scopes->scope = bind_room(b->arena, scopes->scope, scopes->count, sizeof *scopes->scope);
  Scope *scope = &scopes->scope[scopes->count++];
  *scope = (Scope){.path = arena_text(b->arena, path, length)};
  return scope;
}

static void note_item(Binding *b, Scope *scope, uint32_t number, bool call, const IrWeight *layer) {
  for (; scope->items <= number; scope->items++)
    scope->item = bind_room(b->arena, scope->item, scope->items, sizeof *scope->item);
  if (!scope->item[number].layer) scope->item[number] = (Item){.call = call, .layer = layer};
}

/* Every "<n>." in a path is an item of the scope before it. */
static void note_calls(Binding *b, Scopes *scopes, const IrWeight *w) {
  uint32_t number;
  const char *end = w->scope;
  for (const char *mark; (mark = next_mark(b, end, &number, &end));)
    note_item(b, scope_of(b, scopes, w->scope, (size_t)(mark - w->scope)), number, true, w);
}

/* The path with each "<n>" replaced by the name of that item; NULL where one got none. */
static const char *settle(Binding *b, Scopes *scopes, const char *path) {
  const char *settled = "", *from = path, *end;
  uint32_t number;
  for (const char *mark; (mark = next_mark(b, from, &number, &end)); from = end) {
    const Scope *scope = scope_of(b, scopes, path, (size_t)(mark - path));
    const char *name = number < scope->items ? scope->item[number].name : NULL;
    if (!name) return NULL;
    settled = arena_format(b->arena, "%s%.*s%s", settled, (int)(mark - from), from, name);
  }
  return arena_format(b->arena, "%s%s", settled, from);
}

/* ---- items and stems ----------------------------------------------------------------------------------------------- */
/* The names behind a scope, in natural order, those that no item has taken yet. */
typedef struct Behind { const char **name; uint32_t names, next; bool *taken; } Behind;

static Behind names_behind(Binding *b, const Scope *scope) {
  const char *path = scope->settled;
  bool literal = is_literal(b, scope->path);
  Behind behind = {0};
  for (uint32_t i = 0; i < b->tensors->count; i++) {
    const char *name = b->tensors->tensor[i].name;
    if (!bind_counts(b, i) || !starts_with(name, path) || (literal && b->claimed[i])) continue;
    behind.name = bind_room(b->arena, behind.name, behind.names, sizeof *behind.name);
    behind.name[behind.names++] = name + strlen(path);
  }
  behind.taken = arena_array(b->arena, behind.names, sizeof *behind.taken);
  return behind;
}

static size_t item_length(const Item *item, const char *name) {
  return item->call ? component_length(name) : bind_stem_length(name);
}

static void take_name(Binding *b, Behind *behind, Item *item) {
  while (behind->next < behind->names && behind->taken[behind->next]) behind->next++;
  if (behind->next == behind->names) return;
  const char *first = behind->name[behind->next];
  size_t length = item_length(item, first);
  item->name = arena_text(b->arena, first, length);
  for (uint32_t i = behind->next; i < behind->names; i++) {
    const char *name = behind->name[i];
    bool same = strncmp(name, first, length) == 0 &&
                (item->call ? name[length] == '.' || !name[length] : bind_stem_length(name) == length);
    behind->taken[i] = behind->taken[i] || same;
  }
}

/* Whether the names are equal once every number is one sign. */
static bool differ_in_numbers_only(const char *a, const char *b) {
  while (*a && *b) {
    if (is_digit(*a) && is_digit(*b)) {
      while (is_digit(*a)) a++;
      while (is_digit(*b)) b++;
    } else if (*a++ != *b++) {
      return false;
    }
  }
  return *a == *b;
}

static void refuse(Binding *b, const Scope *scope) {
  const char **stem = arena_array(b->arena, scope->items, sizeof *stem);
  const IrWeight **layer = arena_array(b->arena, scope->items, sizeof *layer);
  for (uint32_t i = 0; i < scope->items; i++) {
    stem[i] = scope->item[i].name;
    layer[i] = scope->item[i].layer;
  }
  b->refused_scope = scope->settled;
  b->refused_stem = stem;
  b->refused_layer = layer;
  b->refused_stems = scope->items;
}

static bool hand_out(Binding *b, Scope *scope) {
  Behind behind = names_behind(b, scope);
  for (uint32_t i = 0; i < scope->items; i++)
    if (scope->item[i].layer) take_name(b, &behind, &scope->item[i]);
  const char *first = NULL;
  for (uint32_t i = 0; i < scope->items; i++) {
    const char *name = scope->item[i].name;
    if (!first) first = name;
    if (!name || differ_in_numbers_only(first, name)) continue;
    refuse(b, scope);
    return false;
  }
  return true;
}

/* ---- the whole ----------------------------------------------------------------------------------------------------- */
static const char *name_in(Binding *b, Scopes *scopes, const IrWeight *w) {
  if (w->labelled) return settle(b, scopes, w->name);
  const Scope *scope = scope_of(b, scopes, w->scope, strlen(w->scope));
  const char *stem = scope->item[w->layer].name;
  if (!stem || !scope->settled) return NULL;
  return arena_format(b->arena, "%s%s%s%s", scope->settled, stem, w->part ? "." : "", w->part ? w->part : "");
}

static int by_length(const void *a, const void *b) {
  size_t x = strlen(((const Scope *)a)->path), y = strlen(((const Scope *)b)->path);
  return (x > y) - (x < y);
}

static void claim_name(Binding *b, const IrWeight *w) {
  const FlowTensor *tensor = w->labelled && is_literal(b, w->scope) ? flow_tensors_find(b->tensors, w->name) : NULL;
  if (tensor) b->claimed[tensor - b->tensors->tensor] = true;
}

static void claim_behind(Binding *b, const char *path) {
  for (uint32_t i = 0; i < b->tensors->count; i++)
    b->claimed[i] = b->claimed[i] || starts_with(b->tensors->tensor[i].name, path);
}

static bool settle_scope(Binding *b, Scopes *scopes, Scope *scope) {
  scope->settled = settle(b, scopes, scope->path);
  return !scope->settled || hand_out(b, scope);
}

/* Paths without marks, the longest first: each leaves to those around it what is not its own.  Then the others: their
 * paths begin with those of the scopes around them, so shorter ones first. */
static bool settle_all(Binding *b, Scopes *scopes) {
  if (scopes->count) qsort(scopes->scope, scopes->count, sizeof *scopes->scope, by_length);
  for (uint32_t i = scopes->count; i-- > 0;) {
    if (!is_literal(b, scopes->scope[i].path)) continue;
    if (!settle_scope(b, scopes, &scopes->scope[i])) return false;
    claim_behind(b, scopes->scope[i].settled);
  }
  for (uint32_t i = 0; i < scopes->count; i++)
    if (!is_literal(b, scopes->scope[i].path) && !settle_scope(b, scopes, &scopes->scope[i])) return false;
  return true;
}

bool ir_bind_name(Binding *b) {
  Scopes scopes = {0};
  for (uint32_t i = 0; i < b->f->weights; i++) {
    const IrWeight *w = &b->f->weight[i];
    claim_name(b, w);
    note_calls(b, &scopes, w);
    if (!w->labelled) note_item(b, scope_of(b, &scopes, w->scope, strlen(w->scope)), w->layer, false, w);
  }
  if (!settle_all(b, &scopes)) return false;
  for (uint32_t i = 0; i < b->f->weights; i++) b->wanted[i] = name_in(b, &scopes, &b->f->weight[i]);
  return true;
}
