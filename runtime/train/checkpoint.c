/* SPDX-License-Identifier: Apache-2.0 */
/* checkpoint.c -- the rest of train.h: all that a run depends on, to a file and back. */
#include "training.h"
#include "checked.h"
#include "read_file.h"
#include "safetensors.h"
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char format_of_checkpoints[] = "flowc training 1";
static const char of_formulas[] = "formulas ";          /* the part of the settings' text that nobody could read */
static const char *const part_name[] = {"weight", "first", "second", "average"};
enum { SAVED_PARTS = FLOW_MASTER_AVERAGE + 1, MOST_NAME = 1024 };

/* ---- saving -------------------------------------------------------------------------------------------------------------- */

typedef struct Saving { FlowTensor *tensor; char (*name)[MOST_NAME]; uint32_t count, room; } Saving;

static flow_status list_tensors(const FlowTraining *t, Saving *saving, flow_error *error) {
  const flow_model *model = t->settings.model;
  for (int part = 0; part < SAVED_PARTS; part++) {
    for (uint32_t i = 0; t->masters.part[part] && i < model->weights; i++) {
      FlowTensor *tensor = &saving->tensor[saving->count];
      *tensor = flow_masters_tensor(&t->masters, (FlowMasterPart)part, i);
      if (snprintf(saving->name[saving->count], MOST_NAME, "%s/%s", part_name[part], tensor->name) >= MOST_NAME)
        return flow_fail(error, FLOW_BAD_INPUT, "the name of weight '%.64s...' is too long for a checkpoint", tensor->name);
      tensor->name = saving->name[saving->count++];
    }
  }
  return FLOW_OK;
}

/* The old file under its second name, while it also has its first one: a link, then a rename; where there are no links, a rename. */
static void keep_previous(const char *path, const char *previous) {
  char step[4096];
  if (snprintf(step, sizeof step, "%s.link", previous) >= (int)sizeof step) return;
  unlink(step);
  if (link(path, step) == 0)
    rename(step, previous);
  else if (errno != ENOENT)
    rename(path, previous);
}

static flow_status write_checkpoint(const FlowTraining *t, const Saving *saving, const char *path, const char *previous, flow_error *error) {
  char iteration[32];
  snprintf(iteration, sizeof iteration, "%" PRIu64, t->done);
  const FlowMetadata metadata[] = {{"format", format_of_checkpoints}, {"iteration", iteration}, {"settings", t->text}};
  if (previous) keep_previous(path, previous);
  return flow_safetensors_write(t->settings.allocator, path, saving->tensor, saving->count, metadata, 3, error);
}

flow_status flow_training_save(const FlowTraining *t, const char *path, const char *previous, flow_error *error) {
  const FlowAllocator *allocator = t->settings.allocator;
  Saving saving = {.room = SAVED_PARTS * t->settings.model->weights};
  saving.tensor = flow_alloc_array(allocator, saving.room, sizeof *saving.tensor);
  saving.name = flow_alloc_array(allocator, saving.room, sizeof *saving.name);
  flow_status status = saving.tensor && saving.name ? list_tensors(t, &saving, error)
                                                    : flow_fail(error, FLOW_NO_MEMORY, "out of memory for a checkpoint");
  if (!status) status = write_checkpoint(t, &saving, path, previous, error);
  flow_free(allocator, saving.tensor, saving.room * sizeof *saving.tensor);
  flow_free(allocator, saving.name, saving.room * sizeof *saving.name);
  return status;
}

/* ---- loading -------------------------------------------------------------------------------------------------------------- */

typedef struct Loading {
  const FlowTraining *training;
  const char *path;
  bool is_ours;
  uint64_t iteration;
  bool counted, same;
  char theirs[160], own[160];   /* the first part of the settings that differs */
} Loading;

/* The part between commas in which a text first differs from another. */
static void differing_part(const char *a, const char *b, char *part, size_t size) {
  size_t at = 0, from = 0;
  for (; a[at] && a[at] == b[at]; at++)
    if (a[at] == ',') from = at + 2;
  const char *end = strchr(a + from, ',');
  snprintf(part, size, "%.*s", end ? (int)(end - a - (ptrdiff_t)from) : (int)strlen(a + from), a + from);
}

