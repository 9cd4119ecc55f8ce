/* SPDX-License-Identifier: Apache-2.0 */
#include "gradients.h"
#include "checked.h"

enum { X, LOSS, CONDITIONS, COND, T, TIMES, BUFFERS, SCRATCH = BUFFERS };

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
  return flow_model_scratch_bytes(g->level, 0, &bytes) && flow_add_size(at, bytes, &g->thread_bytes);
}

flow_status flow_gradients_open(const FlowTrainSettings *settings, const flow_level *level, int threads, uint64_t most,
                                FlowGradients *g, flow_error *error) {
  const flow_model *model = settings->model;
  *g = (FlowGradients){.settings = settings, .level = level, .threads = threads};
  flow_status status = flow_block_sums_open(settings->allocator, model->precision, model->gradient_bytes, threads, most, &g->sums, error);
  size_t bytes;
  if (!status && lay_out_thread(g) && flow_mul_size(g->thread_bytes, (size_t)threads, &bytes))
    g->thread = flow_alloc_aligned(settings->allocator, bytes);
  if (g->thread) return FLOW_OK;
  flow_gradients_close(g);
  return flow_fail(error, FLOW_NO_MEMORY, "out of memory for gradients on %d threads", threads);
}

void flow_gradients_close(FlowGradients *g) {
  if (!g->settings) return;
  if (g->sums.group) flow_block_sums_close(&g->sums);
  if (g->thread) flow_free_aligned(g->settings->allocator, g->thread, g->thread_bytes * (size_t)g->threads);
  *g = (FlowGradients){0};
}

size_t flow_gradients_bytes(const FlowGradients *g) { return flow_block_sums_bytes(&g->sums) + g->thread_bytes * (size_t)g->threads; }

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

/* ---- blocks -------------------------------------------------------------------------------------------------------------- */

static int run_block(void *user, int thread, uint64_t first, uint64_t end, void *sums, double *loss) {
  Work work = *(const Work *)user;
  uint64_t lanes = work.gradients->level->lanes;
  int code = 0;
  work.memory = work.gradients->thread + (size_t)thread * work.gradients->thread_bytes;
  for (; code >= 0 && first < end; first += lanes) code = run_tile(&work, first, (uint32_t)(end - first < lanes ? end - first : lanes), sums, loss);
  return code;
}

flow_status flow_gradients_run(FlowGradients *g, const void *weights, const FlowBatch *batch, double *loss, flow_error *error) {
  Work work = {.gradients = g, .batch = batch, .weights = weights};
  int refused = flow_block_sums_run(&g->sums, batch->count, run_block, &work, loss);
  *loss /= (double)batch->count;
  return refused ? flow_model_refused(g->settings->model, "gradient", refused, error) : FLOW_OK;
}
