/* SPDX-License-Identifier: Apache-2.0 */
/* parser.y -- the grammar.  Actions build nodes and nothing else; lines.h says what the tokens are. */
%define api.pure full
%define api.push-pull push
%define api.prefix {flow_yy}
%define api.token.prefix {T_}
%define api.location.type {Span}
%define lr.type ielr
%define lr.default-reduction accepting /* so that recovery skips to a token that truly goes on */
%define parse.lac full
%define parse.error custom
%expect 0
%locations
%param { Parse *parse }

%code requires {
#include "build.h"
}
%code {
#define YYMAXDEPTH 20000
#define YYLLOC_DEFAULT(now, rhs, n) \
  (now) = (n) ? (Span){YYRHSLOC(rhs, 1).from, YYRHSLOC(rhs, n).to} : (Span){YYRHSLOC(rhs, 0).to, YYRHSLOC(rhs, 0).to}

static void flow_yyerror(Span *at, Parse *parse, const char *text);
#define RECOVERED (yyerrok, parse->depth = 0)
#define NODE(kind) make_node(parse, kind, (yyloc))
}
%code provides {
int flow_run_parser(Parse *parse, flow_yypstate *state);
}

%union { Token token; Ast *ast; AstList list; AstFor over; }
%type <over> over

%token <token> NAME "a name" NUMBER "a number" STRING "text in quotes"
%token END "the end of the line" WRONG "a bracket"
%token LET "`let`" DIM "`dim`" FN "`fn`" FIELD "`field`" NETWORK "`network`" MAP "`map`" DENSITY "`density`"
%token CHECK "`check`" FLOW "`flow`" FOR "`for`" IF "`if`" THEN "`then`" ELSE "`else`" AND "`and`" OR "`or`" NOT "`not`"
%token SUM "`sum`" MAX "`max`" MIN "`min`" REPEAT "`repeat`" INVERSE "`inverse`" DRAW "`draw`"
%token VELOCITY_OF "`velocity of`" NO_BIAS "`no bias`" CLAUSE_OF "`velocity of` "
%token <token> CLAUSE "a clause"
%token CALL "`(`" INDEX "`[`" ARROW "`->`" PIPE "`|>`"
%token LESS_EQUAL "`<=`" GREATER_EQUAL "`>=`" EQUAL "`==`" NOT_EQUAL "`!=`"

%precedence TAIL STAGE_END
%left OR
%left AND
%precedence NOT
%nonassoc '<' '>' LESS_EQUAL GREATER_EQUAL EQUAL NOT_EQUAL
%left '+' '-'
%left '*' '/' '@'
%precedence NEGATE
%right '^'

%type <ast> definition value expr pipe operand call selector stage target product parameter draw_one clause binding
%type <ast> function header body inverse draw
%type <list> arguments some_arguments selectors products parameters some_parameters shape draws clauses values lets sizes

%%

file: items ;
items: %empty | items END { RECOVERED; }
  | items definition END { if ($2) add_item(parse, &parse->file->definitions, $2); RECOVERED; }
  | items error END { RECOVERED; }
  ;

definition:
    binding
  | function
  | CHECK STRING ':' value { $$ = NODE(AST_CHECK); $$->text = $2.text; $$->name_at = @1; $$->body = $4; }
  | CHECK ':' value        { $$ = NODE(AST_CHECK); $$->name_at = @1; $$->body = $3; }
  | CHECK value            { $$ = NODE(AST_CHECK); $$->name_at = @1; $$->body = $2; }
  | CHECK error            { $$ = NULL; }
  | FLOW NAME '{' clauses '}' { $$ = make_definition(parse, AST_FLOW, @$, $2, @2); $$->items = $4; }
  | FLOW error '{' clauses '}' { $$ = NULL; }
  | FLOW error             { $$ = NULL; }
  ;

binding:
    LET NAME '=' value     { $$ = make_definition(parse, AST_LET, @$, $2, @2); $$->body = $4; }
  | LET error              { $$ = NODE(AST_LET); $$->name = "?"; $$->name_at = @1; $$->body = NODE(AST_ERROR); }
  ;

