/* SPDX-License-Identifier: Apache-2.0 */
/* npz_write.c -- a zip without packing, written in one sweep: each array's checksum is known before its member starts.
 *
 * Layout by APPNOTE.TXT 4.3 and 4.5.3, always with the 64-bit extra fields: one form for every size.  The time is
 * 1980-01-01, zip's first day: the same arrays make the same bytes. */
#include "atomic_file.h"
#include "checked.h"
#include "npy_header.h"
#include "npz.h"
#include "printable.h"
#include <inttypes.h>
#include <string.h>

enum {
  VERSION = 45, IS_UTF8 = 1 << 11, FIRST_DAY = 1 << 5 | 1, ZIP64 = 1,
  MOST_NAME = 4096, LOCAL_EXTRA = 20, CENTRAL_EXTRA = 28, MOST_RECORD = 128
};

typedef struct Entry {
  char *name;                   /* with .npy */
  size_t name_length;
  uint64_t offset, size;
  uint32_t checksum;
} Entry;

struct FlowNpzWriter {
  FlowAllocator allocator;
  FlowAtomicFile *file;
  Entry *entry;
  uint32_t count, room;
  uint64_t written;
  uint32_t checksum_of_byte[256];
};

/* A record under construction, little-endian. */
typedef struct Record {
  unsigned char bytes[MOST_RECORD];
  size_t size;
} Record;

static void put(Record *record, uint64_t value, int bytes) {
  for (int i = 0; i < bytes; i++) record->bytes[record->size++] = (unsigned char)(value >> (8 * i));
}

/* CRC-32 of IEEE 802.3, reflected: polynomial 0xEDB88320. */
static void make_checksums(uint32_t checksum_of_byte[256]) {
  for (uint32_t byte = 0; byte < 256; byte++) {
    uint32_t rest = byte;
    for (int bit = 0; bit < 8; bit++) rest = rest & 1 ? rest >> 1 ^ UINT32_C(0xEDB88320) : rest >> 1;
    checksum_of_byte[byte] = rest;
  }
}

static uint32_t add_to_checksum(const FlowNpzWriter *writer, uint32_t checksum, const void *data, size_t size) {
  const unsigned char *byte = data;
  uint32_t rest = ~checksum;
  for (size_t i = 0; i < size; i++) rest = rest >> 8 ^ writer->checksum_of_byte[(rest ^ byte[i]) & 0xFF];
  return ~rest;
}

flow_status flow_npz_open(const FlowAllocator *allocator, const char *path, FlowNpzWriter **result, flow_error *error) {
  *result = NULL;
  FlowNpzWriter *writer = flow_alloc(allocator, sizeof *writer);
  if (!writer) return flow_fail(error, FLOW_NO_MEMORY, "%s: no memory to write it", path);
  writer->allocator = *allocator;
  make_checksums(writer->checksum_of_byte);
  flow_status status = flow_atomic_open(allocator, path, &writer->file, error);
  if (status != FLOW_OK) {
    flow_npz_abandon(writer);
    return status;
  }
  *result = writer;
  return FLOW_OK;
}

static flow_status write_bytes(FlowNpzWriter *writer, const void *data, size_t size, flow_error *error) {
  writer->written += size;
  return flow_atomic_write(writer->file, data, size, error);
}

/* libzip takes a UTF-8 name with control characters for a damaged zip. */
static bool is_name(const char *name, size_t length) {
  for (size_t i = 0; i < length; i++) {
    if ((unsigned char)name[i] < 0x20) return false;
  }
  return length <= MOST_NAME && flow_utf8_valid(name, length);
}

