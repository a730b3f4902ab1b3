/* BSD-3-Clause; see LICENSE. */
/*
 * Grammar of VDL and of config files (spec/vdl.md section 3).
 *
 * Argument lists "(a, b T)" and "(T1, T2)" share a prefix, so both are read as
 * lists of types; parse_fields() checks that what stands before a type was
 * plain names.
 */
%code requires {
#include "parse.h"
}

%define api.pure full
%define api.prefix {vdl_yy}
%define parse.error custom
%define parse.lac full
%param {void *scanner} {struct parser *ps}

%union {
    struct ast_name name;
    struct {
        struct list parts; /* char * */
        struct pos pos;
    } dotted;
    struct list list;
    struct ast_type *type;
    struct ast_expr *expr;
    struct ast_entry *entry;
    struct ast_type *streams[2];
    struct ast_iface *iface;
    struct ast_error *error;
}

%code {
#include "grammar.h"

/* Nesting of what later passes walk by recursion. */
#define YYMAXDEPTH 4000

int vdl_yylex(VDL_YYSTYPE *val, void *scanner, struct parser *ps);
static void vdl_yyerror(void *scanner, struct parser *ps, const char *text);

static struct ast_type *stream_type(struct ast_type *t);
static void add_import(struct parser *ps, const char *name,
    struct ast_name path, struct pos pos);
}

%token START_FILE START_CONFIG START_EXPRS
/* In front of the definition where parsing goes on after an error. */
%token SYNC
%token <name> IDENT "name" INTEGER "integer" RATIONAL "float" STRING "string"
%token <name> CONST "const" ENUM "enum" ERROR "error" IMPORT "import"
%token <name> INTERFACE "interface" MAP "map" PACKAGE "package" SET "set"
%token <name> STREAM "stream" STRUCT "struct" TYPE "type"
%token <name> TYPEOBJECT "typeobject" UNION "union"
%token <name> NE "!=" EQ "==" LE "<=" GE ">=" LSH "<<" RSH ">>" OROR "||"
%token <name> ANDAND "&&"
%token <name> ';' ':' ',' '.' '(' ')' '[' ']' '{' '}' '?' '!' '='
%token <name> '<' '>' '|' '&' '+' '-' '*' '/' '%' '^'

%left OROR
%left ANDAND
%left '<' '>' LE GE NE EQ
%left '+' '-' '|' '^'
%left '*' '/' '%' '&' LSH RSH

%type <name> nameref
%type <dotted> dotted
%type <list> types labels fields field named_args in_args out_args entries exprs
%type <list> tags
%type <type> type type_nt
%type <expr> expr unary operand composite
%type <entry> entry
%type <streams> stream
%type <iface> items item
%type <error> details detail_list detail

%%

start
    : START_FILE package imports defs
    | START_CONFIG config imports defs
    | START_EXPRS exprs ';'    { ps->file->exprs = $2; }
    ;

package
    : PACKAGE IDENT ';'
    {
        ps->file->package = $2.s;
        ps->file->package_pos = $2.pos;
    }
    ;

config
    : IDENT
    {
        if (strcmp($1.s, "config") != 0) {
            parse_error_at(ps, $1.pos,
                "config file must start with config clause");
            YYABORT;
        }
        ps->file->package = $1.s;
        ps->file->package_pos = $1.pos;
    }
      '=' expr ';'    { ps->file->config = $4; }
    ;

osemi: %empty | ';' ;
ocomma: %empty | ',' ;

/* ---- imports ---- */

imports
    : %empty
    | imports import ';'
    ;

import
    : IMPORT '(' ')'
    | IMPORT '(' import_specs osemi ')'
    | IMPORT import_spec
    ;

import_specs
    : import_spec
    | import_specs ';' import_spec
    ;

import_spec
    : STRING          { add_import(ps, NULL, $1, $1.pos); }
    | IDENT STRING    { add_import(ps, $1.s, $2, $1.pos); }
    ;

