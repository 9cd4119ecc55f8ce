/* SPDX-License-Identifier: Apache-2.0 */
/* open.c -- a model from what a library exports: its tables checked, its weights at hand, the code for this processor. */
#include "api.h"
#include "rounding.h"
#include <inttypes.h>
#include <string.h>

_Static_assert(sizeof(flowrt_allocator) == sizeof(FlowAllocator), "the public allocator is the runtime's");

/* ---- checks ---------------------------------------------------------------------------------------------------------------- */

static flow_status check_abi(const flow_export *e, const char *path, flow_error *error) {
  if (e->abi != FLOW_EXPORT_ABI)
    return flow_fail(error, FLOW_BAD_INPUT, "%s: a library of interface %" PRIu32 "; this libflowrt (" FLOWRT_VERSION ") opens %u: compile the flow again",
                     path, e->abi, FLOW_EXPORT_ABI);
  if (e->size < FLOW_EXPORT_LEAST_BYTES || e->table_bytes != FLOW_EXPORT_TABLE_BYTES)
    return flow_fail(error, FLOW_BAD_INPUT, "%s: its tables have %" PRIu32 " bytes; this libflowrt (" FLOWRT_VERSION ") reads %zu: compile the flow again", path,
                     e->size < FLOW_EXPORT_LEAST_BYTES ? e->size : e->table_bytes, e->size < FLOW_EXPORT_LEAST_BYTES ? FLOW_EXPORT_LEAST_BYTES : (size_t)FLOW_EXPORT_TABLE_BYTES);
  return FLOW_OK;
}

/* Rows and conditions that a variant has beside the velocity's; those of variants that this library does not know are left alone. */
static bool fits(const flow_export *e, const flow_variant *variant) {
  const flow_model *model = variant->model;
  uint64_t extras = model->extras, own = (uint64_t)model->conditions - e->variant[0].model->conditions;
  switch (variant->computes) {
  case FLOW_COMPUTES_VELOCITY: return extras == 0 && own == 0 && !model->jump;
  case FLOW_COMPUTES_LOG_P: return extras == 1 && own == 0 && !model->jump;
  case FLOW_COMPUTES_PROBES: return variant->probes > 0 && extras == variant->probes && own == 1 && !model->jump;
  case FLOW_COMPUTES_JVP:
  case FLOW_COMPUTES_VJP: return extras == model->dim && own == 1 && !model->jump;
  case FLOW_COMPUTES_JUMP: return extras <= 1 && own == 0 && model->jump;
  default: return true;
  }
}

static flow_status check_export(const flow_export *e, const char *path, flow_error *error) {
  flow_status status = check_abi(e, path, error);
  if (status) return status;
  bool start = e->start.kind != FLOW_START_UNIFORM || (e->start.low && e->start.high);
  start = start && (e->start.kind != FLOW_START_GAUSSIAN || (e->start.mean && e->start.factor));
  if (!e->variant || e->variants == 0 || e->variants > API_MOST_VARIANTS || !e->name || !e->description || !start ||
      e->variant[0].computes != FLOW_COMPUTES_VELOCITY)
    return flow_fail(error, FLOW_BAD_INPUT, "%s: its description makes no sense: it was not made by flowc", path);
  for (uint32_t i = 0; !status && i < e->variants; i++) {
    const flow_model *model = e->variant[i].model;
    status = model ? flow_model_check(model, error) : flow_fail(error, FLOW_BAD_INPUT, "%s: a variant without a model", path);
    if (!status && (model->dim != e->dim || model->precision != e->precision || model->conditions > API_MOST_CONDITIONS || !fits(e, &e->variant[i])))
      status = flow_fail(error, FLOW_BAD_INPUT, "%s: its variants do not fit each other", path);
  }
  return status;
}

/* ---- weights ----------------------------------------------------------------------------------------------------------------- */

/* A name for messages, and whether there are tensors at all. */
typedef struct Weights {
  FlowTensors tensors;
  bool there;
  const char *name;
} Weights;

