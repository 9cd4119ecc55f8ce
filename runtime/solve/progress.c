/* SPDX-License-Identifier: Apache-2.0 */
/* progress.c -- percent, counts, rate, time left. */
#include "progress.h"
#include <inttypes.h>
#include <stdio.h>

/* "950/s", "9.50/s", "12.3k/s", "4.56M/s": three digits. */
static void print_rate(char *text, size_t size, double rate) {
  static const char unit[] = " kMGT";
  unsigned i = 0;
  while (rate >= 999.5 && i + 2 < sizeof unit) rate /= 1000, i++;
  int decimals = rate < 9.995 ? 2 : rate < 99.95 ? 1 : 0;
  if (i)
    snprintf(text, size, "%.*f%c/s", decimals, rate, unit[i]);
  else
    snprintf(text, size, "%.*f/s", decimals, rate);
}

/* "4 s", "3:07", "2:05:00"; more than four days are "days". */
static void print_left(char *text, size_t size, double seconds) {
  if (!(seconds < 359999.5)) {
    snprintf(text, size, "%.0f days", seconds / 86400);
    return;
  }
  unsigned left = (unsigned)(seconds + 0.5);
  if (left < 60)
    snprintf(text, size, "%u s", left);
  else if (left < 3600)
    snprintf(text, size, "%u:%02u", left / 60, left % 60);
  else
    snprintf(text, size, "%u:%02u:%02u", left / 3600, left / 60 % 60, left % 60);
}

char *flow_progress_line(char *text, size_t size, uint64_t done, uint64_t total, double elapsed) {
  double part = total ? (double)done / (double)total : 1;
  unsigned percent = done >= total ? 100 : (unsigned)(part * 100);      /* 100 only when all is done */
  if (percent > 99 && done < total) percent = 99;
  if (done == 0 || !(elapsed > 0)) {
    snprintf(text, size, "%3u%%  %" PRIu64 "/%" PRIu64, percent, done, total);
    return text;
  }
  char rate[32], left[32];
  print_rate(rate, sizeof rate, (double)done / elapsed);
  print_left(left, sizeof left, done >= total ? 0 : elapsed * (1 - part) / part);
  snprintf(text, size, "%3u%%  %" PRIu64 "/%" PRIu64 "  %s  %s left", percent, done, total, rate, left);
  return text;
}
