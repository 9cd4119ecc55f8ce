/* SPDX-License-Identifier: Apache-2.0 */
/* points.c -- the points at which things are checked: numbers that belong to a point, whatever else is asked for. */
#include "verify_parts.h"
#include <string.h>

uint64_t point_numbers(const PointNames *names) {
  uint64_t numbers = 0;
  for (uint32_t n = 0; n < names->names; n++) numbers += (uint64_t)shape_count(&names->shape[n]);
  return numbers;
}

static double normal(FlowRandom random, uint64_t sample, uint32_t index) {
  double pair[2];
  flow_random_normal_pair(random, sample, index / 2, pair);
  return pair[index % 2];
}

/* Numbers 2j and 2j + 1 of a sample are a pair of normal numbers or two uniform ones, never both, as `first` is even: a time takes
 * a pair of its own. */
void draw_point(const Verify *v, const PointNames *names, uint32_t stream, uint64_t point, double *number) {
  FlowRandom random = {v->options.seed, stream};
  double from = v->flow ? v->flow->time_from : 0, to = v->flow ? v->flow->time_to : 1;
  uint32_t index = 0;
  for (uint32_t n = 0; n < names->names; n++) {
    uint32_t count = (uint32_t)shape_count(&names->shape[n]);
    int64_t rows = names->label ? names->label[n] : 0;
    if (rows) number[0] = floor((double)rows * flow_random_uniform(random, point, index));
    else if (names->is_time[n]) number[0] = from + (to - from) * flow_random_uniform(random, point, index);
    for (uint32_t i = 0; i < count && !names->is_time[n] && !rows; i++) number[i] = normal(random, point, index + i);
    number += count;
    index += (count + 1) / 2 * 2;
  }
}

void keep_point(Verify *v, const PointNames *names, const double *number, VerifyLine *line) {
  VerifyValue *value = arena_array(&v->arena, names->names + 1u, sizeof *value);
  for (uint32_t n = 0; n < names->names; n++) {
    size_t count = (size_t)shape_count(&names->shape[n]);
    double *copy = arena_array(&v->arena, count + 1, sizeof *copy);
    memcpy(copy, number, count * sizeof *copy);
    value[n] = (VerifyValue){names->name[n], names->shape[n], copy};
    number += count;
  }
  line->values = names->names;
  line->value = value;
}

void point_inputs(const PointNames *names, const double *number, const double **input) {
  for (uint32_t n = 0; n < names->names; n++) {
    input[n] = number;
    number += shape_count(&names->shape[n]);
  }
}
