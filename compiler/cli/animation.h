/* SPDX-License-Identifier: Apache-2.0 */
/* animation.h -- samples on their way, one picture written over the one before. */
#ifndef FLOWC_ANIMATION_H
#define FLOWC_ANIMATION_H
#include "path_output.h"
#include "run.h"
#include "show_progress.h"

/* Does the picture of these options move?  --plot without --ascii, and standard output is a terminal that can. */
bool animation_is_wanted(const Run *run);
/* The first two components of at most MOST points (one component: over its place among the samples) at each time; ends early when
 * the user wants to stop. */
int animation_show(const Run *run, const PathOutput *output, ShowProgress *progress);

#endif
