/* SPDX-License-Identifier: Apache-2.0 */
/* npz.c -- twice over the members: first what they are and whether that can be, then, into one block, their numbers. */
#include "npz.h"
#include "checked.h"
#include "npy.h"
#include "printable.h"
#include "zip_end.h"
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <zip.h>

typedef struct Npz {
  const char *name;
  zip_t *zip;
  uint64_t file_size;
  uint64_t members;             /* of the zip; folders are among them */
  uint64_t packed, unpacked;    /* running sums over the members */
  uint64_t text;                /* bytes of the names, NULs included */
  flow_error *error;
} Npz;

/* One member, open for reading. */
typedef struct Member {
  FlowStream stream;            /* stream.name is label */
  zip_file_t *file;
  char label[1100];             /* "FILE: member 'NAME'" */
  const char *name;             /* libzip's */
  size_t name_length;           /* without .npy */
} Member;

static flow_status refuse(const Npz *npz, const char *member, const char *what) {
  return flow_fail(npz->error, FLOW_BAD_INPUT, "%s: member %s: %s", npz->name, flow_printable_name(member).text, what);
}

static flow_status zip_failed(const char *name, zip_error_t *problem, flow_error *error) {
  bool no_memory = zip_error_code_zip(problem) == ZIP_ER_MEMORY;
  flow_status status = flow_fail(error, no_memory ? FLOW_NO_MEMORY : FLOW_BAD_INPUT, "%s: the zip is damaged: %s", name,
                                 zip_error_strerror(problem));
  zip_error_fini(problem);
  return status;
}

static flow_status read_member(FlowStream *stream, void *to, size_t size, flow_error *error) {
  zip_file_t *file = (zip_file_t *)(uintptr_t)stream->source;
  unsigned char *next = to;
  while (size > 0) {
    zip_int64_t got = zip_fread(file, next, size);
    if (got <= 0)
      return flow_fail(error, FLOW_BAD_INPUT, "%s: byte %" PRIu64 ": cannot be unpacked: %s", stream->name,
                       stream->position, got < 0 ? zip_file_strerror(file) : "it ends too early");
    next += got;
    size -= (size_t)got;
  }
  return FLOW_OK;
}

/* A folder's entry, as `zip -r` makes them. */
static bool is_folder(const zip_stat_t *about) {
  size_t length = strlen(about->name);
  return length > 0 && about->name[length - 1] == '/' && about->size == 0;
}

static flow_status check_sizes(Npz *npz, const zip_stat_t *about) {
  uint64_t most;
  if (about->comp_method != ZIP_CM_STORE && about->comp_method != ZIP_CM_DEFLATE)
    return refuse(npz, about->name, "packed in a way that is not read; stored and deflated members are");
  if (about->encryption_method != ZIP_EM_NONE) return refuse(npz, about->name, "is encrypted");
  if (!flow_add_u64(npz->packed, about->comp_size, &npz->packed) || npz->packed > npz->file_size)
    return refuse(npz, about->name, "the members are together longer than the file");
  bool fits = about->comp_method == ZIP_CM_STORE ? about->size == about->comp_size
                                                 : !flow_mul_u64(about->comp_size, FLOW_NPZ_MOST_RATIO, &most) ||
                                                       about->size <= most;
  if (!fits)
    return flow_fail(npz->error, FLOW_BAD_INPUT, "%s: member %s: claims %" PRIu64 " bytes, which cannot come from the %"
                     PRIu64 " that are stored", npz->name, flow_printable_name(about->name).text, about->size,
                     about->comp_size);
  if (!flow_add_u64(npz->unpacked, about->size, &npz->unpacked) || npz->unpacked > FLOW_FILE_MOST_BYTES)
    return refuse(npz, about->name, "the members unpack to more than the 64 GiB that are read at most");
  return FLOW_OK;
}

static flow_status stat_member(Npz *npz, uint64_t index, zip_stat_t *about) {
  zip_uint64_t needed = ZIP_STAT_NAME | ZIP_STAT_SIZE | ZIP_STAT_COMP_SIZE | ZIP_STAT_COMP_METHOD |
                        ZIP_STAT_ENCRYPTION_METHOD;
  zip_stat_init(about);
  if (zip_stat_index(npz->zip, index, 0, about) != 0) return zip_failed(npz->name, zip_get_error(npz->zip), npz->error);
  if ((about->valid & needed) != needed)
    return flow_fail(npz->error, FLOW_BAD_INPUT, "%s: member %" PRIu64 " has no name or no size", npz->name, index);
  return FLOW_OK;
}

