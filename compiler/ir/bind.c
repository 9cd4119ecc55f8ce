/* SPDX-License-Identifier: Apache-2.0 */
/* bind.c -- see bind.h: names first (bind_names.c), then the file is held against them; bind_report.c has the words. */
#include "bind.h"
#include "bind_names.h"
#include <string.h>
#include "printable.h"

/* ---- shapes and types ---------------------------------------------------------------------------------------------- */
bool bind_same_shape(const IrWeight *weight, const FlowTensor *tensor) {
  if (weight->shape.rank != tensor->rank) return false;
  for (uint32_t a = 0; a < tensor->rank; a++)
    if ((uint64_t)weight->shape.dim[a] != tensor->dim[a]) return false;
  return true;
}

bool bind_transposed(const IrWeight *weight, const FlowTensor *tensor) {
  return weight->shape.rank == 2 && tensor->rank == 2 && (uint64_t)weight->shape.dim[0] == tensor->dim[1] &&
         (uint64_t)weight->shape.dim[1] == tensor->dim[0];
}

bool bind_is_float(FlowType type) {
  return type == FLOW_TYPE_F64 || type == FLOW_TYPE_F32 || type == FLOW_TYPE_F16 || type == FLOW_TYPE_BF16;
}

const char *bind_type_name(FlowType type) {
  static const char *const name[FLOW_TYPE_COUNT] = {
#define TYPE(word, bytes, safetensors, letters) #word,
      FLOW_TYPE_LIST(TYPE)
#undef TYPE
  };
  return name[type];
}

const char *bind_shape_text(Arena *arena, const Shape *shape) {
  const char *text = "[";
  for (uint32_t a = 0; a < shape->rank; a++)
    text = arena_format(arena, "%s%s%lld", text, a ? ", " : "", (long long)shape->dim[a]);
  return arena_format(arena, "%s]", text);
}

const char *bind_tensor_shape_text(Arena *arena, const FlowTensor *tensor) {
  const char *text = "[";
  for (uint32_t a = 0; a < tensor->rank; a++)
    text = arena_format(arena, "%s%s%llu", text, a ? ", " : "", (unsigned long long)tensor->dim[a]);
  return arena_format(arena, "%s]", text);
}

/* ---- the file against the names ------------------------------------------------------------------------------------- */
/* A tensor is skipped under its whole name, or under what stands behind the prefix. */
static bool is_skip_of(const char *skip, const char *prefix, const char *name) {
  size_t length = strlen(prefix);
  return strcmp(name, skip) == 0 || (strncmp(name, prefix, length) == 0 && strcmp(name + length, skip) == 0);
}

static void note_skips(Binding *b, const char *const *skip, uint32_t skips) {
  for (uint32_t i = 0; i < b->tensors->count; i++)
    for (uint32_t s = 0; s < skips && !b->skipped[i]; s++)
      b->skipped[i] = is_skip_of(skip[s], b->prefix, b->tensors->tensor[i].name);
}

/* The tensor that was surely meant, as it would be written; NULL where that is not sure. */
static const char *likely_skip(const FlowTensors *tensors, const char *prefix, const char *skip, Arena *arena) {
  const char **name = arena_array(arena, tensors->count + (size_t)1, sizeof *name);
  size_t length = strlen(prefix);
  for (uint32_t i = 0; i < tensors->count; i++) {
    name[i] = tensors->tensor[i].name;
    bool behind = strncmp(name[i], prefix, length) == 0, whole = strncmp(skip, prefix, length) == 0;
    if (behind && !whole) name[i] += length;
  }
  return diag_nearest(skip, name, tensors->count);
}

void ir_bind_check_skips(const FlowTensors *tensors, const char *prefix, const char *const *skip, const Span *skip_at,
                         uint32_t skips, Diagnostics *diagnostics) {
  for (uint32_t s = 0; s < skips; s++) {
    bool found = false;
    for (uint32_t i = 0; i < tensors->count && !found; i++) found = is_skip_of(skip[s], prefix, tensors->tensor[i].name);
    if (found) continue;
    Diag *diag = diag_warning(diagnostics, W0502, skip_at[s], "the weights file has no tensor `%s` to skip", skip[s]);
    const char *near = likely_skip(tensors, prefix, skip[s], diagnostics->arena);
    if (!near) continue;
    FlowPrintable shown = flow_printable_name(near);          /* a name of the file may hold what a terminal obeys */
    diag_help(diagnostics, diag, "did you mean %s?", shown.text);
  }
}

/* true: every tensor of the program is filled, and every one of the file is used. */
static bool match(Binding *b) {
  bool fits = true;
  for (uint32_t i = 0; i < b->f->weights; i++) {
    const FlowTensor *tensor = b->wanted[i] ? flow_tensors_find(b->tensors, b->wanted[i]) : NULL;
    b->found[i] = tensor ? tensor - b->tensors->tensor : -1;
    if (tensor) b->used[b->found[i]] = true;
    fits = fits && tensor && bind_same_shape(&b->f->weight[i], tensor) && bind_is_float(tensor->type);
  }
  for (uint32_t i = 0; i < b->tensors->count; i++) fits = fits && (b->used[i] || !bind_counts(b, i));
  return fits;
}

flow_status ir_bind(IrFunction *f, const FlowTensors *tensors, const char *prefix, const char *const *skip, uint32_t skips,
                    Diagnostics *diagnostics, flow_error *error) {
  Arena *arena = f->arena;
  Binding b = {.f = f, .arena = arena, .tensors = tensors, .prefix = prefix ? prefix : ""};
  b.skipped = arena_array(arena, tensors->count, sizeof *b.skipped);
  b.claimed = arena_array(arena, tensors->count, sizeof *b.claimed);
  b.used = arena_array(arena, tensors->count, sizeof *b.used);
  b.wanted = arena_array(arena, f->weights, sizeof *b.wanted);
  b.found = arena_array(arena, f->weights, sizeof *b.found);
  note_skips(&b, skip, skips);
  if (!ir_bind_name(&b)) {
    bind_report_order(&b, diagnostics, error);
    return FLOW_BAD_INPUT;
  }
  if (!match(&b)) {
    bind_report_misfit(&b, diagnostics, error);
    return FLOW_BAD_INPUT;
  }
  for (uint32_t i = 0; i < f->weights; i++) f->weight[i].name = b.wanted[i];
  return FLOW_OK;
}

/* ---- the binding as a table ------------------------------------------------------------------------------------------ */
void ir_bind_table(const IrFunction *f, const FlowTensors *tensors, FILE *to) {
  int widest = 0;
  for (uint32_t i = 0; i < f->weights; i++) {
    int length = f->weight[i].name ? (int)strlen(f->weight[i].name) : 0;
    if (length > widest) widest = length;
  }
  for (uint32_t i = 0; i < f->weights; i++) {
    const IrWeight *w = &f->weight[i];
    const FlowTensor *tensor = tensors && w->name ? flow_tensors_find(tensors, w->name) : NULL;
    fprintf(to, "%-*s  %s", widest, w->name ? w->name : "?", bind_shape_text(f->arena, &w->shape));
    if (tensor) fprintf(to, " %s", bind_type_name(tensor->type));
    fputc('\n', to);
  }
}
