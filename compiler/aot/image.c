/* SPDX-License-Identifier: Apache-2.0 */
#include "image.h"
#include <string.h>

uint32_t image_add(Image *image, const char *label, const void *bytes, size_t size, size_t align) {
  if (image->data == image->room) {
    uint32_t room = image->room ? 2 * image->room : 32;
    image->datum = arena_grow(image->arena, image->datum, image->room, room, sizeof *image->datum);
    image->room = room;
  }
  image->datum[image->data] = (EmitDatum){.label = label, .bytes = bytes, .size = size, .align = align};
  return image->data++;
}

uint32_t image_text(Image *image, const char *text) { return image_add(image, "text", text, strlen(text) + 1, 1); }

static void place(Image *image, uint32_t datum, EmitPlace at) {
  EmitDatum *d = &image->datum[datum];
  EmitPlace *grown = arena_grow(image->arena, (void *)(uintptr_t)d->place, d->places, d->places + 1, sizeof *grown);
  grown[d->places++] = at;
  d->place = grown;
}

void image_point(Image *image, uint32_t datum, size_t at, uint32_t target) {
  place(image, datum, (EmitPlace){.at = at, .datum = (int)target});
}

void image_call(Image *image, uint32_t datum, size_t at, uint32_t part, EmitEntry entry) {
  place(image, datum, (EmitPlace){.at = at, .datum = -1, .part = part, .entry = entry});
}