static void close_member(Member *member) {
  if (member->file) zip_fclose(member->file);
  member->file = NULL;
}

static flow_status open_member(Npz *npz, uint64_t index, const zip_stat_t *about, Member *member) {
  size_t length = strlen(about->name), suffix = strlen(".npy");
  if (length < suffix || strcmp(about->name + length - suffix, ".npy") != 0)
    return refuse(npz, about->name, "is not an array: its name does not end in .npy");
  member->name = about->name;
  member->name_length = length - suffix;
  snprintf(member->label, sizeof member->label, "%s: member %s", npz->name, flow_printable_name(about->name).text);
  member->file = zip_fopen_index(npz->zip, index, 0);
  if (!member->file) return zip_failed(member->label, zip_get_error(npz->zip), npz->error);
  member->stream = (FlowStream){.read = read_member, .name = member->label, .size = about->size, .source = member->file};
  return FLOW_OK;
}

/* The checksum is compared when the end has been seen, so that the end must be read too. */
static flow_status finish_member(Npz *npz, Member *member) {
  char beyond;
  zip_int64_t got = zip_fread(member->file, &beyond, 1);
  if (got == 0) return FLOW_OK;
  return flow_fail(npz->error, FLOW_BAD_INPUT, "%s: byte %" PRIu64 ": cannot be unpacked: %s", member->label,
                   member->stream.size, got < 0 ? zip_file_strerror(member->file) : "it does not end here");
}

/* First visit: nothing is allocated but libzip's state for this member. */
static flow_status look_at(Npz *npz, uint64_t index, uint64_t *numbers, uint32_t *arrays) {
  zip_stat_t about;
  Member member = {.file = NULL};
  FlowNpyHeader header;
  FlowTensor tensor;
  uint64_t bytes;
  flow_status status = stat_member(npz, index, &about);
  if (status != FLOW_OK || is_folder(&about)) return status;
  status = check_sizes(npz, &about);
  if (status == FLOW_OK) status = open_member(npz, index, &about, &member);
  if (status == FLOW_OK) status = flow_npy_read_header(&member.stream, &header, &tensor, &bytes, npz->error);
  close_member(&member);
  if (status != FLOW_OK) return status;
  npz->text += member.name_length + 1;
  if (npz->text > FLOW_NPZ_MOST_TEXT) return refuse(npz, about.name, "the names are together longer than 4 MiB");
  *arrays += 1;
  *numbers += bytes;            /* at most npz->unpacked, which is bounded */
  return FLOW_OK;
}

/* What is left of the block that the first visit measured. */
typedef struct Room {
  unsigned char *next;
  uint64_t left;
  char *text;
} Room;

/* Second visit.  The file may have been changed since the first, so that the room is looked at again. */
static flow_status read_array(Npz *npz, uint64_t index, FlowTensor *tensor, Room *room) {
  zip_stat_t about;
  Member member = {.file = NULL};
  FlowNpyHeader header;
  uint64_t bytes = 0;
  flow_status status = stat_member(npz, index, &about);
  if (status == FLOW_OK) status = open_member(npz, index, &about, &member);
  if (status == FLOW_OK) status = flow_npy_read_header(&member.stream, &header, tensor, &bytes, npz->error);
  if (status == FLOW_OK && bytes > room->left) status = refuse(npz, about.name, "was changed while the file was read");
  if (status == FLOW_OK && bytes > 0) {
    tensor->data = room->next;
    status = flow_npy_read_numbers(&member.stream, &header, tensor, room->next, npz->error);
  }
  if (status == FLOW_OK) status = finish_member(npz, &member);
  if (status == FLOW_OK) {
    tensor->name = memcpy(room->text, member.name, member.name_length);
    room->text[member.name_length] = '\0';
    room->text += member.name_length + 1;
    room->next += bytes;
    room->left -= bytes;
  }
  close_member(&member);
  return status;
}

static flow_status read_arrays(Npz *npz, FlowTensors *tensors, uint64_t numbers) {
  unsigned char *memory = tensors->memory;
  Room room = {.next = memory, .left = numbers, .text = memory ? (char *)memory + numbers : NULL};
  uint32_t filled = 0;
  for (uint64_t i = 0; i < npz->members; i++) {
    zip_stat_t about;
    flow_status status = stat_member(npz, i, &about);
    if (status == FLOW_OK && is_folder(&about)) continue;
    if (status == FLOW_OK) status = read_array(npz, i, &tensors->tensor[filled++], &room);
    if (status != FLOW_OK) return status;
  }
  flow_tensors_sort(tensors);
  const FlowTensor *twice = flow_tensors_duplicate(tensors);
  return twice ? refuse(npz, twice->name, "the name is given to two arrays") : FLOW_OK;
}

