/* SPDX-License-Identifier: Apache-2.0 */
/* compile_function.h -- any function as a model: what is no velocity, and yet to have code.
 *
 *   FlowCompiled *compiled;
 *   if (!(status = flow_compile_function(&allocator, f, &options, &compiled, &error))) status = flow_compiled_link(compiled, FLOW_ENTRY_EVAL, &error);
 *   const flow_model *model = flow_compiled_model(compiled);
 *   ...                                             flow_evaluate: x the inputs end to end, `extra` the results
 *   flow_compiled_free(compiled);
 *
 * The model's state are the numbers of all inputs of f, end to end in their order (at least one number); its velocity is 0, and
 * behind it the numbers of f's result are the model's extras, a truth value being 0 or 1.  Its t is not used. */
#ifndef FLOW_COMPILE_FUNCTION_H
#define FLOW_COMPILE_FUNCTION_H
#include "compile.h"

/* f: general, its weights bound; borrowed, and so is its arena, until the compilation is freed.  Where f is frozen (in the
 * options' precision) the results have the bits that the interpreter gives it.  Of the options, precision, cpu, schedule, rows
 * and quick count.  *compiled is set even on failure, NULL only where memory ran out. */
flow_status flow_compile_function(const FlowAllocator *allocator, const IrFunction *f, const FlowCompileOptions *options,
                                  FlowCompiled **compiled, flow_error *error);

#endif
