/* SPDX-License-Identifier: Apache-2.0 */
/* lower_weights.c -- which tensor a layer reads (LANGUAGE section 5), and what the layers compute.
 *
 * A scope is a path of labels: "net.blocks.0.".  In a network whose layers have no labels a layer is known by its number
 * within the scope; an unnamed call of a network that has labels is a numbered part of the scope, written "<2>." in the
 * path until a weights file says what it is called (bind.c).  A tensor has one row in the function's table of weights,
 * however often it is read. */
#include "lower.h"
#include <string.h>

/* ---- names and numbers -------------------------------------------------------------------------------------------- */
typedef struct NameEntry { const char *key; uint32_t number; } NameEntry;
struct NameTable { Arena *arena; NameEntry *entry; size_t room, count; };

NameTable *name_table(Arena *arena) {
  NameTable *table = arena_alloc(arena, sizeof *table);
  *table = (NameTable){.arena = arena, .room = 64};
  table->entry = arena_array(arena, table->room, sizeof *table->entry);
  return table;
}

static size_t hash_of(const char *key) { /* FNV-1a */
  uint64_t hash = 14695981039346656037u;
  for (; *key; key++) hash = (hash ^ (unsigned char)*key) * 1099511628211u;
  return (size_t)hash;
}

static NameEntry *find(NameEntry *entry, size_t room, const char *key) {
  size_t at = hash_of(key) & (room - 1);
  while (entry[at].key && strcmp(entry[at].key, key) != 0) at = (at + 1) & (room - 1);
  return &entry[at];
}

uint32_t *name_entry(NameTable *table, const char *key, uint32_t fresh, bool *is_new) {
  if (table->count * 2 >= table->room) {
    NameEntry *bigger = arena_array(table->arena, table->room * 2, sizeof *bigger);
    for (size_t i = 0; i < table->room; i++)
      if (table->entry[i].key) *find(bigger, table->room * 2, table->entry[i].key) = table->entry[i];
    table->entry = bigger;
    table->room *= 2;
  }
  NameEntry *entry = find(table->entry, table->room, key);
  *is_new = entry->key == NULL;
  if (*is_new) {
    *entry = (NameEntry){arena_text(table->arena, key, strlen(key)), fresh};
    table->count++;
  }
  return &entry->number;
}

/* ---- scopes ------------------------------------------------------------------------------------------------------- */
static Scope *new_scope(Lowering *l, const char *path, uint32_t layers) {
  Scope *scope = arena_alloc(l->f->arena, sizeof *scope);
  *scope = (Scope){path, layers};
  return scope;
}

Scope *lower_enter_scope(Lowering *l, const Frame *caller, const Typed *call) {
  const TypedFunction *callee = call->callee;
  Scope *here = caller->scope;
  Arena *arena = l->f->arena;
  if (!callee->owns_weights) return here;
  if (call->label) return new_scope(l, arena_format(arena, "%s%s.", here->path, call->label), 0);
  bool is_network = callee->definition->kind == AST_NETWORK;
  if (is_network && caller->function->definition->kind == AST_NETWORK) {
    if (!callee->labelled) return here; /* its layers are counted with ours */
    return new_scope(l, arena_format(arena, "%s<%u>.", here->path, here->layers++), 0);
  }
  if (!is_network) return here;
  /* From a field: *the* network, whatever the shapes of its conditions.  A second call counts from where the first one
   * did, and so meets the same tensors. */
  bool is_new;
  const char *key = arena_format(arena, "%p %s", (const void *)callee->definition, here->path);
  uint32_t first = *name_entry(l->instances, key, here->layers, &is_new);
  return is_new ? here : new_scope(l, here->path, first);
}

/* ---- tensors ------------------------------------------------------------------------------------------------------ */
static uint32_t new_slot(Lowering *l, const IrWeight *row) {
  uint32_t slot = ir_add_weight(l->f, row);
  IrNode node = {.op = IR_weight, .slot = slot, .shape = row->shape, .at = row->at};
  if (slot == l->weight_room) {
    uint32_t room = l->weight_room ? 2 * l->weight_room : 16;
    l->weight_node = arena_grow(l->f->arena, l->weight_node, slot, room, sizeof *l->weight_node);
    l->weight_room = room;
  }
  l->weight_node[slot] = ir_append(l->f, &node);
  return slot;
}

