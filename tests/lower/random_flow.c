/* SPDX-License-Identifier: Apache-2.0 */
/* random_flow.c -- whole programs: constants, functions, networks, and a field that uses them. */
#include "random_flow.h"
#include "random_expression.h"

#define TEXT(...) arena_format(r->arena, __VA_ARGS__)
#define PICK(r, list) (list)[random_below(r, sizeof(list) / sizeof *(list))]

static const char *const activations[] = {"tanh", "elu", "silu", "relu", "gelu", "softplus", "sigmoid", "sin", "gelu_tanh"};

static uint32_t size_of(Random *r) {
  static const uint32_t size[] = {1, 2, 2, 3, 3, 4, 5, 7, 8, 9, 16, 17};
  return PICK(r, size);
}

/* ---- constants ----------------------------------------------------------------------------------------------------------- */
static const char *constants(Random *r, uint32_t d) {
  const char *text = "";
  uint32_t m = 1 + random_below(r, 5);
  for (uint32_t i = 0; i < m; i++) {
    const char *row = random_number(r);
    for (uint32_t j = 1; j < d; j++) row = TEXT("%s, %s", row, random_number(r));
    text = TEXT("%s%s[%s]", text, i ? ", " : "", row);
  }
  text = TEXT("let rows = [%s]\nlet scale = %s\n", text, random_number(r));
  random_name(r, "rows", 2, m, d);
  random_name(r, "scale", 0, 0, 0);
  if (random_chance(r, 50)) {
    text = TEXT("%slet square = for i < %u: for j < %u: sin(i*%s + j) / %u\n", text, d, d, random_number(r), d);
    random_name(r, "square", 2, d, d);
  }
  return text;
}

/* ---- lets and a result ------------------------------------------------------------------------------------------------------ */
/* A use of the name as a scalar, so that no `let` is in vain. */
static const char *use(Random *r, const Name *name) {
  if (name->rank == 0) return name->name;
  return name->rank == 1 ? TEXT("%s[%u]", name->name, random_below(r, name->n))
                         : TEXT("%s[%u, %u]", name->name, random_below(r, name->m), random_below(r, name->n));
}

static const char *block(Random *r, const Name *result, uint32_t lets, int depth) {
  uint32_t before = r->names;
  const char *text = "";
  for (uint32_t i = 0; i < lets; i++) {
    Name shape = {TEXT("a%u", i), random_below(r, 5) / 2, size_of(r), size_of(r)};
    if (shape.rank == 1 && random_chance(r, 60)) shape.n = result->n ? result->n : shape.n;
    if (shape.rank == 0) shape.n = 0;
    if (shape.rank != 2) shape.m = 0;
    r->budget = 25;
    text = TEXT("%s  let %s = %s\n", text, shape.name, random_of(r, &shape, depth));
    random_name(r, shape.name, shape.rank, shape.m, shape.n);
  }
  r->budget = 25;
  const char *end = random_of(r, result, depth), *uses = "0.5";
  for (uint32_t i = before; i < r->names; i++)
    uses = TEXT("%s%s%s", uses, random_chance(r, 50) ? " + " : " - ", random_chance(r, 80) ? TEXT("0.1*%s", use(r, &r->name[i])) : use(r, &r->name[i]));
  r->names = before;
  return TEXT("%s  1*%s + (%s)\n", text, end, uses);
}

/* ---- functions --------------------------------------------------------------------------------------------------------------- */
static const char *shape_text(Random *r, const Name *name) {
  return name->rank == 0 ? name->name : TEXT("%s: [%u]", name->name, name->n);
}

static const char *function(Random *r, uint32_t number) {
  Known f = {.name = TEXT("f%u", number), .parameters = 1 + random_below(r, 3)};
  uint32_t outer = r->names;
  const char *list = "";
  for (uint32_t i = 0; i < f.parameters; i++) {
    uint32_t rank = random_below(r, 2);
    f.parameter[i] = (Name){TEXT("p%u", i), rank, 0, rank ? size_of(r) : 0};
    list = TEXT("%s%s%s", list, i ? ", " : "", shape_text(r, &f.parameter[i]));
    random_name(r, f.parameter[i].name, rank, 0, f.parameter[i].n);
  }
  f.result = (Name){.rank = random_below(r, 2)};
  if (f.result.rank) f.result.n = size_of(r);
  r->loops = 1; /* it may be called from within a loop */
  const char *text = block(r, &f.result, random_below(r, 3), 2);
  r->loops = 0;
  r->names = outer;
  text = TEXT("fn %s(%s) =\n%s", f.name, list, text);
  r->known[r->knowns++] = f;
  return text;
}

/* ---- networks ------------------------------------------------------------------------------------------------------------------ */
static const char *label(Random *r, bool named, const char *name) { return named ? TEXT(" \"%s\"", name) : ""; }

