/* SPDX-License-Identifier: Apache-2.0 */
/* check_gradients.c -- the flow-matching loss and its gradients by all weights, against those that PyTorch computed in f64.
 *
 * Of 128 stored samples: x_t = (1-t) x0 + t x1, target x1 - x0, and the mean over samples and components. */
#include <check.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "model_file.h"
#include "run_suite.h"
#include "times.h"

enum { SAMPLES = 128 };
static const char *const model[][3] = {{"moons_elu", NULL, NULL},           {"checkerboard_swish", NULL, NULL},
                                       {"gaussians8_to_moons", NULL, NULL}, {"ffjord_tanh", NULL, NULL},
                                       {"wine_mlp", NULL, NULL},            {"digits_residual", "digits", "c"}};
enum { MODELS = sizeof model / sizeof model[0] };

#define MUST(call) ck_assert_msg(!(call), "%s", error.text)

static void *rows(const flow_level *level, uint64_t count, uint32_t precision) {
  void *memory = aligned_alloc(64, (size_t)((count + 1) * level->lanes * precision + 63) / 64 * 64);
  memset(memory, 0, (size_t)((count + 1) * level->lanes * precision + 63) / 64 * 64);
  return memory;
}

typedef struct Batch {
  double *x, *t, *target, *condition;
  double *state_gradient;       /* NULL, or where an adjoint's goes */
  uint64_t dim, conditions, targets;    /* numbers of a sample */
} Batch;

static Batch batch_of(const ModelFile *m, const char *condition) {
  double *x0 = model_numbers(model_value(m, "fm_x0")), *x1 = model_numbers(model_value(m, "fm_x1"));
  Batch b = {.t = model_numbers(model_value(m, "fm_t")), .dim = m->model->dim, .targets = m->model->dim};
  if (condition) {
    const FlowTensor *c = model_value(m, "fm_c");
    b.condition = model_numbers(c), b.conditions = c->count / SAMPLES;
  }
  b.x = calloc(SAMPLES * b.dim, sizeof(double)), b.target = calloc(SAMPLES * b.dim, sizeof(double));
  for (uint64_t i = 0; i < SAMPLES * b.dim; i++) {
    double t = b.t[i / b.dim];
    b.x[i] = (1 - t) * x0[i] + t * x1[i];
    b.target[i] = x1[i] - x0[i];
  }
  free(x0), free(x1);
  return b;
}

static void close_batch(Batch *b) { free(b->x), free(b->t), free(b->target), free(b->condition); }

static void fill(const ModelFile *m, const flow_level *level, void *data, const double *value, uint64_t width, uint64_t first, uint32_t live) {
  FlowTile tile = flow_tile(m->model, level, data, width, live);
  for (uint32_t lane = 0; lane < live; lane++)
    for (uint64_t r = 0; r < width; r++) flow_tile_set(&tile, r, lane, value[(first + lane) * width + r]);
  flow_tile_pad(&tile);
}

/* All tiles in order: the sum of losses, the sums at `gradient`. */
static double run(const ModelFile *m, const Batch *b, uint32_t most, char *gradient) {
  const flow_level *level;
  flow_error error = {{0}};
  MUST(flow_model_level(m->model, 0, &level, &error));
  uint32_t precision = m->model->precision;
  void *t = rows(level, 1, precision), *x = rows(level, b->dim, precision), *u = rows(level, 1 + b->dim, precision);
  void *times = rows(level, m->model->times_rows, precision), *cond = rows(level, m->model->cond_rows, precision);
  char *conditions = rows(level, m->model->condition_rows, precision);
  void *scratch = rows(level, level->scratch_bytes / (level->lanes * precision) + 1, precision);
  double sum = 0;
  if (most > level->lanes) most = level->lanes;
  for (uint64_t first = 0; first < SAMPLES; first += most) {
    uint32_t live = SAMPLES - first < most ? (uint32_t)(SAMPLES - first) : most;
    flow_call call = {.size = sizeof call, .lanes = (live + level->quantum - 1) / level->quantum * level->quantum, .live = live,
                      .weights = m->blob.data, .t = t, .x = x, .conditions = conditions, .scratch = scratch, .gradient = gradient};
    fill(m, level, t, b->t, 1, first, live);
    fill(m, level, x, b->x, b->dim, first, live);
    if (b->conditions) fill(m, level, conditions, b->condition, b->conditions, first, live);
    fill(m, level, conditions + b->conditions * level->lanes * precision, b->target, b->targets, first, live);
    if (level->times) call.u = times, level->times(&call);
    if (level->cond) call.u = cond, level->cond(&call);
    call.u = u, call.times = times, call.cond = cond;
    ck_assert_int_ge(level->gradient(&call), 0);
    for (uint32_t lane = 0; lane < live; lane++) {
      sum += model_at(m, u, lane);
      for (uint64_t k = 0; b->state_gradient && k < b->dim; k++)
        b->state_gradient[(first + lane) * b->dim + k] = model_at(m, u, (1 + k) * level->lanes + lane);
    }
  }
  free(t), free(x), free(u), free(times), free(cond), free(conditions), free(scratch);
  return sum;
}

