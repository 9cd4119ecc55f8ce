/* SPDX-License-Identifier: Apache-2.0 */
/* derivatives.c -- what derivatives cost, in evaluations of the same model's velocity.
 *   usage: bench_derivatives [rounds]            (in tests/bench's folder; weights are random and made in memory)
 *
 * Each model is compiled once for the velocity and once for each kind of extras; a round evaluates a full tile with each of
 * them in turn, so that the ratio is that of one moment.  Prints medians of rounds.  One thread. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "compile.h"
#include "model.h"

enum { KINDS = 8, MOST_ROUNDS = 200 };
typedef enum { ENTRY_EVAL, ENTRY_STEP, ENTRY_GRADIENT, ENTRY_ONE } Entry;        /* ONE: code for one sample at a time */
static const struct { const char *name; FlowExtras extras; Entry entry; } kind[KINDS] = {
    {"velocity", FLOW_NO_EXTRAS, ENTRY_EVAL}, {"velocity, one sample", FLOW_NO_EXTRAS, ENTRY_ONE}, {"log p, exact", FLOW_LOG_P, ENTRY_EVAL}, {"one probe", FLOW_PROBES, ENTRY_EVAL},
    {"jvp", FLOW_JVP, ENTRY_EVAL},            {"vjp", FLOW_VJP, ENTRY_EVAL},           {"midpoint step, log p", FLOW_LOG_P, ENTRY_STEP},
    {"loss and its gradient", FLOW_SQUARES, ENTRY_GRADIENT}};

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static double uniform(uint64_t *state) {
  *state ^= *state << 13, *state ^= *state >> 7, *state ^= *state << 17;
  return 2.0 * (double)(*state >> 11) / 9007199254740992.0 - 1;
}

/* ---- weights ---------------------------------------------------------------------------------------------------------- */

/* Tensors net.0.weight, net.0.bias, net.1.weight, ... for the layers' sizes; never freed. */
static FlowTensors random_tensors(const int64_t *size, int layers) {
  FlowTensor *tensor = calloc(2 * (size_t)layers, sizeof *tensor);
  uint64_t state = 88172645463325252u;
  for (int l = 0; l < layers; l++)
    for (int bias = 0; bias < 2; bias++) {
      uint64_t out = (uint64_t)size[l + 1], in = (uint64_t)size[l], count = bias ? out : out * in;
      char *name = malloc(32);
      float *data = malloc(count * sizeof *data);
      snprintf(name, 32, "net.%d.%s", l, bias ? "bias" : "weight");
      for (uint64_t i = 0; i < count; i++) data[i] = (float)(1.7 / sqrt((double)in) * uniform(&state));
      tensor[2 * l + bias] = (FlowTensor){.name = name, .type = FLOW_TYPE_F32, .rank = bias ? 1 : 2, .dim = {out, bias ? 0 : in},
                                          .count = count, .data = data};
    }
  for (int i = 0; i < layers; i++) {      /* natural order: bias before weight */
    FlowTensor weight = tensor[2 * i];
    tensor[2 * i] = tensor[2 * i + 1], tensor[2 * i + 1] = weight;
  }
  return (FlowTensors){.allocator = flow_standard_allocator, .count = 2 * (uint32_t)layers, .tensor = tensor};
}

/* ---- one compiled kind -------------------------------------------------------------------------------------------------- */

typedef struct Compiled {
  FlowCompiled *compiled;
  const flow_model *model;
  const flow_level *level;
  FlowBlob blob;
  flow_call call;
  double compile_ms;
} Compiled;

static void *rows(const flow_level *level, uint64_t count) {
  void *memory = aligned_alloc(64, (size_t)((count + 1) * level->lanes * 4 + 63) / 64 * 64);
  float *number = memory;
  uint64_t state = 0x9e3779b97f4a7c15u;
  for (uint64_t i = 0; i < count * level->lanes; i++) number[i] = (float)uniform(&state);
  return memory;
}

static void fail(flow_status status, const flow_error *error) {
  if (!status) return;
  fprintf(stderr, "bench_derivatives: %s\n", error->text);
  exit(flow_status_exit_code(status));
}

static void prepare_call(Compiled *c, Entry entry) {
  static const uint32_t first[] = {0}, second[] = {1};
  static const float half[] = {0.005f}, whole[] = {0.01f};
  static flow_combination combination[3];
  static const void *stage_times[2];
  combination[1] = (flow_combination){1, first, half}, combination[2] = (flow_combination){1, second, whole};
  const flow_model *m = c->model;
  c->call = (flow_call){.size = sizeof c->call, .lanes = c->level->lanes, .weights = c->blob.data, .quiet = 1};
  c->call.conditions = rows(c->level, m->condition_rows), c->call.cond = rows(c->level, m->cond_rows);
  c->call.times = rows(c->level, m->times_rows), c->call.x = rows(c->level, m->dim + m->extras);
  c->call.u = rows(c->level, m->dim + m->extras);
  c->call.scratch = rows(c->level, (c->level->scratch_bytes + 4 * c->level->stage_bytes) / (4 * c->level->lanes) + 1);
  c->call.live = c->level->lanes;
  c->call.gradient = aligned_alloc(64, (size_t)m->gradient_bytes + 64);
  memset(c->call.gradient, 0, (size_t)m->gradient_bytes + 64);
  if (entry == ENTRY_GRADIENT) c->call.times = rows(c->level, m->times_rows * c->level->lanes);
  if (entry != ENTRY_STEP) return;
  stage_times[0] = stage_times[1] = c->call.times;
  c->call.stages = 2, c->call.stage_times = stage_times, c->call.combination = combination;
}

