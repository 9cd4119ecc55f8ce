/* SPDX-License-Identifier: Apache-2.0 */
/* chunk.c -- parallel loops over tiles. */
#include "chunk.h"
#include "rounding.h"
#include <omp.h>
#include <string.h>

/* One tile and the thread's scratch. */
typedef struct Place {
  uint64_t at;                  /* its first sample, counted from the chunk's */
  FlowTile x, conditions, cond; /* x: the state's rows, behind which the extras' stand */
  double *sum;                  /* [extras][stride] */
  double *point;                /* [dim], the thread's */
  char *scratch;
} Place;

static Place place_of(const FlowChunk *chunk, size_t index, size_t thread) {
  const flow_model *model = chunk->what->model;
  char *data = chunk->tiles + index * chunk->tile_bytes;
  Place place = {.at = index * chunk->width};
  uint64_t rest = chunk->count - place.at;
  uint32_t live = rest < chunk->width ? (uint32_t)rest : chunk->width;
  place.x = flow_tile(model, chunk->level, data, model->dim, live);
  place.conditions = flow_tile(model, chunk->level, data += chunk->x_bytes, model->condition_rows, live);
  place.cond = flow_tile(model, chunk->level, data += chunk->conditions_bytes, model->cond_rows, live);
  place.sum = (double *)(void *)(data + chunk->cond_bytes);
  place.point = chunk->points ? chunk->points + thread * model->dim : NULL;
  place.scratch = chunk->scratch + thread * chunk->scratch_bytes;
  return place;
}

static flow_call call_of(const FlowChunk *chunk, const Place *place) {
  return (flow_call){.size = sizeof(flow_call), .lanes = place->x.lanes, .weights = chunk->what->weights,
                     .conditions = place->conditions.rows ? place->conditions.data : NULL,
                     .cond = place->cond.rows ? place->cond.data : NULL, .scratch = place->scratch};
}

/* What one of the three loops does to a tile; returns the model's answer. */
typedef struct Task Task;
struct Task {
  int (*run)(FlowChunk *chunk, const Place *place, const Task *task);
  const FlowPlan *plan;
  const FlowTimes *times;
  uint64_t first_row, step, end;
};

static void run_tile(FlowChunk *chunk, const Task *task, size_t index, size_t thread) {
  Place place = place_of(chunk, index, thread);
  chunk->code[index] = task->run(chunk, &place, task);
}

/* One thread alone is the caller's, whose mode is set: OpenMP would allocate for it at each entry. */
static void for_each_tile(FlowChunk *chunk, const Task *task) {
  size_t tiles = (size_t)((chunk->count + chunk->width - 1) / chunk->width);
  if (chunk->threads == 1) {
    for (size_t i = 0; i < tiles; i++) run_tile(chunk, task, i, 0);
    return;
  }
#pragma omp parallel num_threads(chunk->threads)
  {
    FlowRounding callers = flow_rounding_enter();
#pragma omp for schedule(dynamic, 1)
    for (size_t i = 0; i < tiles; i++) run_tile(chunk, task, i, (size_t)omp_get_thread_num());
    flow_rounding_leave(callers);
  }
}

static flow_status answer(const FlowChunk *chunk, const char *entry, flow_error *error) {
  for (size_t i = 0; i * chunk->width < chunk->count; i++)
    if (chunk->code[i] < 0) return flow_model_refused(chunk->what->model, entry, chunk->code[i], error);
  return FLOW_OK;
}

/* log p0 of a lane's state. */
static double density_of(const FlowChunk *chunk, const Place *place, uint32_t lane) {
  for (uint64_t row = 0; row < place->x.rows; row++) place->point[row] = flow_tile_at(&place->x, row, lane);
  return flow_source_log_density(chunk->what->density, place->x.precision, place->point);
}