/* ---- definitions ---- */

defs
    : %empty
    | defs def ';'
    | defs error SYNC    { yyerrok; }
    ;

def
    : TYPE '(' ')'
    | TYPE '(' type_specs osemi ')'
    | TYPE type_spec
    | TYPE iface_spec
    | CONST '(' ')'
    | CONST '(' const_specs osemi ')'
    | CONST const_spec
    | ERROR '(' ')'
    | ERROR '(' error_specs osemi ')'
    | ERROR error_spec
    ;

type_specs
    : type_spec
    | type_specs ';' type_spec
    ;

type_spec
    : IDENT type
    {
        struct ast_typedef *d = ctx_new(ps->c, struct ast_typedef);

        d->name = $1.s;
        d->pos = $1.pos;
        d->type = $2;
        list_push(ps->c, &ps->file->types, d);
    }
    ;

/* ---- types ---- */

type
    : type_nt
    | TYPEOBJECT    { $$ = parse_named_type(ps, $1); }
    ;

type_nt
    : nameref    { $$ = parse_named_type(ps, $1); }
    | ERROR      { $$ = parse_named_type(ps, $1); }
    | '[' INTEGER ']' type
        { $$ = parse_array_type(ps, $1.pos, $2, $4); }
    | '[' ']' type
        { $$ = parse_type(ps, AST_LIST, $1.pos, NULL, $3); }
    | ENUM '{' labels osemi '}'
    {
        $$ = parse_type(ps, AST_ENUM, $1.pos, NULL, NULL);
        $$->members = $3;
    }
    | SET '[' type ']'
        { $$ = parse_type(ps, AST_SET, $1.pos, $3, NULL); }
    | MAP '[' type ']' type
        { $$ = parse_type(ps, AST_MAP, $1.pos, $3, $5); }
    | STRUCT '{' fields osemi '}'
    {
        $$ = parse_type(ps, AST_STRUCT, $1.pos, NULL, NULL);
        $$->members = $3;
    }
    | STRUCT '{' '}'
        { $$ = parse_type(ps, AST_STRUCT, $1.pos, NULL, NULL); }
    | UNION '{' fields osemi '}'
    {
        $$ = parse_type(ps, AST_UNION, $1.pos, NULL, NULL);
        $$->members = $3;
    }
    | UNION '{' '}'
        { $$ = parse_type(ps, AST_UNION, $1.pos, NULL, NULL); }
    | '?' type
        { $$ = parse_type(ps, AST_OPTIONAL, $1.pos, NULL, $2); }
    ;

labels
    : IDENT
    {
        $$ = (struct list) { 0 };
        list_push(ps->c, &$$, parse_field(ps, $1, NULL));
    }
    | labels ';' IDENT
    {
        $$ = $1;
        list_push(ps->c, &$$, parse_field(ps, $3, NULL));
    }
    ;

fields
    : field
    | fields ';' field    { $$ = $1; parse_append(ps, &$$, &$3); }
    ;

field
    : types type
    {
        $$ = (struct list) { 0 };
        parse_fields(ps, &$$, &$1, $2);
    }
    ;

types
    : type
    {
        $$ = (struct list) { 0 };
        list_push(ps->c, &$$, $1);
    }
    | types ',' type    { $$ = $1; list_push(ps->c, &$$, $3); }
    ;

nameref
    : dotted
    {
        $$.s = parse_dotted(ps, &$1.parts);
        $$.len = (uint32_t)strlen($$.s);
        $$.pos = $1.pos;
        if ($$.s[0] == '"' && ps->mode != PARSE_EXPRS)
            parse_error_at(ps, $1.pos,
                "package path qualified identifier %s not allowed", $$.s);
    }
    ;

