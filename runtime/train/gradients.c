/* SPDX-License-Identifier: Apache-2.0 */
#include "gradients.h"
#include "checked.h"
#include "rounding.h"
#include <omp.h>
#include <string.h>

enum { X, LOSS, CONDITIONS, COND, T, TIMES, BUFFERS, SCRATCH = BUFFERS, LEVELS };

/* ---- memory ------------------------------------------------------------------------------------------------------------ */

static bool lay_out_thread(FlowGradients *g) {
  const flow_model *model = g->settings->model;
  const uint64_t rows[BUFFERS] = {model->dim, 1, model->condition_rows, model->cond_rows, 1, model->times_rows};
  size_t at = 0, bytes;
  for (int i = 0; i < BUFFERS; i++) {
    g->at[i] = at;
    if (!flow_model_lanes_bytes(model, g->level, rows[i], &bytes) || !flow_add_size(at, bytes, &at)) return false;
  }
  g->at[SCRATCH] = at;
  if (!flow_model_scratch_bytes(g->level, 0, &bytes) || !flow_add_size(at, bytes, &at)) return false;
  g->at[LEVELS] = at;
  return flow_mul_size(g->levels, g->pitch, &bytes) && flow_add_size(at, bytes, &g->thread_bytes);
}

static bool lay_out(FlowGradients *g, uint64_t most) {
  size_t bytes;
  g->most_blocks = (most + FLOW_TRAIN_BLOCK - 1) / FLOW_TRAIN_BLOCK;
  while ((g->most_blocks + ((uint64_t)1 << g->levels) - 1) >> g->levels > FLOW_TRAIN_GROUPS) g->levels++;
  g->groups = (size_t)((g->most_blocks + ((uint64_t)1 << g->levels) - 1) >> g->levels);
  return flow_u64_to_size(g->settings->model->gradient_bytes, &bytes) && flow_align_up(bytes ? bytes : 1, 64, &g->pitch) && lay_out_thread(g);
}

flow_status flow_gradients_open(const FlowTrainSettings *settings, const flow_level *level, int threads, uint64_t most,
                                FlowGradients *g, flow_error *error) {
  *g = (FlowGradients){.settings = settings, .level = level, .threads = threads};
  size_t group_bytes, thread_bytes;
  if (lay_out(g, most) && flow_mul_size(g->groups, g->pitch, &group_bytes) && flow_mul_size(g->thread_bytes, (size_t)threads, &thread_bytes)) {
    g->group = flow_alloc_aligned(settings->allocator, group_bytes);
    g->thread = g->group ? flow_alloc_aligned(settings->allocator, thread_bytes) : NULL;
  }
  if (g->thread) return FLOW_OK;
  flow_gradients_close(g);
  return flow_fail(error, FLOW_NO_MEMORY, "out of memory for gradients on %d threads", threads);
}

void flow_gradients_close(FlowGradients *g) {
  if (!g->settings) return;
  if (g->group) flow_free_aligned(g->settings->allocator, g->group, g->groups * g->pitch);
  if (g->thread) flow_free_aligned(g->settings->allocator, g->thread, g->thread_bytes * (size_t)g->threads);
  *g = (FlowGradients){0};
}

size_t flow_gradients_bytes(const FlowGradients *g) { return g->groups * g->pitch + g->thread_bytes * (size_t)g->threads; }

/* ---- a tile -------------------------------------------------------------------------------------------------------------- */

typedef struct Work {           /* of one thread, in one run */
  const FlowGradients *gradients;
  const FlowBatch *batch;
  const void *weights;
  char *memory;
} Work;

static FlowTile tile_of(const Work *w, int buffer, uint64_t rows, uint32_t live) {
  return flow_tile(w->gradients->settings->model, w->gradients->level, w->memory + w->gradients->at[buffer], rows, live);
}

