/* SPDX-License-Identifier: Apache-2.0 */
/* csv.h -- a table of numbers as text: one F64 array of shape (rows, columns).
 *
 * Fields are separated by commas, blanks around them do not count; lines end in \n or \r\n; a byte order mark and empty
 * lines at the end are passed over.  A first line that holds no number at all is a header and is left out.  Numbers are
 * those of number.h, whatever the locale.  There is no quoting: numbers have no commas.
 *
 * Memory: 8 bytes a number, of which a file has at most one in two bytes, besides the file itself. */
#ifndef FLOW_CSV_H
#define FLOW_CSV_H
#include "tensors_build.h"

FlowParse flow_csv_parse;

#endif
