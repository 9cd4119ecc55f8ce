/* SPDX-License-Identifier: Apache-2.0 */
#include "quadrature.h"
#include <math.h>
#include <string.h>

static const double pi = 3.14159265358979323846;

/* ---- one axis ----------------------------------------------------------------------------------------------------------------- */

typedef struct Axis { uint32_t count; double *node, *weight; } Axis;

static Axis new_axis(Arena *arena, uint32_t count) {
  return (Axis){count, arena_array(arena, count, sizeof(double)), arena_array(arena, count, sizeof(double))};
}

/* Nodes are the zeros of P_n, by Newton's method from Tricomi's guess; weight 2/((1 - x^2) P_n'(x)^2).  On [low, high]. */
static Axis gauss_legendre(Arena *arena, uint32_t n, double low, double high) {
  Axis axis = new_axis(arena, n);
  for (uint32_t i = 0; i < n; i++) {
    double x = cos(pi * (i + 0.75) / (n + 0.5)), slope = 1;
    for (int round = 0; round < 8; round++) {
      double before = 1, here = x;
      for (uint32_t k = 2; k <= n; k++) {
        double next = ((2 * k - 1) * x * here - (k - 1) * before) / k;
        before = here;
        here = next;
      }
      slope = n * (x * here - before) / (x * x - 1);
      x -= here / slope;
    }
    axis.node[n - 1 - i] = (low + high) / 2 + x * (high - low) / 2;
    axis.weight[n - 1 - i] = (high - low) / ((1 - x * x) * slope * slope);
  }
  return axis;
}

/* Equal steps are exact for trigonometric polynomials of degree below their number. */
static Axis around(Arena *arena, uint32_t count) {
  Axis axis = new_axis(arena, count);
  for (uint32_t i = 0; i < count; i++) {
    axis.node[i] = 2 * pi * (i + 0.5) / count;
    axis.weight[i] = 2 * pi / count;
  }
  return axis;
}

static Rule new_rule(Arena *arena, uint64_t count, uint32_t dim, bool surface) {
  return (Rule){count, arena_array(arena, (size_t)count, dim * sizeof(double)),
                surface ? arena_array(arena, (size_t)count, dim * sizeof(double)) : NULL,
                arena_array(arena, (size_t)count, sizeof(double))};
}

/* ---- the unit sphere in one, two and three dimensions ---------------------------------------------------------------------------- */

static Rule sphere(Arena *arena, uint32_t dim, uint32_t n) {
  if (dim == 1) {
    Rule ends = new_rule(arena, 2, 1, true);
    ends.normal[0] = -1, ends.normal[1] = 1;
    ends.weight[0] = ends.weight[1] = 1;
    return ends;
  }
  Axis angle = around(arena, 4 * n), height = dim == 3 ? gauss_legendre(arena, n, -1, 1) : new_axis(arena, 1);
  if (dim == 2) height.weight[0] = 1;   /* at height 0 */
  Rule rule = new_rule(arena, (uint64_t)angle.count * height.count, dim, true);
  for (uint32_t h = 0; h < height.count; h++) {
    double z = height.node[h], across = sqrt(1 - z * z);
    for (uint32_t a = 0; a < angle.count; a++) {
      double *normal = rule.normal + ((uint64_t)h * angle.count + a) * dim;
      normal[0] = across * cos(angle.node[a]);
      normal[1] = across * sin(angle.node[a]);
      if (dim == 3) normal[2] = z;
      rule.weight[(uint64_t)h * angle.count + a] = height.weight[h] * angle.weight[a];
    }
  }
  return rule;
}

static Rule ball_surface(Arena *arena, const Region *region, uint32_t n) {
  Rule rule = sphere(arena, region->dim, n);
  for (uint64_t i = 0; i < rule.count; i++) {
    for (uint32_t k = 0; k < region->dim; k++)
      rule.point[i * region->dim + k] = region->center[k] + region->radius * rule.normal[i * region->dim + k];
    for (uint32_t k = 1; k < region->dim; k++) rule.weight[i] *= region->radius;
  }
  return rule;
}

static Rule ball_inside(Arena *arena, const Region *region, uint32_t n) {
  uint32_t dim = region->dim;
  Rule unit = sphere(arena, dim, n);
  Axis radius = gauss_legendre(arena, n, 0, region->radius);
  Rule rule = new_rule(arena, unit.count * radius.count, dim, false);
  for (uint64_t i = 0; i < rule.count; i++) {
    uint64_t s = i % unit.count, r = i / unit.count;
    for (uint32_t k = 0; k < dim; k++) rule.point[i * dim + k] = region->center[k] + radius.node[r] * unit.normal[s * dim + k];
    rule.weight[i] = unit.weight[s] * radius.weight[r];
    for (uint32_t k = 1; k < dim; k++) rule.weight[i] *= radius.node[r];
  }
  return rule;
}

/* ---- boxes -------------------------------------------------------------------------------------------------------------------------- */

/* The point of a product of axes, without axis `leave` (dim: none). */
static double product_point(const Axis *axis, uint32_t dim, uint32_t leave, uint64_t index, double *point) {
  double weight = 1;
  for (uint32_t k = 0; k < dim; k++) {
    if (k == leave) continue;
    uint32_t i = (uint32_t)(index % axis[k].count);
    index /= axis[k].count;
    point[k] = axis[k].node[i];
    weight *= axis[k].weight[i];
  }
  return weight;
}

