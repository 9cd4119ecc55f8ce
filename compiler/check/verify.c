/* SPDX-License-Identifier: Apache-2.0 */
/* verify.c -- opening, closing, and the list of lines. */
#include "verify_parts.h"
#include <math.h>

flow_status verify_open(const VerifyOptions *options, Verify **verify, flow_error *error) {
  Verify *v = *verify = flow_alloc(options->allocator, sizeof *v);
  if (!v) return flow_fail(error, FLOW_NO_MEMORY, "out of memory while checking");
  v->options = *options;
  v->program = flow_compiled_program(options->compiled);
  v->flow = flow_compiled_flow(options->compiled);
  arena_init(&v->arena, options->allocator, &v->no_memory);
  v->diagnostics = (Diagnostics){.arena = &v->arena, .sources = flow_compiled_diagnostics(options->compiled)->sources};
  return FLOW_OK;
}

void verify_close(Verify *verify) {
  if (!verify) return;
  const FlowAllocator *allocator = verify->options.allocator;
  models_free(verify);
  codes_free(verify);
  arena_free(&verify->arena);
  flow_free(allocator, verify, sizeof *verify);
}

VerifyLine *verify_line(Verify *v, const char *what) {
  VerifyLine *line = arena_alloc(&v->arena, sizeof *line);
  *line = (VerifyLine){.what = what, .worst = NAN, .bound = NAN, .element = -1};
  if (v->last) v->last->next = line;
  else v->first = line;
  v->last = line;
  return line;
}

VerifyLine *verify_skip(Verify *v, const char *what, const char *reason) {
  VerifyLine *line = verify_line(v, what);
  line->verdict = VERIFY_SKIPPED;
  line->reason = reason;
  return line;
}

VerifyLine *verify_cannot(Verify *v, const char *what, const Function *function) {
  VerifyLine *line = verify_skip(v, what, function->why);
  if (function->several) line->verdict = VERIFY_FAIL, line->measure = VERIFY_NOTHING;
  return line;
}

void verify_hold(Verify *v, VerifyLine *line, double amount, Sides sides, const PointNames *names, const double *number) {
  if (isnan(amount)) amount = INFINITY;
  line->points++;
  line->failed += !(amount <= line->bound);
  if (line->has_sides && !(amount > line->worst)) return;
  line->has_sides = true;
  line->worst = amount;
  line->left = sides.left;
  line->right = sides.right;
  line->element = sides.element;
  if (names) keep_point(v, names, number, line);
}

void verify_judge(VerifyLine *line) { line->verdict = line->failed ? VERIFY_FAIL : VERIFY_PASS; }

void verify_expect(Verify *v, uint64_t work) { v->total += work; }

bool verify_step(Verify *v, uint64_t done) {
  v->done += done;
  if (!v->cancelled && v->options.progress) v->cancelled = v->options.progress(v->options.user, v->done, v->total) != 0;
  return !v->cancelled;
}

const VerifyLine *verify_lines(const Verify *verify) { return verify->first; }

uint64_t verify_count(const Verify *verify, VerifyVerdict verdict) {
  uint64_t count = 0;
  for (const VerifyLine *line = verify->first; line; line = line->next) count += line->verdict == verdict;
  return count;
}
