/* SPDX-License-Identifier: Apache-2.0 */
/* replay.c -- the main of a fuzz target where libFuzzer gives none: runs every file of the folders and files named. */
#include "read_file.h"
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int run_file(const char *path) {
  FlowBytes bytes;
  flow_error error;
  if (flow_read_file(&flow_standard_allocator, path, UINT64_C(1) << 30, &bytes, &error) != FLOW_OK) {
    fprintf(stderr, "%s\n", error.text);
    return -1;
  }
  LLVMFuzzerTestOneInput(bytes.data, bytes.size);
  flow_bytes_free(&flow_standard_allocator, &bytes);
  return 1;
}

/* How many files were run; -1 after a failure. */
static int run_folder(const char *path) {
  DIR *folder = opendir(path);
  if (!folder) return run_file(path);
  int count = 0;
  for (struct dirent *entry; count >= 0 && (entry = readdir(folder));) {
    char file[4096];
    if (entry->d_name[0] == '.') continue;
    snprintf(file, sizeof file, "%s/%s", path, entry->d_name);
    count = run_file(file) > 0 ? count + 1 : -1;
  }
  closedir(folder);
  return count;
}

int main(int count, char **argument) {
  int total = 0;
  for (int i = 1; i < count; i++) {
    int files = run_folder(argument[i]);
    if (files <= 0) {
      fprintf(stderr, "%s: nothing was run\n", argument[i]);
      return EXIT_FAILURE;
    }
    total += files;
  }
  printf("%d inputs\n", total);
  return total > 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