function:
    DIM NAME '=' value           { $$ = make_definition(parse, AST_DIM, @$, $2, @2); $$->body = $4; }
  | DIM error                    { $$ = NULL; }
  | FN header '=' body           { $$ = define(parse, AST_FN, @$, $2, $4); }
  | FN error '=' body            { $$ = NULL; }
  | FN error                     { $$ = NULL; }
  | FIELD header '=' body        { $$ = define(parse, AST_FIELD, @$, $2, $4); }
  | FIELD NAME '=' VELOCITY_OF NAME {
      $$ = make_definition(parse, AST_FIELD, @$, $2, @2);
      $$->body = velocity_of(parse, (Span){@4.from, @5.to}, $5, @5);
    }
  | FIELD error '=' body         { $$ = NULL; }
  | FIELD error                  { $$ = NULL; }
  | NETWORK header '=' body      { $$ = define(parse, AST_NETWORK, @$, $2, $4); }
  | NETWORK error '=' body       { $$ = NULL; }
  | NETWORK error                { $$ = NULL; }
  | MAP header '=' body inverse  { $$ = define(parse, AST_MAP, @$, $2, $4); $$->inverse = $5; }
  | MAP error '=' body inverse   { $$ = NULL; }
  | MAP error                    { $$ = NULL; }
  | DENSITY header '=' body draw { $$ = define(parse, AST_DENSITY, @$, $2, $4); $$->draw = $5; }
  | DENSITY error '=' body draw  { $$ = NULL; }
  | DENSITY error                { $$ = NULL; }
  ;

header:
    NAME CALL parameters ')'             { $$ = make_definition(parse, AST_FN, @$, $1, @1); $$->items = $3; }
  | NAME CALL parameters ')' ARROW shape { $$ = make_definition(parse, AST_FN, @$, $1, @1); $$->items = $3;
                                           $$->sizes = $6; $$->has_result = true; }
  ;

inverse:
    %empty                               { $$ = NULL; }
  | INVERSE CALL parameters ')' '=' body { $$ = define(parse, AST_FN, @$, make_node(parse, AST_FN, @1), $6);
                                           $$->name = "inverse"; $$->name_at = @1; $$->items = $3; }
  | INVERSE error '=' body               { $$ = NULL; }
  | INVERSE error                        { $$ = NULL; }
  ;

draw:
    %empty               { $$ = NULL; }
  | DRAW draws ':' value { $$ = NODE(AST_DRAW); $$->name_at = @1; $$->items = $2; $$->body = $4; }
  | DRAW error           { $$ = NULL; }
  ;
draws:
    draw_one             { $$ = (AstList){0}; add_item(parse, &$$, $1); }
  | draws ',' draw_one   { $$ = $1; add_item(parse, &$$, $3); }
  ;
draw_one: NAME '~' expr  { $$ = make_definition(parse, AST_LET, @$, $1, @1); $$->body = $3; } ;

body:
    lets value           { $$ = NODE(AST_FN); $$->lets = $1; $$->body = $2; }
  | lets error           { $$ = NODE(AST_FN); $$->lets = $1; $$->body = make_node(parse, AST_ERROR, @2); }
  ;
lets:
    %empty               { $$ = (AstList){0}; }
  | lets binding END     { $$ = $1; add_item(parse, &$$, $2); RECOVERED; }
  ;

parameters: %empty { $$ = (AstList){0}; } | some_parameters ;
some_parameters:
    parameter                     { $$ = (AstList){0}; add_item(parse, &$$, $1); }
  | some_parameters ',' parameter { $$ = $1; add_item(parse, &$$, $3); }
  ;
parameter:
    NAME           { $$ = make_definition(parse, AST_PARAMETER, @$, $1, @1); }
  | NAME ':' shape { $$ = make_definition(parse, AST_PARAMETER, @$, $1, @1); $$->sizes = $3; $$->has_shape = true; }
  | DIM NAME       { $$ = make_definition(parse, AST_PARAMETER, @$, $2, @2); $$->is_dim = true; }
  ;
shape: '[' sizes ']' { $$ = $2; } ;
sizes:
    expr           { $$ = (AstList){0}; add_item(parse, &$$, $1); }
  | sizes ',' expr { $$ = $1; add_item(parse, &$$, $3); }
  ;

clauses:
    %empty         { $$ = (AstList){0}; }
  | clauses clause { $$ = $1; add_item(parse, &$$, $2); }
  | clauses END    { $$ = $1; RECOVERED; }
  | clauses error  { $$ = $1; add_item(parse, &$$, make_node(parse, AST_ERROR, @2)); RECOVERED; }
  ;
clause:
    CLAUSE values          { $$ = make_definition(parse, AST_CLAUSE, @$, $1, @1); $$->items = $2; }
  | CLAUSE_OF NAME         { $$ = make_definition(parse, AST_CLAUSE, @$, word_token(parse, "velocity"), @1);
                             add_item(parse, &$$->items, velocity_of(parse, @$, $2, @2)); }
  | CLAUSE '{' clauses '}' { $$ = make_definition(parse, AST_CLAUSE, @$, $1, @1); $$->extra = $3; }
  ;
