/* SPDX-License-Identifier: Apache-2.0 */
/* checker.h -- what the files of this folder share.
 *
 * NAMES.  Every name is a Symbol; it knows the definition of that name and the innermost local binding.  Bindings are
 * pushed and popped like a stack; a function's body is a frame of its own and sees no binding of its caller.
 *
 * ERRORS.  A function that answers with a pointer or a bool answers NULL or false for "wrong, and reported": whoever
 * gets that says nothing more, so one cause gives one error.  While `quiet` is set nothing is reported at all: shapes
 * are then only guessed at, to find the range of a loop.
 *
 * BOUNDS.  `steps` counts the expressions typed so far and `depth` how deep they nest, calls included: the first
 * bounds time, the second the C stack, whatever the program.  A tree of Typed may be as deep as a chain is long, so that
 * whoever walks one keeps a stack of its own. */
#ifndef FLOW_CHECKER_H
#define FLOW_CHECKER_H
#include "check_program.h"

enum {
  MOST_DEPTH = 768,             /* nested expressions, through calls; some 1 KiB of C stack each under sanitizers */
  MOST_TERMS = 6,               /* loop variables in one index */
  GUESS = 8                     /* steps that an expression costs while quiet: loops in loops guess again and again */
  };
#define MOST_STEPS ((uint64_t)1 << 23)
#define MOST_ELEMENTS ((int64_t)1 << 24)
#define MOST_OPERATIONS ((uint64_t)1 << 20)
#define MOST_WORK ((uint64_t)1 << 36)
#define UNKNOWN_EXTENT ((int64_t)-1)

typedef struct Symbol Symbol;
typedef struct Binding Binding;
typedef struct Definition Definition;
typedef struct Instance Instance;

/* ---- names ---- */
typedef enum { BOUND_PARAMETER, BOUND_LET, BOUND_LOOP, BOUND_SIZE } BoundKind;
struct Binding {
  BoundKind kind;
  Symbol *symbol;
  Binding *hidden;              /* what this one hides */
  Binding *below;               /* the stack */
  uint32_t frame;
  Span at;                      /* of the declaration's name */
  uint32_t slot;                /* PARAMETER, LET: index in the function; LOOP: id */
  Typed *value;                 /* LET: NULL if it was wrong */
  Shape shape;                  /* PARAMETER */
  int64_t size;                 /* SIZE; LOOP: its extent or UNKNOWN_EXTENT; PARAMETER: of how many it was chosen, or 0 */
  bool used;
};
struct Symbol {
  const char *name;
  Definition *definition;       /* NULL: no definition has this name */
  Binding *local;
  const Definition *unknown_in; /* where an unknown name was reported last */
  Symbol *next;                 /* in its bucket */
};

typedef enum { FRESH, UNDER_WAY, DONE } Progress;
struct Definition {
  Symbol *symbol;
  const Ast *ast;
  bool broken;                  /* in a cycle, twice defined, or with a syntax error: users are silent */
  bool prelude;
  bool hidden;                  /* stands behind another (expand.c): it has no name that could be written */
  bool of_loss;                 /* a loss, or a `fn` that one calls: it may call networks (loss.c) */
  Definition *map;              /* of a velocity of a map, and of an inverse: the map */
  Definition *inverse, *draw;   /* of a map, of a density; NULL where the line is missing */
  TypedDraw *drawn;             /* of the function behind a draw line, [parameters]; an entry that is no draw has size 0 */
  bool *hands_time_on;          /* [parameters] given to one that takes a time (find_times); NULL: not looked at */
  Definition *next;             /* in the order of the text */
  /* names.c: what it mentions, for cycles */
  struct Mention { Definition *to; Span at; } *mention;
  uint32_t mentions, mention_room;
  Progress visited;
  /* dim, let */
  Progress valued;
  int64_t size;
  TypedLet *constant;
  Instance *instances;
};

/* A definition for given shapes.  The TypedFunction comes first: a callee is its instance. */
struct Instance {
  TypedFunction function;
  Definition *definition;
  Shape *key;                   /* of every parameter; a `dim` is a shape of rank 0 with its value in dim[0] */
  Span *parameter_at;
  bool broken, done;
  uint64_t operations, work;    /* after inlining; one evaluation */
  Instance *next;
};

/* ---- the checker ---- */
typedef struct Site { const char *label; Span at; const void *what; } Site;     /* a layer, or a call of what has weights */
typedef struct Trail { const Instance *callee; Span at; struct Trail *below; } Trail;

