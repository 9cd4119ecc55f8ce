/* SPDX-License-Identifier: Apache-2.0 */
/* check_weight_gradients.c -- gradients by the weights of every kind of layer and of what stands between them, against central
 * differences: of flow matching, and of losses at the end of a solve, with no rate, the divergence and its estimates.
 *
 * The loss at moved weights is that of the velocity's own code, so that a solve says w . u(theta + h v) - w . u(theta - h v) forward
 * and (w J) . v backward: the transpose of the derivative by the weights. */
#include <check.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "adjoint.h"
#include "compile.h"
#include "gradients.h"
#include "run_suite.h"

#define MUST(call) ck_assert_msg(!(call), "%s", error.text)

enum { SAMPLES = 20, DIM = 3, CONDITIONS = 2, PROBES = 2 };

#define FLOW "flow f { source normal(3)  velocity v  weights \"w.safetensors\"  solver rk4 steps 2 }\n"
#define MLP(act) "network v(t, x: [3], c: [2]) -> [3] = [t, x, c] |> linear 7 \"a\" |> " act " |> linear 5 \"b\" |> " act " |> linear 3 \"c\"\n" FLOW

/* What is differentiated twice by the divergence's gradient has two derivatives but in single points. */
static const struct { const char *name, *text; } programs[] = {
    {"tanh", MLP("tanh")}, {"sigmoid", MLP("sigmoid")}, {"silu", MLP("silu")}, {"mish", MLP("mish")}, {"softplus", MLP("softplus")},
    {"gelu", MLP("gelu")}, {"gelu_tanh", MLP("gelu_tanh")}, {"elu", MLP("elu")}, {"selu", MLP("selu")}, {"relu", MLP("relu")},
    {"leaky_relu", MLP("leaky_relu")}, {"sin", MLP("sin")},
    {"one layer", "network v(t, x: [3], c: [2]) -> [3] = [t, x, c] |> linear 3 \"a\" no bias\n" FLOW},
    {"three layers", "network v(t, x: [3], c: [2]) -> [3] = [t, x, c] |> linear 6 \"a\" |> tanh |> linear 6 \"b\" |> silu |> linear 5 \"c\" |> tanh |> "
                     "linear 3 \"d\"\n" FLOW},
    {"residual blocks, norms, a part of the time alone, one of the conditions alone",
     "network block(h: [n], e: [m]) -> [n] =\n"
     "  let a = (h |> layer_norm \"norm\" |> linear n \"one\") + (e |> linear n \"two\")\n"
     "  h + (a |> gelu |> linear n \"three\")\n"
     "network v(t, x: [3], c: [2]) -> [3] =\n"
     "  let e = sinusoid(3*t, 3) |> linear 4 \"time\" |> silu\n"
     "  let h = (x |> linear 6 \"in\") + (c |> linear 6 \"given\" no bias)\n"
     "  h |> repeat 2 block(e) \"blocks\" |> layer_norm 1e-3 \"last\" |> linear 3 \"out\"\n" FLOW},
    {"an embedding and params",
     "network v(t, x: [3], c: [2]) -> [3] =\n"
     "  let e = floor(2 + 1.9*tanh(c[0])) |> embedding 4 5 \"classes\"\n"
     "  param(3) \"scale\" * ([x, e, t] |> linear 6 \"a\" |> tanh |> linear 3 \"b\") + param(3, 5) \"mix\" @ e\n" FLOW},
    {"a network that is used twice", "network half(x: [n]) -> [3] = x |> linear 4 \"a\" |> tanh |> linear 3 \"b\"\n"
                                     "network v(t, x: [3], c: [2]) -> [3] = half([x, c]) \"both\" + 2*half([t*x, c]) \"both\"\n" FLOW},
    {"FFJORD's layers", "network v(t, x: [3], c: [2]) -> [3] = concat_squash(x, t, 6) \"0\" |> tanh |> concat_squash(c[0], 5) \"1\" |> tanh |> "
                        "concat_squash(t, 3) \"2\"\n" FLOW},
    {"attention", "network v(t, x: [3], c: [2]) -> [3] =\n"
                  "  let q = for i < 3: ([x[i], c] |> linear 4 \"q\")\n"
                  "  let k = for i < 3: ([x[i], t] |> linear 4 \"k\")\n"
                  "  let value = x |> linear 3 \"value\"\n"
                  "  for i: dot(softmax(for j: dot(q[i], k[j])/2), value)\n" FLOW},
    {"the gradient of a network", "network energy(x: [3], c: [2]) -> [1] = [x, c] |> linear 6 \"a\" |> tanh |> linear 1 \"b\"\n"
                                  "network v(t, x: [3], c: [2]) -> [3] = t*x - vjp(energy)(x, c; [1])\n" FLOW},
    {"choices, norms and powers", "network v(t, x: [3], c: [2]) -> [3] =\n"
                                  "  let h = [x, c] |> linear 6 \"a\"\n"
                                  "  let g = if h[0] > t then h else 2*h\n"
                                  "  let s = standardize(g) + logsumexp(g)/(1 + norm2(h)) + max(h[1], h[2]) + exp(-h^2)\n"
                                  "  (s |> linear 3 \"b\") / (1 + norm(x))\n" FLOW},
    {"a linear system", "network v(t, x: [3], c: [2]) -> [3] =\n"
                        "  let M = param(3, 3) \"A\"\n"
                        "  let A = for i: for j: M[i, j]/4 + (if i == j then 2 + x[0]^2/9 else 0)\n"
                        "  let y = [x, c] |> linear 3 \"a\"\n"
                        "  solve(A, y) + logdet(A)*x/5\n" FLOW},
};
enum { PROGRAMS = sizeof programs / sizeof programs[0], SMOOTH = 7 };     /* the first so many have an activation with all derivatives */

