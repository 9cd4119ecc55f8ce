/* SPDX-License-Identifier: Apache-2.0 */
/* ir_trace_words.c -- what an operation did wrong, in words. */
#include "ir_trace.h"
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include "typed.h" /* NEWTON_STEPS */

static void of_leaf(const IrFunction *f, const IrNode *node, const IrCulprit *culprit, char *words, size_t room) {
  const char *value = isnan(culprit->value) ? "NaN" : "infinite";
  if (node->op == IR_weight) {
    snprintf(words, room, "number %" PRId64 " of the tensor `%s` is %s", culprit->element, f->weight[node->slot].name, value);
  } else if (node->op == IR_input) {
    const char *name = f->input[node->slot].name;
    snprintf(words, room, "`%s` is %s at number %" PRId64, name ? name : node->slot ? "x" : "t", value, culprit->element);
  } else {
    snprintf(words, room, "a constant is %s", value);
  }
}

static void of_power(double a, double b, char *words, size_t room) {
  if (a < 0 && b != floor(b))
    snprintf(words, room, "left the domain: %.6g to the power %.6g", a, b);
  else if (a == 0 && b < 0)
    snprintf(words, room, "left the domain: 0 to the power %.6g", b);
  else
    snprintf(words, room, "overflow: %.6g to the power %.6g", a, b);
}

static void of_binary(const char *sign, double a, double b, char *words, size_t room) { snprintf(words, room, "overflow: %.6g %s %.6g", a, sign, b); }

static void of_one(const IrNode *node, double a, char *words, size_t room) {
  const char *name = ir_op_name[node->op];
  bool outside = (node->op == IR_log && a <= 0) || (node->op == IR_log1p && a <= -1) || (node->op == IR_sqrt && a < 0);
  snprintf(words, room, "%s%s of %.6g", outside ? "left the domain: " : "overflow: ", name, a);
}

static void of_each(const IrNode *node, const IrCulprit *culprit, char *words, size_t room) {
  double a = culprit->operand[0], b = culprit->operand[1], c = culprit->operand[2];
  switch (node->op) {
  case IR_add: of_binary("+", a, b, words, room); break;
  case IR_sub: of_binary("-", a, b, words, room); break;
  case IR_mul: of_binary("*", a, b, words, room); break;
  case IR_div:
    if (b == 0)
      snprintf(words, room, "division by zero: %.6g / 0", a);
    else
      of_binary("/", a, b, words, room);
    break;
  case IR_fma: snprintf(words, room, "overflow: %.6g * %.6g + %.6g", a, b, c); break;
  case IR_found:
    snprintf(words, room, "no inverse was found in %d steps of Newton's method: number %" PRId64 " of the point is %.6g, and what it came to, %.6g, does not lead there",
             NEWTON_STEPS, culprit->element, b, a);
    break;
  case IR_pow: of_power(a, b, words, room); break;
  default:
    if (culprit->operands == 1)
      of_one(node, a, words, room);
    else
      snprintf(words, room, "%s gives %s", ir_op_name[node->op], isnan(culprit->value) ? "NaN" : "infinity");
  }
}

void ir_culprit_words(const IrFunction *f, const IrCulprit *culprit, char *words, size_t room) {
  const IrNode *node = &f->node[culprit->node];
  if (ir_op_class[node->op] == IR_LEAF)
    of_leaf(f, node, culprit, words, room);
  else if (culprit->operands)
    of_each(node, culprit, words, room);
  else if (node->op == IR_lookup)
    snprintf(words, room, "left the domain: the label %.6g is outside of a table of %" PRId64 " rows", culprit->label,
             f->node[node->arg[0]].shape.dim[0]);
  else if (node->op == IR_solve || node->op == IR_pivots)
    snprintf(words, room, "a matrix without an inverse");
  else
    snprintf(words, room, "overflow: a sum of %s", node->op == IR_contract ? "products" : "numbers");
}
