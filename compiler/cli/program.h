/* SPDX-License-Identifier: Apache-2.0 */
/* program.h -- a .flow file on its way from its path to a model that runs.
 *
 *   Program program;
 *   int code = program_open(run, path, &program);          text, errors and warnings shown
 *   if (!code) code = program_bind(run, &program);         weights found
 *   if (!code) code = program_link(run, &program, FLOW_ENTRY_STEP);
 *   program_close(&program);                               whatever happened
 *
 * Each returns the exit status, 0 or after a message. */
#ifndef FLOWC_PROGRAM_H
#define FLOWC_PROGRAM_H
#include "compile.h"
#include "model.h"
#include "named_file.h"
#include "read_file.h"
#include "run.h"

typedef struct Program {
  const char *path;
  FlowBytes text;
  FlowCompiled *compiled;
  char *weights_path; /* NULL where the program has no weights; a verb may set it before program_bind */
  FlowTensors tensors;
  bool has_tensors;
  /* after program_link */
  const flow_model *model;
  const flow_level *level;
  FlowBlob blob;
  uint32_t own_conditions; /* of the model's conditions the last ones, which are not the user's: probes, a direction */
} Program;

/* Does the command line ask for a solve, also of a flow that is given by a map?  --solver, --steps, --rtol and their like. */
bool program_wants_a_solver(const Run *run);
/* Which of losses.def has this name; -1: none. */
int program_own_loss(const char *name);
int program_open(const Run *run, const char *path, Program *program);
/* What the command line asks of the compiler. */
FlowCompileOptions program_options(const Run *run);
/* The same text for another of its flows; what there was to say has been said. */
int program_open_other(const Run *run, const Program *first, const char *flow, Program *program);
/* Compiles the program once more, for a model that computes `extras` beside its velocity (compile.h).  Before program_bind
 * or after; the weights are kept, and what there was to say has been said. */
int program_with_extras(const Run *run, Program *program, FlowExtras extras, uint32_t probes);
/* The same with other options than program_options. */
int program_again(const Run *run, Program *program, const FlowCompileOptions *how);
int program_bind(const Run *run, Program *program);
int program_link(const Run *run, Program *program, unsigned entries);
/* --emit: shows the stage that was asked for.  After program_open. */
int program_emit(const Run *run, Program *program, unsigned entries);
void program_close(Program *program);

/* A .flow file's text, or that of standard input for "-". */
int program_read_text(const Run *run, const char *path, FlowBytes *text);
/* Does the program read tensors of a weights file? */
bool program_has_weights(const Program *program);

/* A file that a flow of the program names (named_file.h). */
flow_status program_file(const Run *run, const Program *program, NamedFile kind, const TypedFlow *flow, char **resolved, flow_error *error);

#endif
