/* SPDX-License-Identifier: Apache-2.0 */
/* file.c -- a library from a path.  What can be known of a file without running it is known before: the dynamic linker maps
 * what the headers say, and a file that is shorter ends the process at the first touch. */
#include "api.h"
#include "checked.h"
#include "io_error.h"
#include <dlfcn.h>
#include <elf.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include "read_file.h"

static flow_status refuse(const char *path, const char *found, flow_error *error) {
  return flow_fail(error, FLOW_BAD_FILE, "%s: %s; a model is made by `flowc MODEL.flow -o %s`", path, found, path);
}

static flow_status check_mode(const FlowFile *file, flow_error *error) {
  struct stat about;
  if (fstat(file->descriptor, &about)) return flow_fail(error, FLOW_BAD_FILE, "%s: %s", file->path, strerror(errno));
  if (!S_ISREG(about.st_mode)) return refuse(file->path, "it is not a file", error);
  if (about.st_mode & S_IWOTH)
    return flow_fail(error, FLOW_BAD_FILE, "%s: everyone may write to it, and loading it would run what they wrote; chmod o-w %s", file->path, file->path);
  return FLOW_OK;
}

/* A range of the file whose size comes from the file. */
static bool is_inside(const FlowFile *file, uint64_t at, uint64_t count, uint64_t size) {
  uint64_t bytes;
  return flow_mul_u64(count, size, &bytes) && flow_range_fits(at, bytes, file->size);
}

static flow_status check_segments(const FlowFile *file, const Elf64_Ehdr *header, flow_error *error) {
  for (unsigned i = 0; i < header->e_phnum; i++) {
    Elf64_Phdr segment;
    flow_status status = flow_file_read_at(file, header->e_phoff + i * sizeof segment, &segment, sizeof segment, error);
    if (status) return status;
    if (segment.p_type == PT_LOAD && !is_inside(file, segment.p_offset, 1, segment.p_filesz)) return refuse(file->path, "it is cut off", error);
    if (segment.p_type == PT_LOAD && (segment.p_flags & PF_W) && (segment.p_flags & PF_X))
      return refuse(file->path, "it asks for memory that is both writable and executable", error);
  }
  return FLOW_OK;
}

static flow_status check_elf(const FlowFile *file, flow_error *error) {
  Elf64_Ehdr header;
  if (file->size < sizeof header) return refuse(file->path, "it is too short for a library", error);
  flow_status status = flow_file_read_at(file, 0, &header, sizeof header, error);
  if (status) return status;
  if (memcmp(header.e_ident, ELFMAG, SELFMAG) != 0) return refuse(file->path, "it is no library (no ELF file)", error);
  if (header.e_ident[EI_CLASS] != ELFCLASS64 || header.e_ident[EI_DATA] != ELFDATA2LSB || header.e_machine != EM_X86_64)
    return refuse(file->path, "it is a library for another kind of processor", error);
  if (header.e_type != ET_DYN) return refuse(file->path, "it is no shared library", error);
  if (header.e_phentsize != sizeof(Elf64_Phdr) || !is_inside(file, header.e_phoff, header.e_phnum, header.e_phentsize) ||
      !is_inside(file, header.e_shoff, header.e_shnum, header.e_shentsize))
    return refuse(file->path, "it is cut off", error);
  return check_segments(file, &header, error);
}

static flow_status check_file(const char *path, flow_error *error) {
  FlowFile file;
  flow_status status = flow_file_open(path, &file, error);
  if (status) return status;
  status = check_mode(&file, error);
  if (!status) status = check_elf(&file, error);
  flow_file_close(&file);
  return status;
}

/* A name without a folder is a file here, not one that the linker searches for. */
static void *open_library(const char *path) {
  char here[4096];
  if (strchr(path, '/')) return dlopen(path, RTLD_NOW | RTLD_LOCAL);
  int length = snprintf(here, sizeof here, "./%s", path);
  return length > 0 && (size_t)length < sizeof here ? dlopen(here, RTLD_NOW | RTLD_LOCAL) : NULL;
}

flow_status api_load(const char *path, void **library, const flow_export **exported, flow_error *error) {
  *library = NULL;
  flow_status status = check_file(path, error);
  if (status) return status;
  *library = open_library(path);
  if (!*library) return flow_fail(error, FLOW_BAD_FILE, "%s: it cannot be loaded: %s", path, dlerror());
  flow_export_function *get;
  *(void **)(&get) = dlsym(*library, FLOW_EXPORT_SYMBOL);
  *exported = get ? get() : NULL;
  if (*exported) return FLOW_OK;
  api_unload(*library);
  *library = NULL;
  return refuse(path, "it is a library, but no flow model (no symbol " FLOW_EXPORT_SYMBOL ")", error);
}

void api_unload(void *library) {
  if (library) dlclose(library);
}
