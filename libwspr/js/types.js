// BSD-3-Clause; see LICENSE.
/**
 * VDL types as VOM sees them. A type is an immutable {@link Type}; two types
 * are the same when their texts are, e.g. `map[string][]ex.Point struct{X
 * int32;Y int32}`. Source: vom.md 1.
 */

/** The longest text of a type; unnamed types inside others make it explode. */
const MAX_TEXT = 65536;
/** The most values that one zero value may hold. */
const MAX_INLINE = 1 << 20;
const MAX_NESTING = 256;

const PLAIN = ["any", "bool", "byte", "uint16", "uint32", "uint64", "int8",
    "int16", "int32", "int64", "float32", "float64", "string", "typeobject"];

/**
 * A VDL type. `kind` is one of any, optional, bool, byte, uint16, uint32,
 * uint64, int8, int16, int32, int64, float32, float64, string, enum,
 * typeobject, array, list, set, map, struct, union; the other members are
 * there for the kinds that have them.
 *
 * @property {string} kind
 * @property {string} name    "" when it has none
 * @property {Type} elem      of optional, array, list, map
 * @property {Type} key       of set, map
 * @property {number} len     of array
 * @property {string[]} labels of enum
 * @property {{name: string, type: Type}[]} fields of struct, union
 */
export class Type {
    #text;
    #holds = new Map();

    constructor(kind, name = "") {
        this.kind = kind;
        this.name = name;
    }

    /** The types directly inside this one. */
    inside() {
        return [this.key, this.elem, ...(this.fields ?? []).map((f) => f.type)]
            .filter((t) => t !== undefined);
    }

    /** Is it a sequence of bytes (a Uint8Array in JavaScript)? */
    get isBytes() {
        return (this.kind === "list" || this.kind === "array") &&
            this.elem.kind === "byte";
    }

    /** Is a type of that kind anywhere inside, this one included? */
    holds(kind) {
        let known = this.#holds.get(kind);
        if (known === undefined) {
            known = reachable(this).some((t) => t.kind === kind);
            this.#holds.set(kind, known);
        }
        return known;
    }

    /** The text of the type. @throws {RangeError} if it is too long */
    toString() {
        return this.#text ??= print(this);
    }
}

/** All types inside a type, itself first. */
function reachable(type) {
    const all = new Set([type]);
    for (const t of all)
        for (const i of t.inside())
            all.add(i);
    return [...all];
}

function print(type) {
    const seen = new Set();
    let out = "";
    const add = (text) => {
        out += text;
        if (out.length > MAX_TEXT)
            throw new RangeError("the text of a type is too long");
    };
    const walk = (t) => {
        if (t.name !== "") {
            add(t.name);
            if (seen.has(t))
                return;
            seen.add(t);
            add(" ");
        }
        switch (t.kind) {
        case "optional": add("?"); walk(t.elem); break;
        case "list": add("[]"); walk(t.elem); break;
        case "array": add(`[${t.len}]`); walk(t.elem); break;
        case "set": add("set["); walk(t.key); add("]"); break;
        case "map": add("map["); walk(t.key); add("]"); walk(t.elem); break;
        case "enum": add(`enum{${t.labels.join(";")}}`); break;
        case "struct":
        case "union":
            add(t.kind + "{");
            t.fields.forEach((f, i) => {
                add((i > 0 ? ";" : "") + f.name + " ");
                walk(f.type);
            });
            add("}");
            break;
        default: add(t.kind);
        }
    };
    walk(type);
    return out;
}

const builtIn = new Map(PLAIN.map((kind) => [kind, new Type(kind)]));
const known = new Map();

/**
 * The type of a text. Named types are defined where they first stand in it
 * and named afterwards; `error` is the type of errors unless it is defined.
 *
 * @param {string | Type} text  e.g. `[]ex.Point struct{X int32;Y int32}`
 * @returns {Type}
 * @throws {SyntaxError} if the text is not a type, @throws {TypeError} if
 * the type breaks a rule of VDL
 */
export function typeOf(text) {
    if (text instanceof Type)
        return text;
    let type = known.get(text);
    if (type === undefined) {
        const parser = new Parser(text);
        type = parser.type();
        parser.end();
        checkType(type);
        known.set(text, type);
    }
    return type;
}

/** Reads types and what surrounds them. */
export class Parser {
    #names = new Map();

