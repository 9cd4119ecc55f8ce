/* SPDX-License-Identifier: Apache-2.0 */
/* compile.h -- the whole compiler as a few calls: text in, a model that runs out.
 *
 *   FlowCompileOptions options = flow_compile_defaults();
 *   FlowCompiled *compiled;
 *   flow_status status = flow_compile(&allocator, "moons.flow", text, length, &options, &compiled, &error);
 *   if (compiled) diag_print(flow_compiled_diagnostics(compiled), stderr, true);
 *   if (!status) status = flow_compiled_bind(compiled, &tensors, &error);        // weights, where the program has layers
 *   if (!status) status = flow_compiled_link(compiled, FLOW_ENTRY_STEP, &error); // machine code
 *   const flow_model *model = flow_compiled_model(compiled);
 *   ...
 *   flow_compiled_free(compiled);
 *
 * Each call does one stage; `check` stops after the first, `inspect` after the second.  LLVM is touched only by link. */
#ifndef FLOW_COMPILE_H
#define FLOW_COMPILE_H
#include <stdio.h>
#include "diag.h"
#include "flow/export.h"
#include "ir.h"
#include "smooth.h"
#include "tensor.h"
#include "typed.h"
#include "whose_weights.h"

/* What the model computes beside the velocity: its extras (flow/model.h).  PROBES, JVP and VJP add a last condition.
 *   LOG_P    1 row: -div u, exactly; -log |det J| where the model is a jump (flow/model.h)
 *   PROBES   `probes` rows: -e_j . J e_j, the last condition being e, [probes * dim] numbers (Hutchinson's estimates)
 *   JVP      dim rows: J v, the last condition being v
 *   VJP      dim rows: w J, the last condition being w
 *   SQUARES  no rows: the model gives the loss |u - w|^2 / dim, the last condition being w ("target", [dim] numbers), and its
 *            gradients (flow/model.h, FLOW_ENTRY_GRADIENT): flow matching
 *   PROGRAM_LOSS   the same for the loss that the flow names; last conditions: the parts that it asks for (typed.h, TypedLoss)
 *   ADJOINT  the loss w . u, the last condition being w ("adjoint", [dim]); behind it in u, dim rows, its gradient by x
 *   ADJOINT_LOG_P  the loss w . (u, -div u), w: [dim + 1]; likewise, and a row of -div u behind: what a stage of a solve hands back
 *   ADJOINT_PROBES  the same with the mean of the rates of PROBES for -div u; the conditions before w are "probes"
 *
 * TERMS.  A loss may have terms that make a flow easy to solve, each with a weight (0: it has not): `kinetic` for |u|^2, `jacobian` for
 * |J|^2, the sum of the squares of the Jacobian's elements, or, with jacobian_probe, its estimate |J e|^2 by random vectors e.
 *   SQUARES, PROGRAM_LOSS   the loss grows by weight * term / dim; behind it in u is a row for each term, term / dim.  e is a part of the
 *                           sample, " probe", the last condition
 *   LOG_P, PROBES           a row for each term, without its weight
 *   ADJOINT_LOG_P, _PROBES  as many further numbers of w, with which the terms themselves are multiplied, and further rows.  e are the vectors of the
 *                           trace; where that is exact, one: the condition "probes" of LOG_P too, the last one but for w    */
typedef enum FlowExtras {
  FLOW_NO_EXTRAS, FLOW_LOG_P, FLOW_PROBES, FLOW_JVP, FLOW_VJP, FLOW_SQUARES, FLOW_PROGRAM_LOSS, FLOW_ADJOINT, FLOW_ADJOINT_LOG_P,
  FLOW_ADJOINT_PROBES
} FlowExtras;

/* Where nobody says how log p gets the trace: exactly for states of up to so many numbers, above by so many probes, the fewest that
 * have a standard error. */
enum { FLOW_MOST_EXACT = 64, FLOW_STANDARD_PROBES = 2 };

typedef struct FlowCompileOptions {
  int precision;                /* FLOW_F32 (default) or FLOW_F64 */
  int cpu;                      /* 0: what this machine has; else FLOW_CPU_V3 or FLOW_CPU_V4 */
  int schedule;                 /* 0: as cpu; else the vector width of that level, for tests: the bits are the same */
  const char *flow;             /* NULL: the only flow of the file */
  const char *field;            /* compile this field or network instead of a flow's velocity; NULL: the flow's */
  const char *const *solver;    /* names of the solvers that a flow may ask for, NULL at the end; NULL: the runtime's table */
  bool need_flow;               /* no flow in the file is an error */
  bool first_flow;              /* of several flows, where none is named, take the first; of several fields, none */
  bool rows;                    /* code for one sample at a time, or a few: level->lanes is 1; the same bits */
  bool quick;                   /* code that is made soon rather than runs fast, for an evaluation or two; the same bits */
  bool as_velocity;             /* a flow that is given by a map: compile its velocity all the same, not the jump */
  bool as_path;                 /* ... neither, but where the path from x at the flow's start is at t: u(t, x) is that state */
  FlowExtras extras;
  uint32_t probes;              /* FLOW_PROBES, FLOW_ADJOINT_PROBES: at least 1 */
  double kinetic, jacobian;     /* of what has terms */
  bool jacobian_probe;
  FlowFolders folders;          /* where the flows' files are, which tells their weights apart */
  const char *loss;             /* a `fn` in the place of the loss that the flow names; NULL: that one */
} FlowCompileOptions;
FlowCompileOptions flow_compile_defaults(void);

