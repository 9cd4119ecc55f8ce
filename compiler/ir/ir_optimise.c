/* SPDX-License-Identifier: Apache-2.0 */
/* ir_optimise.c -- the passes in order, from the lowered program to frozen IR. */
#include <assert.h>
#include <string.h>
#include "ir.h"

typedef struct Pass {
  const char *name;
  IrFunction *(*run)(IrFunction *f, int precision);
  const char *purpose;
} Pass;

static IrFunction *fold_literals(IrFunction *f, int precision) {
  (void)precision;      /* literals are real numbers: f64, whatever the model computes in */
  ir_fold(f, 8);
  return f;
}

static IrFunction *fold_frozen(IrFunction *f, int precision) {
  ir_fold(f, precision);
  return f;
}

static IrFunction *same(IrFunction *f, int precision) {
  (void)precision;
  ir_same(f);
  return f;
}

static IrFunction *sweep(IrFunction *f, int precision) {
  (void)precision;
  return ir_sweep(f);
}

static IrFunction *freeze(IrFunction *f, int precision) {
  (void)precision;
  ir_freeze(f);
  return f;
}

static IrFunction *factor(IrFunction *f, int precision) {
  (void)precision;
  ir_factor(f);
  return f;
}

static const Pass pipeline[] = {
  {"fold", fold_literals, "arithmetic among literals in f64, exact identities"},
  {"same", same, "one node per distinct value"},
  {"sweep", sweep, "drops what the result does not need"},
  {"factor", factor, "what does not vary with k leaves a mean over a softmax"},
  {"freeze", freeze, "makes the arithmetic final"},
  {"fold-frozen", fold_frozen, "arithmetic among constants in the model's precision, pinned ones included"},
  {"same-frozen", same, "one node per distinct value, of those that freeze made"},
  {"sweep-frozen", sweep, "drops what became useless, makes the masks exact"},
};
enum { PASSES = sizeof pipeline / sizeof pipeline[0] };

const char *ir_pass_name(uint32_t i) { return i < PASSES ? pipeline[i].name : NULL; }
const char *ir_pass_purpose(uint32_t i) { return i < PASSES ? pipeline[i].purpose : NULL; }

IrFunction *ir_optimise(IrFunction *f, int precision) {
  assert(!ir_verify(f));
  for (int i = 0; i < PASSES; i++) {
    f = pipeline[i].run(f, precision);
    assert(!ir_verify(f));
  }
  return f;
}

static bool known_pass(const char *name) {
  for (int i = 0; i < PASSES; i++)
    if (strcmp(pipeline[i].name, name) == 0) return true;
  return false;
}

const char *ir_check_passes(IrFunction *f, int precision, const char *last, IrFunction **result) {
  *result = NULL;
  if (last && !known_pass(last)) return arena_format(f->arena, "there is no pass `%s`", last);
  const char *wrong = ir_verify(f);
  if (wrong) return arena_format(f->arena, "before the first pass: %s", wrong);
  for (int i = 0; i < PASSES; i++) {
    f = pipeline[i].run(f, precision);
    wrong = ir_verify(f);
    if (wrong) return arena_format(f->arena, "after the pass `%s`: %s", pipeline[i].name, wrong);
    if (last && strcmp(pipeline[i].name, last) == 0) break;
  }
  *result = f;
  return NULL;
}
