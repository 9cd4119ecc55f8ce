/* SPDX-License-Identifier: Apache-2.0 */
/* Files that numpy, safetensors and zipfile wrote read to what those programs say they hold (reference/files). */
#include "base/faulty.h"
#include "read_file.h"
#include "run_suite.h"
#include "safetensors.h"
#include "sha256.h"
#include <check.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define FOLDER TESTS_DIR "/reference/files/"

static json_t *expected;
static flow_error error;

static void load(void) {
  json_error_t problem;
  expected = json_load_file(FOLDER "expected.json", 0, &problem);
  ck_assert_msg(expected != NULL, "%s", problem.text);
}

static void unload(void) { json_decref(expected); }

static FlowType type_named(const char *name) {
  static const struct {
    const char *numpy;
    FlowType type;
  } names[] = {{"float64", FLOW_TYPE_F64}, {"float32", FLOW_TYPE_F32}, {"float16", FLOW_TYPE_F16}, {"int64", FLOW_TYPE_I64},
               {"int32", FLOW_TYPE_I32},   {"uint8", FLOW_TYPE_U8},    {"bool", FLOW_TYPE_BOOL}};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    if (strcmp(names[i].numpy, name) == 0) return names[i].type;
  }
  for (int type = 0; type < FLOW_TYPE_COUNT; type++) {
    if (strcmp(flow_type_facts[type].word, name) == 0) return (FlowType)type;
  }
  ck_abort_msg("no type is named %s", name);
}

static double number_in(const json_t *value) {
  if (json_is_boolean(value)) return json_is_true(value);
  if (!json_is_string(value)) return json_number_value(value);
  return strtod(json_string_value(value), NULL);        /* "nan", "inf", "-inf" */
}

static void compare_values(const char *file, const FlowTensor *tensor, const json_t *values, uint64_t first) {
  for (size_t i = 0; i < json_array_size(values); i++) {
    double wanted = number_in(json_array_get(values, i)), found = flow_tensor_at(tensor, first + i);
    float single;
    flow_tensor_to_f32(tensor, first + i, 1, &single);
    ck_assert_msg(isnan(wanted) ? isnan(found) : found == wanted && !signbit(found) == !signbit(wanted),
                  "%s, %s[%zu]: %.17g instead of %.17g", file, tensor->name, i, found, wanted);
    ck_assert(isnan(wanted) ? isnan(single) : single == (float)wanted);
  }
}

static void compare_tensor(const char *file, const FlowTensor *tensor, const json_t *wanted) {
  const json_t *shape = json_object_get(wanted, "shape"), *last = json_object_get(wanted, "last");
  char hash[65];
  ck_assert_int_eq(tensor->type, type_named(json_string_value(json_object_get(wanted, "dtype"))));
  ck_assert_uint_eq(tensor->rank, json_array_size(shape));
  for (uint32_t i = 0; i < tensor->rank; i++)
    ck_assert_int_eq((json_int_t)tensor->dim[i], json_integer_value(json_array_get(shape, i)));
  sha256_hex(tensor->data, tensor->count * flow_type_facts[tensor->type].bytes, hash);
  ck_assert_msg(strcmp(hash, json_string_value(json_object_get(wanted, "sha256"))) == 0, "%s, %s: other bytes", file,
                tensor->name);
  compare_values(file, tensor, json_object_get(wanted, "first"), 0);
  compare_values(file, tensor, last, tensor->count - json_array_size(last));
}

static void compare_tensors(const char *file, const FlowTensors *tensors, const json_t *wanted) {
  const char *name;
  json_t *one;
  ck_assert_uint_eq(tensors->count, json_object_size(wanted));
  json_object_foreach((json_t *)wanted, name, one) {
    const FlowTensor *tensor = flow_tensors_find(tensors, name);
    ck_assert_msg(tensor != NULL, "%s: no array %s", file, name);
    compare_tensor(file, tensor, one);
  }
}

static const char *path_of(const char *file) {
  static char path[512];
  snprintf(path, sizeof path, FOLDER "%s", file);
  return path;
}

START_TEST(every_reference_file_reads_to_the_expected_content) {
  const char *file;
  json_t *facts;
  int read = 0;
  json_object_foreach(expected, file, facts) {
    FlowTensors tensors;
    Faulty f;
    faulty_start(&f);
    flow_status status = flow_tensors_read(&f.allocator, path_of(file), &tensors, &error);
    ck_assert_msg(status == FLOW_OK, "%s", error.text);
    struct stat about;
    ck_assert_int_eq(stat(path_of(file), &about), 0);
    ck_assert_msg(f.peak <= (size_t)about.st_size + ((size_t)32 << 20), "%s: %zu bytes at the peak", file, f.peak);
    compare_tensors(file, &tensors, json_object_get(facts, "tensors"));
    flow_tensors_free(&tensors);
    ck_assert_uint_eq(f.live, 0);
    read++;
  }
  ck_assert_int_ge(read, 34);
} END_TEST

START_TEST(bytes_in_memory_read_to_the_same_as_the_file) {
  const char *file;
  json_t *facts;
  json_object_foreach(expected, file, facts) {
    FlowTensors tensors;
    FlowBytes bytes;
    ck_assert_int_eq(flow_read_file(&flow_standard_allocator, path_of(file), 1 << 20, &bytes, &error), FLOW_OK);
    flow_status status = flow_tensors_parse(&flow_standard_allocator, file, bytes.data, bytes.size, &tensors, &error);
    flow_bytes_free(&flow_standard_allocator, &bytes);          /* nothing may point into it */
    ck_assert_msg(status == FLOW_OK, "%s", error.text);
    compare_tensors(file, &tensors, json_object_get(facts, "tensors"));
    flow_tensors_free(&tensors);
  }
} END_TEST

static void visit(void *user, FlowMetadata pair) {
  json_object_set_new(user, pair.key, json_string(pair.value));
}

START_TEST(metadata_are_passed_over_but_can_be_read) {
  const json_t *wanted = json_object_get(json_object_get(expected, "metadata.safetensors"), "metadata");
  json_t *found = json_object();
  FlowBytes bytes;
  ck_assert_int_eq(flow_read_file(&flow_standard_allocator, path_of("metadata.safetensors"), 1 << 20, &bytes, &error), FLOW_OK);
  ck_assert_int_eq(flow_safetensors_metadata(&flow_standard_allocator, "m", bytes.data, bytes.size, visit, found, &error), FLOW_OK);
  ck_assert_int_eq(json_object_size(wanted), 3);
  ck_assert(json_equal(found, wanted));
  flow_bytes_free(&flow_standard_allocator, &bytes);
  json_decref(found);
} END_TEST

int main(void) {
  Suite *suite = suite_create("reference files");
  TCase *topic = tcase_create("good");
  tcase_add_checked_fixture(topic, load, unload);
  tcase_add_test(topic, every_reference_file_reads_to_the_expected_content);
  tcase_add_test(topic, bytes_in_memory_read_to_the_same_as_the_file);
  tcase_add_test(topic, metadata_are_passed_over_but_can_be_read);
  suite_add_tcase(suite, topic);
  return run_suite(suite);
}