static void box_axes(Arena *arena, const Region *region, uint32_t n, Axis *axis) {
  for (uint32_t k = 0; k < region->dim; k++) axis[k] = gauss_legendre(arena, n, region->low[k], region->high[k]);
}

static Rule box_surface(Arena *arena, const Region *region, uint32_t n) {
  Axis axis[MOST_PRODUCT_DIM];
  uint32_t dim = region->dim;
  uint64_t face = 1;
  for (uint32_t k = 1; k < dim; k++) face *= n;
  box_axes(arena, region, n, axis);
  Rule rule = new_rule(arena, 2 * dim * face, dim, true);
  for (uint64_t i = 0; i < rule.count; i++) {
    uint32_t across = (uint32_t)(i / face / 2), high = (uint32_t)(i / face % 2);
    rule.weight[i] = product_point(axis, dim, across, i % face, rule.point + i * dim);
    rule.point[i * dim + across] = high ? region->high[across] : region->low[across];
    rule.normal[i * dim + across] = high ? 1 : -1;
  }
  return rule;
}

static Rule box_inside(Arena *arena, const Region *region, uint32_t n) {
  Axis axis[MOST_PRODUCT_DIM];
  uint32_t dim = region->dim;
  uint64_t count = 1;
  for (uint32_t k = 0; k < dim; k++) count *= n;
  box_axes(arena, region, n, axis);
  Rule rule = new_rule(arena, count, dim, false);
  for (uint64_t i = 0; i < count; i++) rule.weight[i] = product_point(axis, dim, dim, i, rule.point + i * dim);
  return rule;
}

Rule rule_surface(Arena *arena, const Region *region, uint32_t n) {
  return region->is_box ? box_surface(arena, region, n) : ball_surface(arena, region, n);
}

Rule rule_inside(Arena *arena, const Region *region, uint32_t n) {
  return region->is_box ? box_inside(arena, region, n) : ball_inside(arena, region, n);
}

/* ---- random pairs -------------------------------------------------------------------------------------------------------------------- */

/* V_d = V_{d-2} 2 pi/d r^2, V_0 = 1, V_1 = 2 r. */
static double ball_volume(uint32_t dim, double radius) {
  double volume = dim % 2 ? 2 * radius : 1;
  for (uint32_t d = dim % 2 ? 3 : 2; d <= dim; d += 2) volume *= 2 * pi / d * radius * radius;
  return volume;
}

uint32_t strata_surface(const Region *region) { return region->is_box ? region->dim : 1; }

double measure_surface(const Region *region, uint32_t stratum) {
  if (!region->is_box) return ball_volume(region->dim, region->radius) * region->dim / region->radius / 2;
  double area = 1;
  for (uint32_t k = 0; k < region->dim; k++)
    if (k != stratum) area *= region->high[k] - region->low[k];
  return area;
}

double measure_inside(const Region *region) {
  double volume = 1;
  if (!region->is_box) return ball_volume(region->dim, region->radius) / 2;
  for (uint32_t k = 0; k < region->dim; k++) volume *= region->high[k] - region->low[k];
  return volume / 2;
}

static void unit_vector(FlowRandom random, uint64_t index, uint32_t dim, double *vector) {
  double square = 0, pair[2];
  for (uint32_t k = 0; k < dim; k++) {
    if (k % 2 == 0) flow_random_normal_pair(random, index, k / 2, pair);
    vector[k] = pair[k % 2];
    square += vector[k] * vector[k];
  }
  for (uint32_t k = 0; k < dim; k++) vector[k] /= sqrt(square);
}

static void box_pair(const Region *region, FlowRandom random, uint64_t index, double *point) {
  for (uint32_t k = 0; k < region->dim; k++) {
    double share = flow_random_uniform(random, index, k);
    point[k] = region->low[k] + share * (region->high[k] - region->low[k]);
    point[region->dim + k] = region->high[k] - share * (region->high[k] - region->low[k]);
  }
}

static void ball_pair(const Region *region, FlowRandom random, uint64_t index, double radius, double *point, double *normal) {
  uint32_t dim = region->dim;
  unit_vector(random, index, dim, normal);
  for (uint32_t k = 0; k < dim; k++) {
    normal[dim + k] = -normal[k];
    point[k] = region->center[k] + radius * normal[k];
    point[dim + k] = region->center[k] - radius * normal[k];
  }
}

void pair_surface(const Region *region, FlowRandom random, uint64_t index, uint32_t stratum, double *point, double *normal) {
  uint32_t dim = region->dim;
  if (!region->is_box) {
    ball_pair(region, random, index, region->radius, point, normal);
    return;
  }
  box_pair(region, random, index, point);
  memset(normal, 0, 2 * dim * sizeof *normal);
  point[stratum] = region->low[stratum];
  point[dim + stratum] = region->high[stratum];
  normal[stratum] = -1;
  normal[dim + stratum] = 1;
}

void pair_inside(const Region *region, FlowRandom random, uint64_t index, double *point) {
  double *normal = point + 2 * region->dim;
  if (region->is_box) {
    box_pair(region, random, index, point);
    return;
  }
  double share = flow_random_uniform(random, index, (region->dim + 1) / 2 * 2);
  ball_pair(region, random, index, region->radius * pow(share, 1.0 / region->dim), point, normal);
}
