/* SPDX-License-Identifier: Apache-2.0 */
/* whose_weights.h -- which flow says where the tensors of a function's layers are.
 *
 *   WhoseWeights whose = whose_weights(&arena, &(WhoseQuestion){.program = program, .function = function});
 *   if (!whose.flow && whose.why) ... nobody does, or several do: `why` says it ...
 *
 * A network has the weights of the flow whose velocity uses it, at whatever depth.  Flows that name the same file and prefix are
 * one to it.  A function of two networks needs a flow, or several that name the same, of both. */
#ifndef FLOW_WHOSE_WEIGHTS_H
#define FLOW_WHOSE_WEIGHTS_H
#include "arena.h"
#include "typed.h"

typedef struct WhoseWeights {
  const TypedFlow *flow; /* its weights (NULL: it names none), prefix and skips; NULL: of no flow */
  bool several;          /* `why` is that flows with different weights would be needed, or could be meant */
  const char *why;       /* with flow NULL: one sentence in the arena, or NULL where there are no layers, or no flows at all */
} WhoseWeights;

/* Of each flow a path beside which its files are; equal texts are one folder.  beside NULL: all are in one. */
typedef struct FlowFolders {
  const char *(*beside)(const void *of, const char *flow);
  const void *of;
} FlowFolders;

typedef struct WhoseQuestion { /* unset = 0 */
  const TypedProgram *program;
  const TypedFunction *function;
  const char *asked; /* the flow that a user names, or NULL; it decides between several */
  bool file_given;   /* a user names the file, so that only the prefixes of the flows tell them apart */
  FlowFolders folders;
} WhoseQuestion;

WhoseWeights whose_weights(Arena *arena, const WhoseQuestion *question);
#endif