static flow_status check_name(const FlowNpzWriter *writer, const char *name, flow_error *error) {
  size_t length = strlen(name);
  if (!is_name(name, length))
    return flow_fail(error, FLOW_BAD_CALL, "the name %s of an array must be UTF-8 of at most %d bytes without control "
                     "characters",
                     flow_printable(name, length).text, MOST_NAME);
  for (uint32_t i = 0; i < writer->count; i++) {
    const Entry *entry = &writer->entry[i];
    if (entry->name_length == length + 4 && memcmp(entry->name, name, length) == 0)
      return flow_fail(error, FLOW_BAD_CALL, "the name %s is given to two arrays", flow_printable(name, length).text);
  }
  if (writer->count == FLOW_NPZ_MOST_MEMBERS)
    return flow_fail(error, FLOW_BAD_CALL, "more than %d arrays in a .npz", FLOW_NPZ_MOST_MEMBERS);
  return FLOW_OK;
}

static flow_status add_entry(FlowNpzWriter *writer, const char *name, Entry **result, flow_error *error) {
  size_t length = strlen(name);
  if (writer->count == writer->room) {
    uint32_t room = writer->room ? 2 * writer->room : 8;
    Entry *entry = flow_resize_array(&writer->allocator, writer->entry, writer->room, room, sizeof *entry);
    if (!entry) return flow_fail(error, FLOW_NO_MEMORY, "no memory for the array %s", flow_printable_name(name).text);
    writer->entry = entry;
    writer->room = room;
  }
  Entry *entry = &writer->entry[writer->count];
  entry->name = flow_alloc(&writer->allocator, length + 5);
  if (!entry->name) return flow_fail(error, FLOW_NO_MEMORY, "no memory for the array %s",
                                     flow_printable_name(name).text);
  memcpy(entry->name, name, length);
  memcpy(entry->name + length, ".npy", 5);
  entry->name_length = length + 4;
  writer->count++;
  *result = entry;
  return FLOW_OK;
}

/* Version, flags, method, time, day, checksum and sizes: what the two kinds of record share. */
static void put_description(Record *record, const Entry *entry) {
  put(record, VERSION, 2);
  put(record, IS_UTF8, 2);
  put(record, 0, 2);            /* stored */
  put(record, 0, 2);
  put(record, FIRST_DAY, 2);
  put(record, entry->checksum, 4);
  put(record, UINT32_MAX, 4);   /* see the extra field */
  put(record, UINT32_MAX, 4);
  put(record, entry->name_length, 2);
}

static flow_status write_local(FlowNpzWriter *writer, const Entry *entry, flow_error *error) {
  Record head = {.size = 0}, extra = {.size = 0};
  put(&head, UINT32_C(0x04034B50), 4);
  put_description(&head, entry);
  put(&head, LOCAL_EXTRA, 2);
  put(&extra, ZIP64, 2);
  put(&extra, LOCAL_EXTRA - 4, 2);
  put(&extra, entry->size, 8);
  put(&extra, entry->size, 8);
  flow_status status = write_bytes(writer, head.bytes, head.size, error);
  if (status == FLOW_OK) status = write_bytes(writer, entry->name, entry->name_length, error);
  if (status == FLOW_OK) status = write_bytes(writer, extra.bytes, extra.size, error);
  return status;
}

static flow_status write_central(FlowNpzWriter *writer, const Entry *entry, flow_error *error) {
  Record head = {.size = 0}, extra = {.size = 0};
  put(&head, UINT32_C(0x02014B50), 4);
  put(&head, VERSION, 2);
  put_description(&head, entry);
  put(&head, CENTRAL_EXTRA, 2);
  put(&head, 0, 2);             /* no comment */
  put(&head, 0, 2);             /* the first disk */
  put(&head, 0, 2);
  put(&head, 0, 4);
  put(&head, UINT32_MAX, 4);    /* see the extra field */
  put(&extra, ZIP64, 2);
  put(&extra, CENTRAL_EXTRA - 4, 2);
  put(&extra, entry->size, 8);
  put(&extra, entry->size, 8);
  put(&extra, entry->offset, 8);
  flow_status status = write_bytes(writer, head.bytes, head.size, error);
  if (status == FLOW_OK) status = write_bytes(writer, entry->name, entry->name_length, error);
  if (status == FLOW_OK) status = write_bytes(writer, extra.bytes, extra.size, error);
  return status;
}

