/* SPDX-License-Identifier: Apache-2.0 */
/* folder.h -- a folder of the test's own, and what is in it. */
#ifndef TEST_FOLDER_H
#define TEST_FOLDER_H
#include <stddef.h>

typedef struct Folder {
  char path[256];
} Folder;

Folder folder_make(void);
void folder_remove(const Folder *folder);               /* with the files in it */
/* "FOLDER/name"; valid until the next call. */
const char *folder_path(const Folder *folder, const char *name);
int folder_count(const Folder *folder);                 /* entries, hidden ones included */
void write_text(const char *path, const char *text);
/* Does the file hold exactly these bytes? */
int holds(const char *path, const void *bytes, size_t size);

#endif