/* ---- a program ------------------------------------------------------------------------------------------------------------------- */

static double next_number(uint64_t *state) {
  *state ^= *state << 13, *state ^= *state >> 7, *state ^= *state << 17;
  return 2.0 * (double)(*state >> 11) / 9007199254740992.0 - 1;
}

static int by_name(const void *a, const void *b) { return flow_natural_order(((const FlowTensor *)a)->name, ((const FlowTensor *)b)->name); }

/* The layer with zeros for weights, as some begin a training: its activation is met at 0 alone. */
static const char *zeros = NULL;

/* Numbers for the weights of a function, moved by h along a direction: in all tensors, or in one. */
static FlowTensors make_weights(const IrFunction *f, double h, int only) {
  FlowTensors tensors = {.count = f->weights, .tensor = calloc(f->weights, sizeof *tensors.tensor)};
  uint64_t state = 88172645463325252u;
  for (uint32_t i = 0; i < f->weights; i++) {
    uint64_t count = (uint64_t)shape_count(&f->weight[i].shape);
    double *number = calloc(count, sizeof *number);
    for (uint64_t k = 0; k < count; k++) {
      double base = 0.7 * next_number(&state), along = next_number(&state);
      if (zeros && f->weight[i].name[0] == zeros[0]) base = 0;
      number[k] = base + (only < 0 || (uint32_t)only == i ? h * along : 0);
    }
    FlowTensor *tensor = &tensors.tensor[i];
    *tensor = (FlowTensor){.name = f->weight[i].name, .type = FLOW_TYPE_F64, .rank = f->weight[i].shape.rank, .count = count, .data = number};
    for (uint32_t d = 0; d < tensor->rank; d++) tensor->dim[d] = (uint64_t)f->weight[i].shape.dim[d];
  }
  qsort(tensors.tensor, tensors.count, sizeof *tensors.tensor, by_name);
  return tensors;
}

static void free_weights(FlowTensors *tensors) {
  for (uint32_t i = 0; i < tensors->count; i++) free((void *)(uintptr_t)tensors->tensor[i].data);
  free(tensors->tensor);
}

static FlowCompiled *compile(const char *text, FlowExtras extras, unsigned entries) {
  flow_error error = {{0}};
  FlowCompiled *compiled;
  FlowCompileOptions options = flow_compile_defaults();
  options.precision = FLOW_F64, options.extras = extras, options.probes = PROBES;
  flow_status status = flow_compile(&flow_standard_allocator, "w.flow", text, strlen(text), &options, &compiled, &error);
  if (status && compiled) diag_print(flow_compiled_diagnostics(compiled), stderr, false);
  ck_assert_msg(!status, "%s", error.text);
  FlowTensors weights = make_weights(flow_compiled_ir(compiled, false), 0, -1);
  MUST(flow_compiled_bind(compiled, &weights, &error));
  MUST(flow_compiled_link(compiled, entries, &error));
  free_weights(&weights);
  return compiled;
}

static FlowBlob pack(const FlowCompiled *compiled, const IrFunction *names, double h, int only) {
  flow_error error = {{0}};
  FlowBlob blob;
  FlowTensors weights = make_weights(names, h, only);
  MUST(flow_model_pack(&flow_standard_allocator, flow_compiled_model(compiled), &weights, "w", &blob, &error));
  free_weights(&weights);
  return blob;
}

