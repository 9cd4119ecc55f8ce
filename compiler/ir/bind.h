/* SPDX-License-Identifier: Apache-2.0 */
/* bind.h -- which tensor of a weights file is which tensor of the program (LANGUAGE section 5).
 *
 * By name: where layers have labels, the prefix, the labels around the layer and its own give the tensor's name.
 * By order: where the layers of a scope have no labels, the stems behind the scope (tensor names less `.weight` and
 * `.bias`) go to them in natural order, net.2 before net.10.  An unnamed call of a network whose layers have labels takes
 * the next component (`layers.0`).  Order is a guess unless the stems differ in nothing but numbers; else it is refused,
 * and the message says which labels would settle it.
 *
 * Then every tensor of the program is there, shape for shape and of a float type, and every tensor behind the prefix is
 * used or skipped; if not, one error shows both columns side by side, with the likely pairs. */
#ifndef FLOW_IR_BIND_H
#define FLOW_IR_BIND_H
#include "ir.h"
#include "tensor.h"

/* Sets f->weight[..].name.  `prefix` is the one that f was lowered with; `skip`: names with or without the prefix.
 * FLOW_BAD_INPUT after an E0903 in `diagnostics`; then the names are as before.  `error` gets words only where there is
 * no list of diagnostics (NULL).  Memory is f's arena's; out of memory jumps, as everywhere in the IR. */
flow_status ir_bind(IrFunction *f, const FlowTensors *tensors, const char *prefix, const char *const *skip, uint32_t skips,
                    Diagnostics *diagnostics, flow_error *error);

/* A warning W0502 for each skip that excuses no tensor; skip_at: their places in the program. */
void ir_bind_check_skips(const FlowTensors *tensors, const char *prefix, const char *const *skip, const Span *skip_at,
                         uint32_t skips, Diagnostics *diagnostics);

/* A line for each tensor of a bound function, in order of the program:
 *     net.0.weight  [64, 3]   linear, the first of its scope
 * `tensors` adds the type in the file and the skipped names; NULL: leave that out. */
void ir_bind_table(const IrFunction *f, const FlowTensors *tensors, FILE *to);

#endif
