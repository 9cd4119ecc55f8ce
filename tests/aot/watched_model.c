/* SPDX-License-Identifier: Apache-2.0 */
#include "watched_model.h"
#include <check.h>
#include <stdatomic.h>
#include "sanitized.h"

#if UNDER_THREAD_SANITIZER
void __tsan_read_range(void *at, unsigned long bytes);
void __tsan_write_range(void *at, unsigned long bytes);
static void reads(const void *at, uint64_t bytes) { if (at && bytes) __tsan_read_range((void *)(uintptr_t)at, bytes); }
static void writes(void *at, uint64_t bytes) { if (at && bytes) __tsan_write_range(at, bytes); }
#else
static void reads(const void *at, uint64_t bytes) { (void)at, (void)bytes; }
static void writes(void *at, uint64_t bytes) { (void)at, (void)bytes; }
#endif

typedef enum Entry { EVAL, EVAL_LANE, STEP, TIMES, COND, DERIVE, ATTEMPT, ENTRIES } Entry;
enum { SLOTS = 20, MOST_MODELS = 10 };   /* a slot: one level of one model */

typedef struct Slot { const flow_model *model; const flow_level *level; } Slot;
static Slot slot[SLOTS];
static atomic_ulong calls;

unsigned long watched_calls(void) { return calls; }

/* ---- what an entry touches ------------------------------------------------------------------------------------------------ */

static uint64_t rows(const Slot *s, uint64_t count) { return count * s->level->lanes * s->model->precision; }

/* The row of stage times of a step: the same for all lanes. */
static uint64_t times_row(const Slot *s) { return s->model->times_rows * s->model->precision; }

static void reads_of_sample(const Slot *s, const flow_call *c) {
  reads(c->conditions, rows(s, s->model->condition_rows));
  reads(c->cond, rows(s, s->model->cond_rows));
}

static void watch(const Slot *s, Entry entry, const flow_call *c) {
  const flow_model *m = s->model;
  uint64_t state = (uint64_t)m->dim + m->extras;
  reads(c, sizeof *c);
  reads(c->weights, m->blob_bytes);
  if (entry != ATTEMPT) writes(c->scratch, s->level->scratch_bytes + (entry == STEP ? c->stages * s->level->stage_bytes : 0));
  switch (entry) {
  case EVAL:
  case EVAL_LANE:
    reads(c->x, rows(s, m->dim));
    reads(c->times, entry == EVAL ? times_row(s) : rows(s, m->times_rows));
    reads_of_sample(s, c);
    writes(c->u, rows(s, state));
    break;
  case STEP:
    for (uint32_t i = 0; i < c->stages; i++) reads(c->stage_times[i], times_row(s));
    reads_of_sample(s, c);
    writes(c->x, rows(s, state));
    break;
  case TIMES:
    reads(c->t, (uint64_t)c->lanes * m->precision);
    writes(c->u, rows(s, m->times_rows));
    break;
  case COND:
    reads(c->conditions, rows(s, m->condition_rows));
    writes(c->u, rows(s, m->cond_rows));
    break;
  case DERIVE: writes(c->u, rows(s, m->derived_rows)); break;
  case ATTEMPT:
    reads_of_sample(s, c);
    writes(c->x, rows(s, state));
    writes(c->k, c->method->stages * s->level->stage_bytes);
    writes(c->lane, rows(s, FLOW_LANE_ROWS));
    writes(c->scratch, s->level->attempt_bytes);
    break;
  case ENTRIES: break;
  }
}

static int call(unsigned index, Entry entry, const flow_call *c) {
  const Slot *s = &slot[index];
  flow_entry *const of[ENTRIES] = {s->level->eval, s->level->eval_lane, s->level->step, s->level->times, s->level->cond, s->level->derive, s->level->attempt};
  atomic_fetch_add_explicit(&calls, 1, memory_order_relaxed);
  watch(s, entry, c);
  return of[entry](c);
}

/* ---- a function for each entry of each slot ----------------------------------------------------------------------------- */

#define FOR_ENTRIES(X, n) \
  X(n, EVAL) X(n, EVAL_LANE) X(n, STEP) X(n, TIMES) X(n, COND) X(n, DERIVE) X(n, ATTEMPT)
#define FOR_SLOTS(X) X(0) X(1) X(2) X(3) X(4) X(5) X(6) X(7) X(8) X(9) X(10) X(11) X(12) X(13) X(14) X(15) X(16) X(17) X(18) X(19)
#define FUNCTION(n, entry) \
  static int entry##_##n(const flow_call *c) { return call(n, entry, c); }
#define FUNCTIONS(n) FOR_ENTRIES(FUNCTION, n)
FOR_SLOTS(FUNCTIONS)
#define NAME(n, entry) entry##_##n,
#define NAMES(n) {FOR_ENTRIES(NAME, n)},
static flow_entry *const wrapper[SLOTS][ENTRIES] = {FOR_SLOTS(NAMES)};

static flow_level wrap(const flow_model *model, const flow_level *level, unsigned index) {
  flow_level made = *level;
  flow_entry **const field[ENTRIES] = {&made.eval, &made.eval_lane, &made.step, &made.times, &made.cond, &made.derive, &made.attempt};
  slot[index] = (Slot){model, level};
  for (int e = 0; e < ENTRIES; e++)
    if (*field[e]) *field[e] = wrapper[index][e];
  return made;
}

/* Models and levels of one watched export. */
typedef struct Copies { flow_model model[MOST_MODELS]; flow_level level[SLOTS]; unsigned models, levels; } Copies;

static const flow_model *watch_model(Copies *copies, const flow_model *from) {
  flow_model *model = &copies->model[copies->models++];
  ck_assert_uint_le(copies->models, MOST_MODELS);
  ck_assert_uint_le(copies->levels + from->levels, SLOTS);
  *model = *from;
  model->level = &copies->level[copies->levels];
  for (uint32_t l = 0; l < from->levels; l++, copies->levels++) copies->level[copies->levels] = wrap(from, &from->level[l], copies->levels);
  return model;
}

const flow_export *watched_export(const flow_export *exported) {
  static flow_export copy;
  static flow_variant variant[MOST_MODELS];
  static flow_density density;
  static Copies copies;
  copies.models = copies.levels = 0;
  copy = *exported;
  for (uint32_t v = 0; v < exported->variants; v++) {
    variant[v] = exported->variant[v];
    variant[v].model = watch_model(&copies, exported->variant[v].model);
  }
  copy.variant = variant;
  if (!exported->density) return &copy;
  density = *exported->density;
  density.make = watch_model(&copies, exported->density->make);
  density.log_p = watch_model(&copies, exported->density->log_p);
  copy.density = &density;
  return &copy;
}
