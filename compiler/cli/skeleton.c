/* SPDX-License-Identifier: Apache-2.0 */
/* skeleton.c -- from a weights file to the beginning of a program.
 *
 * A file of tensors tells names and shapes, not what happens between them.  So the skeleton names every layer that the
 * shapes betray, says what each tensor is, and leaves the rest to the person: nothing is guessed. */
#include "inspect.h"
#include <inttypes.h>
#include <string.h>

/* Tensors of one stem: "net.0" for net.0.weight and net.0.bias. */
typedef struct Stem {
  const char *name;
  int length;
  const FlowTensor *weight, *bias;
} Stem;

static bool ends_in(const char *name, const char *ending) {
  size_t n = strlen(name), m = strlen(ending);
  return n > m && strcmp(name + n - m, ending) == 0;
}

/* The stem of tensor i and how many tensors it has (1 or 2): a bias goes with the weight of its name. */
static Stem stem_at(const FlowTensors *tensors, uint32_t i) {
  const FlowTensor *tensor = &tensors->tensor[i];
  Stem stem = {tensor->name, (int)strlen(tensor->name), tensor, NULL};
  if (!ends_in(tensor->name, ".weight")) return stem;
  stem.length -= 7;
  char name[1024];
  if (snprintf(name, sizeof name, "%.*s.bias", stem.length, tensor->name) < (int)sizeof name)
    stem.bias = flow_tensors_find(tensors, name);
  return stem;
}

static bool is_bias_of_a_weight(const FlowTensors *tensors, const FlowTensor *tensor) {
  char name[1024];
  if (!ends_in(tensor->name, ".bias")) return false;
  if (snprintf(name, sizeof name, "%.*s.weight", (int)strlen(tensor->name) - 5, tensor->name) >= (int)sizeof name)
    return false;
  return flow_tensors_find(tensors, name) != NULL;
}

static bool is_linear(const Stem *stem) { return ends_in(stem->weight->name, ".weight") && stem->weight->rank == 2; }

/* Names with quotes or control characters cannot stand in a program. */
static void print_name(FILE *to, const Stem *stem) {
  for (int i = 0; i < stem->length; i++) {
    unsigned char c = (unsigned char)stem->name[i];
    fputc(c < 0x20 || c == 0x7F || c == '"' ? '?' : c, to);
  }
}

static void print_stage(FILE *to, const Stem *stem) {
  const FlowTensor *weight = stem->weight;
  Stem whole = {weight->name, (int)strlen(weight->name), weight, NULL};
  if (is_linear(stem)) {
    fprintf(to, "    |> linear %" PRIu64 " \"", weight->dim[0]);
    print_name(to, stem);
    fprintf(to, "\"%s", stem->bias ? "" : " no bias");
    fprintf(to, "    # %" PRIu64 " -> %" PRIu64 "\n", weight->dim[1], weight->dim[0]);
  } else if (ends_in(weight->name, ".weight") && weight->rank == 1 && stem->bias) {
    fputs("    |> layer_norm \"", to);
    print_name(to, stem);
    fprintf(to, "\"    # %" PRIu64 " -> %" PRIu64 "\n", weight->dim[0], weight->dim[0]);
  } else {
    fputs("    # not a layer that the shape betrays: param(", to);
    for (uint32_t r = 0; r < weight->rank; r++) fprintf(to, "%s%" PRIu64, r ? ", " : "", weight->dim[r]);
    fputs(") \"", to);
    print_name(to, &whole);
    fputc('"', to);
    fputc('\n', to);
  }
}

void print_skeleton(FILE *to, const char *path, const FlowTensors *tensors) {
  const char *file = strrchr(path, '/');
  const FlowTensor *first = NULL, *last = NULL;
  for (uint32_t i = 0; i < tensors->count; i++) {
    Stem stem = stem_at(tensors, i);
    if (!is_linear(&stem)) continue;
    if (!first) first = stem.weight;
    last = stem.weight;
  }
  uint64_t dim = last ? last->dim[0] : 1;
  fputs("# A skeleton from the names and shapes of the weights file.  What happens between the layers is not in the "
        "file:\n"
        "# put in the activations, the time embedding and the order of the layers as the network was trained.\n",
        to);
  fprintf(to, "network v(t, x: [%" PRIu64 "]) -> [%" PRIu64 "] =\n", dim, dim);
  if (first && first->dim[1] == dim + 1)
    fputs("  [t, x]\n", to);
  else
    fputs(first && first->dim[1] == dim ? "  x\n"
                                        : "  [t, x]                # the first layer wants another number of inputs\n",
          to);
  for (uint32_t i = 0; i < tensors->count; i++) {
    if (is_bias_of_a_weight(tensors, &tensors->tensor[i])) continue;
    Stem stem = stem_at(tensors, i);
    print_stage(to, &stem);
  }
  fprintf(to, "flow model {\n  source   normal(%" PRIu64 ")\n  velocity v\n  weights  \"", dim);
  print_foreign(to, file ? file + 1 : path);
  fputs("\"\n  solver   midpoint steps 100\n}\n", to);
}
