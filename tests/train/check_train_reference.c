/* SPDX-License-Identifier: Apache-2.0 */
/* check_train_reference.c -- the loss of a stored batch and its gradient, as a training computes them, are those of PyTorch in f64. */
#include <check.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "../models/model_file.h"
#include "gradients.h"
#include "masters.h"
#include "run_suite.h"

enum { SAMPLES = 128 };
static const struct { const char *name, *flow, *condition; } model[] = {
    {"moons_elu", NULL, NULL}, {"checkerboard_swish", NULL, NULL}, {"gaussians8_to_moons", NULL, NULL},
    {"ffjord_tanh", NULL, NULL}, {"wine_mlp", NULL, NULL}, {"digits_residual", "digits", "fm_c"}};
enum { MODELS = sizeof model / sizeof *model };

#define MUST(call) ck_assert_msg(!(call), "%s", error.text)

/* max |a - b| / max |b| over one tensor; those stored in f32 are good to 6e-8. */
static double distance(const FlowMasters *masters, uint32_t i, const FlowTensor *wanted) {
  double worst = 0, top = 0;
  ck_assert_uint_eq(wanted->count, masters->offset[i + 1] - masters->offset[i]);
  for (uint64_t k = 0; k < wanted->count; k++) {
    double e = flow_tensor_at(wanted, k), d = fabs(flow_masters_at(masters, FLOW_MASTER_GRADIENT, masters->offset[i] + k) - e);
    worst = d <= worst ? worst : d;
    top = fmax(top, fabs(e));
  }
  return worst / top;
}

static void compare(const ModelFile *m, const FlowMasters *masters, double loss, const FlowTensors *stored, double tolerance) {
  double wanted = flow_tensor_at(model_value(m, "fm_loss"), 0);
  ck_assert_msg(fabs(loss - wanted) <= tolerance * wanted, "loss %.17g, PyTorch %.17g", loss, wanted);
  for (uint32_t i = 0; i < m->model->weights; i++) {
    char name[256];
    snprintf(name, sizeof name, "grad/%s", m->model->weight[i].name);
    const FlowTensor *gradient = flow_tensors_find(stored, name);
    ck_assert_msg(gradient != NULL, "no %s", name);
    double d = distance(masters, i, gradient), allowed = gradient->type == FLOW_TYPE_F32 && tolerance < 1e-7 ? 1e-7 : tolerance;
    ck_assert_msg(d <= allowed, "%s: %.3g of its largest number, allowed %.3g", name, d, allowed);
  }
}

static void run(const ModelFile *m, int which, int threads, double tolerance, const FlowTensors *stored) {
  flow_error error = {{0}};
  FlowTrainSettings s = flow_train_defaults();
  FlowBatch batch = {.count = SAMPLES, .dim = m->model->dim, .x0 = model_numbers(model_value(m, "fm_x0")),
                     .x1 = model_numbers(model_value(m, "fm_x1")), .s = model_numbers(model_value(m, "fm_t"))};
  s.model = m->model;
  s.condition = model[which].condition ? model_value(m, model[which].condition) : NULL;
  s.allocator = &flow_standard_allocator;
  FlowGradients gradients;
  FlowMasters masters;
  FlowLossParts loss;
  MUST(flow_masters_open(s.allocator, m->model, false, false, &masters, &error));
  MUST(flow_gradients_open(&s, &m->model->level[0], threads, SAMPLES, &gradients, &error));
  MUST(flow_gradients_run(&gradients, m->blob.data, &batch, &loss, &error));
  flow_masters_gather(&masters, gradients.sums.group, 1.0 / SAMPLES);
  compare(m, &masters, loss.all, stored, tolerance);
  flow_gradients_close(&gradients);
  flow_masters_close(&masters);
  free(batch.x0), free(batch.x1), free(batch.s);
}

static void check_model(int which, int precision, double tolerance) {
  char path[512];
  flow_error error = {{0}};
  FlowTensors stored;
  snprintf(path, sizeof path, TESTS_DIR "/reference/%s/gradients.npz", model[which].name);
  MUST(flow_tensors_read(&flow_standard_allocator, path, &stored, &error));
  ModelFile m = model_open_with(model[which].name, model[which].name, model[which].flow, precision, 0, FLOW_ENTRY_GRADIENT, FLOW_SQUARES, 0);
  run(&m, which, 1, tolerance, &stored);
  model_close(&m);
  flow_tensors_free(&stored);
}

START_TEST(gradients_in_f64_are_those_of_pytorch) { check_model(_i, FLOW_F64, 1e-9); } END_TEST
START_TEST(gradients_in_f32_are_near_those_of_pytorch) { check_model(_i, FLOW_F32, 1e-4); } END_TEST

int main(void) {
  Suite *suite = suite_create("training against PyTorch");
  TCase *tcase = tcase_create("reference");
  tcase_set_timeout(tcase, 100);
  tcase_add_loop_test(tcase, gradients_in_f64_are_those_of_pytorch, 0, MODELS);
  tcase_add_loop_test(tcase, gradients_in_f32_are_near_those_of_pytorch, 0, MODELS);
  suite_add_tcase(suite, tcase);
  return run_suite(suite);
}
