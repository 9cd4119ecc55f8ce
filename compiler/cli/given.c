/* SPDX-License-Identifier: Apache-2.0 */
#include "given.h"
#include "diag.h" /* diag_nearest */
#include <stdlib.h>
#include <string.h>

/* How many numbers a text like 0.5,-1,2e3 holds; 0 if it is not such a text. */
static size_t count_numbers(const char *text) {
  size_t count = 0;
  for (char *end;; text = end + 1) {
    strtod(text, &end);
    if (end == text || (*end && *end != ',')) return 0;
    count++;
    if (!*end) return count;
  }
}

static flow_status take_numbers(const char *text, size_t count, Given *given, flow_error *error) {
  given->numbers = calloc(count, sizeof *given->numbers);
  if (!given->numbers) return flow_fail(error, FLOW_NO_MEMORY, "out of memory");
  for (size_t i = 0; i < count; i++) {
    char *end;
    given->numbers[i] = strtod(text, &end);
    text = end + 1;
  }
  given->tensor = (FlowTensor){
      .name = "", .type = FLOW_TYPE_F64, .rank = 1, .dim = {count}, .count = count, .data = given->numbers};
  return FLOW_OK;
}

flow_status given_read(const char *what, const char *text, Given *given, flow_error *error) {
  *given = (Given){0};
  size_t count = count_numbers(text);
  if (count) return take_numbers(text, count, given, error);
  const char *suffix = strrchr(text, '.');
  if (!suffix || strchr(suffix, '/'))
    return flow_fail(error, FLOW_BAD_CALL,
                     "%s: `%s` is neither numbers with commas nor a .npy, .npz, .csv or .safetensors file", what, text);
  flow_status status = flow_tensors_read(&flow_standard_allocator, text, &given->file, error);
  if (status) return status;
  given->from_file = true;
  const FlowTensor *chosen = flow_tensors_choose(&given->file, what + strspn(what, "-"));
  if (chosen) {
    given->tensor = *chosen;
    return FLOW_OK;
  }
  status = flow_fail(error, FLOW_BAD_INPUT, "%s: %s holds %u arrays; one is wanted, or one called `samples`", what, text,
                     given->file.count);
  given_free(given);
  return status;
}

void given_free(Given *given) {
  if (given->from_file) flow_tensors_free(&given->file);
  free(given->numbers);
  *given = (Given){0};
}

void given_shape_rows(FlowTensor *tensor, uint64_t dim) {
  if (tensor->rank != 1 || dim == 1 || tensor->count != dim) return;
  tensor->rank = 2;
  tensor->dim[0] = 1;
  tensor->dim[1] = dim;
}

flow_status given_rows(const char *what, Given *given, uint64_t dim, flow_error *error) {
  given_shape_rows(&given->tensor, dim);
  if (!given->numbers || given->tensor.rank != 1 || dim == 1) return FLOW_OK;
  return flow_fail(error, FLOW_BAD_INPUT, "%s: %llu number%s; a point takes %llu", what, (unsigned long long)given->tensor.count,
                   given->tensor.count == 1 ? "" : "s", (unsigned long long)dim);
}

/* ---- conditions -------------------------------------------------------------------------------------------------- */

static flow_status unknown_condition(const flow_model *model, size_t count, const char *name, size_t length,
                                     flow_error *error) {
  const char *known[64];
  if (count > 64) count = 64;
  char copy[128];
  snprintf(copy, sizeof copy, "%.*s", (int)length, name);
  for (size_t i = 0; i < count; i++) known[i] = model->condition[i].name;
  const char *near = count ? diag_nearest(copy, known, count) : NULL;
  if (near)
    return flow_fail(error, FLOW_BAD_CALL, "the velocity has no condition `%s`; did you mean `%s`?", copy, near);
  if (count == 0)
    return flow_fail(error, FLOW_BAD_CALL, "the velocity of %s has no conditions, but `%s` is given", model->name,
                     copy);
  return flow_fail(error, FLOW_BAD_CALL, "the velocity has no condition `%s`; its first one is `%s`", copy, known[0]);
}

static flow_status take_condition(const char *text, const flow_model *model, GivenConditions *conditions,
                                  flow_error *error) {
  const char *equals = strchr(text, '=');
  if (!equals || equals == text || !equals[1])
    return flow_fail(error, FLOW_BAD_CALL, "--condition wants NAME=VALUE or NAME=FILE, not `%s`", text);
  size_t length = (size_t)(equals - text);
  for (uint32_t i = 0; i < conditions->count; i++) {
    const char *name = model->condition[i].name;
    if (strlen(name) != length || strncmp(name, text, length) != 0) continue;
    if (conditions->tensor[i].data) return flow_fail(error, FLOW_BAD_CALL, "the condition `%s` is given twice", name);
    flow_status status = given_read(text, equals + 1, &conditions->given[i], error);
    if (!status) conditions->tensor[i] = conditions->given[i].tensor;
    return status;
  }
  return unknown_condition(model, conditions->count, text, length, error);
}

static flow_status take_all(const CommandLine *line, const flow_model *model, GivenConditions *conditions,
                            flow_error *error) {
  for (size_t i = 0; i < line->conditions; i++) {
    flow_status status = take_condition(line->condition[i], model, conditions, error);
    if (status) return status;
  }
  for (uint32_t i = 0; i < conditions->count; i++)
    if (!conditions->tensor[i].data)
      return flow_fail(error, FLOW_BAD_CALL,
                       "the condition `%s` has no value; say --condition %s=VALUE (%llu number%s) or %s=FILE",
                       model->condition[i].name, model->condition[i].name, (unsigned long long)model->condition[i].size,
                       model->condition[i].size == 1 ? "" : "s", model->condition[i].name);
  return FLOW_OK;
}

flow_status given_conditions(const CommandLine *line, const flow_model *model, uint32_t count,
                             GivenConditions *conditions, flow_error *error) {
  *conditions = (GivenConditions){0};
  conditions->count = count;
  conditions->given = calloc(count + 1, sizeof *conditions->given);
  conditions->tensor = calloc(count + 1, sizeof *conditions->tensor);
  flow_status status = conditions->given && conditions->tensor ? take_all(line, model, conditions, error)
                                                               : flow_fail(error, FLOW_NO_MEMORY, "out of memory");
  if (status) given_conditions_free(conditions);
  return status;
}

void given_conditions_free(GivenConditions *conditions) {
  for (uint32_t i = 0; conditions->given && i < conditions->count; i++) given_free(&conditions->given[i]);
  free(conditions->given);
  free(conditions->tensor);
  *conditions = (GivenConditions){0};
}