typedef struct FlowCompiled FlowCompiled;

/* Parses, checks and lowers.  *compiled is set even where the program has errors (status BAD_PROGRAM), so that its
 * diagnostics can be printed; NULL only where memory ran out. */
flow_status flow_compile(const FlowAllocator *allocator, const char *name, const char *text, size_t length,
                         const FlowCompileOptions *options, FlowCompiled **compiled, flow_error *error);
void flow_compiled_free(FlowCompiled *compiled);

const Diagnostics *flow_compiled_diagnostics(const FlowCompiled *compiled);
const TypedProgram *flow_compiled_program(const FlowCompiled *compiled);
const TypedFlow *flow_compiled_flow(const FlowCompiled *compiled);              /* NULL if a field was asked for */
/* The flow that says where the tensors of the function's layers are (whose_weights.h); NULL: none, and *why (may be NULL) is a
 * sentence or NULL. */
const TypedFlow *flow_compiled_filled_by(const FlowCompiled *compiled, const char **why);
const TypedFunction *flow_compiled_function(const FlowCompiled *compiled);      /* the velocity */
const IrFunction *flow_compiled_ir(const FlowCompiled *compiled, bool frozen);

/* Finds the tensors of the layers (bind.h).  Needed before link where the program has layers; tensors is borrowed. */
flow_status flow_compiled_bind(FlowCompiled *compiled, const FlowTensors *tensors, flow_error *error);

/* Schedules, emits and loads machine code for the entries asked for (an "or" of FLOW_ENTRY_...). */
flow_status flow_compiled_link(FlowCompiled *compiled, unsigned entries, flow_error *error);
const flow_model *flow_compiled_model(const FlowCompiled *compiled);            /* after link */

/* How smooth the velocity is in the state: what methods of high order may rely on (smooth.h). */
flow_status flow_compiled_smoothness(FlowCompiled *compiled, IrSmoothness *smoothness, flow_error *error);
/* How the trace of the Jacobian is computed, in words; NULL without FLOW_LOG_P. */
const char *flow_compiled_trace(const FlowCompiled *compiled);
/* The schedule, and the model's tables without levels: for a library of them (compiler/aot).  After bind. */
struct TileProgram;
flow_status flow_compiled_schedule(FlowCompiled *compiled, const struct TileProgram **tile, flow_model *model, flow_error *error);

/* The flow's source; what it points to is the compilation's.  SOURCE_FILE: a tensor that the caller has to read, named by its
 * path.  A density of the program draws in the order of its draw line (draws.h).  BAD_PROGRAM may leave its words in the diagnostics. */
struct FlowSource;
flow_status flow_compiled_source(FlowCompiled *compiled, struct FlowSource *source, flow_error *error);

/* A source that is a density of the program, as the parts of a library (flow/export.h): the draw line, and its two functions as
 * compilations of their own, in f64, with code for one lane; *make and *log_p are the caller's to free, also after a failure.
 * NULL, and density->size 0, where the source is another.  Models and blobs are left to the caller; borrows the compilation. */
flow_status flow_compiled_density(FlowCompiled *compiled, flow_density *density, FlowCompiled **make, FlowCompiled **log_p, flow_error *error);

/* What runs when: once for the weights, once for a solve's times, once for a sample's conditions, at every evaluation; and an
 * evaluation without the extras. */
typedef enum { FLOW_COST_DERIVE, FLOW_COST_TIMES, FLOW_COST_CONDITIONS, FLOW_COST_SAMPLE, FLOW_COST_QUIET, FLOW_COST_SECTIONS } FlowCostSection;

/* How long the stages took, and what a velocity evaluation costs, once it is scheduled (by link, emit or measure). */
typedef struct FlowCompileCost {
  double front_ms, lower_ms, schedule_ms, emit_ms, codegen_ms, load_ms;
  uint64_t nodes;                       /* of the frozen IR */
  uint64_t multiply_adds[FLOW_COST_SECTIONS];   /* of contractions */
  uint64_t object_bytes;
} FlowCompileCost;
FlowCompileCost flow_compiled_cost(const FlowCompiled *compiled);
/* Schedules for the cost alone: layers may lack their weights. */
flow_status flow_compiled_measure(FlowCompiled *compiled, flow_error *error);

/* Writes a stage as text: "ast", "ir" (as lowered), "frozen", "tile", "llvm", "asm".  The last three need bound weights. */
flow_status flow_compiled_emit(FlowCompiled *compiled, const char *stage, unsigned entries, FILE *to, flow_error *error);

const char *flow_compiler_version(void);        /* "flowc 0.1.0 (LLVM 19.1.7)" */

#endif
