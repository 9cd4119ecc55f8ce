/* SPDX-License-Identifier: Apache-2.0 */
#include "gradients.h"
#include "checked.h"
#include "probes.h"
#include "streams.h"

_Static_assert(sizeof(FlowLossParts) == FLOW_BLOCK_VALUES * sizeof(double), "a loss and its terms are what is summed");

enum { X, LOSS, CONDITIONS, COND, T, TIMES, BUFFERS, SCRATCH = BUFFERS };

/* ---- memory ------------------------------------------------------------------------------------------------------------ */

static bool lay_out_thread(FlowGradients *g) {
  const flow_model *model = g->settings->model;
  const uint64_t rows[BUFFERS] = {model->dim, 1 + flow_train_terms(&g->settings->terms), model->condition_rows, model->cond_rows, 1, model->times_rows};
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

/* A sample on its path. */
typedef struct Sample {
  uint64_t number;              /* in the batch */
  uint32_t lane;
  const double *x0, *x1;
  double s, rate;               /* rate: ds/dt */
  FlowPathPoint p;
} Sample;

static Sample sample_of(const Work *w, uint64_t number, uint32_t lane) {
  const FlowTrainSettings *s = w->gradients->settings;
  uint64_t dim = s->model->dim;
  double at = w->batch->s[number];
  return (Sample){.number = number, .lane = lane, .x0 = w->batch->x0 + number * dim, .x1 = w->batch->x1 + number * dim, .s = at,
                  .rate = (s->s1 - s->s0) / (s->t1 - s->t0), .p = flow_path_at(s->path, at)};
}

/* The point on the path, and the field's own time. */
static void fill_point(const Work *w, const Sample *at, const FlowTile *x, const FlowTile *t) {
  const FlowTrainSettings *s = w->gradients->settings;
  flow_tile_set(t, 0, at->lane, s->t0 + (s->t1 - s->t0) * ((at->s - s->s0) / (s->s1 - s->s0)));
  for (uint64_t r = 0; r < x->rows; r++) flow_tile_set(x, r, at->lane, at->p.alpha * at->x1[r] + at->p.sigma * at->x0[r]);
}

static double chance_of(const Work *w, const Sample *at) {
  FlowRandom pick = {w->gradients->settings->seed, w->batch->once ? FLOW_STREAM_VALIDATION_PICK : FLOW_STREAM_PICK};
  return flow_random_uniform(pick, w->batch->first + at->number, 3);
}

static void fill_probe(const Work *w, const Sample *at, const FlowTile *rows) {
  const FlowProbes probes = {.seed = w->gradients->settings->seed, .count = 1,
                             .stream = w->batch->once ? FLOW_STREAM_VALIDATION_TRACE : FLOW_STREAM_TRACE};
  FlowTile one = *rows;
  one.data = (char *)rows->data + (size_t)at->lane * rows->precision;
  one.live = one.lanes = 1;
  flow_probes_fill(&probes, w->batch->first + at->number, rows->rows, 0, &one);
}

static void fill_part(const Work *w, FlowLossPart part, const Sample *at, const FlowTile *rows) {
  const FlowPathPoint *p = &at->p;
  if (part == FLOW_PART_probe) {
    fill_probe(w, at, rows);
    return;
  }
  for (uint64_t r = 0; r < rows->rows; r++) {
    double value = part == FLOW_PART_target ? at->rate * (p->alpha_rate * at->x1[r] + p->sigma_rate * at->x0[r])
                   : part == FLOW_PART_x0   ? at->x0[r]
                   : part == FLOW_PART_x1   ? at->x1[r]
                   : part == FLOW_PART_s    ? at->s
                                            : chance_of(w, at);
    flow_tile_set(rows, r, at->lane, value);
  }
}

/* The model's last conditions. */
static void fill_parts(const Work *w, const Sample *at, const FlowTile *conditions) {
  const FlowTrainSettings *s = w->gradients->settings;
  const flow_condition *next = &s->model->condition[flow_train_conditions(s)];
  for (int part = 0; part < FLOW_PARTS; part++) {
    if (!(s->parts >> part & 1)) continue;
    FlowTile rows = *conditions;
    rows.data = (char *)conditions->data + (size_t)next->row * conditions->stride * conditions->precision;
    rows.rows = next++->size;
    fill_part(w, (FlowLossPart)part, at, &rows);
  }
}

/* The user's conditions of one sample. */
static void fill_conditions(const Work *w, uint64_t sample, uint32_t lane, const FlowTile *conditions) {
  const FlowTrainSettings *s = w->gradients->settings;
  flow_model own = *s->model;
  FlowTile one = *conditions;
  if ((own.conditions = flow_train_conditions(s)) == 0) return;
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

static int run_tile(const Work *w, uint64_t first, uint32_t live, char *sums, double *value) {
  const FlowTrainSettings *s = w->gradients->settings;
  const flow_model *model = s->model;
  uint32_t values = 1 + flow_train_terms(&s->terms);
  FlowTile x = tile_of(w, X, model->dim, live), u = tile_of(w, LOSS, values, live), t = tile_of(w, T, 1, live);
  FlowTile conditions = tile_of(w, CONDITIONS, model->condition_rows, live);
  FlowTile cond = tile_of(w, COND, model->cond_rows, live), times = tile_of(w, TIMES, model->times_rows, live);
  for (uint32_t lane = 0; lane < live; lane++) {
    Sample at = sample_of(w, first + lane, lane);
    fill_point(w, &at, &x, &t);
    fill_parts(w, &at, &conditions);
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
  for (uint32_t i = 0; i < values; i++)
    for (uint32_t lane = 0; lane < live; lane++) value[i] += flow_tile_at(&u, i, lane);
  return code;
}

/* ---- blocks -------------------------------------------------------------------------------------------------------------- */

static int run_block(void *user, int thread, uint64_t first, uint64_t end, void *sums, double *value) {
  Work work = *(const Work *)user;
  uint64_t lanes = work.gradients->level->lanes;
  int code = 0;
  work.memory = work.gradients->thread + (size_t)thread * work.gradients->thread_bytes;
  for (; code >= 0 && first < end; first += lanes) {
    if (flow_stop_asked(work.gradients->settings->stop)) return FLOW_BLOCK_STOPPED;
    code = run_tile(&work, first, (uint32_t)(end - first < lanes ? end - first : lanes), sums, value);
  }
  return code;
}

flow_status flow_gradients_run(FlowGradients *g, const void *weights, const FlowBatch *batch, FlowLossParts *loss, flow_error *error) {
  Work work = {.gradients = g, .batch = batch, .weights = weights};
  int refused = flow_block_sums_run(&g->sums, batch->count, run_block, &work);
  const double *value = g->sums.value[0].of;
  *loss = (FlowLossParts){value[0] / (double)batch->count, {value[1] / (double)batch->count, value[2] / (double)batch->count}};
  if (refused == FLOW_BLOCK_STOPPED) return flow_fail(error, FLOW_CANCELLED, "stopped");
  return refused ? flow_model_refused(g->settings->model, "gradient", refused, error) : FLOW_OK;
}
