/* SPDX-License-Identifier: Apache-2.0 */
/* derive_order.c -- the order of summation of a trace.
 *
 * The trace of a network's Jacobian is one long sum of products.  For two hidden layers
 *
 *     sum_{c,j,i} W3[c,j] d2[j] W2[j,i] d1[i] W1[i,c]  =  sum_j d2[j] sum_i (W2[j,i] sum_c W3[c,j] W1[i,c]) d1[i],
 *
 * where the bracket depends on the weights alone and is computed once: the trace costs one more layer, for any number of
 * dimensions.  With one hidden layer it is a dot product.  The rule: take the sum apart into factors; if what depends on
 * more than the weights has at most two indices, each factor one of them, then sum over all other indices first. */
#include <string.h>
#include "derive_parts.h"
#include "ir_walk.h"

enum { MOST_FACTORS = 12 };

/* sum over variables of the product of factors, each read at a map over all variables. */
typedef struct Product {
  IrFunction *f;
  Ref from;
  Span at;
  uint32_t variables, factors;
  int64_t extent[IR_MOST_AXES];
  IrOperand factor[MOST_FACTORS];
  int64_t work;                 /* multiplications of the contractions that were taken apart */
} Product;

/* ---- taking apart --------------------------------------------------------------------------------------------------- */

static bool take_contract(Product *p, uint32_t i, const IrNode *node) {
  IrIndex index;
  IrOperand *factor = &p->factor[i];
  if (node->args > 2 || p->factors == MOST_FACTORS || p->variables + node->sums > IR_MOST_AXES) return false;
  if (!ir_index_of_map(&factor->map, p->variables, p->extent, &node->shape, &index)) return false;
  for (int side = 0; side < 2; side++) {
    const IrMap *map = side ? &node->map_b : &node->map;
    IrOperand part = {node->arg[side], {map->offset, {0}}};
    for (uint32_t o = 0; o < node->shape.rank; o++) {
      part.map.offset += map->stride[o] * index.base[o];
      for (uint32_t v = 0; v < p->variables; v++) part.map.stride[v] += map->stride[o] * index.step[o][v];
    }
    for (uint32_t k = 0; k < node->sums; k++) part.map.stride[p->variables + k] = map->stride[node->shape.rank + k];
    if (side) p->factor[p->factors++] = part;
    else *factor = part;
  }
  int64_t work = shape_count(&node->shape);
  for (uint32_t k = 0; k < node->sums; k++) {
    p->extent[p->variables++] = node->extent[k];
    work *= node->extent[k];
  }
  p->work += work;
  return true;
}

static bool take_apart(Product *p, uint32_t i) {
  p->factor[i] = ir_see_through(p->f, p->factor[i], p->variables, p->extent);
  if (p->factor[i].ref < p->from) return false;
  const IrNode node = p->f->node[p->factor[i].ref];
  if (node.op == IR_mul && p->factors < MOST_FACTORS) {
    p->factor[p->factors++] = (IrOperand){node.arg[1], p->factor[i].map};
    p->factor[i].ref = node.arg[0];
    return true;
  }
  return node.op == IR_contract && take_contract(p, i, &node);
}

/* ---- which factor has which variable ---------------------------------------------------------------------------------- */

static bool has(const Product *p, uint32_t i, uint32_t v) { return p->factor[i].map.stride[v] != 0 && p->extent[v] > 1; }
static bool of_weights(const Product *p, uint32_t i) { return !(p->f->node[p->factor[i].ref].mask & ~IR_WEIGHTS); }

/* The variables of what depends on more than the weights: at most two, one for each factor. */
static bool outer_variables(const Product *p, uint32_t *outer, uint32_t *outers) {
  *outers = 0;
  for (uint32_t i = 0; i < p->factors; i++) {
    uint32_t mine = 0;
    for (uint32_t v = 0; v < p->variables && !of_weights(p, i); v++) {
      if (!has(p, i, v)) continue;
      bool known = false;
      for (uint32_t o = 0; o < *outers; o++) known = known || outer[o] == v;
      if (!known && *outers == 2) return false;
      if (!known) outer[(*outers)++] = v;
      if (++mine > 1) return false;
    }
  }
  return true;
}

/* ---- putting together ---------------------------------------------------------------------------------------------------- */