dotted
    : IDENT
    {
        $$.pos = $1.pos;
        $$.parts = (struct list) { 0 };
        parse_part(ps, &$$.parts, $1);
    }
    | dotted '.' IDENT
    {
        $$ = $1;
        parse_part(ps, &$$.parts, $3);
    }
    | STRING '.' IDENT
    {
        struct ast_name path = $1;

        path.s = ctx_printf(ps->c, "\"%s\"", $1.s);
        $$.pos = $1.pos;
        $$.parts = (struct list) { 0 };
        parse_part(ps, &$$.parts, path);
        parse_part(ps, &$$.parts, $3);
    }
    ;

/* ---- interfaces ---- */

iface_spec
    : IDENT INTERFACE '{' '}'
    {
        struct ast_iface *d = ctx_new(ps->c, struct ast_iface);

        d->name = $1.s;
        d->pos = $1.pos;
        list_push(ps->c, &ps->file->ifaces, d);
    }
    | IDENT INTERFACE '{' items osemi '}'
    {
        $4->name = $1.s;
        $4->pos = $1.pos;
        list_push(ps->c, &ps->file->ifaces, $4);
    }
    ;

items
    : item
    | items ';' item
    {
        parse_append(ps, &$1->embeds, &$3->embeds);
        parse_append(ps, &$1->methods, &$3->methods);
    }
    ;

/* An interface of one item, to be merged. */
item
    : nameref
    {
        struct ast_embed *d = ctx_new(ps->c, struct ast_embed);

        d->name = $1.s;
        d->pos = $1.pos;
        $$ = ctx_new(ps->c, struct ast_iface);
        list_push(ps->c, &$$->embeds, d);
    }
    | IDENT in_args stream out_args tags
    {
        struct ast_method *d = ctx_new(ps->c, struct ast_method);

        d->name = $1.s;
        d->pos = $1.pos;
        d->in = $2;
        d->in_stream = $3[0];
        d->out_stream = $3[1];
        d->out = $4;
        d->tags = $5;
        $$ = ctx_new(ps->c, struct ast_iface);
        list_push(ps->c, &$$->methods, d);
    }
    ;

in_args
    : '(' ')'                      { $$ = (struct list) { 0 }; }
    | '(' named_args ocomma ')'    { $$ = $2; }
    | '(' types ocomma ')'
    {
        $$ = (struct list) { 0 };
        parse_unnamed(ps, &$$, &$2);
    }
    ;

named_args
    : field
    | named_args ',' field    { $$ = $1; parse_append(ps, &$$, &$3); }
    ;

out_args
    : ERROR                                  { $$ = (struct list) { 0 }; }
    | '(' named_args ocomma '|' ERROR ')'    { $$ = $2; }
    | '(' types ocomma '|' ERROR ')'
    {
        $$ = (struct list) { 0 };
        parse_unnamed(ps, &$$, &$2);
    }
    ;

stream
    : %empty                { $$[0] = $$[1] = NULL; }
    | STREAM '<' '>'        { $$[0] = $$[1] = NULL; }
    | STREAM '<' type '>'   { $$[0] = stream_type($3); $$[1] = NULL; }
    | STREAM '<' type ',' type '>'
        { $$[0] = stream_type($3); $$[1] = stream_type($5); }
    ;

tags
    : %empty                     { $$ = (struct list) { 0 }; }
    | '{' '}'                    { $$ = (struct list) { 0 }; }
    | '{' exprs ocomma '}'       { $$ = $2; }
    ;

exprs
    : expr
    {
        $$ = (struct list) { 0 };
        list_push(ps->c, &$$, $1);
    }
    | exprs ',' expr    { $$ = $1; list_push(ps->c, &$$, $3); }
    ;

/* ---- constants ---- */

const_specs
    : const_spec
    | const_specs ';' const_spec
    ;

const_spec
    : IDENT '=' expr
    {
        struct ast_const *d = ctx_new(ps->c, struct ast_const);

        d->name = $1.s;
        d->pos = $1.pos;
        d->expr = $3;
        list_push(ps->c, &ps->file->consts, d);
    }
    ;

