/* SPDX-License-Identifier: Apache-2.0 */
/* likelihood.c -- what one gradient of the likelihood costs: 512 points, 20 rk4 steps, exact trace, one thread.
 *   usage: bench_likelihood [rounds]            (weights are random and made in memory)
 *
 * In milliseconds, and in evaluations of the same model's velocity, 80 for each point; a round does each in turn, so that the ratio is
 * that of one moment.  Prints medians of rounds. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "compile.h"
#include "likelihood_loss.h"

enum { POINTS = 512, STEPS = 20, MOST_ROUNDS = 100 };
enum { VELOCITIES, LOG_P, GRADIENT, KINDS };
static const char *const kind[KINDS] = {"velocities", "log p alone", "log p and its gradient"};

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void must(flow_status status, const flow_error *error) {
  if (!status) return;
  fprintf(stderr, "bench_likelihood: %s\n", error->text);
  exit(flow_status_exit_code(status));
}

static double uniform(uint64_t *state) {
  *state ^= *state << 13, *state ^= *state >> 7, *state ^= *state << 17;
  return 2.0 * (double)(*state >> 11) / 9007199254740992.0 - 1;
}

/* net.0.bias, net.0.weight, net.1.bias, ... for the layers' sizes; never freed. */
static FlowTensors random_tensors(const int64_t *size, int layers) {
  FlowTensor *tensor = calloc(2 * (size_t)layers, sizeof *tensor);
  uint64_t state = 88172645463325252u;
  for (int i = 0; i < 2 * layers; i++) {
    uint64_t out = (uint64_t)size[i / 2 + 1], in = (uint64_t)size[i / 2], count = i % 2 ? out * in : out;
    char *name = malloc(32);
    float *data = malloc(count * sizeof *data);
    snprintf(name, 32, "net.%d.%s", i / 2, i % 2 ? "weight" : "bias");
    for (uint64_t k = 0; k < count; k++) data[k] = (float)(1.7 / sqrt((double)in) * uniform(&state));
    tensor[i] = (FlowTensor){.name = name, .type = FLOW_TYPE_F32, .rank = i % 2 ? 2 : 1, .dim = {out, i % 2 ? in : 0}, .count = count, .data = data};
  }
  return (FlowTensors){.allocator = flow_standard_allocator, .count = 2 * (uint32_t)layers, .tensor = tensor};
}

typedef struct Compiled { FlowCompiled *compiled; const flow_model *model; FlowBlob blob; } Compiled;

static Compiled compile(const char *name, const char *text, const FlowTensors *tensors, FlowExtras extras, unsigned entry) {
  Compiled c = {0};
  flow_error error = {{0}};
  FlowCompileOptions options = flow_compile_defaults();
  options.extras = extras;
  must(flow_compile(&flow_standard_allocator, name, text, strlen(text), &options, &c.compiled, &error), &error);
  must(flow_compiled_bind(c.compiled, tensors, &error), &error);
  must(flow_compiled_link(c.compiled, entry, &error), &error);
  c.model = flow_compiled_model(c.compiled);
  must(flow_model_pack(&flow_standard_allocator, c.model, tensors, name, &c.blob, &error), &error);
  return c;
}

static void release(Compiled *c) { flow_blob_free(&c->blob), flow_compiled_free(c->compiled); }

static flow_status forget(void *user, const FlowRows *rows, flow_error *error) {
  (void)user, (void)rows, (void)error;
  return FLOW_OK;
}

/* The same 80 stages of every point, without rates. */
static void solve(const Compiled *c, const FlowSource *source) {
  flow_error error = {{0}};
  FlowSampling what = {.model = c->model, .weights = c->blob.data, .source = source, .seed = 1, .end = POINTS, .steps = STEPS, .t0 = 1,
                       .tableau = flow_tableau_find("rk4"), .threads = 1, .allocator = &flow_standard_allocator, .sink = forget};
  must(flow_sample(&what, &error), &error);
}