typedef struct Checker {
  Arena *arena;
  Diagnostics *diagnostics;
  CheckOptions options;
  const AstFile *file;
  Symbol **bucket;
  Definition *first, *last;
  Definition **order;           /* each after those that it mentions */
  size_t definitions;
  struct Claim *claims, *last_claim;    /* claim.h: what the checks say, in order */
  bool lost_definition;         /* a syntax error swallowed a name: unknown names may be that one */
  Binding *top;
  uint32_t frame;
  uint32_t quiet;
  bool reported;                /* an error was found since this was cleared */
  uint64_t steps;
  uint64_t constant_operations, constant_work;
  struct CostVisit *visit;      /* cost.c: the stack of its walk, empty between walks */
  size_t visit_room;
  uint32_t depth;
  const Instance *too_deep;     /* where MOST_DEPTH was reached: the next operand of it has the same cause */
  struct Reported { DiagCode code; Span at; struct Reported *next; } *seen[256];
  /* the function being typed */
  Instance *instance;           /* NULL in a top-level let */
  uint32_t loops, loops_open;
  Site *site;
  uint32_t sites, site_room;
  Trail *trail;
} Checker;

/* report.c */
Diag *report(Checker *c, DiagCode code, Span at, const char *format, ...) __attribute__((format(printf, 4, 5)));
Diag *report_warning(Checker *c, DiagCode code, Span at, const char *format, ...) __attribute__((format(printf, 4, 5)));
void note(Checker *c, Diag *diag, Span at, const char *format, ...) __attribute__((format(printf, 4, 5)));
void help(Checker *c, Diag *diag, const char *format, ...) __attribute__((format(printf, 3, 4)));
void fix(Checker *c, Diag *diag, Span at, const char *format, ...) __attribute__((format(printf, 4, 5)));
bool in_prelude(const Checker *c, Span at);
const char *text_of(Checker *c, Span at);       /* what the user wrote there */
char char_at(const Checker *c, uint32_t offset);
bool spend(Checker *c, Span at);                /* one step, or the price of a guess; false once they are all spent */

/* names.c */
void gather_names(Checker *c, const AstFile *file, bool prelude);
Symbol *symbol_of(Checker *c, const char *name);
Binding *local_of(const Checker *c, const Symbol *symbol);
Binding *bind_name(Checker *c, BoundKind kind, const char *name, Span at);
void unbind(Checker *c, Binding *until);
uint32_t new_frame(Checker *c);                 /* a frame for a callee; returns the old one, to be put back */
bool builtin_of(const char *name, Builtin *builtin);
bool is_layer_word(const char *name);
const char *nearest_name(Checker *c, const char *name);          /* or NULL */
void report_unknown(Checker *c, const char *name, Span at);
const char *definition_kind(const Ast *ast);    /* "a field", "a network" ... */
bool is_size_name(const Checker *c, const Symbol *symbol, Span at);     /* a `dim`; the library sees none of the file's */
bool is_function(const Ast *ast);               /* whatever has parameters */
bool begins_with_time(const Ast *ast);          /* (t, state: [..], ...) of all but a fn, whose first argument is just that */
bool is_field_signature(const Ast *ast);        /* a field or network that begins with the time */
bool may_call_networks(const Definition *d);    /* NULL: a constant */
bool derivative_of(const char *name, DerivativeKind *kind);
Definition *define_hidden(Checker *c, const char *name, const Ast *ast);        /* name: one that cannot be written */

/* expand.c: definitions that stand behind others */
void expand_definitions(Checker *c);
bool is_search_word(const char *name);          /* " hold", " found": newton.c */
Definition *inverse_of_map(Checker *c, Definition *map, Span at);       /* newton.c where no line gives it; NULL: nothing does */
const char *inverse_name(Checker *c, const char *map);
const char *velocity_name(Checker *c, const char *map);

/* derivative.c: div(f)(t, x), inverse(psi)(t, y) */
bool is_operator(Checker *c, const Ast *call);  /* div, jvp .. or inverse, where nothing else has that name */
bool resolve_operator(Checker *c, Definition *in, const Ast *ast);      /* false: its arguments need no look */
void refuse_operator_value(Checker *c, const Ast *call);
Typed *check_operator(Checker *c, const Ast *ast);
int differentiated(const Ast *definition, DerivativeKind kind);         /* which parameter; -1: none */

/* resolve.c, cycles.c */
void resolve_names(Checker *c);
void resolve_definition(Checker *c, Definition *definition);
bool resolve_value(Checker *c, Definition *in, const Ast *ast);         /* of a flow's clause; false, and reported */
void refuse_cycles(Checker *c);
void refuse_network(Checker *c, const Ast *caller, const char *name, Span at);
void refuse_count(Checker *c, const char *name, Span at, size_t got, const Ast *definition, size_t least, size_t most);
void mention(Checker *c, Definition *in, Definition *to, Span at);

