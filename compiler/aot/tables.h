/* SPDX-License-Identifier: Apache-2.0 */
/* tables.h -- what the files of this folder share while a library is being made. */
#ifndef FLOW_AOT_TABLES_H
#define FLOW_AOT_TABLES_H
#include "image.h"
#include "library.h"

/* Each CPU has two kinds of code: tiles of samples, and one sample at a time for a few of them. */
enum { AOT_WIDTHS = 2 };
/* Models: the variants, and behind them the two functions of a density. */
enum { AOT_MOST_MODELS = AOT_MOST_VARIANTS + 2 };
typedef struct AotBuild {
  const AotLibrary *what;
  Arena arena;
  jmp_buf out_of_memory;
  Image image;
  uint32_t models, parts;
  EmitPart *part;               /* a variant: [AOT_WIDTHS][cpus]; a function of a density: [cpus] */
  flow_model model[AOT_MOST_MODELS];            /* tables without levels */
  uint32_t first_part[AOT_MOST_MODELS];
  uint32_t at[AOT_MOST_MODELS], weights[AOT_MOST_MODELS], packs[AOT_MOST_MODELS], blob[AOT_MOST_MODELS];     /* data */
} AotBuild;

/* library.c: the parts and models. */
flow_status aot_schedule(AotBuild *build, flow_error *error);
/* describe.c: what the library says of itself. */
const char *aot_describe(AotBuild *build);
const char *aot_name(const AotLibrary *library);
/* tables.c: datum 0 is the flow_export. */
void aot_tables(AotBuild *build);

#endif