flow_status flow_npz_add(FlowNpzWriter *writer, const char *name, FlowType type, uint32_t rank, const uint64_t *dim,
                         const void *data, flow_error *error) {
  char header[FLOW_NPY_MOST_WRITTEN];
  FlowTensor tensor = {.type = type, .rank = rank};
  uint64_t bytes;
  Entry *entry = NULL;
  if (rank > FLOW_TENSOR_MOST_RANK || (unsigned)type >= FLOW_TYPE_COUNT || !flow_type_facts[type].letters)
    return flow_fail(error, FLOW_BAD_CALL, "the array %s: numpy has no such type, or there are more than 8 dimensions",
                     flow_printable_name(name).text);
  if (rank > 0) memcpy(tensor.dim, dim, rank * sizeof *dim);
  if (!flow_tensor_measure(&tensor, &bytes))
    return flow_fail(error, FLOW_BAD_CALL, "the array %s has more numbers than 63 bits can count",
                     flow_printable_name(name).text);
  flow_status status = check_name(writer, name, error);
  if (status == FLOW_OK) status = add_entry(writer, name, &entry, error);
  if (status != FLOW_OK) return status;
  size_t header_size = flow_npy_header_write(type, rank, dim, header);
  entry->offset = writer->written;
  entry->size = header_size + bytes;
  entry->checksum = add_to_checksum(writer, 0, header, header_size);
  entry->checksum = add_to_checksum(writer, entry->checksum, data, (size_t)bytes);
  status = write_local(writer, entry, error);
  if (status == FLOW_OK) status = write_bytes(writer, header, header_size, error);
  if (status == FLOW_OK) status = write_bytes(writer, data, (size_t)bytes, error);
  return status;
}

static flow_status write_end(FlowNpzWriter *writer, uint64_t directory, flow_error *error) {
  Record end = {.size = 0};
  uint64_t end_at = writer->written, size = end_at - directory;
  put(&end, UINT32_C(0x06064B50), 4);
  put(&end, 44, 8);             /* the rest of this record */
  put(&end, VERSION, 2);
  put(&end, VERSION, 2);
  put(&end, 0, 8);              /* two disks' numbers */
  put(&end, writer->count, 8);
  put(&end, writer->count, 8);
  put(&end, size, 8);
  put(&end, directory, 8);
  put(&end, UINT32_C(0x07064B50), 4);
  put(&end, 0, 4);
  put(&end, end_at, 8);
  put(&end, 1, 4);              /* disks */
  put(&end, UINT32_C(0x06054B50), 4);
  put(&end, 0, 4);
  put(&end, writer->count, 2);
  put(&end, writer->count, 2);
  put(&end, size < UINT32_MAX ? size : UINT32_MAX, 4);
  put(&end, directory < UINT32_MAX ? directory : UINT32_MAX, 4);
  put(&end, 0, 2);              /* no comment */
  return write_bytes(writer, end.bytes, end.size, error);
}

flow_status flow_npz_close(FlowNpzWriter *writer, flow_error *error) {
  uint64_t directory = writer->written;
  flow_status status = FLOW_OK;
  for (uint32_t i = 0; i < writer->count && status == FLOW_OK; i++)
    status = write_central(writer, &writer->entry[i], error);
  if (status == FLOW_OK) status = write_end(writer, directory, error);
  if (status == FLOW_OK) {
    FlowAtomicFile *file = writer->file;
    writer->file = NULL;
    status = flow_atomic_commit(file, error);
  }
  flow_npz_abandon(writer);
  return status;
}

void flow_npz_abandon(FlowNpzWriter *writer) {
  if (!writer) return;
  FlowAllocator allocator = writer->allocator;
  flow_atomic_abandon(writer->file);
  for (uint32_t i = 0; i < writer->count; i++)
    flow_free(&allocator, writer->entry[i].name, writer->entry[i].name_length + 1);
  flow_free(&allocator, writer->entry, writer->room * sizeof *writer->entry);
  flow_free(&allocator, writer, sizeof *writer);
}