/* factor i times factor j, summed over the marked variables; takes the place of i, and the last factor that of j. */
static void join(Product *p, uint32_t i, uint32_t j, const bool *summed) {
  Shape shape = {.rank = 0};
  int64_t extent[IR_MOST_AXES], stride[FLOW_MOST_RANK];
  IrOperand a = {p->factor[i].ref, {p->factor[i].map.offset, {0}}}, b = {p->factor[j].ref, {p->factor[j].map.offset, {0}}};
  uint32_t kept[FLOW_MOST_RANK], sums = 0;
  for (uint32_t v = 0; v < p->variables; v++) {
    if (summed[v] || !(has(p, i, v) || has(p, j, v))) continue;
    a.map.stride[shape.rank] = p->factor[i].map.stride[v];
    b.map.stride[shape.rank] = p->factor[j].map.stride[v];
    kept[shape.rank] = v;
    shape.dim[shape.rank++] = p->extent[v];
  }
  for (uint32_t v = 0; v < p->variables; v++) {
    if (!summed[v]) continue;
    a.map.stride[shape.rank + sums] = p->factor[i].map.stride[v];
    b.map.stride[shape.rank + sums] = p->factor[j].map.stride[v];
    extent[sums++] = p->extent[v];
  }
  Ref product;
  if (sums) {
    product = ir_contract(p->f, &shape, sums, extent, a, b, IR_NONE, p->at);
  } else {
    Ref x = ir_view_flat(p->f, a.ref, &shape, &a.map, p->at), y = ir_view_flat(p->f, b.ref, &shape, &b.map, p->at);
    product = ir_two(p->f, IR_mul, x, y, p->at);
  }
  IrOperand joined = {product, {0, {0}}};
  ir_strides(&shape, stride);
  for (uint32_t k = 0; k < shape.rank; k++) joined.map.stride[kept[k]] = stride[k];
  p->factor[i] = joined;
  p->factor[j] = p->factor[--p->factors];
}

/* Variables that only factors i and j have, outer ones apart. */
static uint32_t only_in(const Product *p, uint32_t i, uint32_t j, const uint32_t *outer, uint32_t outers, bool *summed) {
  uint32_t count = 0;
  for (uint32_t v = 0; v < p->variables; v++) {
    summed[v] = has(p, i, v) || has(p, j, v);
    for (uint32_t k = 0; k < p->factors; k++)
      if (k != i && k != j && has(p, k, v)) summed[v] = false;
    for (uint32_t o = 0; o < outers; o++)
      if (outer[o] == v) summed[v] = false;
    count += summed[v];
  }
  return count;
}

/* All factors of weights alone become one: first those that share a variable with no third. */
static void join_weights(Product *p, const uint32_t *outer, uint32_t outers) {
  for (;;) {
    uint32_t best[2] = {0, 0}, most = 0;
    bool any = false, summed[IR_MOST_AXES];
    for (uint32_t i = 0; i < p->factors; i++)
      for (uint32_t j = i + 1; j < p->factors; j++) {
        if (!of_weights(p, i) || !of_weights(p, j)) continue;
        uint32_t count = only_in(p, i, j, outer, outers, summed);
        if (!any || count > most) best[0] = i, best[1] = j, most = count;
        any = true;
      }
    if (!any) return;
    only_in(p, best[0], best[1], outer, outers, summed);
    join(p, best[0], best[1], summed);
  }
}

/* All factors with variable v and no other outer one, weights apart, become one product. */
static void join_outer(Product *p, uint32_t v) {
  const bool none[IR_MOST_AXES] = {false};
  for (uint32_t i = 0; i < p->factors; i++)
    for (uint32_t j = i + 1; j < p->factors && !of_weights(p, i) && has(p, i, v);)
      if (!of_weights(p, j) && has(p, j, v)) join(p, i, j, none);
      else j++;
}

/* Sums everything that is left, the second outer variable first. */
static Ref sum_rest(Product *p, const uint32_t *outer, uint32_t outers) {
  for (uint32_t o = 0; o < outers; o++) join_outer(p, outer[o]);
  for (uint32_t o = outers; o-- > 0;)
    for (uint32_t i = 0; i < p->factors; i++)
      for (uint32_t j = i + 1; j < p->factors;) {
        bool summed[IR_MOST_AXES] = {false};
        if (!has(p, i, outer[o]) || !has(p, j, outer[o])) {
          j++;
          continue;
        }
        summed[outer[o]] = true;
        join(p, i, j, summed);
      }
  const bool none[IR_MOST_AXES] = {false};
  while (p->factors > 1) join(p, 0, 1, none);
  Shape scalar = {0};
  return ir_view_flat(p->f, p->factor[0].ref, &scalar, &p->factor[0].map, p->at);
}