/* The point on the path, the velocity there, the field's own time. */
static void fill_lane(const Work *w, uint64_t sample, uint32_t lane, const FlowTile *x, const FlowTile *target, const FlowTile *t) {
  const FlowTrainSettings *s = w->gradients->settings;
  const double *x0 = w->batch->x0 + sample * x->rows, *x1 = w->batch->x1 + sample * x->rows;
  double at = w->batch->s[sample], span = s->s1 - s->s0, rate = span / (s->t1 - s->t0);
  FlowPathPoint p = flow_path_at(s->path, at);
  flow_tile_set(t, 0, lane, s->t0 + (s->t1 - s->t0) * ((at - s->s0) / span));
  for (uint64_t r = 0; r < x->rows; r++) {
    flow_tile_set(x, r, lane, p.alpha * x1[r] + p.sigma * x0[r]);
    flow_tile_set(target, r, lane, rate * (p.alpha_rate * x1[r] + p.sigma_rate * x0[r]));
  }
}

/* The user's conditions of one sample; the target is filled by fill_lane. */
static void fill_conditions(const Work *w, uint64_t sample, uint32_t lane, const FlowTile *conditions) {
  const FlowTrainSettings *s = w->gradients->settings;
  flow_model own = *s->model;
  FlowTile one = *conditions;
  if (--own.conditions == 0) return;
  one.data = (char *)conditions->data + (size_t)lane * conditions->precision;
  one.live = one.lanes = 1;
  flow_conditions_fill(&own, s->condition, w->batch->row ? w->batch->row[sample] : sample, &one);
}

static int run_sections(const Work *w, flow_call *call, const FlowTile *cond, const FlowTile *times) {
  const flow_level *level = w->gradients->level;
  call->u = cond->data;
  int code = cond->rows ? level->cond(call) : 0;
  call->cond = cond->rows ? cond->data : NULL;
  call->u = times->data;
  if (code >= 0 && times->rows) code = level->times(call);
  call->times = times->data;
  return code;
}

static int run_tile(const Work *w, uint64_t first, uint32_t live, char *sums, double *loss) {
  const flow_model *model = w->gradients->settings->model;
  FlowTile x = tile_of(w, X, model->dim, live), u = tile_of(w, LOSS, 1, live), t = tile_of(w, T, 1, live);
  FlowTile conditions = tile_of(w, CONDITIONS, model->condition_rows, live), target = conditions;
  FlowTile cond = tile_of(w, COND, model->cond_rows, live), times = tile_of(w, TIMES, model->times_rows, live);
  target.data = (char *)conditions.data + (size_t)model->condition[model->conditions - 1].row * x.stride * x.precision;
  target.rows = model->dim;
  for (uint32_t lane = 0; lane < live; lane++) {
    fill_lane(w, first + lane, lane, &x, &target, &t);
    fill_conditions(w, first + lane, lane, &conditions);
  }
  flow_tile_pad(&x);
  flow_tile_pad(&t);
  flow_tile_pad(&conditions);
  flow_call call = {.size = sizeof call, .lanes = x.lanes, .weights = w->weights, .t = t.data, .conditions = conditions.data,
                    .scratch = w->memory + w->gradients->at[SCRATCH]};
  int code = run_sections(w, &call, &cond, &times);
  call.x = x.data;
  call.u = u.data;
  call.gradient = sums;
  call.live = live;
  if (code >= 0) code = w->gradients->level->gradient(&call);
  for (uint32_t lane = 0; lane < live; lane++) *loss += flow_tile_at(&u, 0, lane);
  return code;
}

/* ---- blocks and their tree ----------------------------------------------------------------------------------------------- */

static int run_block(const Work *w, uint64_t block, char *sums, double *loss) {
  uint64_t first = block * FLOW_TRAIN_BLOCK, end = first + FLOW_TRAIN_BLOCK, lanes = w->gradients->level->lanes;
  int code = 0;
  if (end > w->batch->count) end = w->batch->count;
  memset(sums, 0, w->gradients->pitch);
  *loss = 0;
  for (; code >= 0 && first < end; first += lanes) code = run_tile(w, first, (uint32_t)(end - first < lanes ? end - first : lanes), sums, loss);
  return code;
}

