/* SPDX-License-Identifier: Apache-2.0 */
#include "train_files.h"
#include "safetensors.h"
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char suffix[] = ".safetensors";

/* Known before hours are spent. */
static flow_status check_folder(const char *path, flow_error *error) {
  char folder[4096];
  struct stat about;
  if (stat(path, &about) == 0 && S_ISDIR(about.st_mode)) return flow_fail(error, FLOW_BAD_FILE, "%s: is a folder; a file is needed", path);
  const char *slash = strrchr(path, '/');
  snprintf(folder, sizeof folder, "%.*s", slash ? (int)(slash - path) + 1 : 1, slash ? path : ".");
  if (access(folder, W_OK) == 0) return FLOW_OK;
  return flow_fail(error, FLOW_BAD_FILE, "%s: nothing can be written there: %s", path, strerror(errno));
}

flow_status train_files(const Run *run, TrainFiles *files, flow_error *error) {
  const char *path = text_of(run, OPTION_trained);
  if (!path) return flow_fail(error, FLOW_BAD_CALL, "-o is missing: the file for the weights, as in -o w.safetensors");
  size_t length = strlen(path), end = sizeof suffix - 1;
  if (length <= end || strcmp(path + length - end, suffix) != 0)
    return flow_fail(error, FLOW_BAD_CALL, "-o %s: weights go to a .safetensors file", path);
  files->weights = path;
  int stem = (int)(length - end);
  if (snprintf(files->checkpoint, sizeof files->checkpoint, "%.*s.checkpoint%s", stem, path, suffix) >= (int)sizeof files->checkpoint ||
      snprintf(files->previous, sizeof files->previous, "%.*s.checkpoint.previous%s", stem, path, suffix) >= (int)sizeof files->previous ||
      snprintf(files->stopped, sizeof files->stopped, "%.*s.stopped%s", stem, path, suffix) >= (int)sizeof files->stopped)
    return flow_fail(error, FLOW_BAD_CALL, "-o: the path is too long");
  return check_folder(path, error);
}

flow_status train_resume(const Run *run, const TrainFiles *files, FlowTraining *training, flow_error *error) {
  bool newest = access(files->checkpoint, F_OK) == 0, older = access(files->previous, F_OK) == 0;
  if (!newest && !older) {
    if (!has(run, OPTION_quiet)) fprintf(stderr, "there is no checkpoint %s: the training begins\n", files->checkpoint);
    return FLOW_OK;
  }
  flow_status status = newest ? flow_training_load(training, files->checkpoint, error) : FLOW_BAD_FILE;
  if (!status || !older) return status;
  flow_error second = {{0}};
  flow_status fallback = flow_training_load(training, files->previous, &second);
  if (fallback) return newest ? status : flow_fail(error, fallback, "%s", second.text);
  if (newest) warn(&run->terminal, "%s; the one before it is taken", error->text);
  return FLOW_OK;
}

flow_status train_write(const char *path, const FlowTraining *training, const flow_model *model, bool average, flow_error *error) {
  static const FlowMetadata metadata[] = {{"format", "pt"}};
  FlowTensor *tensor = calloc(model->weights + (size_t)1, sizeof *tensor);
  if (!tensor) return flow_fail(error, FLOW_NO_MEMORY, "out of memory");
  for (uint32_t i = 0; i < model->weights; i++) tensor[i] = flow_training_tensor(training, i, average);
  flow_status status = flow_safetensors_write(&flow_standard_allocator, path, tensor, model->weights, metadata, 1, error);
  free(tensor);
  return status;
}