/* ---- the door ---------------------------------------------------------------------------------------------------------------- */

/* The axes of a contraction, all of them summed: neighbours that both operands step through without a gap become one, so that
 * the sum is one row of a layer. */
static uint32_t merge_axes(IrNode *node, int64_t *extent) {
  uint32_t axes = ir_contract_space(node, extent), kept = 0;
  for (uint32_t j = 1; j < axes; j++) {
    bool flat = node->map.stride[kept] == extent[j] * node->map.stride[j] && node->map_b.stride[kept] == extent[j] * node->map_b.stride[j];
    if (flat) extent[kept] *= extent[j];
    else extent[++kept] = extent[j];
    node->map.stride[kept] = node->map.stride[j];
    node->map_b.stride[kept] = node->map_b.stride[j];
  }
  return axes ? kept + 1 : 0;
}

/* The map over a further first axis of length 1. */
static IrMap after_one(const IrMap *map, uint32_t axes) {
  IrMap with = {map->offset, {0}};
  for (uint32_t j = 0; j < axes && j + 1 < IR_MOST_AXES; j++) with.stride[j + 1] = map->stride[j];
  return with;
}

static Ref sum_plainly(IrFunction *f, Ref r, Span at) {
  IrNode node = f->node[r];
  if (node.shape.rank == 0) return r;
  if (node.op == IR_contract && node.args == 2 && r + 1 == f->nodes) {
    int64_t extent[IR_MOST_AXES];
    uint32_t axes = merge_axes(&node, extent);
    Shape scalar = {0}, one = {.rank = 1, .dim = {1}};
    IrOperand a = {node.arg[0], after_one(&node.map, axes)}, b = {node.arg[1], after_one(&node.map_b, axes)};
    return ir_view_flat(f, ir_contract(f, &one, axes, extent, a, b, IR_NONE, at), &scalar, &(IrMap){0, {0}}, at);
  }
  Shape flat = {.rank = 1, .dim = {shape_count(&node.shape)}};
  return ir_reduce(f, IR_reduce_sum, ir_view_flat(f, r, &flat, &(IrMap){0, {1}}, at), at);
}

/* Where gradients follow, the matrix made of the weights costs one derivative of each of its elements for every sample: more than so
 * many tangents, whose derivatives by weights are products that nobody makes. */
enum { MOST_TANGENTS = 12 };

/* Would the other order cost less, and does each variable end? */
static bool worth_it(const Product *p, const uint32_t *outer, uint32_t outers) {
  int64_t after = 1;
  for (uint32_t o = 0; o < outers; o++) after *= p->extent[outer[o]];
  uint32_t weights = 0, inner = 0;
  int64_t tangents = 1;
  for (uint32_t i = 0; i < p->factors; i++) weights += of_weights(p, i);
  for (uint32_t v = 0; v < p->variables; v++) {
    bool is_outer = p->extent[v] == 1;
    for (uint32_t o = 0; o < outers; o++) is_outer = is_outer || outer[o] == v;
    inner += !is_outer;
    if (!is_outer) tangents *= p->extent[v];
  }
  if (p->f->state_gradient && outers == 2 && tangents <= MOST_TANGENTS) return false;
  return weights > 1 && inner > 0 && outers > 0 && after < p->work;
}

Ref derive_total(IrFunction *f, Ref from, Ref r, Span at) {
  Shape shape = f->node[r].shape;
  Product p = {.f = f, .from = from, .at = at, .variables = shape.rank, .factors = 1};
  memcpy(p.extent, shape.dim, shape.rank * sizeof *p.extent);
  p.factor[0].ref = r;
  ir_strides(&shape, p.factor[0].map.stride);
  for (uint32_t i = 0; i < p.factors;)
    if (!take_apart(&p, i)) i++;
  uint32_t outer[2], outers;
  if (!outer_variables(&p, outer, &outers) || !worth_it(&p, outer, outers)) return sum_plainly(f, r, at);
  f->trace = outers == 1 ? arena_format(f->arena, "one hidden layer: a dot product of %lld numbers with a vector made of the weights",
                                        (long long)p.extent[outer[0]])
                         : arena_format(f->arena, "two hidden layers: one product with a matrix of %lld x %lld made of the weights",
                                        (long long)p.extent[outer[0]], (long long)p.extent[outer[1]]);
  join_weights(&p, outer, outers);
  return sum_rest(&p, outer, outers);
}