    constructor(text) {
        this.text = text;
        this.at = 0;
    }
    fail(wanted) {
        throw new SyntaxError(`"${this.text}", at ${this.at}: expected ` +
            wanted);
    }
    end() {
        if (this.at < this.text.length)
            this.fail("nothing more");
    }
    /** Takes a text if it comes next. */
    take(what) {
        if (!this.text.startsWith(what, this.at))
            return false;
        this.at += what.length;
        return true;
    }
    need(what) {
        if (!this.take(what))
            this.fail(`"${what}"`);
    }
    word() {
        const start = this.at;
        while (this.at < this.text.length &&
            !" ;,(){}[]<>?|".includes(this.text[this.at]))
            this.at++;
        if (this.at === start)
            this.fail("a name");
        return this.text.slice(start, this.at);
    }
    type(name = "", depth = 0) {
        if (depth > MAX_NESTING)
            this.fail("a simpler type");
        const start = this.at;
        const make = (kind) => {
            const t = new Type(kind, name);
            if (name !== "")
                this.#names.set(name, t);
            return t;
        };
        const inner = () => this.type("", depth + 1);
        if (this.take("?")) {
            const t = make("optional");
            t.elem = inner();
            return t;
        }
        if (this.take("[")) {
            const t = make(this.text[this.at] === "]" ? "list" : "array");
            if (t.kind === "array") {
                t.len = Number(this.word());
                if (!Number.isSafeInteger(t.len))
                    this.fail("a length");
            }
            this.need("]");
            t.elem = inner();
            return t;
        }
        const word = this.word();
        if (word === "set" || word === "map") {
            if (this.take("[")) {
                const t = make(word);
                t.key = inner();
                this.need("]");
                if (word === "map")
                    t.elem = inner();
                return t;
            }
        } else if (word === "enum" && this.take("{")) {
            const t = make("enum");
            t.labels = [];
            do
                t.labels.push(this.word());
            while (this.take(";"));
            this.need("}");
            return t;
        } else if (["struct", "union"].includes(word) && this.take("{")) {
            const t = make(word);
            t.fields = [];
            while (!this.take("}")) {
                if (t.fields.length > 0)
                    this.need(";");
                const field = this.word();
                this.need(" ");
                t.fields.push({ name: field, type: inner() });
            }
            return t;
        } else if (builtIn.has(word)) {
            return name === "" ? builtIn.get(word) : make(word);
        } else if (name === "" && this.text[this.at] === " " &&
            /[\w?[]/.test(this.text[this.at + 1] ?? "")) {
            this.at++;
            return this.type(word, depth + 1);
        } else if (this.#names.has(word)) {
            return this.#names.get(word);
        } else if (word === "error") {
            return ERROR;
        }
        this.at = start;
        return this.fail("a type");
    }
}

/** May a value of that type be the key of a set or map? */
export function canBeKey(type) {
    return !["any", "list", "map", "optional", "set", "typeobject"].some(
        (kind) => type.holds(kind));
}

/**
 * Checks the rules that every type obeys, also all types inside.
 *
 * @param {Type} type
 * @throws {TypeError} that says which rule is broken
 */
export function checkType(type) {
    const names = new Map();
    for (const t of reachable(type)) {
        const what = rule(t);
        if (what !== undefined)
            throw new TypeError(`bad type: ${what}`);
        if (t.name === "")
            continue;
        const other = names.get(t.name);
        if (other !== undefined && String(other) !== String(t))
            throw new TypeError(`bad type: two types named ${t.name}`);
        names.set(t.name, t);
    }
    noCycle(type, (t) => t.inside(), (t) => t.name === "",
        "an unnamed type inside itself");
    noCycle(type, strictlyInside, () => true, "a type of infinite size");
    const sizes = new Map();
    for (const t of reachable(type))
        inlineSize(t, sizes, 0);
}

function rule(t) {
    const names = t.fields?.map((f) => f.name);
    switch (t.kind) {
    case "any":
    case "typeobject":
        return t.name === "" ? undefined : `${t.kind} with a name`;
    case "optional":
        return t.elem.kind === "struct" && t.elem.name !== "" ? undefined :
            "only a struct with a name can be optional";
    case "enum":
        return t.labels.length > 0 && !t.labels.includes("") ? undefined :
            "an enum needs labels";
    case "array":
        return t.len > 0 ? undefined : "an array without elements";
    case "set":
    case "map":
        return canBeKey(t.key) ? undefined : "a key that cannot be one";
    case "union":
    case "struct":
        if (names.length === 0 && t.kind === "union")
            return "a union without fields";
        return names.includes("") || new Set(names).size < names.length ?
            "a field without a name of its own" : undefined;
    }
}

const strictlyInside = (t) => t.kind === "array" ? [t.elem] :
    (t.fields ?? []).map((f) => f.type);

/** Looks for a cycle along certain edges between certain types. */
function noCycle(root, edges, matters, what) {
    const state = new Map();
    for (const start of reachable(root)) {
        if (!matters(start) || state.has(start))
            continue;
        const stack = [[start, edges(start)]];
        state.set(start, 1);
        while (stack.length > 0) {
            const [t, rest] = stack.at(-1);
            const next = rest.pop();
            if (next === undefined) {
                state.set(t, 2);
                stack.pop();
            } else if (state.get(next) === 1) {
                throw new TypeError(`bad type: ${what}`);
            } else if (!state.has(next) && matters(next)) {
                state.set(next, 1);
                stack.push([next, edges(next)]);
            }
        }
    }
}

/** How many values the zero value of a type holds. */
function inlineSize(type, sizes, depth) {
    let n = sizes.get(type);
    if (n !== undefined)
        return n;
    n = 1;
    if (type.kind === "array")
        n = type.len * inlineSize(type.elem, sizes, depth + 1);
    for (const f of type.fields ?? [])
        n += inlineSize(f.type, sizes, depth + 1);
    if (n > MAX_INLINE || depth > MAX_NESTING)
        throw new TypeError("bad type: too large");
    sizes.set(type, n);
    return n;
}

/** The type of errors, which the text `error` names. */
export const ERROR = typeOf("?v.io/v23/vdl.WireError struct{Id string;" +
    "RetryCode v.io/v23/vdl.WireRetryCode enum{NoRetry;RetryConnection;" +
    "RetryRefetch;RetryBackoff};Msg string;ParamList []any}");