static double sum_at(const ModelFile *m, const char *gradient, uint32_t weight, uint64_t element) {
  const flow_gradient *g = &m->model->gradient[weight];
  uint64_t r = element / g->columns, c = element % g->columns;
  return model_at(m, gradient + g->at, (uint64_t)((int64_t)r * g->row_step + (int64_t)c * g->column_step));
}

/* f64: sums of 128 samples in another order than PyTorch's, and ulps of the elementary functions, grown by the layers: 1e-9 of the
 * tensor's largest gradient; tensors that are stored in f32 are that exact.  f32: 1e-4. */
static void compare(const ModelFile *m, const FlowTensors *expected, const char *gradient, double tolerance) {
  for (uint32_t w = 0; w < m->model->weights; w++) {
    char name[256];
    snprintf(name, sizeof name, "grad/%s", m->model->weight[w].name);
    const FlowTensor *tensor = flow_tensors_find(expected, name);
    ck_assert_msg(tensor != NULL, "no array %s", name);
    ck_assert_uint_eq(m->model->gradient[w].rows * m->model->gradient[w].columns, tensor->count);
    double *value = model_numbers(tensor), most = 0, bound = tensor->type == FLOW_TYPE_F32 && tolerance < 1e-6 ? 1e-6 : tolerance;
    for (uint64_t i = 0; i < tensor->count; i++) most = fmax(most, fabs(value[i]));
    for (uint64_t i = 0; i < tensor->count; i++) {
      double found = sum_at(m, gradient, w, i) / SAMPLES;
      ck_assert_msg(fabs(found - value[i]) <= bound * most, "%s element %llu: %.15g, PyTorch has %.15g (largest %.3g)", name,
                    (unsigned long long)i, found, value[i], most);
    }
    free(value);
  }
}

static void check_model(const char *const *which, int precision, double tolerance) {
  ModelFile m = model_open_with(which[0], which[0], which[1], precision, 0, FLOW_ENTRY_GRADIENT, FLOW_SQUARES, 0);
  char path[512], *gradient = aligned_alloc(64, m.model->gradient_bytes + 64);
  flow_error error = {{0}};
  FlowTensors expected;
  snprintf(path, sizeof path, TESTS_DIR "/reference/%s/gradients.npz", which[0]);
  MUST(flow_tensors_read(&flow_standard_allocator, path, &expected, &error));
  memset(gradient, 0, m.model->gradient_bytes);
  Batch b = batch_of(&m, which[2]);
  double loss = flow_tensor_at(model_value(&m, "fm_loss"), 0), found = run(&m, &b, 1000, gradient) / SAMPLES;
  ck_assert_msg(fabs(found - loss) <= tolerance * loss, "loss %.15g, PyTorch has %.15g", found, loss);
  compare(&m, &expected, gradient, tolerance);
  close_batch(&b);
  flow_tensors_free(&expected);
  free(gradient);
  model_close(&m);
}

START_TEST(gradients_in_f64_are_those_of_pytorch) { check_model(model[_i], FLOW_F64, 1e-9); }
END_TEST
START_TEST(gradients_in_f32_are_near_those_of_pytorch) { check_model(model[_i], FLOW_F32, 1e-4); }
END_TEST