#define ADD(T)                                                          \
  static void add_##T(size_t count, T *restrict to, const T *restrict from) { \
    for (size_t i = 0; i < count; i++) to[i] += from[i];                \
  }
ADD(float)
ADD(double)

static void add(const FlowGradients *g, char *to, const char *from, size_t bytes) {
  if (g->settings->model->precision == FLOW_F32)
    add_float(bytes / sizeof(float), (float *)(void *)to, (const float *)(const void *)from);
  else
    add_double(bytes / sizeof(double), (double *)(void *)to, (const double *)(const void *)from);
}

/* A stack of subtrees: two of one size on top are one of the next size. */
typedef struct Stack { char *sums[40]; double loss[40]; uint64_t size[40]; uint32_t depth; } Stack;

static void merge(const FlowGradients *g, Stack *stack) {
  uint32_t top = --stack->depth;
  add(g, stack->sums[top - 1], stack->sums[top], g->pitch);
  stack->loss[top - 1] += stack->loss[top];
  stack->size[top - 1] += stack->size[top];
}

static int run_group(FlowGradients *g, const Work *w, uint64_t group, uint64_t blocks) {
  Stack stack = {.sums = {g->group + group * g->pitch}};
  for (uint32_t i = 0; i < g->levels; i++) stack.sums[i + 1] = w->memory + g->at[LEVELS] + i * g->pitch;
  uint64_t first = group << g->levels, end = (group + 1) << g->levels;
  int code = 0;
  if (end > blocks) end = blocks;
  for (uint64_t block = first; code >= 0 && block < end; block++) {
    code = run_block(w, block, stack.sums[stack.depth], &stack.loss[stack.depth]);
    stack.size[stack.depth++] = 1;
    while (stack.depth > 1 && stack.size[stack.depth - 1] == stack.size[stack.depth - 2]) merge(g, &stack);
  }
  while (stack.depth > 1) merge(g, &stack);
  g->loss[group] = stack.loss[0];
  return code;
}

/* The tree over the groups, for the numbers of one slice. */
static void merge_slice(const FlowGradients *g, size_t groups, size_t at, size_t bytes) {
  for (size_t step = 1; step < groups; step *= 2)
    for (size_t i = 0; i + step < groups; i += 2 * step) add(g, g->group + i * g->pitch + at, g->group + (i + step) * g->pitch + at, bytes);
}

static double merge_losses(FlowGradients *g, size_t groups) {
  for (size_t step = 1; step < groups; step *= 2)
    for (size_t i = 0; i + step < groups; i += 2 * step) g->loss[i] += g->loss[i + step];
  return g->loss[0];
}

flow_status flow_gradients_run(FlowGradients *g, const void *weights, const FlowBatch *batch, double *loss, flow_error *error) {
  enum { SLICE = 16384 };
  uint64_t blocks = (batch->count + FLOW_TRAIN_BLOCK - 1) / FLOW_TRAIN_BLOCK;
  uint64_t groups = (blocks + ((uint64_t)1 << g->levels) - 1) >> g->levels;
  int refused = 0;
#pragma omp parallel num_threads(g->threads)
  {
    FlowRounding callers = flow_rounding_enter();
    const Work work = {g, batch, weights, g->thread + (size_t)omp_get_thread_num() * g->thread_bytes};
#pragma omp for schedule(dynamic, 1)
    for (uint64_t i = 0; i < groups; i++) {
      int code = run_group(g, &work, i, blocks);
      if (code >= 0) continue;
#pragma omp critical(flow_gradients_refused)
      refused = code;
    }
#pragma omp for schedule(static)
    for (size_t at = 0; at < g->pitch; at += SLICE) merge_slice(g, (size_t)groups, at, g->pitch - at < SLICE ? g->pitch - at : SLICE);
    flow_rounding_leave(callers);
  }
  *loss = merge_losses(g, (size_t)groups) / (double)batch->count;
  return refused ? flow_model_refused(g->settings->model, "gradient", refused, error) : FLOW_OK;
}