/* shape.c */
Shape shape_scalar(void);
Shape shape_vector(int64_t n);
bool shape_same(const Shape *a, const Shape *b);
bool shape_fits(Checker *c, const Shape *shape, Span at);       /* rank and elements within bounds */
int64_t shape_elements(const Shape *shape);                     /* saturates */
Span shape_origin(const Checker *c, const Typed *typed);
void note_origins(Checker *c, Diag *diag, const Typed *left, const Typed *right);

/* size.c */
typedef struct Affine { int64_t base; uint32_t terms; const Binding *loop[MOST_TERMS]; int64_t scale[MOST_TERMS]; } Affine;
bool affine_of(Checker *c, const Ast *ast, Affine *affine);
bool size_of(Checker *c, const Ast *ast, int64_t *size);        /* any integer, known now */
bool extent_of(Checker *c, const Ast *ast, int64_t *size);      /* and at least 1 */

/* index.c, range.c */
Typed *check_index(Checker *c, const Ast *ast);
bool range_of(Checker *c, const Ast *loop, Binding *binding, int64_t *extent);

/* expr.c, arithmetic.c, bracket.c */
Typed *check_expr(Checker *c, const Ast *ast);
Typed *check_number(Checker *c, const Ast *ast);                /* not a truth value */
Typed *new_typed(Checker *c, TypedKind kind, Shape shape, Span at, uint32_t args);
Typed *check_chain(Checker *c, const Ast *ast);
Typed *check_power(Checker *c, const Ast *ast);
Typed *check_compare(Checker *c, const Ast *ast);
Typed *check_bracket(Checker *c, const Ast *ast);
Typed *check_loop(Checker *c, const Ast *ast);
Typed *refuse_shapes(Checker *c, const char *op, Span at, const Typed *left, const Typed *right);       /* NULL */

/* call.c, pipe.c, layer.c, builtin.c: f(a, b) and x |> f(a) b are one thing */
typedef struct Arguments {
  size_t count;
  Typed **arg;                  /* NULL where a size is */
  Shape *key;
  Span *at;
} Arguments;
typedef struct Call {
  const char *name;
  Span at, name_at;
  Typed *piped;                 /* the first argument, where a pipe brought it */
  const Ast *const *arg;
  size_t args;
  Typed **once;                 /* of `repeat`: arguments that have been typed, [args]; NULL elsewhere */
  const char *label;
  Span label_at;
  bool no_bias;
} Call;
Typed *check_call(Checker *c, const Call *call);
Typed *check_pipe(Checker *c, const Ast *ast);
size_t call_arguments(const Call *call);        /* the piped one too */
Typed *call_argument(Checker *c, const Call *call, size_t i);           /* typed; NULL if wrong */
const Ast *call_written(const Call *call, size_t i);                    /* NULL if it was piped */
bool call_size(Checker *c, const Call *call, size_t i, int64_t *size);
bool check_arguments(Checker *c, const Call *call, const Ast *definition, Arguments *arguments);
bool owns_its_weights(Checker *c, const Call *call, Instance *instance);        /* may the caller have them? notes the site */
Typed *call_definition(Checker *c, const Call *call, Definition *definition);
Typed *call_builtin(Checker *c, const Call *call, Builtin builtin);
Typed *call_layer(Checker *c, const Call *call);
bool label_fits(Checker *c, const Call *call, bool weights);            /* a name only where there are weights */
void add_site(Checker *c, const Call *call, const void *what);
bool check_sites(Checker *c, Instance *instance);

/* instance.c, cost.c */
bool is_whole(const Ast *function);             /* no syntax error took away a part of it */
Instance *instance_of(Checker *c, Definition *definition, const Shape *key, const Span *argument_at, Span at);
void bind_variable(Checker *c, const Ast *size, int64_t value);
TypedLet *constant_of(Checker *c, Definition *definition);
bool dim_of(Checker *c, Definition *definition, int64_t *size);
bool count_cost(Checker *c, Instance *instance);                /* false, and reported: it is too much */
bool count_constant(Checker *c, const TypedLet *constant, uint32_t loops, Span at);

/* loss.c */
void permit_losses(Checker *c);                 /* marks the `fn`s of losses: Definition.of_loss */

/* flow.c */
bool check_flow(Checker *c, Definition *definition, TypedFlow *flow);
TypedFunction *field_instance(Checker *c, Definition *definition, const Shape *state, Span state_at,
                              const Shape *condition, uint32_t conditions, Span at);
bool declared_shape(Checker *c, const Ast *parameter, Shape *shape);    /* false where it needs a size variable */
bool shape_known(Checker *c, const Ast *definition);            /* every parameter's shape stands in its declaration */
Instance *declared_instance(Checker *c, Definition *definition);        /* for those shapes */

#endif