/* A normal distribution has no outside: where its density is 0, a square was too large for a number. */
static FlowSampleStatus judge_density(const FlowSource *source, double density) {
  if (density - density == 0) return FLOW_SAMPLE_OK;
  bool bounded = source->log_density || source->kind == FLOW_SOURCE_UNIFORM;
  return bounded && density < 0 ? FLOW_SAMPLE_OUTSIDE : FLOW_SAMPLE_NO_DENSITY;
}

/* The lane as a tile of one sample. */
static FlowTile lane_of(const FlowTile *tile, uint32_t lane) {
  FlowTile one = *tile;
  one.data = (char *)tile->data + (size_t)lane * tile->precision;
  one.lanes = one.live = 1;
  return one;
}

/* The states, conditions and probes of samples sample, sample + 1, ...; source_row is the first one's row of the source. */
static void fill(const FlowChunk *chunk, uint64_t sample, uint64_t source_row, const FlowTile *x, const FlowTile *conditions) {
  const FlowSampling *what = chunk->what;
  const flow_model *given = &chunk->given;
  flow_source_fill(what->source, (FlowRandom){what->seed, what->stream}, source_row, x);
  if (given->conditions) flow_conditions_fill(given, what->condition, sample, conditions);
  if (!what->probes) return;
  flow_probes_fill(what->probes, sample, given->dim, what->model->condition[given->conditions].row, conditions);
  flow_tile_pad(conditions);
}

static void fill_place(const FlowChunk *chunk, const Place *place) {
  const FlowSampling *what = chunk->what;
  uint64_t first = chunk->first + place->at;
  if (!what->picked) {
    fill(chunk, first, first, &place->x, &place->conditions);
    return;
  }
  for (uint32_t lane = 0; lane < place->x.live; lane++) {
    FlowTile x = lane_of(&place->x, lane), conditions = lane_of(&place->conditions, lane);
    uint64_t sample = what->picked[first + lane];
    fill(chunk, sample, what->source_by_place ? first + lane : sample, &x, &conditions);
  }
  flow_tile_pad(&place->x);
  if (place->conditions.rows) flow_tile_pad(&place->conditions);
}

static int begin_tile(FlowChunk *chunk, const Place *place, const Task *task) {
  (void)task;
  fill_place(chunk, place);
  if (chunk->extras) memset(place->sum, 0, chunk->sum_bytes);
  bool all_finite = flow_tile_is_finite(&place->x);
  for (uint32_t lane = 0; lane < place->x.live; lane++) {
    uint8_t *status = &chunk->status[place->at + lane];
    *status = all_finite || flow_tile_lane_is_finite(&place->x, lane) ? FLOW_SAMPLE_OK : FLOW_SAMPLE_BAD_START;
    if (!chunk->density || chunk->what->density_at_end) continue;
    double density = chunk->density[place->at + lane] = density_of(chunk, place, lane);
    if (*status == FLOW_SAMPLE_OK) *status = judge_density(chunk->what->density, density);
  }
  if (place->cond.rows == 0) return 0;
  flow_call call = call_of(chunk, place);
  call.cond = NULL;
  call.u = place->cond.data;
  return chunk->level->cond(&call);
}

flow_status flow_chunk_begin(FlowChunk *chunk, uint64_t first, flow_error *error) {
  uint64_t rest = chunk->what->end - first, room = (uint64_t)chunk->most_tiles * chunk->width;
  chunk->first = first;
  chunk->count = rest < room ? rest : room;
  for_each_tile(chunk, &(Task){.run = begin_tile});
  return answer(chunk, "cond", error);
}

/* Stages of weight 0 need no rates, quiet samplings none at all. */
static uint64_t quiet_stages(const FlowSampling *what) {
  uint64_t quiet = 0;
  for (uint32_t j = 0; j < what->tableau->stages; j++)
    if (what->quiet || what->tableau->b[j] == 0) quiet |= UINT64_C(1) << j;
  return quiet;
}

static void clear_extras(const Place *place, uint32_t extras) {
  size_t row = (size_t)place->x.stride * place->x.precision;
  memset((char *)place->x.data + place->x.rows * row, 0, extras * row);
}

