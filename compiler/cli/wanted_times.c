/* SPDX-License-Identifier: Apache-2.0 */
#include "wanted_times.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_EVEN_TIMES = 10000000 };

flow_status wanted_times_evenly(double from, double to, size_t count, WantedTimes *times, flow_error *error) {
  *times = (WantedTimes){calloc(count, sizeof *times->time), count};
  if (!times->time) return flow_fail(error, FLOW_NO_MEMORY, "no memory for %zu times", count);
  for (size_t i = 0; i < count; i++)
    times->time[i] = i + 1 == count && count > 1 ? to : from + (to - from) * (double)i / (double)(count > 1 ? count - 1 : 1);
  return FLOW_OK;
}

/* A:B:N; false: not of this form. */
static bool read_range(const char *text, double *from, double *to, double *count) {
  char *end;
  *from = strtod(text, &end);
  if (end == text || *end != ':') return false;
  *to = strtod(text = end + 1, &end);
  if (end == text || *end != ':') return false;
  *count = strtod(text = end + 1, &end);
  return end != text && *end == 0;
}

static flow_status read_array(const char *what, const char *text, WantedTimes *times, flow_error *error) {
  Given given;
  flow_status status = given_read(what, text, &given, error);
  if (status) return status;
  uint64_t count = given.tensor.count;
  *times = (WantedTimes){calloc(count ? (size_t)count : 1, sizeof *times->time), (size_t)count};
  if (times->time)
    flow_tensor_to_f64(&given.tensor, 0, count, times->time);
  else
    status = flow_fail(error, FLOW_NO_MEMORY, "no memory for the times of %s", what);
  given_free(&given);
  if (!status && count == 0) status = flow_fail(error, FLOW_BAD_INPUT, "%s: there is no time in `%s`", what, text);
  return status;
}

flow_status wanted_times_read(const char *what, const char *text, WantedTimes *times, flow_error *error) {
  double from, to, count;
  *times = (WantedTimes){0};
  flow_status status;
  if (!read_range(text, &from, &to, &count))
    status = read_array(what, text, times, error);
  else if (count >= 2 && count <= MOST_EVEN_TIMES && count == floor(count))
    status = wanted_times_evenly(from, to, (size_t)count, times, error);
  else
    status = flow_fail(error, FLOW_BAD_CALL, "%s %s: a whole number of times from 2 to %d is wanted, not %g", what, text,
                       MOST_EVEN_TIMES, count);
  for (size_t i = 0; !status && i < times->count; i++)
    if (!isfinite(times->time[i]))
      status = flow_fail(error, FLOW_BAD_INPUT, "%s: time %zu is %g; it must be finite", what, i, times->time[i]);
  if (status) wanted_times_free(times);
  return status;
}

void wanted_times_free(WantedTimes *times) {
  free(times->time);
  *times = (WantedTimes){0};
}
