/* SPDX-License-Identifier: Apache-2.0 */
#include "number.h"
#include <locale.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { MOST_TEXT = 1024 };      /* longer than any number that was meant */

static bool is_digit(char c) { return c >= '0' && c <= '9'; }

static size_t skip_digits(const char *text, size_t at, size_t length) {
  while (at < length && is_digit(text[at])) at++;
  return at;
}

static size_t skip_sign(const char *text, size_t at, size_t length) {
  return at < length && (text[at] == '+' || text[at] == '-') ? at + 1 : at;
}

/* strtod takes more than is wanted (hexadecimal, nan(...), leading space), so the form is checked first. */
static bool is_decimal(const char *text, size_t length) {
  size_t start = skip_sign(text, 0, length), at = skip_digits(text, start, length), digits = at - start;
  if (at < length && text[at] == '.') {
    size_t fraction = at + 1;
    at = skip_digits(text, fraction, length);
    digits += at - fraction;
  }
  if (digits == 0) return false;
  if (at < length && (text[at] == 'e' || text[at] == 'E')) {
    size_t exponent = skip_sign(text, at + 1, length);
    at = skip_digits(text, exponent, length);
    if (at == exponent) return false;
  }
  return at == length;
}

static bool is_word(const char *text, size_t length, const char *word) {
  return strlen(word) == length && strncasecmp(text, word, length) == 0;
}

static bool special_value(const char *text, size_t length, double *value) {
  size_t sign = skip_sign(text, 0, length);
  text += sign;
  length -= sign;
  if (is_word(text, length, "nan")) *value = NAN;
  else if (is_word(text, length, "inf") || is_word(text, length, "infinity")) *value = INFINITY;
  else return false;
  if (sign > 0 && text[-1] == '-') *value = -*value;
  return true;
}

/* Clinger's fast path (1990): digits below 2^53 and a power of ten up to 10^22 are exact doubles, so that one product
 * or quotient of them is rounded once. */
static bool small_decimal(const char *text, size_t length, double *value) {
  static const double power[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
                                 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
  uint64_t digits = 0;
  size_t fraction = 0, at = skip_sign(text, 0, length);
  bool after_point = false, is_negative = at > 0 && text[0] == '-';
  if (length - at > 19) return false;
  for (; at < length; at++) {
    if (text[at] == '.') {
      after_point = true;
      continue;
    }
    if (!is_digit(text[at])) return false;
    digits = digits * 10 + (uint64_t)(text[at] - '0');
    fraction += after_point;
  }
  if (digits >> 53 != 0) return false;
  *value = (double)digits / power[fraction];
  if (is_negative) *value = -*value;
  return true;
}

/* The locale "C" is a constant of the C library: newlocale allocates nothing for it and freelocale frees nothing. */
static locale_t plain_locale(void) { return newlocale(LC_ALL_MASK, "C", (locale_t)0); }

FlowNumberFault flow_number_parse(const char *text, size_t length, double *value) {
  char copy[MOST_TEXT + 1];
  if (special_value(text, length, value)) return FLOW_NUMBER_OK;
  if (length > MOST_TEXT || !is_decimal(text, length)) return FLOW_NUMBER_MALFORMED;
  if (small_decimal(text, length, value)) return FLOW_NUMBER_OK;
  memcpy(copy, text, length);
  copy[length] = '\0';
  locale_t plain = plain_locale();
  *value = strtod_l(copy, NULL, plain);
  freelocale(plain);
  return isinf(*value) ? FLOW_NUMBER_TOO_LARGE : FLOW_NUMBER_OK;
}

size_t flow_number_print(double value, int digits, char to[FLOW_NUMBER_MOST_PRINTED]) {
  if (isnan(value)) return (size_t)(stpcpy(to, "nan") - to);
  if (isinf(value)) return (size_t)(stpcpy(to, value < 0 ? "-inf" : "inf") - to);
  locale_t plain = plain_locale(), before = uselocale(plain);
  int length = snprintf(to, FLOW_NUMBER_MOST_PRINTED, "%.*g", digits, value);
  uselocale(before);
  freelocale(plain);
  return length < 0 ? 0 : (size_t)length;
}