/* One chain over the samples: tiles cut elsewhere give the same bits, and so does the other vector width. */
START_TEST(gradients_have_the_same_bits_however_samples_are_cut_into_tiles) {
  static const uint32_t most[] = {1000, 16, 5, 1};
  char *first = NULL;
  for (int k = 0; k < 8; k++) {
    int schedule = k < 4 ? FLOW_CPU_V4 : FLOW_CPU_V3;
    ModelFile m = model_open_with("moons_elu", "moons_elu", NULL, FLOW_F32, schedule, FLOW_ENTRY_GRADIENT, FLOW_SQUARES, 0);
    char *gradient = aligned_alloc(64, m.model->gradient_bytes + 64);
    memset(gradient, 0, m.model->gradient_bytes);
    Batch b = batch_of(&m, NULL);
    run(&m, &b, most[k % 4], gradient);
    if (!first) first = gradient;
    for (uint32_t w = 0; w < m.model->weights; w++)
      for (uint64_t i = 0; i < m.model->gradient[w].rows * m.model->gradient[w].columns; i++)
        ck_assert_msg(sum_at(&m, first, w, i) == sum_at(&m, gradient, w, i), "tiles of %u, v%d: weight %u element %llu", most[k % 4], schedule,
                      w, (unsigned long long)i);
    close_batch(&b);
    if (gradient != first) free(gradient);
    model_close(&m);
  }
  free(first);
}
END_TEST

/* ---- a stage of a solve, backward ----------------------------------------------------------------------------------------- */

static double unit_number(uint64_t *state) {
  *state ^= *state << 13, *state ^= *state >> 7, *state ^= *state << 17;
  return 2.0 * (double)(*state >> 11) / 9007199254740992.0 - 1;
}

/* The loss with x moved by h along v, and the weights by h along their direction (both from one seed). */
static double moved_loss(ModelFile *m, const Batch *b, const double *v, double h, bool weights, double *slope, char *gradient) {
  Batch at = *b;
  at.x = calloc(SAMPLES * b->dim, sizeof(double));
  for (uint64_t i = 0; i < SAMPLES * b->dim; i++) at.x[i] = b->x[i] + (weights ? 0 : h * v[i]);
  FlowTensors tensors = m->weights;
  tensors.tensor = calloc(tensors.count, sizeof *tensors.tensor);
  uint64_t state = 88172645463325252u;
  if (slope) *slope = 0;
  for (uint32_t k = 0; k < tensors.count; k++) {
    tensors.tensor[k] = m->weights.tensor[k];
    double *number = model_numbers(&m->weights.tensor[k]);
    uint32_t slot = 0;
    while (slot < m->model->weights && strcmp(m->model->weight[slot].name, tensors.tensor[k].name)) slot++;
    for (uint64_t i = 0; i < tensors.tensor[k].count; i++) {
      double direction = unit_number(&state);
      if (weights) number[i] += h * direction;
      if (slope && slot < m->model->weights && m->model->gradient[slot].rows) *slope += direction * sum_at(m, gradient, slot, i);
    }
    tensors.tensor[k].data = number, tensors.tensor[k].type = FLOW_TYPE_F64;
  }
  ModelFile other = *m;
  flow_error error = {{0}};
  MUST(flow_model_pack(&flow_standard_allocator, m->model, &tensors, "moved", &other.blob, &error));
  char *unused = aligned_alloc(64, m->model->gradient_bytes + 64);
  memset(unused, 0, m->model->gradient_bytes);
  double loss = run(&other, &at, 1000, unused);
  for (uint32_t k = 0; k < tensors.count; k++) free((void *)(uintptr_t)tensors.tensor[k].data);
  free(tensors.tensor), free(unused), free(at.x);
  flow_blob_free(&other.blob);
  return loss;
}

/* Differences with h = 1e-5: error h^2 of the third derivative and 1e-16/h of rounding, both below 1e-6 of the sums of
 * magnitudes; a smooth network, since the divergence of ELU has kinks. */
