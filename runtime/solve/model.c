/* SPDX-License-Identifier: Apache-2.0 */
/* model.c -- checks a model's numbers, chooses its level, sizes its buffers. */
#include "model.h"
#include "checked.h"
#include "cpu.h"
#include <inttypes.h>

static const char *name_of(const flow_model *model) { return model->name ? model->name : "the model"; }

static flow_status check_level(const flow_model *model, const flow_level *level, flow_error *error) {
  if (level->quantum == 0 || level->lanes == 0 || level->lanes % level->quantum != 0)
    return flow_fail(error, FLOW_BAD_INPUT, "%s: a tile of %" PRIu32 " lanes is no multiple of %" PRIu32 " lanes of a vector",
                     name_of(model), level->lanes, level->quantum);
  if ((model->times_rows && !level->times) || (model->cond_rows && !level->cond))
    return flow_fail(error, FLOW_BAD_INPUT, "%s: the code for its %s section is missing", name_of(model),
                     model->times_rows && !level->times ? "times" : "cond");
  size_t bytes;
  if (!flow_model_scratch_bytes(level, 64, &bytes) || !flow_model_lanes_bytes(model, level, (uint64_t)model->dim + model->extras, &bytes) ||
      !flow_model_lanes_bytes(model, level, model->times_rows, &bytes) ||
      !flow_model_lanes_bytes(model, level, model->cond_rows, &bytes) ||
      !flow_model_lanes_bytes(model, level, model->condition_rows, &bytes))
    return flow_fail(error, FLOW_BAD_INPUT, "%s: its buffers are larger than memory can be", name_of(model));
  return FLOW_OK;
}

flow_status flow_model_check(const flow_model *model, flow_error *error) {
  if (model->abi != FLOW_MODEL_ABI || model->size < sizeof *model)
    return flow_fail(error, FLOW_BAD_INPUT, "the model has binary interface %" PRIu32 " of %" PRIu32 " bytes; this runtime reads %u of %zu",
                     model->abi, model->size, FLOW_MODEL_ABI, sizeof *model);
  if (model->precision != FLOW_F32 && model->precision != FLOW_F64)
    return flow_fail(error, FLOW_BAD_INPUT, "%s: numbers of %" PRIu32 " bytes; 4 and 8 are known", name_of(model), model->precision);
  if (model->dim == 0) return flow_fail(error, FLOW_BAD_INPUT, "%s: its state has no components", name_of(model));
  for (uint32_t i = 0; i < model->conditions; i++)
    if (!flow_range_fits(model->condition[i].row, model->condition[i].size, model->condition_rows))
      return flow_fail(error, FLOW_BAD_INPUT, "%s: condition '%s' does not lie inside the conditions' %" PRIu64 " rows", name_of(model),
                       model->condition[i].name, model->condition_rows);
  for (uint32_t i = 0; i < model->levels; i++) {
    flow_status status = check_level(model, &model->level[i], error);
    if (status) return status;
  }
  return FLOW_OK;
}

flow_status flow_model_level(const flow_model *model, uint32_t cpu, const flow_level **level, flow_error *error) {
  return flow_model_level_for(model, cpu, UINT64_MAX, level, error);
}

flow_status flow_model_level_for(const flow_model *model, uint32_t cpu, uint64_t samples, const flow_level **level, flow_error *error) {
  uint32_t has = flow_cpu_level();
  if (has == 0)
    return flow_fail(error, FLOW_BAD_CALL, "this processor is below x86-64-v3 (AVX2 and FMA), which all of flow's code needs");
  if (cpu > has)
    return flow_fail(error, FLOW_BAD_CALL, "code for x86-64-v%" PRIu32 " was asked for; this processor has x86-64-v%" PRIu32, cpu, has);
  const flow_level *other = NULL;       /* of the right CPU, of the wrong width */
  for (uint32_t i = 0; i < model->levels; i++) {
    *level = &model->level[i];
    if (cpu ? (*level)->cpu != cpu : (*level)->cpu > has) continue;
    if (((*level)->lanes == 1) == (samples < FLOW_FEW_SAMPLES)) return FLOW_OK;
    if (!other) other = *level;
  }
  *level = other;
  if (other) return FLOW_OK;
  *level = NULL;
  return flow_fail(error, FLOW_BAD_CALL, "%s holds no code for x86-64-v%" PRIu32, name_of(model), cpu ? cpu : has);
}

bool flow_model_lanes_bytes(const flow_model *model, const flow_level *level, uint64_t rows, size_t *bytes) {
  size_t count;
  return flow_u64_to_size(rows, &count) && flow_mul_size(count, (size_t)level->lanes * model->precision, bytes) &&
         flow_align_up(*bytes, 64, bytes);
}

bool flow_model_scratch_bytes(const flow_level *level, uint32_t stages, size_t *bytes) {
  size_t stage_bytes, all;
  if (!flow_mul_size(stages, level->stage_bytes, &stage_bytes) || !flow_add_size(level->scratch_bytes, stage_bytes, &all))
    return false;
  return flow_align_up(all ? all : 1, 64, bytes);
}

flow_status flow_model_refused(const flow_model *model, const char *entry, int code, flow_error *error) {
  return flow_fail(error, FLOW_INTERNAL, "%s: its function '%s' refused the call (%d)", name_of(model), entry, code);
}
