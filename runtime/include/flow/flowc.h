/* SPDX-License-Identifier: Apache-2.0 */
/* flow/flowc.h -- libflowc: the compiler in a program, for .flow text that is only known when it runs.
 *
 *     cc main.c $(pkg-config --cflags --libs flowc flowrt)
 *
 *     flowc_program *program;
 *     flowrt_model *model = NULL;
 *     flow_status status = flowc_compile(text, strlen(text), NULL, &program, &error);
 *     if (status == FLOW_BAD_PROGRAM) fputs(flowc_messages(program), stderr);
 *     if (!status) status = flowrt_open_export(flowc_exported(program), NULL, &model, &error);
 *     ...                                                     flow/flow.h
 *     flowrt_close(model);                                    the model first:
 *     flowc_close(program);                                   its code is the program's
 *
 * A text can neither hang the compiler nor touch a file: the weights that it names are read only where the caller says so.
 * Compilations are independent of each other, and may run on several threads at once. */
#ifndef FLOW_FLOWC_H
#define FLOW_FLOWC_H
#include "export.h"
#include "status.h"
#ifdef __cplusplus
extern "C" {
#endif

typedef struct flowc_program flowc_program;

typedef struct flowc_options {
  uint32_t size;                /* sizeof(flowc_options) */
  uint32_t precision;           /* 0, FLOW_F32: float; FLOW_F64: double */
  const char *name;             /* of the text, in messages; NULL: "<text>" */
  const char *flow;             /* which flow of the text; NULL: the only one */
  const char *weights_path;     /* a file with the tensors of its layers; or NULL */
  const void *weights;          /* the bytes of a .safetensors; or NULL */
  size_t weights_bytes;
  uint32_t probes;              /* log p by random vectors too, so many at a time; 0: 2 of them where a state has more than 64 numbers */
  uint32_t vjp;                 /* 1: products with the Jacobian from the left too */
} flowc_options;

/* BAD_PROGRAM: the text has errors; *program is set, and flowc_messages tells them all, with their places.  Else *program is NULL
 * after a failure.  options NULL: all 0. */
flow_status flowc_compile(const char *text, size_t length, const flowc_options *options, flowc_program **program,
                          flow_error *error);
/* Errors and warnings as `flowc check` prints them; "" where there are none. */
const char *flowc_messages(const flowc_program *program);
/* What flowrt_open_export opens; lives as long as the program. */
const flow_export *flowc_exported(const flowc_program *program);
void flowc_close(flowc_program *program);       /* NULL is fine */
const char *flowc_version(void);                /* "flowc 0.1.0 (LLVM 19.1.7)" */

#ifdef __cplusplus
}
#endif
#endif