static flow_status read_open(const FlowAllocator *allocator, Npz *npz, FlowTensors *tensors) {
  uint64_t numbers = 0, bytes;
  uint32_t arrays = 0;
  size_t size;
  if (zip_get_num_entries(npz->zip, 0) != (zip_int64_t)npz->members)
    return flow_fail(npz->error, FLOW_BAD_INPUT, "%s: the zip has two directories that disagree", npz->name);
  for (uint64_t i = 0; i < npz->members; i++) {
    flow_status status = look_at(npz, i, &numbers, &arrays);
    if (status != FLOW_OK) return status;
  }
  if (!flow_add_u64(numbers, npz->text, &bytes) || !flow_u64_to_size(bytes, &size))
    return flow_fail(npz->error, FLOW_NO_MEMORY, "%s: no memory for %" PRIu64 " bytes", npz->name, numbers);
  flow_status status = flow_tensors_make(allocator, npz->name, arrays, size, tensors, npz->error);
  if (status != FLOW_OK) return status;
  status = read_arrays(npz, tensors, numbers);
  if (status != FLOW_OK) flow_tensors_free(tensors);
  return status;
}

/* Takes over `source`. */
static flow_status read_source(const FlowAllocator *allocator, const FlowStream *stream, uint64_t members,
                               zip_source_t *source, FlowTensors *tensors, flow_error *error) {
  zip_error_t problem;
  Npz npz = {.name = stream->name, .file_size = stream->size, .members = members, .error = error};
  zip_error_init(&problem);
  npz.zip = zip_open_from_source(source, ZIP_RDONLY, &problem);
  if (!npz.zip) {
    zip_source_free(source);
    return zip_failed(stream->name, &problem, error);
  }
  flow_status status = read_open(allocator, &npz, tensors);
  zip_discard(npz.zip);
  return status;
}

/* A zip without members is all end; libzip takes it for none. */
static flow_status check_end(const FlowAllocator *allocator, const FlowStream *stream, uint64_t *members,
                             FlowTensors *tensors, flow_error *error) {
  *tensors = (FlowTensors){.allocator = *allocator};
  return zip_end_members(stream, FLOW_NPZ_MOST_MEMBERS, members, error);
}

flow_status flow_npz_parse(const FlowAllocator *allocator, const char *name, const void *bytes, size_t size,
                           FlowTensors *tensors, flow_error *error) {
  FlowStream stream = flow_stream_of_bytes(name, bytes, size);
  zip_error_t problem;
  uint64_t members;
  flow_status status = check_end(allocator, &stream, &members, tensors, error);
  if (status != FLOW_OK || members == 0) return status;
  zip_error_init(&problem);
  zip_source_t *source = zip_source_buffer_create(bytes, size, 0, &problem);
  if (!source) return zip_failed(name, &problem, error);
  return read_source(allocator, &stream, members, source, tensors, error);
}

/* libzip closes the FILE with the source, hence a descriptor of its own. */
static FILE *open_copy(const FlowFile *file) {
  int descriptor = dup(file->descriptor);
  FILE *copy = descriptor < 0 ? NULL : fdopen(descriptor, "rb");
  if (!copy && descriptor >= 0) close(descriptor);
  return copy;
}

flow_status flow_npz_read(const FlowAllocator *allocator, const FlowFile *file, FlowTensors *tensors,
                          flow_error *error) {
  FlowStream stream = flow_stream_of_file(file);
  zip_error_t problem;
  uint64_t members;
  flow_status status = check_end(allocator, &stream, &members, tensors, error);
  if (status != FLOW_OK || members == 0) return status;
  FILE *copy = open_copy(file);
  if (!copy) return flow_fail(error, FLOW_NO_MEMORY, "%s: no memory to read it", file->path);
  zip_error_init(&problem);
  zip_source_t *source = zip_source_filep_create(copy, 0, -1, &problem);
  if (!source) {
    fclose(copy);
    return zip_failed(file->path, &problem, error);
  }
  return read_source(allocator, &stream, members, source, tensors, error);
}