static flow_status read_weights(const flowrt_model *model, const flowrt_options *options, Weights *weights, flow_error *error) {
  *weights = (Weights){.name = options->weights_path ? options->weights_path : "the weights.safetensors"};
  if (options->weights_path && options->weights)
    return flow_fail(error, FLOW_BAD_CALL, "weights from a path and from memory: one or the other");
  flow_status status = FLOW_OK;
  if (options->weights_path) status = flow_tensors_read(&model->allocator, options->weights_path, &weights->tensors, error);
  if (options->weights)
    status = flow_tensors_parse(&model->allocator, weights->name, options->weights, options->weights_bytes, &weights->tensors, error);
  weights->there = !status && (options->weights_path || options->weights);
  return status;
}

static flow_status choose_levels(ApiVariant *variant, uint32_t cpu, flow_error *error) {
  flow_status status = flow_model_level(variant->of->model, cpu, &variant->level, error);
  return status ? status : flow_model_level_for(variant->of->model, cpu, 1, &variant->few, error);
}

static bool wants_packing(const ApiVariant *variant, const Weights *weights) {
  return !variant->of->blob || (weights->there && variant->of->model->weights);
}

/* Does the blob of b begin as that of a?  Variants of one library share the table of weights, and the beginning of that of pieces. */
static bool begins_as(const flow_model *b, const flow_model *a) {
  return b->weight == a->weight && b->weights == a->weights && b->derived_rows == 0 && a->derived_rows == 0 && b->packs >= a->packs &&
         b->blob_bytes >= a->blob_bytes && (a->packs == 0 || memcmp(b->pack, a->pack, a->packs * sizeof *a->pack) == 0);
}

/* The variant whose blob is this one's too: the first of the largest that begin so. */
static uint32_t owner_of_blob(const flowrt_model *model, uint32_t index) {
  const flow_variant *variant = model->exported->variant;
  uint32_t owner = index;
  for (uint32_t i = 0; i < model->variants; i++) {
    bool larger = variant[i].model->packs > variant[owner].model->packs, first = i < owner && variant[i].model->packs == variant[owner].model->packs;
    if ((larger || first) && begins_as(variant[i].model, variant[index].model)) owner = i;
  }
  return owner;
}

static flow_status pack(flowrt_model *model, uint32_t index, const Weights *weights, flow_error *error) {
  ApiVariant *variant = &model->variant[index];
  const flow_model *of = variant->of->model;
  if (of->weights && !weights->there)
    return flow_fail(error, FLOW_BAD_INPUT, "%s: its weights are not in the library; open it with a weights file", of->name);
  return flow_model_pack(&model->allocator, of, weights->there ? &weights->tensors : NULL, weights->name, &variant->own, error);
}

/* ---- the model ---------------------------------------------------------------------------------------------------------------- */

static flow_status open_variants(flowrt_model *model, const flowrt_options *options, flow_error *error) {
  Weights weights;
  flow_status status = read_weights(model, options, &weights, error);
  model->variants = model->exported->variants;
  for (uint32_t i = 0; !status && i < model->variants; i++) {
    model->variant[i].of = &model->exported->variant[i];
    status = choose_levels(&model->variant[i], options->cpu, error);
  }
  for (uint32_t i = 0; !status && i < model->variants; i++)
    if (wants_packing(&model->variant[i], &weights) && owner_of_blob(model, i) == i) status = pack(model, i, &weights, error);
  for (uint32_t i = 0; !status && i < model->variants; i++) {
    ApiVariant *variant = &model->variant[i], *owner = wants_packing(variant, &weights) ? &model->variant[owner_of_blob(model, i)] : variant;
    variant->weights = owner->own.data ? owner->own.data : owner->of->blob;
  }
  if (weights.there) flow_tensors_free(&weights.tensors);
  return status;
}

static flow_status open_model(const char *path, const flow_export *exported, void *library, const flowrt_options *options,
                              flowrt_model **model, flow_error *error) {
  FlowAllocator allocator = flow_standard_allocator;
  if (options->allocator) allocator = (FlowAllocator){options->allocator->resize, options->allocator->user};
  flow_status status = check_export(exported, path, error);
  if (status) return status;
  flowrt_model *m = flow_alloc(&allocator, sizeof *m);
  if (!m) return flow_fail(error, FLOW_NO_MEMORY, "out of memory while opening a model");
  m->allocator = allocator;
  m->exported = exported;
  status = api_start_open(m, options, error);
  if (!status) status = open_variants(m, options, error);
  if (status) {
    flowrt_close(m);
    return status;
  }
  m->library = library;
  *model = m;
  return FLOW_OK;
}

