/* SPDX-License-Identifier: Apache-2.0 */
/* tensor_read.c -- the suffix chooses the reader. */
#include "csv.h"
#include "npy.h"
#include "npz.h"
#include "safetensors.h"
#include <string.h>
#include <strings.h>

/* A file that the reader takes piece by piece, without a copy of it; NULL: it is read whole and parsed or adopted. */
typedef flow_status ReadFile(const FlowAllocator *allocator, const FlowFile *file, FlowTensors *tensors,
                             flow_error *error);

static flow_status read_npy(const FlowAllocator *allocator, const FlowFile *file, FlowTensors *tensors,
                            flow_error *error) {
  FlowStream stream = flow_stream_of_file(file);
  return flow_npy_read(allocator, &stream, tensors, error);
}

static const struct {
  const char *suffix;
  FlowParse *parse;
  ReadFile *read;
} formats[] = {
    {".safetensors", flow_safetensors_parse, NULL},
    {".npy", flow_npy_parse, read_npy},
    {".npz", flow_npz_parse, flow_npz_read},
    {".csv", flow_csv_parse, NULL},
};
enum { FORMATS = sizeof formats / sizeof *formats };

static bool has_suffix(const char *name, const char *suffix) {
  size_t length = strlen(name), wanted = strlen(suffix);
  return length >= wanted && strcasecmp(name + length - wanted, suffix) == 0;
}

static int format_of(const char *name) {
  int format = 0;
  while (format < FORMATS && !has_suffix(name, formats[format].suffix)) format++;
  return format;
}

/* Files of PyTorch are pickles: programs that run when they are loaded.  They are never read; how to turn one into data
 * is said instead. */
static flow_status refuse_suffix(const char *name, flow_error *error) {
  static const char *const pickles[] = {".pt", ".pth", ".bin", ".ckpt", ".pkl", ".pickle"};
  for (size_t i = 0; i < sizeof pickles / sizeof *pickles; i++) {
    if (!has_suffix(name, pickles[i])) continue;
    return flow_fail(error, FLOW_BAD_INPUT, "%s: a %s file is pickled Python, which can run any program when it is "
                     "loaded, and is not read.  Convert it once, with PyTorch:\n"
                     "  import torch, safetensors.torch\n"
                     "  state = torch.load(\"model%s\", map_location=\"cpu\", weights_only=True)\n"
                     "  safetensors.torch.save_file({k: v.contiguous() for k, v in state.items()}, "
                     "\"model.safetensors\")", name, pickles[i], pickles[i]);
  }
  return flow_fail(error, FLOW_BAD_INPUT, "%s: the suffix says how a file is read, and must be one of .safetensors, "
                   ".npy, .npz, .csv", name);
}

flow_status flow_tensors_parse(const FlowAllocator *allocator, const char *name, const void *bytes, size_t size,
                               FlowTensors *tensors, flow_error *error) {
  *tensors = (FlowTensors){.allocator = *allocator};
  int format = format_of(name);
  if (format == FORMATS) return refuse_suffix(name, error);
  return formats[format].parse(allocator, name, bytes, size, tensors, error);
}

static flow_status read_whole(const FlowAllocator *allocator, const FlowFile *file, int format, FlowTensors *tensors,
                              flow_error *error) {
  FlowBytes bytes;
  flow_status status = flow_file_read_all(allocator, file, FLOW_FILE_MOST_BYTES, &bytes, error);
  if (status != FLOW_OK) return status;
  if (formats[format].parse == flow_safetensors_parse)
    return flow_safetensors_adopt(allocator, file->path, bytes.data, bytes.size, tensors, error);
  status = formats[format].parse(allocator, file->path, bytes.data, bytes.size, tensors, error);
  flow_bytes_free(allocator, &bytes);
  return status;
}

flow_status flow_tensors_read(const FlowAllocator *allocator, const char *path, FlowTensors *tensors,
                              flow_error *error) {
  FlowFile file;
  *tensors = (FlowTensors){.allocator = *allocator};
  int format = format_of(path);
  if (format == FORMATS) return refuse_suffix(path, error);
  flow_status status = flow_file_open(path, &file, error);
  if (status != FLOW_OK) return status;
  /* A pipe cannot be read from its end (.npz), nor does its length prove what a header claims: all of it first. */
  bool in_pieces = formats[format].read && file.has_size;
  status = in_pieces ? formats[format].read(allocator, &file, tensors, error)
                     : read_whole(allocator, &file, format, tensors, error);
  flow_file_close(&file);
  return status;
}