values:
    %empty         { $$ = (AstList){0}; }
  | values product %prec STAGE_END { $$ = $1; add_item(parse, &$$, $2); }
  | values '-' product %prec STAGE_END { $$ = $1; add_item(parse, &$$, make_unary(parse, AST_NEGATE, (Span){@2.from, @3.to}, @2, $3)); }
  | values STRING  { $$ = $1; Ast *text = make_node(parse, AST_STRING, @2); text->text = $2.text; add_item(parse, &$$, text); }
  | values ARROW   { $$ = $1; add_item(parse, &$$, make_name(parse, word_token(parse, "->"), @2)); }
  ;

value: expr %prec TAIL
  | pipe
  | pipe mixer expr %prec TAIL { $$ = make_mixed(parse, @$, $1, @2); }
  ;
mixer: '+' | '-' | '*' | '/' | '@' | '^' | '<' | '>' | LESS_EQUAL | GREATER_EQUAL | EQUAL | NOT_EQUAL | AND | OR ;

pipe:
    expr PIPE stage { $$ = make_pipe(parse, @$, $1, @2, $3); }
  | pipe PIPE stage { $$ = make_pipe(parse, @$, $1, @2, $3); }
  ;
stage:
    target
  | target STRING         { $$ = label(parse, $1, @$, &$2, @2, false); }
  | target NO_BIAS        { $$ = label(parse, $1, @$, NULL, @2, true); }
  | target STRING NO_BIAS { $$ = label(parse, $1, @$, &$2, @2, true); }
  | target NO_BIAS STRING { $$ = label(parse, $1, @$, &$3, @3, true); }
  ;
target:
    NAME products                           { $$ = make_stage(parse, @$, $1, @1, (AstList){0}, $2, NULL); }
  | NAME CALL arguments ')' products        { $$ = make_stage(parse, @$, $1, @1, $3, $5, NULL); }
  | REPEAT product NAME products            { $$ = make_stage(parse, @$, $3, @3, (AstList){0}, $4, $2); }
  | REPEAT product NAME CALL arguments ')' products { $$ = make_stage(parse, @$, $3, @3, $5, $7, $2); }
  ;
products:
    %empty           { $$ = (AstList){0}; }
  | products product %prec STAGE_END { $$ = $1; add_item(parse, &$$, $2); }
  ;
product:
    operand %prec STAGE_END
  | product '*' operand   { $$ = make_binary(parse, @$, AST_MULTIPLY, @2, $1, $3); }
  | product '/' operand   { $$ = make_binary(parse, @$, AST_DIVIDE, @2, $1, $3); }
  | product '@' operand   { $$ = make_binary(parse, @$, AST_MATMUL, @2, $1, $3); }
  ;

expr:
    operand
  | call STRING               { $$ = label(parse, $1, @$, &$2, @2, false); }
  | call STRING NO_BIAS       { $$ = label(parse, $1, @$, &$2, @2, true); }
  | call NO_BIAS              { $$ = label(parse, $1, @$, NULL, @2, true); }
  | expr OR expr              { $$ = make_logic(parse, AST_OR, @$, @2, $1, $3); }
  | expr AND expr             { $$ = make_logic(parse, AST_AND, @$, @2, $1, $3); }
  | NOT deeper expr %prec NOT { $$ = make_unary(parse, AST_NOT, @$, @1, $3); parse->depth--; }
  | expr '<' expr             { $$ = make_compare(parse, @$, AST_LESS, @2, $1, $3); }
  | expr '>' expr             { $$ = make_compare(parse, @$, AST_GREATER, @2, $1, $3); }
  | expr LESS_EQUAL expr      { $$ = make_compare(parse, @$, AST_LESS_EQUAL, @2, $1, $3); }
  | expr GREATER_EQUAL expr   { $$ = make_compare(parse, @$, AST_GREATER_EQUAL, @2, $1, $3); }
  | expr EQUAL expr           { $$ = make_compare(parse, @$, AST_EQUAL, @2, $1, $3); }
  | expr NOT_EQUAL expr       { $$ = make_compare(parse, @$, AST_NOT_EQUAL, @2, $1, $3); }
  | expr '+' expr             { $$ = make_binary(parse, @$, AST_ADD, @2, $1, $3); }
  | expr '-' expr             { $$ = make_binary(parse, @$, AST_SUBTRACT, @2, $1, $3); }
  | expr '*' expr             { $$ = make_binary(parse, @$, AST_MULTIPLY, @2, $1, $3); }
  | expr '/' expr             { $$ = make_binary(parse, @$, AST_DIVIDE, @2, $1, $3); }
  | expr '@' expr             { $$ = make_binary(parse, @$, AST_MATMUL, @2, $1, $3); }
  | '-' deeper expr %prec NEGATE { $$ = make_unary(parse, AST_NEGATE, @$, @1, $3); parse->depth--; }
  | expr '^' deeper expr %prec '^' { $$ = make_power(parse, @$, @2, $1, $4); parse->depth--; }
  | IF deeper expr THEN expr ELSE expr %prec TAIL {
      $$ = NODE(AST_IF); $$->name_at = @1; parse->depth--;
      add_item(parse, &$$->items, $3); add_item(parse, &$$->items, $5); add_item(parse, &$$->items, $7);
    }
  | over deeper NAME ':' expr %prec TAIL          { $$ = make_for(parse, @$, $1, $3, @3, NULL, $5); parse->depth--; }
  | over deeper NAME '<' expr ':' expr %prec TAIL { $$ = make_for(parse, @$, $1, $3, @3, $5, $7); parse->depth--; }
  ;
