/* SPDX-License-Identifier: Apache-2.0 */
/* tables.c -- flow_export and all that hangs on it, with zeros where C leaves gaps: the same program makes the same bytes. */
#include <stddef.h>
#include <string.h>
#include "tables.h"

#define AT(type, field) offsetof(type, field)

/* ---- one variant's model ----------------------------------------------------------------------------------------------- */

static uint32_t add_conditions(AotBuild *b, const flow_model *model) {
  flow_condition *condition = arena_array(&b->arena, model->conditions + 1, sizeof *condition);
  for (uint32_t i = 0; i < model->conditions; i++) {
    condition[i].size = model->condition[i].size;
    condition[i].row = model->condition[i].row;
  }
  uint32_t datum = image_add(&b->image, "conditions", condition, model->conditions * sizeof *condition, 8);
  for (uint32_t i = 0; i < model->conditions; i++)
    image_point(&b->image, datum, i * sizeof *condition + AT(flow_condition, name), image_text(&b->image, model->condition[i].name));
  return datum;
}

static uint32_t add_weights(AotBuild *b, const flow_model *model) {
  flow_weight *weight = arena_array(&b->arena, model->weights + 1, sizeof *weight);
  for (uint32_t i = 0; i < model->weights; i++) {
    weight[i].rank = model->weight[i].rank;
    memcpy(weight[i].dim, model->weight[i].dim, sizeof weight[i].dim);
  }
  uint32_t datum = image_add(&b->image, "weights", weight, model->weights * sizeof *weight, 8);
  for (uint32_t i = 0; i < model->weights; i++)
    image_point(&b->image, datum, i * sizeof *weight + AT(flow_weight, name), image_text(&b->image, model->weight[i].name));
  return datum;
}

/* The entries of flow_level, in the order of their fields. */
static const struct LevelEntry { size_t at; EmitEntry entry; } level_entry[] = {
    {AT(flow_level, eval), EMIT_EVAL}, {AT(flow_level, eval_lane), EMIT_EVAL_LANE}, {AT(flow_level, step), EMIT_STEP},
    {AT(flow_level, times), EMIT_TIMES}, {AT(flow_level, cond), EMIT_COND}, {AT(flow_level, derive), EMIT_DERIVE},
    {AT(flow_level, attempt), EMIT_ATTEMPT}};

static uint32_t add_levels(AotBuild *b, uint32_t variant) {
  uint32_t parts = b->what->cpu_count * AOT_WIDTHS, levels = b->model[variant].levels;
  flow_level *level = arena_array(&b->arena, levels, sizeof *level);
  uint32_t datum = image_add(&b->image, "levels", level, levels * sizeof *level, 8);
  for (uint32_t i = 0; i < levels; i++) {
    uint32_t part = variant * parts + i;
    level[i] = emit_level(b->part[part].program, &b->part[part].options);
    for (size_t k = 0; k < sizeof level_entry / sizeof *level_entry; k++)
      if (emit_part_has(&b->part[part], level_entry[k].entry))
        image_call(&b->image, datum, i * sizeof *level + level_entry[k].at, part, level_entry[k].entry);
  }
  return datum;
}

static uint32_t add_model(AotBuild *b, uint32_t variant) {
  flow_model *model = &b->model[variant];
  model->levels = b->what->cpu_count * (aot_is_for_few(b->what->variant[variant].computes) ? AOT_WIDTHS : 1);
  uint32_t datum = image_add(&b->image, "model", model, sizeof *model, 8);
  image_point(&b->image, datum, AT(flow_model, name), image_text(&b->image, aot_name(b->what)));
  image_point(&b->image, datum, AT(flow_model, condition), add_conditions(b, model));
  image_point(&b->image, datum, AT(flow_model, weight), add_weights(b, model));
  image_point(&b->image, datum, AT(flow_model, pack), image_add(&b->image, "packs", model->pack, model->packs * sizeof *model->pack, 8));
  image_point(&b->image, datum, AT(flow_model, level), add_levels(b, variant));
  return datum;
}

/* Variants with the same weights share them. */
static uint32_t add_blob(AotBuild *b, uint32_t variant) {
  const AotVariant *of = b->what->variant;
  size_t bytes = (size_t)b->model[variant].blob_bytes;
  for (uint32_t i = 0; i < variant; i++)
    if (of[i].blob && b->model[i].blob_bytes == bytes && !memcmp(of[i].blob, of[variant].blob, bytes)) return b->blob[i];
  return image_add(&b->image, "blob", of[variant].blob, bytes ? bytes : 64, 64);
}

static uint32_t add_variants(AotBuild *b) {
  uint32_t variants = b->what->variants;
  flow_variant *variant = arena_array(&b->arena, variants, sizeof *variant);
  uint32_t datum = image_add(&b->image, "variants", variant, variants * sizeof *variant, 8);
  uint32_t model[AOT_MOST_VARIANTS];
  for (uint32_t i = 0; i < variants; i++) variant[i].computes = b->what->variant[i].computes;
  for (uint32_t i = 0; i < variants; i++) {
    if (b->what->variant[i].computes == FLOW_COMPUTES_PROBES) variant[i].probes = b->model[i].extras;
    model[i] = add_model(b, i);
    if (b->what->variant[i].blob) b->blob[i] = add_blob(b, i);
  }
  for (uint32_t i = 0; i < variants; i++) {
    image_point(&b->image, datum, i * sizeof *variant + AT(flow_variant, model), model[i]);
    if (b->what->variant[i].blob) image_point(&b->image, datum, i * sizeof *variant + AT(flow_variant, blob), b->blob[i]);
  }
  return datum;
}

/* ---- the flow ----------------------------------------------------------------------------------------------------------- */

static void point_numbers(AotBuild *b, uint32_t datum, size_t at, const double *numbers, size_t count) {
  if (numbers) image_point(&b->image, datum, at, image_add(&b->image, "numbers", numbers, count * sizeof *numbers, 8));
}

void aot_tables(AotBuild *b) {
  flow_export *export = arena_alloc(&b->arena, sizeof *export);
  aot_fill_export(b->what->variant[0].compiled, &b->model[0], export);
  export->variants = b->what->variants;
  size_t dim = export->dim;
  uint32_t datum = image_add(&b->image, "export", export, sizeof *export, 8);
  image_point(&b->image, datum, AT(flow_export, name), image_text(&b->image, aot_name(b->what)));
  image_point(&b->image, datum, AT(flow_export, maker), image_text(&b->image, flow_compiler_version()));
  image_point(&b->image, datum, AT(flow_export, description), image_text(&b->image, aot_describe(b)));
  image_point(&b->image, datum, AT(flow_export, variant), add_variants(b));
  point_numbers(b, datum, AT(flow_export, start.low), export->start.low, dim);
  point_numbers(b, datum, AT(flow_export, start.high), export->start.high, dim);
  point_numbers(b, datum, AT(flow_export, start.mean), export->start.mean, dim);
  point_numbers(b, datum, AT(flow_export, start.factor), export->start.factor, dim * dim);
  if (export->plan.method) image_point(&b->image, datum, AT(flow_export, plan.method), image_text(&b->image, export->plan.method));
}
