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

static bool same_weight(const flow_weight *a, const flow_weight *b) {
  return strcmp(a->name, b->name) == 0 && a->rank == b->rank && memcmp(a->dim, b->dim, sizeof a->dim) == 0;
}

static bool same_weights(const flow_model *a, const flow_model *b) {
  bool same = a->weights == b->weights;
  for (uint32_t i = 0; same && i < a->weights; i++) same = same_weight(&a->weight[i], &b->weight[i]);
  return same;
}

static bool same_packs(const flow_model *a, const flow_model *b) {
  return a->packs == b->packs && (a->packs == 0 || memcmp(a->pack, b->pack, a->packs * sizeof *a->pack) == 0);
}

static uint32_t make_weights(AotBuild *b, const flow_model *model) {
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

/* Variants read the same tensors as a rule, and cut them alike: such tables stand once. */
static uint32_t add_weights(AotBuild *b, uint32_t variant) {
  for (uint32_t i = 0; i < variant; i++)
    if (same_weights(&b->model[i], &b->model[variant])) return b->weights[variant] = b->weights[i];
  return b->weights[variant] = make_weights(b, &b->model[variant]);
}

static uint32_t add_packs(AotBuild *b, uint32_t variant) {
  const flow_model *model = &b->model[variant];
  for (uint32_t i = 0; i < variant; i++)
    if (same_packs(&b->model[i], model)) return b->packs[variant] = b->packs[i];
  return b->packs[variant] = image_add(&b->image, "packs", model->pack, model->packs * sizeof *model->pack, 8);
}

/* The entries of flow_level, in the order of their fields. */
static const struct LevelEntry { size_t at; EmitEntry entry; } level_entry[] = {
    {AT(flow_level, eval), EMIT_EVAL}, {AT(flow_level, eval_lane), EMIT_EVAL_LANE}, {AT(flow_level, step), EMIT_STEP},
    {AT(flow_level, times), EMIT_TIMES}, {AT(flow_level, cond), EMIT_COND}, {AT(flow_level, derive), EMIT_DERIVE},
    {AT(flow_level, attempt), EMIT_ATTEMPT}};

static uint32_t add_levels(AotBuild *b, uint32_t index) {
  uint32_t levels = b->model[index].levels;
  flow_level *level = arena_array(&b->arena, levels, sizeof *level);
  uint32_t datum = image_add(&b->image, "levels", level, levels * sizeof *level, 8);
  for (uint32_t i = 0; i < levels; i++) {
    uint32_t part = b->first_part[index] + i;
    level[i] = emit_level(b->part[part].program, &b->part[part].options);
    for (size_t k = 0; k < sizeof level_entry / sizeof *level_entry; k++)
      if (emit_part_has(&b->part[part], level_entry[k].entry))
        image_call(&b->image, datum, i * sizeof *level + level_entry[k].at, part, level_entry[k].entry);
  }
  return datum;
}

static uint32_t add_model(AotBuild *b, uint32_t index) {
  flow_model *model = &b->model[index];
  bool both = index < b->what->variants && aot_is_for_few(b->what->variant[index].computes);
  model->levels = b->what->cpu_count * (both ? AOT_WIDTHS : 1);
  return image_add(&b->image, "model", model, sizeof *model, 8);
}

/* After all models have been added: tables that they share stand behind all of them. */
static void point_model(AotBuild *b, uint32_t index, uint32_t datum) {
  const flow_model *model = &b->model[index];
  image_point(&b->image, datum, AT(flow_model, name), image_text(&b->image, model->name));
  image_point(&b->image, datum, AT(flow_model, condition), add_conditions(b, model));
  image_point(&b->image, datum, AT(flow_model, weight), add_weights(b, index));
  image_point(&b->image, datum, AT(flow_model, pack), add_packs(b, index));
  image_point(&b->image, datum, AT(flow_model, level), add_levels(b, index));
}

static const void *blob_of(const AotBuild *b, uint32_t index) {
  const AotLibrary *what = b->what;
  if (index < what->variants) return what->variant[index].blob;
  return index == what->variants ? what->density->of.make_blob : what->density->of.log_p_blob;
}

/* What the velocity reads is as a rule the beginning of what its derivatives read: the largest blob that begins as this model's
 * stands for both. */
static uint32_t owner_of_blob(const AotBuild *b, uint32_t index) {
  uint32_t owner = index;
  size_t bytes = (size_t)b->model[index].blob_bytes;
  for (uint32_t i = 0; i < b->models; i++) {
    bool larger = b->model[i].blob_bytes > b->model[owner].blob_bytes, first = i < owner && b->model[i].blob_bytes == b->model[owner].blob_bytes;
    if ((larger || first) && blob_of(b, i) && memcmp(blob_of(b, i), blob_of(b, index), bytes) == 0) owner = i;
  }
  return owner;
}

static void add_blobs(AotBuild *b) {
  for (uint32_t i = 0; i < b->models; i++) {
    size_t bytes = (size_t)b->model[i].blob_bytes;
    if (blob_of(b, i) && owner_of_blob(b, i) == i) b->blob[i] = image_add(&b->image, "blob", blob_of(b, i), bytes ? bytes : 64, 64);
  }
  for (uint32_t i = 0; i < b->models; i++)
    if (blob_of(b, i)) b->blob[i] = b->blob[owner_of_blob(b, i)];
}

/* All models, then the tables behind them. */
static void add_models(AotBuild *b) {
  for (uint32_t i = 0; i < b->models; i++) b->at[i] = add_model(b, i);
  for (uint32_t i = 0; i < b->models; i++) point_model(b, i, b->at[i]);
  add_blobs(b);
}

static uint32_t add_variants(AotBuild *b) {
  uint32_t variants = b->what->variants;
  flow_variant *variant = arena_array(&b->arena, variants, sizeof *variant);
  for (uint32_t i = 0; i < variants; i++) {
    variant[i].computes = b->what->variant[i].computes;
    if (variant[i].computes == FLOW_COMPUTES_PROBES) variant[i].probes = b->model[i].extras;
  }
  return image_add(&b->image, "variants", variant, variants * sizeof *variant, 8);
}

static void point_variants(AotBuild *b, uint32_t datum) {
  for (uint32_t i = 0; i < b->what->variants; i++) {
    image_point(&b->image, datum, i * sizeof(flow_variant) + AT(flow_variant, model), b->at[i]);
    if (blob_of(b, i)) image_point(&b->image, datum, i * sizeof(flow_variant) + AT(flow_variant, blob), b->blob[i]);
  }
}

/* ---- the source ---------------------------------------------------------------------------------------------------------- */

static uint32_t add_numbers(AotBuild *b, const double *numbers, size_t count) {
  return image_add(&b->image, "numbers", numbers, count * sizeof *numbers, 8);
}

static void point_numbers(AotBuild *b, uint32_t datum, size_t at, const double *numbers, size_t count) {
  if (numbers) image_point(&b->image, datum, at, add_numbers(b, numbers, count));
}

static uint32_t add_draws(AotBuild *b, const flow_density *density) {
  flow_draw *draw = arena_array(&b->arena, density->draws + 1u, sizeof *draw);
  for (uint32_t i = 0; i < density->draws; i++) {
    draw[i].kind = density->draw[i].kind;
    draw[i].size = density->draw[i].size;
  }
  uint32_t datum = image_add(&b->image, "draws", draw, density->draws * sizeof *draw, 8);
  for (uint32_t i = 0; i < density->draws; i++)
    point_numbers(b, datum, i * sizeof *draw + AT(flow_draw, weight), density->draw[i].weight, (size_t)density->draw[i].size);
  return datum;
}

static uint32_t add_density(AotBuild *b) {
  flow_density *density = arena_alloc(&b->arena, sizeof *density);
  *density = b->what->density->of;
  return image_add(&b->image, "density", density, sizeof *density, 8);
}

static void point_density(AotBuild *b, uint32_t datum) {
  uint32_t make = b->what->variants, log_p = make + 1;
  image_point(&b->image, datum, AT(flow_density, draw), add_draws(b, &b->what->density->of));
  image_point(&b->image, datum, AT(flow_density, make), b->at[make]);
  image_point(&b->image, datum, AT(flow_density, log_p), b->at[log_p]);
  image_point(&b->image, datum, AT(flow_density, make_blob), b->blob[make]);
  image_point(&b->image, datum, AT(flow_density, log_p_blob), b->blob[log_p]);
}

static uint32_t add_rows(AotBuild *b) {
  flow_rows *rows = arena_alloc(&b->arena, sizeof *rows);
  rows->rows = b->what->rows->rows;
  size_t bytes = (size_t)rows->rows * b->model[0].dim * b->model[0].precision;
  uint32_t datum = image_add(&b->image, "rows", rows, sizeof *rows, 8);
  image_point(&b->image, datum, AT(flow_rows, data), image_add(&b->image, "points", b->what->rows->data, bytes, 64));
  return datum;
}

/* ---- the flow ----------------------------------------------------------------------------------------------------------- */

void aot_tables(AotBuild *b) {
  flow_export *export = arena_alloc(&b->arena, sizeof *export);
  aot_fill_export(b->what->variant[0].compiled, &b->model[0], export);
  export->variants = b->what->variants;
  size_t dim = export->dim;
  uint32_t datum = image_add(&b->image, "export", export, sizeof *export, 8), variants = add_variants(b);
  uint32_t density = b->what->density ? add_density(b) : 0;
  add_models(b);
  point_variants(b, variants);
  if (density) point_density(b, density);
  image_point(&b->image, datum, AT(flow_export, name), image_text(&b->image, aot_name(b->what)));
  image_point(&b->image, datum, AT(flow_export, maker), image_text(&b->image, flow_compiler_version()));
  image_point(&b->image, datum, AT(flow_export, description), image_text(&b->image, aot_describe(b)));
  image_point(&b->image, datum, AT(flow_export, variant), variants);
  point_numbers(b, datum, AT(flow_export, start.low), export->start.low, dim);
  point_numbers(b, datum, AT(flow_export, start.high), export->start.high, dim);
  point_numbers(b, datum, AT(flow_export, start.mean), export->start.mean, dim);
  point_numbers(b, datum, AT(flow_export, start.factor), export->start.factor, dim * dim);
  if (export->plan.method) image_point(&b->image, datum, AT(flow_export, plan.method), image_text(&b->image, export->plan.method));
  if (density) image_point(&b->image, datum, AT(flow_export, density), density);
  if (b->what->rows) image_point(&b->image, datum, AT(flow_export, rows), add_rows(b));
}
