/* SPDX-License-Identifier: Apache-2.0 */
#include "atomic_file.h"
#include "compile_verb.h"
#include <string.h>

typedef enum Kind { KIND_SHARED, KIND_OBJECT, KIND_ARCHIVE, KIND_LLVM, KIND_ASSEMBLY, KINDS } Kind;
static const char *const suffix_of[KINDS] = {".so", ".o", ".a", ".ll", ".s"};

static Kind kind_of(const char *path) {
  const char *suffix = strrchr(path, '.');
  Kind kind = KIND_SHARED;
  while (kind < KINDS && !(suffix && strcmp(suffix, suffix_of[kind]) == 0)) kind++;
  return kind;
}

flow_status compile_check_output(const char *path, flow_error *error) {
  if (kind_of(path) < KINDS) return FLOW_OK;
  return flow_fail(error, FLOW_BAD_CALL, "-o %s: the name must end in .so, .o, .a, .ll or .s, which says what to make", path);
}

static const char *base_name(const char *path) {
  const char *slash = strrchr(path, '/');
  return slash ? slash + 1 : path;
}

static flow_status write_file(const char *path, const void *bytes, size_t size, flow_error *error) {
  FlowAtomicFile *file;
  flow_status status = flow_atomic_open(&flow_standard_allocator, path, &file, error);
  if (status) return status;
  status = flow_atomic_write(file, bytes, size, error);
  if (!status) return flow_atomic_commit(file, error);
  flow_atomic_abandon(file);
  return status;
}

/* moons.h beside moons.so. */
static flow_status write_header(const AotLibrary *library, const char *path, flow_error *error) {
  char header[4096], name[4096];
  size_t stem = strlen(path) - strlen(strrchr(path, '.'));
  if (stem + 3 > sizeof header) return flow_fail(error, FLOW_BAD_CALL, "%s: the path is too long", path);
  memcpy(header, path, stem);
  memcpy(header + stem, ".h", 3);
  snprintf(name, sizeof name, "%.*s", (int)stem, path);
  FlowBytes text;
  flow_status status = aot_header(library, base_name(name), &text, error);
  if (!status) status = write_file(header, text.data, text.size, error);
  flow_bytes_free(&flow_standard_allocator, &text);
  return status;
}

static flow_status write_library(const Compile *c, const AotLibrary *library, Kind kind, const char *path, const EmitObject *object, flow_error *error) {
  FlowBytes made = {NULL, 0};
  flow_status status = FLOW_OK;
  if (kind == KIND_SHARED) status = aot_link(text_of(c->run, OPTION_linker), base_name(path), object, &made, error);
  if (kind == KIND_ARCHIVE) status = aot_archive(library, object, &made, error);
  if (!status) status = write_file(path, made.data ? made.data : object->bytes, made.data ? made.size : object->size, error);
  flow_bytes_free(&flow_standard_allocator, &made);
  return status;
}

static flow_status write_all(const Compile *c, const AotLibrary *library, Kind kind, const char *path, flow_error *error) {
  EmitObject object;
  flow_status status = aot_compile(library, kind == KIND_LLVM ? EMIT_LLVM : kind == KIND_ASSEMBLY ? EMIT_ASSEMBLY : EMIT_OBJECT, &object, error);
  if (!status) status = write_library(c, library, kind, path, &object, error);
  emit_object_free(&object);
  return !status && kind <= KIND_ARCHIVE ? write_header(library, path, error) : status;
}

flow_status compile_write(const Compile *compile, const char *path, flow_error *error) {
  Kind kind = kind_of(path);
  AotLibrary library = compile->library;
  FlowBytes symbol;
  flow_status status = aot_symbol(path, &symbol, error);
  if (status) return status;
  library.shared = kind == KIND_SHARED;
  library.symbol = (const char *)symbol.data;
  status = write_all(compile, &library, kind, path, error);
  flow_bytes_free(&flow_standard_allocator, &symbol);
  return status;
}
