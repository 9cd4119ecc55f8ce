/* SPDX-License-Identifier: Apache-2.0 */
/* schedule.h -- the learning rate of an iteration, a function of its number alone. */
#ifndef FLOW_SCHEDULE_H
#define FLOW_SCHEDULE_H
#include <stdint.h>

typedef enum FlowSchedule {
#define SCHEDULE(name, text) FLOW_SCHEDULE_##name,
#include "schedules.def"
#undef SCHEDULE
  FLOW_SCHEDULES
} FlowSchedule;

const char *flow_schedule_name(FlowSchedule schedule);

/* The share of the rate that holds after `done` of `iterations`; (done + 1)/warm_up while that is below 1 in the warm-up. */
double flow_schedule_at(FlowSchedule schedule, uint64_t done, uint64_t iterations, uint64_t warm_up);

#endif
