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

/* Before it is opened, too: a pipe would be waited for. */
static flow_status check_kind(const char *path, const struct stat *about, flow_error *error) {
  if (!S_ISREG(about->st_mode)) return refuse(path, "it is not a file", error);
  if (about->st_mode & S_IWOTH)
    return flow_fail(error, FLOW_BAD_FILE, "%s: everyone may write to it, and loading it would run what they wrote; chmod o-w %s", path, path);
  return FLOW_OK;
}

static flow_status check_mode(const FlowFile *file, flow_error *error) {
  struct stat about;
  if (fstat(file->descriptor, &about)) return flow_io_error(error, file->path, "ask for the kind", errno);
  return check_kind(file->path, &about, error);
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

/* What a copy that broke off leaves behind may be zeros to the full length: then the last part of a library, the table of its sections,
 * does not lead to their names. */
static flow_status check_sections(const FlowFile *file, const Elf64_Ehdr *header, flow_error *error) {
  Elf64_Shdr names;
  if (header->e_shnum == 0) return FLOW_OK;
  if (header->e_shentsize != sizeof names || header->e_shstrndx >= header->e_shnum) return refuse(file->path, "it is cut off", error);
  flow_status status = flow_file_read_at(file, header->e_shoff + header->e_shstrndx * sizeof names, &names, sizeof names, error);
  if (status) return status;
  return names.sh_type == SHT_STRTAB ? FLOW_OK : refuse(file->path, "its end is missing: a copy that broke off", error);
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
  status = check_segments(file, &header, error);
  return status ? status : check_sections(file, &header, error);
}

/* Opened, and fit to be loaded; closed where it is not. */
static flow_status open_file(const char *path, FlowFile *file, flow_error *error) {
  struct stat about;
  if (stat(path, &about)) return flow_io_error(error, path, "open", errno);
  flow_status status = check_kind(path, &about, error);
  if (!status) status = flow_file_open(path, file, error);
  if (status) return status;
  status = check_mode(file, error);
  if (!status) status = check_elf(file, error);
  if (status) flow_file_close(file);
  return status;
}

/* ---- loading ------------------------------------------------------------------------------------------------------------- */

/* A name of the open file that no other file ever has: on the way to its descriptor stands which file it is, a bit being a slash or a
 * dot and a slash, which lead nowhere. */
static void write_alias(const FlowFile *file, const struct stat *about, char *name, size_t size) {
  const uint64_t identity[] = {about->st_dev, about->st_ino};
  int length = snprintf(name, size, "/proc/self/fd/");
  for (int bit = 0; bit < 128; bit++) length += snprintf(name + length, size - (size_t)length, identity[bit / 64] >> bit % 64 & 1 ? "./" : "/");
  snprintf(name + length, size - (size_t)length, "%d", file->descriptor);
}

/* Whoever asks the dynamic linker for a name that it knows gets what it knows, even if another file lies there now: a model that was
 * compiled anew, or one of this name in another folder.  Then the file that is open is asked for by a name of its own; if that file is what
 * is loaded, the linker sees it.  Debuggers show the name that a library was loaded by, so it is the plain one where it can be. */
static void *load(const FlowFile *file) {
  char name[4096];
  struct stat about;
  const char *folder = strchr(file->path, '/') ? "" : "./";     /* a file here, not one that the linker searches for */
  if (snprintf(name, sizeof name, "%s%s", folder, file->path) >= (int)sizeof name || fstat(file->descriptor, &about)) return NULL;
  void *known = dlopen(name, RTLD_NOW | RTLD_NOLOAD);
  if (known) {
    dlclose(known);
    write_alias(file, &about, name, sizeof name);
  }
  return dlopen(name, RTLD_NOW | RTLD_LOCAL);
}

flow_status api_load(const char *path, void **library, const flow_export **exported, flow_error *error) {
  FlowFile file;
  *library = NULL;
  flow_status status = open_file(path, &file, error);
  if (status) return status;
  *library = load(&file);
  flow_file_close(&file);
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
