/* SPDX-License-Identifier: Apache-2.0 */
#include "schedule.h"
#include "elementary.h"

const char *flow_schedule_name(FlowSchedule schedule) {
  static const char *const name[] = {
#define SCHEDULE(name, text) #name,
#include "schedules.def"
#undef SCHEDULE
  };
  return name[schedule];
}

double flow_schedule_at(FlowSchedule schedule, uint64_t done, uint64_t iterations, uint64_t warm_up) {
  static const double pi = 3.141592653589793;
  if (done < warm_up) return ((double)done + 1) / (double)warm_up;
  double p = iterations > warm_up ? (double)(done - warm_up) / (double)(iterations - warm_up) : 0;
  switch (schedule) {
  case FLOW_SCHEDULE_cosine: return (1 + flow_cos_f64(pi * p)) / 2;
  case FLOW_SCHEDULE_linear: return 1 - p;
  default: return 1;
  }
}
