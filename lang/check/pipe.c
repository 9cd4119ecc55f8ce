/* SPDX-License-Identifier: Apache-2.0 */
/* pipe.c -- `x |> f(a) b` is f(x, a, b); `x |> repeat 3 f(a) "n"` is f(f(f(x, a), a), a), the calls named n.0, n.1, n.2. */
#include "checker.h"

static Call call_of(const Ast *stage, Typed *piped) {
  return (Call){.name = stage->name, .at = stage->at, .name_at = stage->name_at, .piped = piped,
                .arg = (const Ast *const *)stage->items.at, .args = stage->items.count,
                .label = stage->label, .label_at = stage->label_at, .no_bias = stage->no_bias};
}

static Typed *check_repeat(Checker *c, const Ast *stage, Typed *piped) {
  int64_t count;
  if (!extent_of(c, stage->extent, &count)) return NULL;
  if ((uint64_t)count > MOST_OPERATIONS) {
    report(c, E0313, stage->extent->at, "%lld turns are more than the 2^20 operations that a program may have", (long long)count);
    return NULL;
  }
  Call call = call_of(stage, piped);
  call.once = arena_array(c->arena, call.args + 1, sizeof *call.once);
  for (int64_t i = 0; i < count && call.piped; i++) {
    if (!spend(c, stage->at)) return NULL;
    if (stage->label) call.label = arena_format(c->arena, "%s.%lld", stage->label, (long long)i);
    call.piped = check_call(c, &call);
  }
  return call.piped;
}

Typed *check_pipe(Checker *c, const Ast *ast) {
  Typed *value = check_number(c, ast->items.at[0]);
  for (size_t i = 1; i < ast->items.count && value; i++) {
    const Ast *stage = ast->items.at[i];
    if (!stage || stage->kind != AST_STAGE) {
      c->reported = true;
      return NULL;
    }
    Call call = call_of(stage, value);
    value = stage->extent ? check_repeat(c, stage, value) : check_call(c, &call);
    if (value && value->truth) {
      c->reported = true;
      return NULL;
    }
  }
  if (value) value->at = ast->at;                   /* as an operand it is the whole pipe */
  return value;
}