expr
    : unary
    | expr OROR expr     { $$ = parse_binary(ps, $2.pos, OROR, $1, $3); }
    | expr ANDAND expr   { $$ = parse_binary(ps, $2.pos, ANDAND, $1, $3); }
    | expr '<' expr      { $$ = parse_binary(ps, $2.pos, '<', $1, $3); }
    | expr '>' expr      { $$ = parse_binary(ps, $2.pos, '>', $1, $3); }
    | expr LE expr       { $$ = parse_binary(ps, $2.pos, LE, $1, $3); }
    | expr GE expr       { $$ = parse_binary(ps, $2.pos, GE, $1, $3); }
    | expr NE expr       { $$ = parse_binary(ps, $2.pos, NE, $1, $3); }
    | expr EQ expr       { $$ = parse_binary(ps, $2.pos, EQ, $1, $3); }
    | expr '+' expr      { $$ = parse_binary(ps, $2.pos, '+', $1, $3); }
    | expr '-' expr      { $$ = parse_binary(ps, $2.pos, '-', $1, $3); }
    | expr '*' expr      { $$ = parse_binary(ps, $2.pos, '*', $1, $3); }
    | expr '/' expr      { $$ = parse_binary(ps, $2.pos, '/', $1, $3); }
    | expr '%' expr      { $$ = parse_binary(ps, $2.pos, '%', $1, $3); }
    | expr '|' expr      { $$ = parse_binary(ps, $2.pos, '|', $1, $3); }
    | expr '&' expr      { $$ = parse_binary(ps, $2.pos, '&', $1, $3); }
    | expr '^' expr      { $$ = parse_binary(ps, $2.pos, '^', $1, $3); }
    | expr LSH expr      { $$ = parse_binary(ps, $2.pos, LSH, $1, $3); }
    | expr RSH expr      { $$ = parse_binary(ps, $2.pos, RSH, $1, $3); }
    ;

unary
    : operand
    | '!' unary    { $$ = parse_binary(ps, $1.pos, '!', $2, NULL); }
    | '+' unary    { $$ = parse_binary(ps, $1.pos, '+', $2, NULL); }
    | '-' unary    { $$ = parse_binary(ps, $1.pos, '-', $2, NULL); }
    | '^' unary    { $$ = parse_binary(ps, $1.pos, '^', $2, NULL); }
    | type_nt '(' expr ')'
    {
        $$ = parse_expr(ps, AST_CONVERT, $1->pos);
        $$->type = $1;
        $$->l = $3;
    }
    | TYPEOBJECT '(' type ')'
    {
        $$ = parse_expr(ps, AST_TYPEOBJECT, $1.pos);
        $$->type = $3;
    }
    ;

operand
    : STRING
    {
        $$ = parse_expr(ps, AST_STRING, $1.pos);
        $$->text = $1;
    }
    | INTEGER
    {
        $$ = parse_expr(ps, AST_INTEGER, $1.pos);
        $$->text = $1;
    }
    | RATIONAL
    {
        $$ = parse_expr(ps, AST_RATIONAL, $1.pos);
        $$->text = $1;
    }
    | nameref
    {
        $$ = parse_expr(ps, AST_NAME, $1.pos);
        $$->text = $1;
    }
    | composite
    | composite '.' IDENT
    {
        parse_error_at(ps, $2.pos,
            "cannot apply selector operator to unnamed constant");
        $$ = $1;
    }
    | composite '[' expr ']'
    {
        parse_error_at(ps, $2.pos,
            "cannot apply index operator to unnamed constant");
        $$ = $1;
    }
    | nameref '[' expr ']'
    {
        $$ = parse_expr(ps, AST_INDEX, $1.pos);
        $$->l = parse_expr(ps, AST_NAME, $1.pos);
        $$->l->text = $1;
        $$->r = $3;
    }
    | '(' expr ')'    { $$ = $2; }
    ;

