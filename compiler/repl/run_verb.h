/* SPDX-License-Identifier: Apache-2.0 */
/* run_verb.h -- does what a command line asks for; the exit status. */
#ifndef FLOW_RUN_VERB_H
#define FLOW_RUN_VERB_H
#include "run.h"

int run_verb(const Run *run);

#endif
