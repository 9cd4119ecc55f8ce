/* SPDX-License-Identifier: Apache-2.0 */
/* archive.c -- a static library of one member, in the format of System V and GNU ar:
 *
 *   "!<arch>\n"
 *   header "/"          index: count, then the member's offset for each symbol (32 bits, high byte first), then the names
 *   header "model.o/"   the object
 *
 * A header is 60 characters: name 16, time 12, owner 6, group 6, mode 8 (octal), size 10, "`\n".  Members begin at even bytes.
 * Time, owner and group are 0, so that the same object makes the same archive. */
#include <string.h>
#include "tables.h"

enum { HEADER = 60, MAGIC = 8 };

static size_t even(size_t size) { return size + size % 2; }

static char *put_header(char *to, const char *name, size_t size) {
  char text[HEADER + 1];
  snprintf(text, sizeof text, "%-16s%-12d%-6d%-6d%-8s%-10zu`\n", name, 0, 0, 0, "100644", size);
  memcpy(to, text, HEADER);
  return to + HEADER;
}

static void put_u32(char *to, size_t value) {
  for (int i = 0; i < 4; i++) to[i] = (char)(value >> (24 - 8 * i));
}

flow_status aot_archive(const AotLibrary *library, const EmitObject *object, FlowBytes *bytes, flow_error *error) {
  char symbol[1024];
  int length = snprintf(symbol, sizeof symbol, "flow_export_%s", library->symbol);
  if (length < 0 || (size_t)length >= sizeof symbol) return flow_fail(error, FLOW_BAD_CALL, "the library's name is too long");
  size_t index = even(4 + 4 + strlen(symbol) + 1), member = MAGIC + HEADER + index;
  bytes->size = member + HEADER + even(object->size);
  bytes->data = flow_alloc(&flow_standard_allocator, bytes->size);
  if (!bytes->data) return flow_fail(error, FLOW_NO_MEMORY, "out of memory for an archive of %zu bytes", bytes->size);
  char *at = (char *)bytes->data;
  memcpy(at, "!<arch>\n", MAGIC);
  at = put_header(at + MAGIC, "/", index);
  put_u32(at, 1);
  put_u32(at + 4, member);
  memcpy(at + 8, symbol, strlen(symbol));
  at = put_header((char *)bytes->data + member, "model.o/", object->size);
  memcpy(at, object->bytes, object->size);
  if (object->size % 2) at[object->size] = '\n';
  return FLOW_OK;
}
