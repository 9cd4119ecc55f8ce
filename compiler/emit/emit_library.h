/* SPDX-License-Identifier: Apache-2.0 */
/* emit_library.h -- several programs for several kinds of CPU, and constant data that point to them, as one object file.
 *
 * The data are what the caller has in memory: bytes, and places in them where an address has to stand.  So the structs of
 * flow/model.h go into the file exactly as the caller's C compiler lays them out, and this folder knows none of them.
 *
 * Every part becomes a module of its own (emit_module.h); LLVM's linker puts them together.  A function carries the CPU that
 * it is for, so that the parts of one file may use different instructions.  All symbols are local but the getters, which
 * return the address of datum 0.  The file depends on nothing but its input: no path, no time, no host. */
#ifndef FLOW_EMIT_LIBRARY_H
#define FLOW_EMIT_LIBRARY_H
#include "emit.h"

typedef enum EmitEntry {
  EMIT_EVAL, EMIT_EVAL_LANE, EMIT_STEP, EMIT_ATTEMPT, EMIT_TIMES, EMIT_COND, EMIT_DERIVE, EMIT_ENTRIES
} EmitEntry;

typedef struct EmitPart {
  const TileProgram *program;
  EmitOptions options;
} EmitPart;
/* Has the part's module this entry? */
bool emit_part_has(const EmitPart *part, EmitEntry entry);

typedef struct EmitPlace {      /* at byte `at` of a datum stands an address: */
  size_t at;
  int datum;                    /* of another datum, or -1: of */
  uint32_t part;                /* this part's */
  EmitEntry entry;              /* function */
} EmitPlace;
typedef struct EmitDatum {
  const char *label;            /* of its local symbol */
  const void *bytes;
  size_t size, align;
  const EmitPlace *place;       /* ascending; the bytes there are not read */
  size_t places;
} EmitDatum;

typedef struct EmitLibrary {
  const char *name;             /* of the module */
  const EmitPart *part;
  uint32_t parts;
  const EmitDatum *datum;       /* place may only name data behind their own */
  uint32_t data;
  const char *const *getter;    /* exported: const void *getter(void) */
  uint32_t getters;
} EmitLibrary;

typedef enum EmitForm { EMIT_OBJECT, EMIT_ASSEMBLY, EMIT_LLVM } EmitForm;
/* The bytes of an object file, or text; freed with emit_object_free. */
flow_status emit_library(const EmitLibrary *library, EmitForm form, EmitObject *object, flow_error *error);

#endif
