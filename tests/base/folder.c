/* SPDX-License-Identifier: Apache-2.0 */
#include "base/folder.h"
#include <check.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

Folder folder_make(void) {
  Folder folder;
  const char *base = getenv("TMPDIR");
  snprintf(folder.path, sizeof folder.path, "%s/flow-test-XXXXXX", base ? base : "/tmp");
  ck_assert_ptr_nonnull(mkdtemp(folder.path));
  return folder;
}

const char *folder_path(const Folder *folder, const char *name) {
  static char path[512];
  snprintf(path, sizeof path, "%s/%s", folder->path, name);
  return path;
}

static int each_entry(const Folder *folder, int remove) {
  int count = 0;
  DIR *entries = opendir(folder->path);
  ck_assert_ptr_nonnull(entries);
  for (struct dirent *entry; (entry = readdir(entries));) {
    if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) continue;
    count++;
    if (remove) unlink(folder_path(folder, entry->d_name));
  }
  closedir(entries);
  return count;
}

int folder_count(const Folder *folder) { return each_entry(folder, 0); }

void folder_remove(const Folder *folder) {
  each_entry(folder, 1);
  rmdir(folder->path);
}

void write_text(const char *path, const char *text) {
  FILE *file = fopen(path, "wb");
  ck_assert_ptr_nonnull(file);
  fputs(text, file);
  ck_assert_int_eq(fclose(file), 0);
}

int holds(const char *path, const void *bytes, size_t size) {
  FILE *file = fopen(path, "rb");
  if (!file) return 0;
  char *found = malloc(size + 1);
  size_t got = fread(found, 1, size + 1, file);
  int same = got == size && memcmp(found, bytes, size) == 0;
  free(found);
  fclose(file);
  return same;
}