/* The direction of make_weights times the gradient, in all tensors or in one. */
static double along(const flow_model *model, const IrFunction *names, const void *sums, int only) {
  uint64_t state = 88172645463325252u;
  double slope = 0;
  for (uint32_t i = 0; i < names->weights; i++) {
    uint32_t which = 0;
    while (which < model->weights && strcmp(model->weight[which].name, names->weight[i].name)) which++;
    for (int64_t k = 0; k < shape_count(&names->weight[i].shape); k++) {
      next_number(&state);
      double direction = next_number(&state);
      if (which == model->weights || (only >= 0 && (uint32_t)only != i)) continue;      /* the loss does not depend on it */
      const flow_gradient *g = &model->gradient[which];
      if (g->rows == 0) continue;
      int64_t r = k / (int64_t)g->columns, c = k % (int64_t)g->columns;
      const double *at = (const double *)(const void *)((const char *)sums + g->at);
      slope += direction * at[r * g->row_step + c * g->column_step];
    }
  }
  return slope;
}

/* Row i of each is for sample i. */
typedef struct Data {
  double x[SAMPLES * DIM], y[SAMPLES * DIM], s[SAMPLES], c[SAMPLES * CONDITIONS], e[SAMPLES * DIM * PROBES];
  FlowTensor condition[2];
} Data;

static FlowTensor rows_of(const char *name, const double *data, uint64_t columns) {
  return (FlowTensor){.name = name, .type = FLOW_TYPE_F64, .rank = 2, .dim = {SAMPLES, columns}, .count = SAMPLES * columns, .data = data};
}

static void make_data(Data *d) {
  uint64_t state = 42;
  for (int i = 0; i < SAMPLES * DIM; i++) d->x[i] = 1.5 * next_number(&state), d->y[i] = 1.5 * next_number(&state);
  for (int i = 0; i < SAMPLES; i++) d->s[i] = 0.5 + 0.5 * next_number(&state);
  for (int i = 0; i < SAMPLES * CONDITIONS; i++) d->c[i] = next_number(&state);
  for (int i = 0; i < SAMPLES * DIM * PROBES; i++) d->e[i] = next_number(&state) < 0 ? -1 : 1;
  d->condition[0] = rows_of("c", d->c, CONDITIONS);
  d->condition[1] = rows_of("probes", d->e, DIM * PROBES);
}

/* h = 1e-5: h^2 times the third derivative, and 1e-16/h of a loss near 100, are below 1e-7 of the sum of what samples add. */
static const double h = 1e-5;
static void compare(const char *program, const char *loss, int tensor, double slope, double difference) {
  ck_assert_msg(fabs(slope - difference) <= 1e-7 * (100 + fabs(difference)), "%s, %s, tensor %d: %.12g, differences %.12g", program, loss, tensor,
                slope, difference);
}

/* ---- at the end of a solve ------------------------------------------------------------------------------------------------------------ */

static double mixed_loss(void *user, uint64_t sample, double *x, double integral, double *by_x, double *by_integral) {
  double loss = integral + integral * integral / 4;
  (void)user;
  *by_integral = 1 + 0.5 * integral;
  for (int i = 0; i < DIM; i++) {
    double share = 1 + 0.1 * (double)((sample + (uint64_t)i) % 3);
    loss += share * sin(x[i]);
    by_x[i] = share * cos(x[i]);
  }
  return loss;
}

static const struct { const char *name; FlowExtras ahead, back; } kinds[] = {
    {"velocity alone", FLOW_NO_EXTRAS, FLOW_ADJOINT}, {"divergence", FLOW_LOG_P, FLOW_ADJOINT_LOG_P}, {"probes", FLOW_PROBES, FLOW_ADJOINT_PROBES}};
enum { KINDS = sizeof kinds / sizeof kinds[0] };

static double solve(FlowAdjoint *adjoint, const FlowBlob *ahead, const FlowBlob *back, const Data *d, bool loss_alone) {
  flow_error error = {{0}};
  double loss;
  const FlowAdjointBatch batch = {.count = SAMPLES, .x = d->x, .condition = d->condition, .loss = mixed_loss, .loss_alone = loss_alone};
  MUST(flow_adjoint_run(adjoint, ahead->data, back ? back->data : NULL, &batch, &loss, &error));
  return loss;
}