static const char *residual(Random *r, bool named, uint32_t width) {
  return TEXT("network block(h: [n], e: [m]) -> [n] =\n"
              "  let a = (h |> layer_norm%s |> linear %u%s |> %s |> linear n%s) * sigmoid(e |> linear n%s)\n"
              "  h + a\n",
              label(r, named, "norm"), 1 + random_below(r, width), label(r, named, "up"), PICK(r, activations),
              label(r, named, "down"), label(r, named, "gate"));
}

/* A network over (t, x[, c]) with blocks, an embedding of t, concatenations, and now and then a table or a tensor. */
static const char *network(Random *r, uint32_t d, uint32_t m) {
  bool named = random_chance(r, 50);
  uint32_t width = 1 + random_below(r, r->options->width ? r->options->width : 24), e = 1 + random_below(r, 9);
  const char *parts = random_chance(r, 50) ? "t, x" : "x, t", *text = random_chance(r, 60) ? residual(r, named, width) : "";
  bool blocks = *text;
  text = TEXT("%snetwork v(t, x: [%u]%s) -> [%u] =\n", text, d, m ? TEXT(", c: [%u]", m) : "", d);
  text = TEXT("%s  let e = %s(t, %u) |> linear %u%s |> %s\n", text, random_chance(r, 50) ? "fourier" : "sinusoid", e, e,
              label(r, named, "time"), PICK(r, activations));
  if (named && random_chance(r, 30)) {
    text = TEXT("%s  let shift = param(%u) \"shift\"\n", text, e);
    parts = TEXT("%s, shift", parts);
  }
  if (random_chance(r, 30)) {
    text = TEXT("%s  let row = floor(abs(sin(t))*4) |> embedding 5 3%s\n", text, label(r, named, "table"));
    parts = TEXT("%s, row", parts);
  }
  text = TEXT("%s  let h = [%s, e%s] |> linear %u%s%s |> %s\n", text, parts, m ? ", c" : "", width, label(r, named, "in"),
              random_chance(r, 20) ? " no bias" : "", PICK(r, activations));
  if (blocks) text = TEXT("%s  let g = h |> repeat %u block(e)%s\n", text, 1 + random_below(r, 3), label(r, named, "blocks"));
  else text = TEXT("%s  let g = h\n", text);
  Known v = {.name = "v", .parameters = m ? 3 : 2, .network = true, .result = {.rank = 1, .n = d}};
  v.parameter[0] = (Name){.rank = 0};
  v.parameter[1] = (Name){.rank = 1, .n = d};
  v.parameter[2] = (Name){.rank = 1, .n = m};
  r->known[r->knowns++] = v;
  return TEXT("%s  g |> %slinear %u%s\n", text, random_chance(r, 40) ? TEXT("layer_norm%s |> ", label(r, named, "last")) : "", d,
              label(r, named, "out"));
}

/* ---- the program ----------------------------------------------------------------------------------------------------------------- */
char *random_flow(Arena *arena, uint64_t seed, const RandomFlowOptions *options) {
  static const RandomFlowOptions none;
  Random random = {.arena = arena, .state = seed * 2 + 1, .options = options ? options : &none}, *r = &random;
  uint32_t d = r->options->dim ? r->options->dim : 1 + random_below(r, 9);
  uint32_t m = !r->options->no_conditions && random_chance(r, 50) ? 1 + random_below(r, 5) : 0;
  const char *text = constants(r, d);
  uint32_t functions = random_below(r, 4), globals = r->names;
  for (uint32_t i = 0; i < functions; i++) text = TEXT("%s%s", text, function(r, i));
  bool networks = !r->options->no_networks && random_chance(r, 50);
  if (networks) text = TEXT("%s%s", text, network(r, d, m));
  r->names = globals;
  random_name(r, "t", 0, 0, 0);
  random_name(r, "x", 1, 0, d);
  if (m) random_name(r, "c", 1, 0, m);
  if (m) random_name(r, "w", 0, 0, 0);
  const Name state = {.rank = 1, .n = d};
  uint32_t lets = r->options->lets ? r->options->lets : 1 + random_below(r, 8);
  const char *body = block(r, &state, lets, 3), *always = "";
  if (networks) always = m ? "  let main = v(t, x, c)\n  let half = w*(v(0.5, x, c) - main)\n" : "  let main = v(t, x)\n  let half = 2*(v(0.5, x) - main)\n";
  text = TEXT("%sfield u(t, x: [%u]%s) =\n%s%s", text, d, m ? TEXT(", c: [%u], w", m) : "", always, body);
  if (networks) text = TEXT("%s    + main + half\n", text);
  return (char *)text;
}
