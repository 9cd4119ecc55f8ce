/* SPDX-License-Identifier: Apache-2.0 */
/* library.h -- a compiled program as the bytes of a file.
 *
 *   AotVariant variant[] = {{velocity, FLOW_COMPUTES_VELOCITY, blob}, {with_log_p, FLOW_COMPUTES_LOG_P, other_blob}};
 *   AotLibrary library = {.variant = variant, .variants = 2, .cpus = {FLOW_CPU_V4, FLOW_CPU_V3}, .cpu_count = 2};
 *   EmitObject object;
 *   if (!(status = aot_compile(&library, EMIT_OBJECT, &object, &error)))
 *     status = aot_link(NULL, "moons.so", object.bytes, object.size, &shared, &error);
 *
 * The variants are compilations of one text, bound to their weights (driver/compile.h). */
#ifndef FLOW_AOT_LIBRARY_H
#define FLOW_AOT_LIBRARY_H
#include "emit_library.h"
#include "model.h"
#include "read_file.h"
#include "variants.h"

typedef struct AotVariant {
  FlowCompiled *compiled;
  uint32_t computes;            /* FLOW_COMPUTES_... */
  const void *blob;             /* the weights as flow_model_pack makes them, to stand in the library; NULL: they are loaded */
} AotVariant;

/* A source that is a density of the program, complete and usable in this process; of.size 0: the source is another. */
typedef struct AotDensity {
  flow_density of;              /* its models and blobs are those below */
  FlowCompiled *make, *log_p;
  FlowBlob make_blob, log_p_blob;
} AotDensity;
/* Borrows the compilation.  To be closed after a failure too. */
flow_status aot_density_open(FlowCompiled *compiled, AotDensity *density, flow_error *error);
void aot_density_close(AotDensity *density);

enum { AOT_MOST_CPUS = 2 };
typedef struct AotLibrary {
  const AotVariant *variant;    /* the first one is the velocity */
  uint32_t variants;
  const AotDensity *density;    /* or NULL */
  const flow_rows *rows;        /* the points of a source that is a file, to stand in the library; or NULL */
  int cpus[AOT_MOST_CPUS];      /* best first */
  uint32_t cpu_count;
  bool shared;                  /* for a .so: with the symbol that every .so has */
  const char *symbol;           /* the library's word in C, flow_export_<symbol>: made by aot_symbol; not for aot_description */
} AotLibrary;

/* What the flow says of itself, into a struct of zeros; what it points to is the compilation's.  Name, maker, description,
 * variants, density and rows are left to the caller. */
void aot_fill_export(FlowCompiled *compiled, const flow_model *model, flow_export *export);
/* A library's description (JSON) as a copy, freed with flow_bytes_free; its size counts the NUL. */
flow_status aot_description(const AotLibrary *library, FlowBytes *text, flow_error *error);

/* "moons" of "out/moons.so": what is no letter of C becomes its code.  Freed with flow_bytes_free; the size counts the NUL. */
flow_status aot_symbol(const char *path, FlowBytes *symbol, flow_error *error);

flow_status aot_compile(const AotLibrary *library, EmitForm form, EmitObject *object, flow_error *error);

/* MODEL.h; `file` is what the library's file is called, without folder and suffix.  Freed with flow_bytes_free (flow_standard_allocator). */
flow_status aot_header(const AotLibrary *library, const char *file, FlowBytes *text, flow_error *error);

/* A static library of one object file; freed likewise. */
flow_status aot_archive(const AotLibrary *library, const EmitObject *object, FlowBytes *bytes, flow_error *error);

/* A shared library of one object file.  ld: the linker to run, or NULL: the first that there is of the environment's LD, ld,
 * ld.lld, ld.lld-19, ld.bfd, ld.gold.  name: the library's soname.  BAD_FILE tells what the linker said; freed likewise. */
flow_status aot_link(const char *ld, const char *name, const EmitObject *object, FlowBytes *bytes, flow_error *error);

/* The description in a library's, an object's or an archive's bytes, or NULL where there is none.  NUL-terminated. */
#define AOT_DESCRIPTION_MARK "{\"flowc-model\": 1"
const char *aot_find_description(const void *bytes, size_t size);

#endif