static void check_solve(const char *name, const char *text, int kind) {
  flow_error error = {{0}};
  Data d;
  FlowCompiled *ahead = compile(text, kinds[kind].ahead, FLOW_ENTRY_STEP), *back = compile(text, kinds[kind].back, FLOW_ENTRY_GRADIENT);
  const IrFunction *names = flow_compiled_ir(ahead, false);
  FlowAdjoint *adjoint;
  const FlowAdjointSettings settings = {.ahead = flow_compiled_model(ahead), .back = flow_compiled_model(back),
                                        .tableau = flow_tableau_find("rk4"), .steps = 2, .from = 0.1, .to = 0.9, .most = SAMPLES,
                                        .threads = 1, .allocator = &flow_standard_allocator};
  make_data(&d);
  MUST(flow_adjoint_open(&settings, &adjoint, &error));
  FlowBlob here = pack(ahead, names, 0, -1), backward = pack(back, names, 0, -1);
  solve(adjoint, &here, &backward, &d, false);
  for (int only = -1; only < (int)names->weights; only++) {
    FlowBlob above = pack(ahead, names, h, only), below = pack(ahead, names, -h, only);
    double slope = along(settings.back, names, flow_adjoint_sums(adjoint), only);
    /* a loss alone leaves the sums at 0: they are read first */
    double difference = (solve(adjoint, &above, NULL, &d, true) - solve(adjoint, &below, NULL, &d, true)) / (2 * h);
    solve(adjoint, &here, &backward, &d, false);
    compare(name, kinds[kind].name, only, slope, difference);
    flow_blob_free(&above), flow_blob_free(&below);
  }
  flow_blob_free(&here), flow_blob_free(&backward);
  flow_adjoint_close(adjoint);
  flow_compiled_free(ahead), flow_compiled_free(back);
}

START_TEST(gradients_through_a_solve_are_those_of_differences_for_every_kind_of_layer) {
  check_solve(programs[_i / KINDS].name, programs[_i / KINDS].text, _i % KINDS);
}
END_TEST

/* ---- flow matching ------------------------------------------------------------------------------------------------------------------------ */

static void check_flow_matching(const char *name, const char *text) {
  flow_error error = {{0}};
  Data d;
  FlowCompiled *compiled = compile(text, FLOW_SQUARES, FLOW_ENTRY_GRADIENT);
  const flow_model *model = flow_compiled_model(compiled);
  const IrFunction *names = flow_compiled_ir(compiled, false);
  FlowTrainSettings s = flow_train_defaults();
  FlowGradients gradients;
  make_data(&d);
  const FlowBatch batch = {.count = SAMPLES, .dim = DIM, .x0 = d.x, .x1 = d.y, .s = d.s};
  s.model = model, s.condition = d.condition, s.allocator = &flow_standard_allocator;
  MUST(flow_gradients_open(&s, &model->level[0], 1, SAMPLES, &gradients, &error));
  for (int only = -1; only < (int)names->weights; only++) {
    FlowLossParts loss[3];
    FlowBlob blob[3] = {pack(compiled, names, h, only), pack(compiled, names, -h, only), pack(compiled, names, 0, only)};
    for (int i = 0; i < 3; i++) {
      MUST(flow_gradients_run(&gradients, blob[i].data, &batch, &loss[i], &error));
      flow_blob_free(&blob[i]);
    }
    double slope = along(model, names, gradients.sums.group, only);
    compare(name, "flow matching", only, slope, SAMPLES * (loss[0].all - loss[1].all) / (2 * h));
  }
  flow_gradients_close(&gradients);
  flow_compiled_free(compiled);
}

START_TEST(gradients_of_flow_matching_are_those_of_differences_for_every_kind_of_layer) {
  check_flow_matching(programs[_i].name, programs[_i].text);
}
END_TEST

START_TEST(a_layer_of_zeros_has_the_gradients_of_differences_behind_every_smooth_activation) {
  zeros = "b";
  check_flow_matching(programs[_i].name, programs[_i].text);
  for (int kind = 0; kind < KINDS; kind++) check_solve(programs[_i].name, programs[_i].text, kind);
  zeros = NULL;
}
END_TEST

int main(void) {
  Suite *suite = suite_create("gradients by weights");
  TCase *tcase = tcase_create("layers");
  tcase_set_timeout(tcase, 120);
  tcase_add_loop_test(tcase, gradients_of_flow_matching_are_those_of_differences_for_every_kind_of_layer, 0, PROGRAMS);
  tcase_add_loop_test(tcase, a_layer_of_zeros_has_the_gradients_of_differences_behind_every_smooth_activation, 0, SMOOTH);
  tcase_add_loop_test(tcase, gradients_through_a_solve_are_those_of_differences_for_every_kind_of_layer, 0, PROGRAMS * KINDS);
  suite_add_tcase(suite, tcase);
  return run_suite(suite);
}