composite
    : '{' '}'              { $$ = parse_expr(ps, AST_COMPOSITE, $1.pos); }
    | '{' entries ocomma '}'
    {
        $$ = parse_expr(ps, AST_COMPOSITE, $1.pos);
        $$->entries = $2;
    }
    | type '{' '}'
    {
        $$ = parse_expr(ps, AST_COMPOSITE, $2.pos);
        $$->type = $1;
    }
    | type '{' entries ocomma '}'
    {
        $$ = parse_expr(ps, AST_COMPOSITE, $2.pos);
        $$->type = $1;
        $$->entries = $3;
    }
    ;

entries
    : entry
    {
        $$ = (struct list) { 0 };
        list_push(ps->c, &$$, $1);
    }
    | entries ',' entry    { $$ = $1; list_push(ps->c, &$$, $3); }
    ;

entry
    : expr
    {
        $$ = ctx_new(ps->c, struct ast_entry);
        $$->value = $1;
    }
    | expr ':' expr
    {
        $$ = ctx_new(ps->c, struct ast_entry);
        $$->key = $1;
        $$->value = $3;
    }
    ;

/* ---- errors ---- */

error_specs
    : error_spec
    | error_specs ';' error_spec
    ;

error_spec
    : IDENT in_args details
    {
        $3->name = $1.s;
        $3->pos = $1.pos;
        $3->params = $2;
        list_push(ps->c, &ps->file->errors, $3);
    }
    ;

details
    : %empty                        { $$ = ctx_new(ps->c, struct ast_error); }
    | '{' '}'                       { $$ = ctx_new(ps->c, struct ast_error); }
    | '{' detail_list ocomma '}'    { $$ = $2; }
    ;

detail_list
    : detail
    | detail_list ',' detail
    {
        parse_append(ps, &$1->actions, &$3->actions);
        parse_append(ps, &$1->formats, &$3->formats);
    }
    ;

/* An error of one detail, to be merged. */
detail
    : IDENT
    {
        struct ast_name *d = ctx_new(ps->c, struct ast_name);

        *d = $1;
        $$ = ctx_new(ps->c, struct ast_error);
        list_push(ps->c, &$$->actions, d);
    }
    | STRING ':' STRING
    {
        struct ast_format *d = ctx_new(ps->c, struct ast_format);

        d->lang = $1;
        d->text = $3;
        $$ = ctx_new(ps->c, struct ast_error);
        list_push(ps->c, &$$->formats, d);
    }
    ;

%%

/* "_" stands for no type. */
static struct ast_type *stream_type(struct ast_type *t)
{
    return t->kind == AST_NAMED && strcmp(t->name, "_") == 0 ? NULL : t;
}

static void add_import(struct parser *ps, const char *name,
    struct ast_name path, struct pos pos)
{
    struct ast_import *d = ctx_new(ps->c, struct ast_import);

    d->name = name;
    d->path = path.s;
    d->pos = pos;
    list_push(ps->c, &ps->file->imports, d);
}

/* Tokens that may stand where a type may, and those where a constant may. */
static bool starts_type(yysymbol_kind_t k)
{
    return k == YYSYMBOL_IDENT || k == YYSYMBOL_STRING || k == YYSYMBOL_ERROR ||
        k == YYSYMBOL_MAP || k == YYSYMBOL_SET || k == YYSYMBOL_ENUM ||
        k == YYSYMBOL_STRUCT || k == YYSYMBOL_UNION ||
        k == YYSYMBOL_TYPEOBJECT || strcmp(yysymbol_name(k), "'['") == 0 ||
        strcmp(yysymbol_name(k), "'?'") == 0;
}

static bool starts_expr(yysymbol_kind_t k)
{
    const char *s = yysymbol_name(k);

    return starts_type(k) || k == YYSYMBOL_INTEGER || k == YYSYMBOL_RATIONAL ||
        (s[0] == '\'' && strchr("{(!+-^", s[1]) != NULL);
}

