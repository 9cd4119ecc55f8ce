/* SPDX-License-Identifier: Apache-2.0 */
/* zip_end.c -- APPNOTE.TXT 4.3.14 to 4.3.16: the end record, and the 64-bit one that stands in where numbers are all ones.
 *
 *   end (22 bytes + comment)   0 "PK\5\6"  4 this disk  6 directory's disk  8 members here  10 members  12 size  16 offset
 *                              20 length of the comment
 *   locator (20 bytes)         0 "PK\6\7"  4 disk  8 where the 64-bit record is  16 disks
 *   64-bit end (56 bytes)      0 "PK\6\6"  ...  24 members here  32 members  40 size  48 offset                        */
#include "zip_end.h"
#include "checked.h"
#include <inttypes.h>
#include <string.h>

enum { END = 22, LOCATOR = 20, END64 = 56, ENTRY = 46, MOST_COMMENT = 65535, TAIL = END + MOST_COMMENT + LOCATOR };

typedef struct Directory {
  uint64_t members_here, members, size, offset;
  uint64_t end;                 /* it must end at or before this byte */
} Directory;

static uint64_t number_at(const unsigned char *from, int bytes) {
  uint64_t value = 0;
  for (int i = bytes; i-- > 0;) value = value << 8 | from[i];
  return value;
}

static flow_status read_part(const FlowStream *stream, uint64_t offset, void *to, size_t size, flow_error *error) {
  FlowStream part = *stream;
  part.position = offset;
  return flow_stream_read(&part, to, size, error);
}

/* The last record whose comment ends where the file ends; `length` if there is none. */
static size_t find_end(const unsigned char *tail, size_t length) {
  for (size_t at = length < END ? 0 : length - END + 1; at-- > 0;) {
    if (memcmp(tail + at, "PK\5\6", 4) == 0 && at + END + number_at(tail + at + 20, 2) == length) return at;
  }
  return length;
}

static flow_status refuse(const FlowStream *stream, uint64_t at, const char *what, flow_error *error) {
  return flow_fail(error, FLOW_BAD_INPUT, "%s: byte %" PRIu64 ": %s", stream->name, at, what);
}

static flow_status check_directory(const FlowStream *stream, const Directory *d, uint64_t at, uint64_t most,
                                   flow_error *error) {
  uint64_t least;
  if (d->members != d->members_here) return refuse(stream, at, "a zip in several parts; one file is needed", error);
  if (d->members > most)
    return flow_fail(error, FLOW_BAD_INPUT, "%s: byte %" PRIu64 ": the zip claims %" PRIu64 " members; at most %" PRIu64
                     " are read", stream->name, at, d->members, most);
  if (!flow_range_fits(d->offset, d->size, d->end))
    return refuse(stream, at, "the zip's directory does not lie inside the file", error);
  if (!flow_mul_u64(d->members, ENTRY, &least) || least > d->size)
    return refuse(stream, at, "the zip's directory is too short for the members that it claims", error);
  return FLOW_OK;
}

static flow_status read_end64(const FlowStream *stream, const unsigned char *locator, uint64_t locator_at,
                              Directory *directory, uint64_t *at, flow_error *error) {
  unsigned char record[END64];
  *at = number_at(locator + 8, 8);
  if (!flow_range_fits(*at, END64, locator_at))
    return refuse(stream, locator_at, "the zip's 64-bit end does not lie inside the file", error);
  flow_status status = read_part(stream, *at, record, END64, error);
  if (status != FLOW_OK) return status;
  if (memcmp(record, "PK\6\6", 4) != 0) return refuse(stream, *at, "the zip's 64-bit end should be here", error);
  *directory = (Directory){.members_here = number_at(record + 24, 8), .members = number_at(record + 32, 8),
                           .size = number_at(record + 40, 8), .offset = number_at(record + 48, 8), .end = *at};
  return FLOW_OK;
}

flow_status zip_end_members(const FlowStream *stream, uint64_t most, uint64_t *members, flow_error *error) {
  unsigned char tail[TAIL];
  size_t length = stream->size < TAIL ? (size_t)stream->size : TAIL;
  uint64_t start = stream->size - length;
  flow_status status = read_part(stream, start, tail, length, error);
  if (status != FLOW_OK) return status;
  size_t end = find_end(tail, length);
  uint64_t at = start + end;
  if (end == length) return refuse(stream, stream->size, "no zip (.npz) ends here: its end record is missing", error);
  if (number_at(tail + end + 4, 2) != 0 || number_at(tail + end + 6, 2) != 0)
    return refuse(stream, at, "a zip in several parts; one file is needed", error);
  Directory directory = {.members_here = number_at(tail + end + 8, 2), .members = number_at(tail + end + 10, 2),
                         .size = number_at(tail + end + 12, 4), .offset = number_at(tail + end + 16, 4), .end = at};
  if (end >= LOCATOR && memcmp(tail + end - LOCATOR, "PK\6\7", 4) == 0)
    status = read_end64(stream, tail + end - LOCATOR, at - LOCATOR, &directory, &at, error);
  if (status == FLOW_OK) status = check_directory(stream, &directory, at, most, error);
  *members = directory.members;
  return status;
}
