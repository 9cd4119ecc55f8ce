/* SPDX-License-Identifier: Apache-2.0 */
/* few.h -- the short way to a velocity, where there is one. */
#ifndef FLOW_API_FEW_H
#define FLOW_API_FEW_H
#include "eval.h"

/* False where the level is not for one sample at a time, there are several times or extras, or the stack has no room: then nothing
 * has happened, and flow_evaluate does it.  What is asked for has been checked. */
bool api_evaluate_few(const FlowEvaluation *what, flow_status *status, flow_error *error);

#endif