static bool is_binary(yysymbol_kind_t k)
{
    const char *s = yysymbol_name(k);

    return (k >= YYSYMBOL_NE && k <= YYSYMBOL_ANDAND) ||
        (s[0] == '\'' && strchr("<>|&+-*/%^", s[1]) != NULL);
}

/* A token as written, or what it is. */
static void put_token(struct v23_buf *b, const char *name)
{
    static const char *const classes[] = { "a constant", "a type",
        "an operator", "name", "integer", "float", "string", "end of file" };
    size_t i, n = strlen(name);

    for (i = 0; i < sizeof(classes) / sizeof(classes[0]); i++) {
        if (strcmp(name, classes[i]) == 0) {
            v23_buf_puts(b, name);
            return;
        }
    }
    if (strcmp(name, "';'") == 0)
        v23_buf_puts(b, "newline");
    else if (name[0] == '\'')
        v23_buf_printf(b, "\"%.*s\"", (int)n - 2, name + 1);
    else
        v23_buf_printf(b, "\"%s\"", name);
}

/* "a, b or c"; groups of tokens by what they begin. */
static void put_expected(struct v23_buf *b, const yysymbol_kind_t *want, int n)
{
    bool type = false, expr = false, binary = false;
    const char *names[YYNTOKENS];
    int i, count = 0;

    for (i = 0; i < n; i++) {
        type = type || want[i] == YYSYMBOL_MAP;
        expr = expr || want[i] == YYSYMBOL_INTEGER;
        binary = binary || want[i] == YYSYMBOL_OROR;
    }
    /* "[" alone can also be followed by a length. */
    expr = expr && type;
    if (expr)
        names[count++] = "a constant";
    else if (type)
        names[count++] = "a type";
    if (binary)
        names[count++] = "an operator";
    for (i = 0; i < n; i++) {
        if ((type && starts_type(want[i])) || (expr && starts_expr(want[i])) ||
            (binary && is_binary(want[i])))
            continue;
        names[count++] = yysymbol_name(want[i]);
    }
    for (i = 0; i < count; i++) {
        v23_buf_puts(b, i == 0 ? ", expected " : i < count - 1 ? ", " : " or ");
        put_token(b, names[i]);
    }
}

static int yyreport_syntax_error(const yypcontext_t *at, void *scanner,
    struct parser *ps)
{
    yysymbol_kind_t want[YYNTOKENS], got = yypcontext_token(at);
    int n = yypcontext_expected_tokens(at, want, YYNTOKENS);
    struct v23_buf b;

    (void)scanner;
    parse_recover(ps, ps->prev);
    if (ps->tokens <= 1 && ps->mode != PARSE_EXPRS) {
        parse_error_at(ps, ps->tok, ps->mode == PARSE_CONFIG
                ? "config file must start with config clause"
                : "vdl file must start with package clause");
        return 0;
    }
    v23_buf_init(&b, NULL, SIZE_MAX);
    v23_buf_puts(&b, "syntax error: unexpected ");
    if (got == YYSYMBOL_YYEOF)
        v23_buf_puts(&b, "end of file");
    else if (ps->prev_newline)
        v23_buf_puts(&b, ps->text);
    else if (got == YYSYMBOL_STRING)
        v23_buf_puts(&b, "string");
    else
        v23_buf_printf(&b, "\"%s\"", ps->text);
    if (n > 0)
        put_expected(&b, want, n);
    parse_error_at(ps, ps->tok, "%s", v23_buf_cstr(&b));
    v23_buf_fini(&b);
    return 0;
}

static void vdl_yyerror(void *scanner, struct parser *ps, const char *text)
{
    (void)scanner;
    (void)text; /* "memory exhausted": YYMAXDEPTH is reached */
    parse_error_at(ps, ps->tok, "nested too deeply");
}
