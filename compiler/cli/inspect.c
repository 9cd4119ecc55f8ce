/* SPDX-License-Identifier: Apache-2.0 */
/* inspect.c -- flowc inspect: by the file's suffix, a program, a compiled one, or arrays. */
#include "inspect.h"
#include <string.h>

int verb_inspect(const Run *run) {
  const char *path = run->line->operand[0], *suffix = strrchr(path, '.');
  bool session = run->program && strcmp(path, run->program->path) == 0;
  if (session || (suffix && strcmp(suffix, ".flow") == 0)) return inspect_program(run, path);
  if (suffix && (strcmp(suffix, ".pt") == 0 || strcmp(suffix, ".pth") == 0 || strcmp(suffix, ".pkl") == 0)) {
    complain(&run->terminal,
             "%s: pickled files can run programs when read, so flowc does not; in Python: "
             "from safetensors.torch import save_file; save_file(model.state_dict(), \"model.safetensors\")",
             path);
    return flow_status_exit_code(FLOW_BAD_INPUT);
  }
  static const char *const compiled[] = {".so", ".o", ".a"};
  for (size_t i = 0; suffix && i < sizeof compiled / sizeof *compiled; i++)
    if (strcmp(suffix, compiled[i]) == 0) return inspect_library(run, path);
  return inspect_arrays(run, path);
}