static void check_adjoint(FlowExtras extras) {
  ModelFile m = model_open_with("ffjord_tanh", "ffjord_tanh", NULL, FLOW_F64, 0, FLOW_ENTRY_GRADIENT, extras, 0);
  Batch b = batch_of(&m, NULL);
  uint64_t state = 1234567;
  const double h = 1e-5;
  b.targets = b.dim + (extras == FLOW_ADJOINT_LOG_P);
  b.target = realloc(b.target, SAMPLES * b.targets * sizeof(double));
  b.state_gradient = calloc(SAMPLES * b.dim, sizeof(double));
  for (uint64_t i = 0; i < SAMPLES * b.targets; i++) b.target[i] = unit_number(&state);
  double *v = calloc(SAMPLES * b.dim, sizeof(double)), along = 0, size = 0, slope;
  for (uint64_t i = 0; i < SAMPLES * b.dim; i++) v[i] = unit_number(&state);
  char *gradient = aligned_alloc(64, m.model->gradient_bytes + 64);
  memset(gradient, 0, m.model->gradient_bytes);
  run(&m, &b, 1000, gradient);
  for (uint64_t i = 0; i < SAMPLES * b.dim; i++) along += v[i] * b.state_gradient[i], size += fabs(v[i] * b.state_gradient[i]);
  free(b.state_gradient), b.state_gradient = NULL;
  double by_x = (moved_loss(&m, &b, v, h, false, NULL, NULL) - moved_loss(&m, &b, v, -h, false, NULL, NULL)) / (2 * h);
  ck_assert_double_eq_tol(along, by_x, 1e-6 * size);
  moved_loss(&m, &b, v, 0, true, &slope, gradient);
  double by_weights = (moved_loss(&m, &b, v, h, true, NULL, NULL) - moved_loss(&m, &b, v, -h, true, NULL, NULL)) / (2 * h);
  ck_assert_double_eq_tol(slope, by_weights, 1e-6 * (1 + fabs(by_weights)) * 10);
  free(v), free(gradient);
  close_batch(&b);
  model_close(&m);
}

/* One value has at most 2^24 numbers; the contributions to the gradients are never made as one. */
START_TEST(a_network_may_have_more_weights_than_a_value_has_numbers) {
  static const char text[] = "network v(t, x: [2]) -> [2] = [t, x] |> linear 2900 |> elu |> linear 2900 |> elu |> linear 2900 |> elu |> linear 2\n"
                             "flow f { source normal(2)  velocity v  solver rk4 steps 20 }\n";
  flow_error error = {{0}};
  FlowCompileOptions options = flow_compile_defaults();
  options.extras = FLOW_SQUARES;
  FlowCompiled *compiled;
  MUST(flow_compile(&flow_standard_allocator, "wide.flow", text, sizeof text - 1, &options, &compiled, &error));
  const IrFunction *frozen = flow_compiled_ir(compiled, true);
  ck_assert_uint_eq(frozen->contributions, 8);
  ck_assert_int_eq(shape_count(&frozen->node[frozen->result].shape), 1 + (3 + 1) * 2900 + 2 * (2900 + 1) * 2900 + (2900 + 1) * 2);
  ck_assert_int_gt(shape_count(&frozen->node[frozen->result].shape), IR_MOST_ELEMENTS);
  ck_assert_ptr_null(ir_verify(frozen));
  flow_compiled_free(compiled);
} END_TEST

START_TEST(the_adjoint_of_a_velocity_is_that_of_differences) { check_adjoint(FLOW_ADJOINT); }
END_TEST
START_TEST(the_adjoint_of_a_velocity_and_its_divergence_is_that_of_differences) { check_adjoint(FLOW_ADJOINT_LOG_P); }
END_TEST

int main(void) {
  Suite *suite = suite_create("gradients");
  TCase *tcase = tcase_create("reference");
  tcase_set_timeout(tcase, 120);
  tcase_add_loop_test(tcase, gradients_in_f64_are_those_of_pytorch, 0, MODELS);
  tcase_add_loop_test(tcase, gradients_in_f32_are_near_those_of_pytorch, 0, MODELS);
  tcase_add_test(tcase, gradients_have_the_same_bits_however_samples_are_cut_into_tiles);
  tcase_add_test(tcase, a_network_may_have_more_weights_than_a_value_has_numbers);
  tcase_add_test(tcase, the_adjoint_of_a_velocity_is_that_of_differences);
  tcase_add_test(tcase, the_adjoint_of_a_velocity_and_its_divergence_is_that_of_differences);
  suite_add_tcase(suite, tcase);
  return run_suite(suite);
}
