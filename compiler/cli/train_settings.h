/* SPDX-License-Identifier: Apache-2.0 */
/* train_settings.h -- how a flow is trained: what the options say, else its block `train`, else the standard. */
#ifndef FLOWC_TRAIN_SETTINGS_H
#define FLOWC_TRAIN_SETTINGS_H
#include "given.h"
#include "program.h"
#include "sampling.h"
#include "settings.h"
#include "train_names.h"

typedef struct TrainPlan {
  FlowTrainSettings settings;   /* complete once the program is linked (train_plan_inputs) */
  FlowSource source;
  Given data, from;             /* from: the file that the flow names as its source */
  GivenConditions conditions;
  Sampling steps;               /* likelihood: the solve's method, steps, trace, and whether they adapt; no more */
  FlowCompiled *ahead;          /* likelihood: the velocity and the rates of log p */
  char loss_name[128];          /* settings.loss_name: the program in which it stands is compiled again */
  InitialWay initial;
  double initial_scale;
} TrainPlan;

/* Numbers and words; what they contradict.  After program_open. */
flow_status train_plan(const Run *run, const Program *program, TrainPlan *plan, flow_error *error);
/* What the program is compiled with for the loss (compile.h). */
FlowCompileOptions train_plan_options(const Run *run, const TrainPlan *plan);
/* Data, source and conditions; of the likelihood the velocity is compiled too.  After program_link. */
flow_status train_plan_inputs(const Run *run, const Program *program, TrainPlan *plan, flow_error *error);
void train_plan_free(TrainPlan *plan);

#endif