over: FOR { $$ = AST_ARRAY; } | SUM { $$ = AST_SUM; } | MAX { $$ = AST_MAX; } | MIN { $$ = AST_MIN; } ;
deeper: %empty { if (!go_deeper(parse, @0)) YYERROR; } ;

operand:
    NUMBER                   { $$ = NODE(AST_NUMBER); $$->number = $1.number; $$->text = $1.text; }
  | NAME                     { $$ = make_name(parse, $1, @1); }
  | VELOCITY_OF NAME         { $$ = velocity_of(parse, @$, $2, @2); }
  | call %prec STAGE_END
  | operand INDEX selectors ']' { $$ = make_index(parse, @$, $1, $3); }
  | '[' some_arguments ']'   { $$ = NODE(AST_BRACKET); $$->items = $2; }
  | '(' value ')'            { $$ = $2; $$->at = @$; $$->parenthesised = true; }
  ;
call:
    operand CALL arguments ')'                    { $$ = make_call(parse, @$, $1, $3, (AstList){0}); }
  | operand CALL arguments ';' some_arguments ')' { $$ = make_call(parse, @$, $1, $3, $5); }
  ;
selectors:
    selector               { $$ = (AstList){0}; add_item(parse, &$$, $1); }
  | selectors ',' selector { $$ = $1; add_item(parse, &$$, $3); }
  ;
selector:
    expr          { $$ = $1; }
  | ':'           { $$ = make_range(parse, @$, NULL, NULL); }
  | expr ':'      { $$ = make_range(parse, @$, $1, NULL); }
  | ':' expr      { $$ = make_range(parse, @$, NULL, $2); }
  | expr ':' expr { $$ = make_range(parse, @$, $1, $3); }
  ;
arguments: %empty { $$ = (AstList){0}; } | some_arguments ;
some_arguments:
    value                    { $$ = (AstList){0}; add_item(parse, &$$, $1); }
  | some_arguments ',' value { $$ = $1; add_item(parse, &$$, $3); }
  ;
%%

static void flow_yyerror(Span *at, Parse *parse, const char *text) {
  (void)text; /* the only one that comes here is "memory exhausted": the stack's limit */
  if (!parse->lines.too_deep) diag_error(parse->diagnostics, E0104, *at, "this is nested too deeply");
}

static int yyreport_syntax_error(const yypcontext_t *context, Parse *parse) {
  yysymbol_kind_t kinds[YYNTOKENS];
  const char *names[YYNTOKENS];
  int count = yypcontext_expected_tokens(context, kinds, YYNTOKENS);
  for (int i = 0; i < count; i++) names[i] = yysymbol_name(kinds[i]);
  report_syntax_error(parse, *yypcontext_location(context), yysymbol_name(yypcontext_token(context)), names, count);
  return 0;
}

/* Feeds the filter's tokens to the automaton. */
int flow_run_parser(Parse *parse, flow_yypstate *state) {
  for (;;) {
    parse->before = parse->now;
    parse->now = lines_next(&parse->lines);
    FLOW_YYSTYPE value = {.token = parse->now};
    Span at = parse->now.at;
    int status = flow_yypush_parse(state, parse->now.kind, &value, &at, parse);
    if (status != YYPUSH_MORE) return status;
  }
}
