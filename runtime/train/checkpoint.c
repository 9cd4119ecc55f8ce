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

/* Which weights the training began with, for the metadata. */
static void write_start(const FlowTraining *t, char *text, size_t size) { snprintf(text, size, "%016" PRIx64, t->start); }

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
  char start[24];
  write_start(t, start, sizeof start);
  const FlowMetadata metadata[] = {{"format", format_of_checkpoints}, {"iteration", iteration}, {"settings", t->text}, {"start", start}};
  if (previous) keep_previous(path, previous);
  return flow_safetensors_write(t->settings.allocator, path, saving->tensor, saving->count, metadata, 4, error);
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
  char theirs[160], own[160];   /* parts of the settings that the other has not, "" if there are none but formulas */
  char start[24];
} Loading;

/* Is this part, from `part` to a comma, among those of another text? */
static bool has_part(const char *text, const char *part, size_t length) {
  for (const char *at = text; at; at = strchr(at, ',') ? strchr(at, ',') + 2 : NULL)
    if (strncmp(at, part, length) == 0 && (at[length] == 0 || at[length] == ',')) return true;
  return false;
}

/* The first part, between commas, that another text has not.  Formulas differ too wherever a term does, and nobody could read them. */
static void first_of_its_own(const char *text, const char *other, char *part, size_t size) {
  part[0] = 0;
  for (const char *at = text; at && !part[0]; at = strchr(at, ',') ? strchr(at, ',') + 2 : NULL) {
    size_t length = strcspn(at, ",");
    if (strncmp(at, of_formulas, sizeof of_formulas - 1) != 0 && !has_part(other, at, length)) snprintf(part, size, "%.*s", (int)length, at);
  }
}

static void take_metadata(void *user, FlowMetadata pair) {
  Loading *l = user;
  if (strcmp(pair.key, "format") == 0) l->is_ours = strcmp(pair.value, format_of_checkpoints) == 0;
  if (strcmp(pair.key, "start") == 0) snprintf(l->start, sizeof l->start, "%s", pair.value);
  if (strcmp(pair.key, "iteration") == 0) {
    char *end;
    errno = 0;
    l->iteration = strtoull(pair.value, &end, 10);
    l->counted = errno == 0 && end != pair.value && !*end;
  }
  if (strcmp(pair.key, "settings") != 0) return;
  l->same = strcmp(pair.value, l->training->text) == 0;
  first_of_its_own(pair.value, l->training->text, l->theirs, sizeof l->theirs);
  first_of_its_own(l->training->text, pair.value, l->own, sizeof l->own);
}

static flow_status check_settings(const Loading *l, flow_error *error) {
  static const char anew[] = "without --resume the training starts anew";
  if (l->same) return FLOW_OK;
  if (l->theirs[0] && l->own[0])
    return flow_fail(error, FLOW_BAD_INPUT, "%s was made with other settings: `%s` there, `%s` here; %s", l->path, l->theirs, l->own, anew);
  if (l->theirs[0] || l->own[0])
    return flow_fail(error, FLOW_BAD_INPUT, "%s was made with other settings: `%s` %s; %s", l->path, l->theirs[0] ? l->theirs : l->own,
                     l->theirs[0] ? "there, and not here" : "here, and not there", anew);
  return flow_fail(error, FLOW_BAD_INPUT, "%s was made with other formulas of the velocity or its loss; %s", l->path, anew);
}

static flow_status check_metadata(const Loading *l, flow_error *error) {
  char start[24];
  if (!l->is_ours || !l->counted)
    return flow_fail(error, FLOW_BAD_INPUT, "%s is not a checkpoint of a training", l->path);
  flow_status status = check_settings(l, error);
  if (status) return status;
  write_start(l->training, start, sizeof start);
  if (strcmp(l->start, start) != 0)
    return flow_fail(error, FLOW_BAD_INPUT, "%s began with other weights (`initial`, or --weights); without --resume the training starts anew", l->path);
  uint64_t most = l->training->settings.iterations;
  if (l->iteration > most)
    return flow_fail(error, FLOW_BAD_INPUT, "%s has done %" PRIu64 " iterations, and %" PRIu64 " are asked for", l->path, l->iteration, most);
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
