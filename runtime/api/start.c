/* SPDX-License-Identifier: Apache-2.0 */
/* start.c -- where samples start: what the library says of the flow's source, and the points of a file. */
#include "api.h"
#include "checked.h"

static const char points[] = "the source in the library";

static FlowTensor tensor_of(const flow_export *e) {
  return (FlowTensor){.name = "", .type = e->precision == FLOW_F32 ? FLOW_TYPE_F32 : FLOW_TYPE_F64, .rank = 2, .dim = {e->rows->rows, e->dim},
                      .count = e->rows->rows * e->dim, .data = e->rows->data};
}

/* The points that the library names, from the file that the caller names. */
static flow_status read_points(flowrt_model *model, const char *path, flow_error *error) {
  if (model->exported->start.kind != FLOW_START_GIVEN)
    return flow_fail(error, FLOW_BAD_CALL, "%s: its source is no file, and so it wants no points from %s", model->exported->name, path);
  flow_status status = flow_tensors_read(&model->allocator, path, &model->points, error);
  if (status) return status;
  const FlowTensor *chosen = flow_tensors_choose(&model->points, "source");
  if (!chosen)
    return flow_fail(error, FLOW_BAD_INPUT, "%s holds %u arrays; one is wanted, or one called `source` or `samples`", path, model->points.count);
  model->rows = *chosen;
  model->source.tensor = &model->rows;
  return flow_source_check(&model->source, model->source.dim, 0, 1, error);
}

static flow_status open_points(flowrt_model *model, const char *path, flow_error *error) {
  const flow_export *e = model->exported;
  model->source.kind = FLOW_SOURCE_TENSOR;
  model->source.name = path ? path : points;
  if (path) return read_points(model, path, error);
  const flow_rows *rows = API_HAS(e, rows) ? e->rows : NULL;
  if (e->start.kind != FLOW_START_GIVEN || !rows) return FLOW_OK;
  uint64_t count;
  if (rows->rows == 0 || !rows->data || !flow_mul_u64(rows->rows, e->dim, &count))
    return flow_fail(error, FLOW_BAD_INPUT, "%s: its points make no sense: the library was not made by flowc", e->name);
  model->rows = tensor_of(e);
  model->source.tensor = &model->rows;
  return FLOW_OK;
}

flow_status api_start_open(flowrt_model *model, const flowrt_options *options, flow_error *error) {
  const flow_export *e = model->exported;
  const flow_start *start = &e->start;
  model->source = (FlowSource){.dim = e->dim, .low = start->low, .high = start->high, .mean = start->mean, .factor = start->factor};
  if (!options->source_path) switch (start->kind) {
    case FLOW_START_NORMAL: model->source.kind = FLOW_SOURCE_NORMAL; return FLOW_OK;
    case FLOW_START_UNIFORM: model->source.kind = FLOW_SOURCE_UNIFORM; return FLOW_OK;
    case FLOW_START_GAUSSIAN: model->source.kind = FLOW_SOURCE_GAUSSIAN; return FLOW_OK;
    case FLOW_START_DENSITY:
      if (!API_HAS(e, density) || !e->density) break;
      model->source.kind = FLOW_SOURCE_DRAWN;
      return api_drawn_check(e->density, e->dim, options->cpu, &model->drawn, error);
    }
  return open_points(model, options->source_path, error);
}

/* ---- for a call ------------------------------------------------------------------------------------------------------------ */

static bool has_start(const flowrt_model *model) { return model->source.kind != FLOW_SOURCE_TENSOR || model->source.tensor; }

flow_status api_start(ApiSolve *s, bool measured, flow_error *error) {
  const flowrt_model *model = s->model;
  const flowrt_request *r = &s->request;
  if (!r->from && !has_start(model))
    return flow_fail(error, FLOW_BAD_CALL, "%s: the library does not have the flow's source; hand in starting points in `from`%s", model->exported->name,
                     model->exported->start.kind == FLOW_START_GIVEN ? ", or name the file of its points when it is opened" : "");
  s->source = s->density = model->source;
  if (model->drawn.of && (!r->from || measured)) {
    flow_status status = api_drawn_open(&model->drawn, flow_threads(r->threads), s->sampling.allocator, &s->drawn, error);
    if (status) return status;
    s->source = s->density = api_drawn_source(&s->drawn, model->source.dim);
  }
  if (!r->from) return FLOW_OK;
  s->from = api_rows("from", model->exported->precision, r->from, r->first, r->count, model->exported->dim);
  s->source = (FlowSource){.kind = FLOW_SOURCE_TENSOR, .dim = model->exported->dim, .tensor = &s->from, .name = "from"};
  return FLOW_OK;
}
