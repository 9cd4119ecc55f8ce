/* SPDX-License-Identifier: Apache-2.0 */
/* inspect_arrays.c -- what is in a .safetensors, .npy, .npz or .csv: one line for each array. */
#include "inspect.h"
#include "picture.h"
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char *const type_name[FLOW_TYPE_COUNT] = {
#define TYPE(name, bytes, word, letters) #name,
    FLOW_TYPE_LIST(TYPE)
#undef TYPE
};

typedef struct Summary {
  double least, greatest; /* of the finite elements; NaN if there are none */
  uint64_t nans, infinities;
} Summary;

static Summary summarise(const FlowTensor *tensor) {
  Summary all = {NAN, NAN, 0, 0};
  for (uint64_t i = 0; i < tensor->count; i++) {
    double value = flow_tensor_at(tensor, i);
    if (isnan(value))
      all.nans++;
    else if (isinf(value))
      all.infinities++;
    else {
      if (!(value >= all.least)) all.least = value; /* the first one replaces NaN, too */
      if (!(value <= all.greatest)) all.greatest = value;
    }
  }
  return all;
}

static void shape_text(const FlowTensor *tensor, char *to, size_t room) {
  size_t at = (size_t)snprintf(to, room, "[");
  for (uint32_t r = 0; r < tensor->rank; r++)
    at += (size_t)snprintf(to + at, room - at, "%s%" PRIu64, r ? ", " : "", tensor->dim[r]);
  snprintf(to + at, room - at, "]");
}

static void print_line(const FlowTensor *tensor, int name_width, bool named) {
  char shape[FLOW_TENSOR_MOST_RANK * 24];
  Summary all = summarise(tensor);
  shape_text(tensor, shape, sizeof shape);
  if (named) {
    print_foreign(stdout, tensor->name);
    printf("%*s  ", name_width - (int)strlen(tensor->name) > 0 ? name_width - (int)strlen(tensor->name) : 0, "");
  }
  printf("%-4s  %-14s", type_name[tensor->type], shape);
  if (all.least <= all.greatest)
    printf("  %11.5g .. %-11.5g", all.least, all.greatest);
  else
    printf("  %-26s", tensor->count ? "nothing finite" : "empty");
  printf("  NaN %" PRIu64, all.nans);
  if (all.infinities) printf("  infinite %" PRIu64, all.infinities);
  printf("\n");
}

static void print_json(const char *path, const FlowTensors *tensors) {
  printf("{\"file\": ");
  print_json_text(stdout, path);
  printf(", \"arrays\": [");
  for (uint32_t i = 0; i < tensors->count; i++) {
    const FlowTensor *tensor = &tensors->tensor[i];
    Summary all = summarise(tensor);
    printf("%s\n  {\"name\": ", i ? "," : "");
    print_json_text(stdout, tensor->name);
    printf(", \"type\": \"%s\", \"shape\": [", type_name[tensor->type]);
    for (uint32_t r = 0; r < tensor->rank; r++) printf("%s%" PRIu64, r ? ", " : "", tensor->dim[r]);
    printf("], \"least\": ");
    print_json_number(stdout, all.least);
    printf(", \"greatest\": ");
    print_json_number(stdout, all.greatest);
    printf(", \"nan\": %" PRIu64 ", \"infinite\": %" PRIu64 "}", all.nans, all.infinities);
  }
  printf("]}\n");
}

static void print_table(const FlowTensors *tensors) {
  size_t width = 0;
  uint64_t numbers = 0;
  bool named = tensors->count != 1 || tensors->tensor[0].name[0];
  for (uint32_t i = 0; i < tensors->count; i++) {
    size_t length = strlen(tensors->tensor[i].name);
    if (length > width && length <= 48) width = length;
    numbers += tensors->tensor[i].count;
  }
  for (uint32_t i = 0; i < tensors->count; i++) print_line(&tensors->tensor[i], (int)width, named);
  if (named) printf("%" PRIu32 " arrays, %" PRIu64 " numbers\n", tensors->count, numbers);
}

int inspect_arrays(const Run *run, const char *path) {
  if (has(run, OPTION_flow) || has(run, OPTION_field)) {
    const char *what = has(run, OPTION_flow) ? "flow" : "field";
    complain(&run->terminal, "--%s NAME chooses a %s of a program, and %s is none; --skeleton prints one for a weights file", what, what, path);
    return flow_status_exit_code(FLOW_BAD_CALL);
  }
  FlowTensors tensors;
  flow_error error = {{0}};
  flow_status status = flow_tensors_read(&flow_standard_allocator, path, &tensors, &error);
  if (status) return failed(run, status, &error);
  if (has(run, OPTION_skeleton))
    print_skeleton(stdout, path, &tensors);
  else if (has(run, OPTION_json))
    print_json(path, &tensors);
  else
    print_table(&tensors);
  int code = 0;
  if (has(run, OPTION_plot)) code = picture_of_tensors(run, &tensors);
  flow_tensors_free(&tensors);
  return code ? code : finish_output(run);
}
