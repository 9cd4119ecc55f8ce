/* SPDX-License-Identifier: Apache-2.0 */
/* image.h -- structs of this process on their way into a file: copies of their bytes, and the places of their pointers.
 *
 *   uint32_t root = image_add(&image, "export", export, sizeof *export, 8);
 *   image_point(&image, root, offsetof(flow_export, name), image_text(&image, name));
 *
 * A datum may point only to data added after it, so what points comes first.  Everything is the arena's. */
#ifndef FLOW_AOT_IMAGE_H
#define FLOW_AOT_IMAGE_H
#include "arena.h"
#include "emit_library.h"

typedef struct Image {
  Arena *arena;
  EmitDatum *datum;
  uint32_t data, room;
} Image;

/* The bytes are borrowed until the library has been emitted. */
uint32_t image_add(Image *image, const char *label, const void *bytes, size_t size, size_t align);
uint32_t image_text(Image *image, const char *text);
/* In ascending order of `at` for each datum. */
void image_point(Image *image, uint32_t datum, size_t at, uint32_t target);
void image_call(Image *image, uint32_t datum, size_t at, uint32_t part, EmitEntry entry);

#endif
