/* SPDX-License-Identifier: Apache-2.0 */
/* run_verb.c -- from a row of verbs.def to its function.  It stands in the highest layer, since the prompt is a verb too. */
#include "run_verb.h"
#include "plot_verb.h"

static int (*const verb_function[VERB_COUNT])(const Run *) = {
#define VERB(id, operands, least, most, title, text, examples) verb_##id,
#include "verbs.def"
#undef VERB
};

int run_verb(const Run *run) { return is_picture_verb(run) ? picture_verb(run) : verb_function[run->line->verb](run); }