static void add_extras(const Place *place, uint32_t extras) {
  FlowTile gained = place->x;
  gained.rows += extras;
  for (uint32_t e = 0; e < extras; e++)
    for (uint32_t lane = 0; lane < place->x.live; lane++)
      place->sum[(size_t)e * place->x.stride + lane] += flow_tile_at(&gained, place->x.rows + e, lane);
}

static int advance_tile(FlowChunk *chunk, const Place *place, const Task *task) {
  const FlowPlan *plan = task->plan;
  const void *row[FLOW_MOST_STAGES];
  FlowStepCombinations own;
  flow_call call = call_of(chunk, place);
  call.x = place->x.data;
  call.stages = plan->tableau->stages;
  call.stage_times = row;
  call.quiet = quiet_stages(chunk->what);
  clear_extras(place, chunk->what->model->extras);
  int code = 0;
  for (uint64_t step = task->step; code >= 0 && step < task->end; step++) {
    for (uint32_t j = 0; j < call.stages; j++)
      row[j] = flow_times_row(task->times, flow_plan_row(plan, step, j) - task->first_row);
    call.combination = flow_plan_combination(plan, step, &own);
    code = chunk->level->step(&call);
    if (chunk->extras == 0) continue;
    add_extras(place, chunk->extras);
    clear_extras(place, chunk->extras);
  }
  return code;
}

flow_status flow_chunk_advance(FlowChunk *chunk, const FlowPlan *plan, const FlowTimes *times, uint64_t first_row,
                               uint64_t step, uint64_t end, flow_error *error) {
  for_each_tile(chunk, &(Task){advance_tile, plan, times, first_row, step, end});
  return answer(chunk, "step", error);
}

static bool integrals_are_finite(const double *integral, uint32_t extras) {
  for (uint32_t e = 0; e < extras; e++)
    if (integral[e] - integral[e] != 0) return false;
  return true;
}

/* What became of a lane that began well; its integrals and its density where it ends are put down. */
static FlowSampleStatus arrive_lane(FlowChunk *chunk, const Place *place, uint32_t lane, bool all_finite) {
  uint64_t at = place->at + lane;
  double *integral = chunk->extras ? chunk->integral + at * chunk->extras : NULL;
  for (uint32_t e = 0; e < chunk->extras; e++) integral[e] = place->sum[(size_t)e * place->x.stride + lane];
  bool measured = chunk->density && chunk->what->density_at_end;
  if (measured) chunk->density[at] = density_of(chunk, place, lane);
  if (chunk->status[at] != FLOW_SAMPLE_OK) return (FlowSampleStatus)chunk->status[at];
  if (!all_finite && !flow_tile_lane_is_finite(&place->x, lane)) return FLOW_SAMPLE_NON_FINITE;
  if (!integrals_are_finite(integral, chunk->extras)) return FLOW_SAMPLE_NO_DENSITY;
  return measured ? judge_density(chunk->what->density, chunk->density[at]) : FLOW_SAMPLE_OK;
}

static int arrive_tile(FlowChunk *chunk, const Place *place, const Task *task) {
  (void)task;
  flow_tile_store(&place->x, chunk->rows + (size_t)place->at * flow_chunk_row_bytes(chunk));
  bool all_finite = flow_tile_is_finite(&place->x);
  for (uint32_t lane = 0; lane < place->x.live; lane++)
    chunk->status[place->at + lane] = (uint8_t)arrive_lane(chunk, place, lane, all_finite);
  return 0;
}

FlowRows flow_chunk_arrive(FlowChunk *chunk) {
  for_each_tile(chunk, &(Task){.run = arrive_tile});
  return (FlowRows){.first = chunk->first, .count = chunk->count, .value = chunk->rows, .status = chunk->status,
                    .extras = chunk->extras, .integral = chunk->integral, .log_density = chunk->density};
}