static void take_metadata(void *user, FlowMetadata pair) {
  Loading *l = user;
  if (strcmp(pair.key, "format") == 0) l->is_ours = strcmp(pair.value, format_of_checkpoints) == 0;
  if (strcmp(pair.key, "iteration") == 0) {
    char *end;
    errno = 0;
    l->iteration = strtoull(pair.value, &end, 10);
    l->counted = errno == 0 && end != pair.value && !*end;
  }
  if (strcmp(pair.key, "settings") != 0) return;
  l->same = strcmp(pair.value, l->training->text) == 0;
  differing_part(pair.value, l->training->text, l->theirs, sizeof l->theirs);
  differing_part(l->training->text, pair.value, l->own, sizeof l->own);
}

static flow_status check_metadata(const Loading *l, flow_error *error) {
  if (!l->is_ours || !l->counted)
    return flow_fail(error, FLOW_BAD_INPUT, "%s is not a checkpoint of a training", l->path);
  if (strncmp(l->theirs, of_formulas, sizeof of_formulas - 1) == 0 && !l->same)
    return flow_fail(error, FLOW_BAD_INPUT, "%s was made with other formulas of the velocity or its loss; without --resume the training starts anew",
                     l->path);
  if (!l->same)
    return flow_fail(error, FLOW_BAD_INPUT, "%s was made with other settings: `%s` there, `%s` here; without --resume the training starts anew",
                     l->path, l->theirs, l->own);
  return FLOW_OK;
}

static bool fits(const FlowTensor *tensor, const FlowTensor *own) {
  return tensor && tensor->type == own->type && tensor->rank == own->rank && memcmp(tensor->dim, own->dim, own->rank * sizeof own->dim[0]) == 0;
}

/* All are there before one is taken. */
static flow_status take_tensors(FlowTraining *t, const FlowTensors *tensors, const char *path, flow_error *error) {
  char name[MOST_NAME];
  for (int pass = 0; pass < 2; pass++) {
    for (int part = 0; part < SAVED_PARTS; part++) {
      for (uint32_t i = 0; t->masters.part[part] && i < t->settings.model->weights; i++) {
        FlowTensor own = flow_masters_tensor(&t->masters, (FlowMasterPart)part, i);
        snprintf(name, sizeof name, "%s/%s", part_name[part], own.name);
        const FlowTensor *tensor = flow_tensors_find(tensors, name);
        if (!fits(tensor, &own)) return flow_fail(error, FLOW_BAD_INPUT, "%s: there is no tensor '%s' of the flow's shape and type", path, name);
        if (pass == 1) flow_masters_take(&t->masters, (FlowMasterPart)part, i, tensor);
      }
    }
  }
  return FLOW_OK;
}

static flow_status load(FlowTraining *t, const FlowBytes *bytes, const char *path, flow_error *error) {
  const FlowAllocator *allocator = t->settings.allocator;
  Loading l = {.training = t, .path = path};
  FlowTensors tensors;
  flow_status status = flow_safetensors_metadata(allocator, path, bytes->data, bytes->size, take_metadata, &l, error);
  if (!status) status = check_metadata(&l, error);
  if (!status) status = flow_safetensors_parse(allocator, path, bytes->data, bytes->size, &tensors, error);
  if (status) return status;
  status = take_tensors(t, &tensors, path, error);
  if (!status) t->done = l.iteration;
  flow_tensors_free(&tensors);
  return status;
}

flow_status flow_training_load(FlowTraining *t, const char *path, flow_error *error) {
  FlowBytes bytes;
  flow_status status = flow_read_file(t->settings.allocator, path, SIZE_MAX / 2, &bytes, error);
  if (status) return status;
  status = load(t, &bytes, path, error);
  flow_bytes_free(t->settings.allocator, &bytes);
  return status;
}
