/* SPDX-License-Identifier: Apache-2.0 */
#include "data_sets.h"
#include "elementary.h"
#include "random.h"
#include <math.h>
#include <string.h>

enum { STREAM_DATA = 32 };
static const double pi = 3.141592653589793;

/* The random numbers of a point: words 0 to 2 uniform, words 4 and 5 a normal pair; and the spread of the set. */
typedef struct Draws { double u1, u2, k, n1, n2, spread; } Draws;

static Draws draw(uint64_t seed, uint64_t index, double spread) {
  FlowRandom random = {seed, STREAM_DATA};
  double normal[2];
  flow_random_normal_pair(random, index, 2, normal);
  return (Draws){flow_random_uniform(random, index, 0), flow_random_uniform(random, index, 1), flow_random_uniform(random, index, 2),
                 normal[0], normal[1], spread};
}

static double of(const Draws *d, int choices) { return floor(d->k * choices); }

static void moons(const Draws *d, double p[2]) {
  double a = pi * d->u1, c = flow_cos_f64(a), s = flow_sin_f64(a);
  bool lower = of(d, 2) > 0;
  p[0] = (lower ? 1 - c : c) + d->spread * d->n1;
  p[1] = (lower ? 0.5 - s : s) + d->spread * d->n2;
}

static void checkerboard(const Draws *d, double p[2]) {
  double x = 4 * d->u1 - 2, odd = fmod(floor(x) + 4, 2);
  p[0] = x / 0.45 + d->spread * d->n1;
  p[1] = (d->u2 - 2 * of(d, 2) + odd) / 0.45 + d->spread * d->n2;
}

static void gaussians(const Draws *d, double p[2]) {
  double a = of(d, 8) * pi / 4;
  p[0] = 5 * flow_cos_f64(a) + d->spread * d->n1;
  p[1] = 5 * flow_sin_f64(a) + d->spread * d->n2;
}

static void spirals(const Draws *d, double p[2]) {
  double a = 3 * pi * sqrt(d->u1), sign = of(d, 2) > 0 ? 1 : -1;
  p[0] = -sign * a * flow_cos_f64(a) / 3 + d->spread * d->n1;
  p[1] = sign * a * flow_sin_f64(a) / 3 + d->spread * d->n2;
}

static void pinwheel(const Draws *d, double p[2]) {
  double r = 1 + 0.3 * d->n1, s = d->spread * d->n2, a = 2 * pi * of(d, 5) / 5 + flow_exp_f64(r) / 4;
  double c = flow_cos_f64(a), t = flow_sin_f64(a);
  p[0] = 2 * (r * c - s * t);
  p[1] = 2 * (r * t + s * c);
}

static void rings(const Draws *d, double p[2]) {
  double r = 0.75 * (of(d, 4) + 1), a = 2 * pi * d->u1;
  p[0] = r * flow_cos_f64(a) + d->spread * d->n1;
  p[1] = r * flow_sin_f64(a) + d->spread * d->n2;
}

typedef struct Row { const char *word; void (*point)(const Draws *draws, double point[2]); } Row;
static const Row row[DATA_SETS] = {
#define DATA_SET(name, word, spread, formula) {word, name},
#include "data_sets.def"
#undef DATA_SET
};

const char *data_set_word(DataSet set) { return row[set].word; }

double data_set_spread(DataSet set) {
  switch (set) {
#define DATA_SET(name, word, spread, formula) case DATA_SET_##name: return spread;
#include "data_sets.def"
#undef DATA_SET
  default: return 0;
  }
}

DataSet data_set_find(const char *word) {
  int set = 0;
  while (set < DATA_SETS && strcmp(row[set].word, word) != 0) set++;
  return (DataSet)set;
}

void data_set_point(DataSet set, double spread, uint64_t seed, uint64_t index, double point[2]) {
  Draws draws = draw(seed, index, spread);
  row[set].point(&draws, point);
}
