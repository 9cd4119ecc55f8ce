/* SPDX-License-Identifier: Apache-2.0 */
#include "library_file.h"
#include <check.h>
#include <stdio.h>
#include <string.h>
#include "../cli/user.h"

#define CLASS "c=0,0,0,1,0,0,0,0,0,0,0"

const ReferenceModel reference_models[] = {
    {"abc", NULL, NULL, "", 70},
    {"linear", NULL, NULL, "", 70},
    {"mixture2", NULL, NULL, "", 70},
    {"mixture8", NULL, NULL, "", 70},
    {"radial", NULL, NULL, "", 70},
    {"rotation", NULL, NULL, "", 70},
    {"taylor_green", NULL, NULL, "", 70},
    {"checkerboard_swish", "checkerboard_swish", NULL, "", 33},
    {"ffjord_tanh", "ffjord_tanh", NULL, "", 33},
    {"gaussians8_to_moons", "gaussians8_to_moons", NULL, "", 33},
    {"moons_elu", "moons_elu", NULL, "", 33},
    {"wine_mlp", "wine_mlp", NULL, "", 17},
    {"digits_residual", "digits_residual", "digits", "-c " CLASS " --steps 3", 3},
};
const int reference_model_count = sizeof reference_models / sizeof *reference_models;

const ReferenceModel *model_named(const char *program) {
  for (int i = 0; i < reference_model_count; i++)
    if (strcmp(reference_models[i].program, program) == 0) return &reference_models[i];
  ck_abort_msg("no model %s", program);
  return NULL;
}

const char *weights_of(const ReferenceModel *model) {
  static char path[512];
  snprintf(path, sizeof path, "%s/reference/%s/model.safetensors", TESTS_DIR, model->data);
  return path;
}

const char *model_words(const ReferenceModel *model) {
  static char words[1024];
  int at = snprintf(words, sizeof words, "%s/models/%s.flow", TESTS_DIR, model->program);
  if (model->flow) at += snprintf(words + at, sizeof words - (size_t)at, " --flow %s", model->flow);
  return words;
}

const char *compile_to(const ReferenceModel *model, const char *name, const char *words) {
  static char path[512];
  char weights[600] = "";
  snprintf(path, sizeof path, "%s/%s", scratch(), name);
  if (model->data && !strstr(words, "--weights")) snprintf(weights, sizeof weights, "--weights embed=%s", weights_of(model));
  Result result = flowc("compile %s -o %s -q %s %s", model_words(model), path, weights, words);
  expect_code(result, 0);
  result_free(&result);
  return path;
}

const char *compile_text(const char *name, const char *text, const char *words) {
  static char path[512];
  char file[128];
  snprintf(file, sizeof file, "%s.flow", name);
  snprintf(path, sizeof path, "%s/%s.so", scratch(), name);
  Result result = flowc("%s -o %s -q %s", scratch_file(file, text), path, words);
  expect_code(result, 0);
  result_free(&result);
  return path;
}

static const char *weights_option(const ReferenceModel *model) {
  static char words[600];
  words[0] = 0;
  if (model->data) snprintf(words, sizeof words, "--weights %s", weights_of(model));
  return words;
}

void run_command(const char *verb, const ReferenceModel *model, const char *words) {
  const char *condition = strcmp(verb, "eval") == 0 && model->condition[0] ? "-c " CLASS : model->condition;
  Result result = flowc("%s %s %s %s %s -q", verb, model_words(model), weights_option(model), condition, words);
  expect_code(result, 0);
  result_free(&result);
}

void expect_same(const void *ours, const FlowTensors *theirs, const char *name, const ReferenceModel *model, uint32_t cpu) {
  const FlowTensor *tensor = name ? flow_tensors_find(theirs, name) : theirs->tensor;
  ck_assert_ptr_nonnull(tensor);
  size_t bytes = (size_t)tensor->count * (tensor->type == FLOW_TYPE_F32 ? 4 : 8);
  ck_assert_msg(memcmp(ours, tensor->data, bytes) == 0, "%s: %s on v%u differs from the command", model->program, name ? name : "the array", cpu);
}

flowrt_model *open_library(const char *path, uint32_t cpu) {
  flow_error error = {{0}};
  flowrt_options options = {.size = sizeof options, .cpu = cpu};
  flowrt_model *model = NULL;
  ck_assert_msg(flowrt_open(path, &options, &model, &error) == FLOW_OK, "%s", error.text);
  return model;
}

FlowTensors scratch_tensors(const char *name) {
  char path[512];
  flow_error error = {{0}};
  FlowTensors tensors;
  snprintf(path, sizeof path, "%s/%s", scratch(), name);
  ck_assert_msg(flow_tensors_read(&flow_standard_allocator, path, &tensors, &error) == FLOW_OK, "%s", error.text);
  return tensors;
}
