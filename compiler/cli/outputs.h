/* SPDX-License-Identifier: Apache-2.0 */
/* outputs.h -- where a verb that writes several tables puts each of them. */
#ifndef FLOWC_OUTPUTS_H
#define FLOWC_OUTPUTS_H
#include "run.h"

/* BAD_CALL where two would go to one file, of which the last would be left, or mix on standard output.  Samples and their
 * log-densities may share a .npz. */
flow_status outputs_check(const Run *run, flow_error *error);
/* Does one of them go to standard output, so that a picture cannot? */
bool outputs_use_standard(const Run *run);

#endif