static void refuse_sharing(Lowering *l, const IrWeight *first, const IrWeight *second) {
  if (l->failed) return; /* the layer's other tensor has said it */
  const char *name = second->name ? second->name : second->scope;
  Diag *diag = diag_error(l->diagnostics, LOWER_SHARED_TENSOR, second->at,
                          "two layers at different places read one tensor, `%s`", name);
  diag_note(l->diagnostics, diag, first->at, "the first one is here");
  diag_help(l->diagnostics, diag, "give each layer a name of its own; a network that is called under one name twice shares its weights");
  l->failed = true;
}

/* The tensor `part` (NULL: the layer's own name) of the layer e, which is number `layer` of its scope. */
static Value tensor(Lowering *l, const Frame *frame, const Typed *e, uint32_t layer, const char *part, Shape shape) {
  Arena *arena = l->f->arena;
  const char *path = frame->scope->path;
  IrWeight row = {.scope = path, .part = part, .labelled = e->label != NULL, .layer = layer, .shape = shape, .at = e->at};
  const char *key;
  if (row.labelled) {
    key = arena_format(arena, "%s%s%s%s", path, e->label, part ? "." : "", part ? part : "");
    row.name = key; /* bind.c completes it where the path has a numbered part */
  } else {
    key = arena_format(arena, "%s %u %s", path, layer, part ? part : "");
  }
  bool is_new;
  uint32_t *slot = name_entry(l->slots, key, l->f->weights, &is_new);
  if (is_new) {
    *slot = new_slot(l, &row);
  } else {
    const IrWeight *known = &l->f->weight[*slot];
    bool same_place = known->at.from == row.at.from && known->at.to == row.at.to;
    if (!same_place || !shape_equal(&known->shape, &shape)) refuse_sharing(l, known, &row);
  }
  return (Value){.ref = l->weight_node[*slot]};
}

/* ---- layers ------------------------------------------------------------------------------------------------------- */
static Shape last_of(const Lowering *l, const Value *v) {
  const Shape *shape = &l->f->node[v->ref].shape;
  return (Shape){.rank = 1, .dim = {shape->dim[shape->rank - 1]}};
}

/* weight [m, n] @ x + bias: the bias starts the chains. */
static Value linear(Lowering *l, const Frame *frame, const Typed *e, uint32_t layer, const Value *x) {
  int64_t n = last_of(l, x).dim[0], m = e->shape.dim[0];
  Value weight = tensor(l, frame, e, layer, "weight", (Shape){.rank = 2, .dim = {m, n}});
  if (e->no_bias) return lower_matmul(l, &weight, x, NULL, &e->shape, e->at);
  Value bias = tensor(l, frame, e, layer, "bias", (Shape){.rank = 1, .dim = {m}});
  return lower_matmul(l, &weight, x, &bias, &e->shape, e->at);
}

static Value layer_norm(Lowering *l, const Frame *frame, const Typed *e, uint32_t layer, const Value *x) {
  Value weight = tensor(l, frame, e, layer, "weight", e->shape), bias = tensor(l, frame, e, layer, "bias", e->shape);
  Value standard = lower_standardize(l, x, e->number, e->at);
  Value scaled = lower_each(l, IR_mul, 2, (Value[]){standard, weight}, &e->shape, e->at);
  return lower_each(l, IR_add, 2, (Value[]){scaled, bias}, &e->shape, e->at);
}

static Value embedding(Lowering *l, const Frame *frame, const Typed *e, uint32_t layer, const Value *label) {
  Value table = tensor(l, frame, e, layer, "weight", (Shape){.rank = 2, .dim = {e->count, e->shape.dim[0]}});
  Value result = *label;
  IrNode node = {.op = IR_lookup, .args = 2, .arg = (Ref[]){table.ref, label->ref}, .at = e->at};
  if (!lower_shape(l, label, &e->shape, e->at, &node.shape)) return *label;
  result.ref = ir_append(l->f, &node);
  return result;
}

Value lower_layer(Lowering *l, Frame *frame, const Typed *e, const Value *arg) {
  uint32_t layer = frame->scope->layers++;
  switch (e->layer) {
  case LAYER_LINEAR: return linear(l, frame, e, layer, arg);
  case LAYER_LAYER_NORM: return layer_norm(l, frame, e, layer, arg);
  case LAYER_EMBEDDING: return embedding(l, frame, e, layer, arg);
  case LAYER_PARAM: break;
  }
  return tensor(l, frame, e, layer, NULL, e->shape);
}
