/* SPDX-License-Identifier: Apache-2.0 */
/* bind_names.h -- what the parts of binding share; nobody else includes it. */
#ifndef FLOW_IR_BIND_NAMES_H
#define FLOW_IR_BIND_NAMES_H
#include "bind.h"

typedef struct Binding {
  IrFunction *f;
  Arena *arena;
  const FlowTensors *tensors;
  const char *prefix;
  bool *skipped;                /* by tensor */
  bool *claimed;                /* by tensor: a label, or a scope of its own inside the one without labels, says whose it is */
  const char **wanted;          /* by weight: the full name that it should have; NULL: none was left in its scope */
  int64_t *found;               /* by weight: its tensor, or -1 */
  bool *used;                   /* by tensor */
  /* why order was refused, once: the stems that differ in more than numbers */
  const char *refused_scope;
  const char *const *refused_stem;
  const IrWeight *const *refused_layer;
  uint32_t refused_stems;
} Binding;

/* Fills wanted[].  false: a scope without labels has stems that differ in more than numbers (refused_*). */
bool ir_bind_name(Binding *b);

/* The array with room for one more; it has room for the next power of two, for what an arena has grown out of stays in it. */
static inline void *bind_room(Arena *arena, void *array, uint32_t count, size_t size) {
  bool full = (count & (count - 1)) == 0;
  return full ? arena_grow(arena, array, count, count ? 2 * (size_t)count : 1, size) : array;
}

/* "net.0.weight" -> "net.0"; a name without such an ending is its own stem. */
size_t bind_stem_length(const char *name);
/* Is this tensor behind the prefix, and not skipped? */
bool bind_counts(const Binding *b, uint32_t tensor);

/* The messages (bind_report.c). */
void bind_report_order(const Binding *b, Diagnostics *diagnostics, flow_error *error);
void bind_report_misfit(const Binding *b, Diagnostics *diagnostics, flow_error *error);
/* "[64, 3]" */
const char *bind_shape_text(Arena *arena, const Shape *shape);
const char *bind_tensor_shape_text(Arena *arena, const FlowTensor *tensor);
bool bind_same_shape(const IrWeight *weight, const FlowTensor *tensor);
bool bind_transposed(const IrWeight *weight, const FlowTensor *tensor);
bool bind_is_float(FlowType type);
const char *bind_type_name(FlowType type);

#endif
