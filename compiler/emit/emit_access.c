/* SPDX-License-Identifier: Apache-2.0 */
/* emit_access.c -- from a value's place to an address, and from there to lanes. */
#include <math.h>
#include <string.h>
#include "emit_parts.h"

static const EmitBase base_of_home[] = {
    [HOME_WEIGHTS] = BASE_WEIGHTS, [HOME_TIME] = BASE_TIME,     [HOME_STATE] = BASE_X,       [HOME_CONDITIONS] = BASE_CONDITIONS,
    [HOME_TIMES] = BASE_TIMES,     [HOME_COND] = BASE_COND,     [HOME_OUTPUT] = BASE_OUTPUT, [HOME_SCRATCH] = BASE_SCRATCH,
};

int64_t emit_row_bytes(const Emit *e) { return (int64_t)e->level.lanes * e->ll.precision; }

int64_t emit_state_rows(const Emit *e) { return e->program->dim + e->program->extras; }

bool emit_in_lanes(const Emit *e, Ref base) {
  TileHome home = e->program->place[base][e->section].home;
  if (home == HOME_TIMES) return e->times_in_lanes;
  return home != HOME_WEIGHTS && home != HOME_CONSTANT;
}

Val emit_element(Emit *e, const TileAccess *access, Val *index, uint32_t axes) {
  Val element = ll_int(&e->ll, access->map.offset);
  for (uint32_t k = 0; k < axes; k++)
    if (access->map.stride[k]) element = ll_iadd(&e->ll, element, ll_imul(&e->ll, index[k], access->map.stride[k]));
  return element;
}

/* A constant tensor as a global array, in the model's precision. */
static Val constant_table(Emit *e, Ref base) {
  LL *ll = &e->ll;
  if (e->table[base]) return e->table[base];
  const IrNode *node = &e->f->node[base];
  unsigned count = (unsigned)shape_count(&node->shape);
  Val *number = arena_array(e->arena, count, sizeof *number);
  for (unsigned i = 0; i < count; i++) number[i] = LLVMConstReal(ll->real, node->data[i]);
  Val array = LLVMConstArray2(ll->real, number, count);
  Val global = LLVMAddGlobal(ll->module, LLVMTypeOf(array), "table");
  LLVMSetInitializer(global, array);
  LLVMSetGlobalConstant(global, 1);
  LLVMSetLinkage(global, LLVMInternalLinkage);
  LLVMSetAlignment(global, 64);
  return e->table[base] = global;
}

Val emit_address(Emit *e, Ref base, Val element) {
  LL *ll = &e->ll;
  TilePlace place = e->program->place[base][e->section];
  if (place.home == HOME_CONSTANT) return ll_at(ll, constant_table(e, base), ll_imul(ll, element, ll->precision));
  Val start = e->base[base_of_home[place.home]];
  if (place.home == HOME_WEIGHTS)
    return ll_at(ll, ll_at(ll, start, ll_int(ll, place.at)), ll_imul(ll, element, ll->precision));
  Val row = ll_iadd(ll, ll_int(ll, place.at), element);
  if (!emit_in_lanes(e, base)) return ll_at(ll, start, ll_imul(ll, row, ll->precision));
  return ll_at(ll, start, ll_iadd(ll, ll_imul(ll, row, emit_row_bytes(e)), e->lane_bytes));
}

bool emit_is_number(const Emit *e, Ref base) {
  const IrNode *node = &e->f->node[base];
  if (node->op != IR_constant) return false;
  int64_t count = shape_count(&node->shape);
  for (int64_t i = 0; i < count; i++)
    if (isnan(node->data[i])) return false;
  return true;
}

static Val as_truth(LL *ll, Val number) { return LLVMBuildFCmp(ll->builder, LLVMRealUNE, number, ll_number(ll, 0), ""); }

Val emit_load(Emit *e, Ref base, Val element) {
  LL *ll = &e->ll;
  const IrNode *node = &e->f->node[base];
  Val value;
  if (node->op == IR_constant && LLVMIsAConstantInt(element))
    value = ll_number(ll, node->data[LLVMConstIntGetSExtValue(element)]);
  else if (emit_in_lanes(e, base)) value = ll_load_lanes(ll, emit_address(e, base, element));
  else value = ll_load_scalar(ll, emit_address(e, base, element));
  return node->truth ? as_truth(ll, value) : value;
}

/* Truth values are kept as 1 and 0. */
void emit_store(Emit *e, Ref node, Val element, Val value) {
  LL *ll = &e->ll;
  if (e->f->node[node].truth) value = ll_select(ll, value, ll_number(ll, 1), ll_number(ll, 0));
  ll_store_lanes(ll, emit_address(e, node, element), value);
}
