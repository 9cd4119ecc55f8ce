/* SPDX-License-Identifier: Apache-2.0 */
/* inspect_library.c -- what a compiled .so, .o or .a says of itself.  The file is read, never loaded. */
#include "inspect.h"
#include "library.h"
#include "printable.h"
#include <string.h>

static const uint64_t most_bytes = UINT64_C(4) << 30;

/* One member of the description's outer object a line; commas and braces within strings and lists are left alone. */
static void print_lines(const char *json) {
  int depth = 0;
  bool quoted = false, skip = false;
  for (const char *c = json; *c; c++) {
    if (quoted) {
      if (*c == '\\' && c[1]) putchar(*c++);
      else if (*c == '"') quoted = false;
    } else if (*c == '"') {
      quoted = true;
    } else {
      depth += (*c == '{' || *c == '[') - (*c == '}' || *c == ']');
      if ((*c == '{' && depth == 1) || (*c == '}' && depth == 0)) continue;
      if (*c == ',' && depth == 1) {
        putchar('\n');
        skip = true;
        continue;
      }
      if (*c == ' ' && skip) {
        skip = false;
        continue;
      }
    }
    skip = false;
    putchar(*c);
  }
  putchar('\n');
}

int inspect_library(const Run *run, const char *path) {
  FlowBytes bytes;
  flow_error error = {{0}};
  flow_status status = flow_read_file(&flow_standard_allocator, path, most_bytes, &bytes, &error);
  if (status) return failed(run, status, &error);
  const char *description = aot_find_description(bytes.data, bytes.size);
  int code = 0;
  if (!description) {
    flow_fail(&error, FLOW_BAD_INPUT, "%s: it was not made by `flowc MODEL.flow -o ...`, or it is cut off", path);
    code = failed(run, FLOW_BAD_INPUT, &error);
  } else if (has(run, OPTION_json)) {
    puts(description);
  } else {
    print_lines(description);
  }
  flow_bytes_free(&flow_standard_allocator, &bytes);
  return code ? code : finish_output(run);
}
