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
  uint32_t cpus = b->what->cpu_count;
  flow_level *level = arena_array(&b->arena, cpus, sizeof *level);
  uint32_t datum = image_add(&b->image, "levels", level, cpus * sizeof *level, 8);
  for (uint32_t i = 0; i < cpus; i++) {
    uint32_t part = variant * cpus + i;
    level[i] = emit_level(b->part[part].program, &b->part[part].options);
    for (size_t k = 0; k < sizeof level_entry / sizeof *level_entry; k++)
      if (emit_part_has(&b->part[part], level_entry[k].entry))
        image_call(&b->image, datum, i * sizeof *level + level_entry[k].at, part, level_entry[k].entry);
  }
  return datum;
}

static uint32_t add_model(AotBuild *b, uint32_t variant) {
  flow_model *model = &b->model[variant];
  model->levels = b->what->cpu_count;
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

static uint32_t start_kind(const TypedFlow *flow) {
  if (!flow) return FLOW_START_NONE;
  switch (flow->source) {
  case SOURCE_NORMAL: return FLOW_START_NORMAL;
  case SOURCE_UNIFORM: return FLOW_START_UNIFORM;
  case SOURCE_GAUSSIAN: return FLOW_START_GAUSSIAN;
  case SOURCE_FILE: return FLOW_START_GIVEN;
  case SOURCE_DENSITY: break;
  }
  return FLOW_START_NONE;
}

static void set_plan(flow_plan *plan, const TypedFlow *flow) {
  static const uint32_t spacing[] = {
      [SPACING_EQUAL] = FLOW_STEPS_EQUAL, [SPACING_COSINE] = FLOW_STEPS_COSINE, [SPACING_POWER] = FLOW_STEPS_POWER};
  plan->to = 1;
  if (!flow) return;
  plan->from = flow->time_from;
  plan->to = flow->time_to;
  plan->steps = (uint64_t)(flow->steps > 0 ? flow->steps : 0);
  plan->spacing = spacing[flow->spacing];
  plan->power = flow->spacing_power;
  plan->rtol = flow->rtol;
  plan->atol = flow->atol;
}

static void point_numbers(AotBuild *b, uint32_t datum, size_t at, const double *numbers, size_t count) {
  if (numbers) image_point(&b->image, datum, at, image_add(&b->image, "numbers", numbers, count * sizeof *numbers, 8));
}

static void point_start(AotBuild *b, uint32_t datum, const TypedFlow *flow) {
  size_t dim = flow ? (size_t)flow->dim : 0;
  if (flow && flow->source == SOURCE_UNIFORM) {
    point_numbers(b, datum, AT(flow_export, start.low), flow->uniform_low, dim);
    point_numbers(b, datum, AT(flow_export, start.high), flow->uniform_high, dim);
  }
  if (flow && flow->source == SOURCE_GAUSSIAN) {
    point_numbers(b, datum, AT(flow_export, start.mean), flow->mean, dim);
    point_numbers(b, datum, AT(flow_export, start.factor), flow->factor, dim * dim);
  }
}

void aot_tables(AotBuild *b) {
  const TypedFlow *flow = flow_compiled_flow(b->what->variant[0].compiled);
  flow_export *export = arena_alloc(&b->arena, sizeof *export);
  export->abi = FLOW_EXPORT_ABI;
  export->size = sizeof *export;
  export->dim = b->model[0].dim;
  export->precision = b->model[0].precision;
  export->variants = b->what->variants;
  export->start.kind = start_kind(flow);
  set_plan(&export->plan, flow);
  uint32_t datum = image_add(&b->image, "export", export, sizeof *export, 8);
  image_point(&b->image, datum, AT(flow_export, name), image_text(&b->image, aot_name(b->what)));
  image_point(&b->image, datum, AT(flow_export, maker), image_text(&b->image, flow_compiler_version()));
  image_point(&b->image, datum, AT(flow_export, description), image_text(&b->image, aot_describe(b)));
  image_point(&b->image, datum, AT(flow_export, variant), add_variants(b));
  point_start(b, datum, flow);
  if (flow && flow->solver) image_point(&b->image, datum, AT(flow_export, plan.method), image_text(&b->image, flow->solver));
}