static flow_status take_options(flowrt_options *to, const flowrt_options *from, flow_error *error) {
  memset(to, 0, sizeof *to);
  return from ? api_take(to, sizeof *to, from, "flowrt_options", error) : FLOW_OK;
}

/* Numbers of files are read and rounded as all of flow's are. */
static flow_status open_rounded(const char *file, const flow_export *exported, void *library, const flowrt_options *options, flowrt_model **model,
                                flow_error *error) {
  FlowRounding callers = flow_rounding_enter();
  flow_status status = open_model(file, exported, library, options, model, error);
  flow_rounding_leave(callers);
  return status;
}

flow_status flowrt_open(const char *path, const flowrt_options *options, flowrt_model **model, flow_error *error) {
  flowrt_options known;
  const flow_export *exported;
  void *library;
  *model = NULL;
  if (!path) return flow_fail(error, FLOW_BAD_CALL, "flowrt_open without a path");
  flow_status status = take_options(&known, options, error);
  if (!status) status = api_load(path, &library, &exported, error);
  if (status) return status;
  status = open_rounded(path, exported, library, &known, model, error);
  if (status) api_unload(library);
  return status;
}

flow_status flowrt_open_export(const flow_export *exported, const flowrt_options *options, flowrt_model **model, flow_error *error) {
  flowrt_options known;
  *model = NULL;
  if (!exported) return flow_fail(error, FLOW_BAD_CALL, "flowrt_open_export without a struct");
  flow_status status = take_options(&known, options, error);
  return status ? status : open_rounded("the model", exported, NULL, &known, model, error);
}

void flowrt_close(flowrt_model *model) {
  if (!model) return;
  for (uint32_t i = 0; i < model->variants; i++)
    if (model->variant[i].own.data) flow_blob_free(&model->variant[i].own);
  if (model->points.tensor) flow_tensors_free(&model->points);
  FlowAllocator allocator = model->allocator;
  void *library = model->library;
  flow_free(&allocator, model, sizeof *model);
  api_unload(library);
}

/* ---- what it is ---------------------------------------------------------------------------------------------------------------- */

const ApiVariant *api_variant(const flowrt_model *model, uint32_t computes) {
  for (uint32_t i = 0; i < model->variants; i++)
    if (model->variant[i].of->computes == computes) return &model->variant[i];
  return NULL;
}

flow_status api_lacks(const flowrt_model *model, const char *what, flow_error *error) {
  return flow_fail(error, FLOW_BAD_CALL, "%s: the library computes no %s", model->exported->name, what);
}

const char *flowrt_name(const flowrt_model *model) { return model->exported->name; }
const char *flowrt_description(const flowrt_model *model) { return model->exported->description; }
uint32_t flowrt_dim(const flowrt_model *model) { return model->exported->dim; }
uint32_t flowrt_precision(const flowrt_model *model) { return model->exported->precision; }
uint32_t flowrt_cpu(const flowrt_model *model) { return model->variant[0].level->cpu; }
uint32_t flowrt_conditions(const flowrt_model *model) { return model->variant[0].of->model->conditions; }

const char *flowrt_condition_name(const flowrt_model *model, uint32_t index) {
  return index < flowrt_conditions(model) ? model->variant[0].of->model->condition[index].name : NULL;
}

uint64_t flowrt_condition_size(const flowrt_model *model, uint32_t index) {
  return index < flowrt_conditions(model) ? model->variant[0].of->model->condition[index].size : 0;
}

int flowrt_computes(const flowrt_model *model, uint32_t what) { return api_variant(model, what) != NULL; }
const flow_export *flowrt_exported(const flowrt_model *model) { return model->exported; }
const char *flowrt_version(void) { return FLOWRT_VERSION; }