static Compiled compile(const char *name, const char *text, const FlowTensors *tensors, int which) {
  static const unsigned flag[] = {FLOW_ENTRY_EVAL, FLOW_ENTRY_STEP, FLOW_ENTRY_GRADIENT, FLOW_ENTRY_EVAL};
  Compiled c = {0};
  flow_error error = {{0}};
  FlowCompileOptions options = flow_compile_defaults();
  options.extras = kind[which].extras, options.probes = 1, options.rows = kind[which].entry == ENTRY_ONE;
  fail(flow_compile(&flow_standard_allocator, name, text, strlen(text), &options, &c.compiled, &error), &error);
  fail(flow_compiled_bind(c.compiled, tensors, &error), &error);
  fail(flow_compiled_link(c.compiled, flag[kind[which].entry], &error), &error);
  c.model = flow_compiled_model(c.compiled);
  fail(flow_model_level(c.model, 0, &c.level, &error), &error);
  fail(flow_model_pack(&flow_standard_allocator, c.model, tensors, name, &c.blob, &error), &error);
  FlowCompileCost cost = flow_compiled_cost(c.compiled);
  c.compile_ms = cost.front_ms + cost.lower_ms + cost.schedule_ms + cost.emit_ms + cost.codegen_ms + cost.load_ms;
  prepare_call(&c, kind[which].entry);
  return c;
}

/* ---- timing ------------------------------------------------------------------------------------------------------------------ */

static double seconds_of(const Compiled *c, Entry entry, int times) {
  flow_entry *run = entry == ENTRY_STEP ? c->level->step : entry == ENTRY_GRADIENT ? c->level->gradient : c->level->eval;
  double start = now();
  for (int i = 0; i < times; i++) run(&c->call);
  return (now() - start) / times;
}

static int ascending(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

static double median(double *value, int count) {
  qsort(value, (size_t)count, sizeof *value, ascending);
  return 0.5 * (value[(count - 1) / 2] + value[count / 2]);
}

static void measure(const char *name, const char *text, const int64_t *size, int layers, int rounds) {
  FlowTensors tensors = random_tensors(size, layers);
  Compiled c[KINDS];
  static double seconds[KINDS][MOST_ROUNDS], ratio[KINDS][MOST_ROUNDS];
  int kinds = layers ? KINDS : KINDS - 1;               /* nothing to train in a field */
  for (int k = 0; k < kinds; k++) c[k] = compile(name, text, &tensors, k);
  int times = (int)(0.002 / seconds_of(&c[0], ENTRY_EVAL, 3)) + 1;
  for (int round = 0; round < rounds; round++)
    for (int k = 0; k < kinds; k++) {
      seconds[k][round] = seconds_of(&c[k], kind[k].entry, times);
      ratio[k][round] = seconds[k][round] / seconds[0][round];
    }
  for (int k = 0; k < kinds; k++)
    printf("{\"model\": \"%s\", \"what\": \"%s\", \"ns\": %.2f, \"velocities\": %.3f, \"compile_ms\": %.1f}\n", name, kind[k].name,
           1e9 * median(seconds[k], rounds) / c[k].level->lanes, median(ratio[k], rounds), c[k].compile_ms);
  for (int k = 0; k < kinds; k++) flow_blob_free(&c[k].blob), flow_compiled_free(c[k].compiled);
}

static char *read_text(const char *path) {
  FILE *file = fopen(path, "rb");
  char *text = calloc(1, 1 << 16);
  if (!file || !text || !fread(text, 1, (1 << 16) - 1, file)) {
    fprintf(stderr, "bench_derivatives: %s cannot be read\n", path);
    exit(4);
  }
  fclose(file);
  return text;
}

int main(int argc, char **argv) {
  int rounds = argc > 1 ? atoi(argv[1]) : 25;
  if (rounds < 1 || rounds > MOST_ROUNDS) rounds = MOST_ROUNDS;
  static const struct { const char *file; int64_t size[6]; int layers; } model[] = {
      {"mixture8.flow", {0}, 0},
      {"net64.flow", {3, 64, 64, 64, 2}, 4},
      {"net256.flow", {3, 256, 256, 256, 2}, 4},
      {"two256.flow", {65, 256, 256, 64}, 3},
      {"net512.flow", {65, 512, 512, 512, 64}, 4},
  };
  for (size_t i = 0; i < sizeof model / sizeof *model; i++) {
    char *text = read_text(model[i].file);
    measure(model[i].file, text, model[i].size, model[i].layers, model[i].layers && model[i].size[1] > 300 ? rounds / 8 + 3 : rounds);
    free(text);
  }
  return 0;
}