static int ascending(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

static double median(double *value, int count) {
  qsort(value, (size_t)count, sizeof *value, ascending);
  return 0.5 * (value[(count - 1) / 2] + value[count / 2]);
}

typedef struct Bench { Compiled velocity, ahead, back; FlowAdjoint *adjoint; FlowAdjointBatch batch; FlowSource source; } Bench;

static double seconds_of(Bench *b, int which) {
  flow_error error = {{0}};
  double start = now(), loss;
  b->batch.loss_alone = which == LOG_P;
  if (which == VELOCITIES)
    solve(&b->velocity, &b->source);
  else
    must(flow_adjoint_run(b->adjoint, b->ahead.blob.data, b->back.blob.data, &b->batch, &loss, &error), &error);
  return now() - start;
}

static void measure(const char *name, const char *text, const int64_t *size, int layers, int rounds) {
  flow_error error = {{0}};
  FlowTensors tensors = random_tensors(size, layers);
  static double x[POINTS * 2], seconds[KINDS][MOST_ROUNDS], ratio[KINDS][MOST_ROUNDS];
  uint64_t state = 7;
  for (int i = 0; i < POINTS * 2; i++) x[i] = 2 * uniform(&state);
  Bench b = {compile(name, text, &tensors, FLOW_NO_EXTRAS, FLOW_ENTRY_STEP), compile(name, text, &tensors, FLOW_LOG_P, FLOW_ENTRY_STEP),
             compile(name, text, &tensors, FLOW_ADJOINT_LOG_P, FLOW_ENTRY_GRADIENT), .source = {.kind = FLOW_SOURCE_NORMAL, .dim = 2}};
  FlowLikelihoodLoss loss = {.source = &b.source, .precision = FLOW_F32};
  const FlowAdjointSettings settings = {.ahead = b.ahead.model, .back = b.back.model, .tableau = flow_tableau_find("rk4"), .steps = STEPS,
                                        .from = 1, .most = POINTS, .threads = 1, .allocator = &flow_standard_allocator};
  must(flow_adjoint_open(&settings, &b.adjoint, &error), &error);
  b.batch = (FlowAdjointBatch){.count = POINTS, .x = x, .loss = flow_likelihood_loss, .user = &loss, .adds_integral = true};
  for (int round = 0; round < rounds; round++)
    for (int k = 0; k < KINDS; k++) {
      seconds[k][round] = seconds_of(&b, k);
      ratio[k][round] = seconds[k][round] / seconds[0][round];
    }
  for (int k = 0; k < KINDS; k++)
    printf("{\"model\": \"%s\", \"what\": \"%s\", \"ms\": %.2f, \"velocities\": %.2f, \"MB\": %.2f}\n", name, kind[k],
           1e3 * median(seconds[k], rounds), median(ratio[k], rounds), k == VELOCITIES ? 0 : (double)flow_adjoint_bytes(b.adjoint) / 1e6);
  flow_adjoint_close(b.adjoint);
  release(&b.velocity), release(&b.ahead), release(&b.back);
}

int main(int argc, char **argv) {
  int rounds = argc > 1 ? atoi(argv[1]) : 11;
  if (rounds < 1 || rounds > MOST_ROUNDS) rounds = MOST_ROUNDS;
  static const struct { const char *name, *text; int64_t size[5]; } model[] = {
      {"3 x 64, tanh", "network v(t, x: [2]) -> [2] = [x, t] |> linear 64 |> tanh |> linear 64 |> tanh |> linear 64 |> tanh |> linear 2", {3, 64, 64, 64, 2}},
      {"3 x 64, SiLU", "network v(t, x: [2]) -> [2] = [x, t] |> linear 64 |> silu |> linear 64 |> silu |> linear 64 |> silu |> linear 2", {3, 64, 64, 64, 2}},
      {"2 x 128, tanh", "network v(t, x: [2]) -> [2] = [x, t] |> linear 128 |> tanh |> linear 128 |> tanh |> linear 2", {3, 128, 128, 2}},
      {"3 x 256, SiLU", "network v(t, x: [2]) -> [2] = [x, t] |> linear 256 |> silu |> linear 256 |> silu |> linear 256 |> silu |> linear 2", {3, 256, 256, 256, 2}},
  };
  static const char flow[] = "flow f { source normal(2)  velocity v  weights \"w.safetensors\" prefix \"net.\"  solver rk4 steps 20 }";
  for (size_t i = 0; i < sizeof model / sizeof *model; i++) {
    char text[1024];
    snprintf(text, sizeof text, "%s\n%s\n", model[i].text, flow);
    measure(model[i].name, text, model[i].size, model[i].size[4] ? 4 : 3, rounds);
  }
  return 0;
}
