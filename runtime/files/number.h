/* SPDX-License-Identifier: Apache-2.0 */
/* number.h -- numbers as text, the same in every locale.
 *
 * scanf and printf follow the locale of the program that embeds this library: in German 1.5 would be read as 1.  These
 * do not, and they leave that locale alone. */
#ifndef FLOW_NUMBER_H
#define FLOW_NUMBER_H
#include <stdbool.h>
#include <stddef.h>

typedef enum FlowNumberFault { FLOW_NUMBER_OK, FLOW_NUMBER_MALFORMED, FLOW_NUMBER_TOO_LARGE } FlowNumberFault;

/* All of text[0..length): [+-] digits [. digits] [e [+-] digits], or nan, inf, infinity in any case.  Rounded once. */
FlowNumberFault flow_number_parse(const char *text, size_t length, double *value);
/* value with `digits` significant digits (9 bring a float back, 17 a double); nan, inf, -inf.  Returns the length. */
enum { FLOW_NUMBER_MOST_PRINTED = 32 };
size_t flow_number_print(double value, int digits, char to[FLOW_NUMBER_MOST_PRINTED]);

#endif
