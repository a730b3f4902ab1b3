// BSD-3-Clause; see LICENSE.
/**
 * VOM 0x81, the encoding of values. In JavaScript
 *
 * | VDL | is |
 * |---|---|
 * | bool, string | boolean, string |
 * | byte, int8 … int32, uint16, uint32, float32, float64 | number |
 * | int64, uint64 | bigint (a whole number is accepted, too) |
 * | enum | string, the label |
 * | list, array | Array; of bytes: Uint8Array |
 * | set, map | Set, Map (an object is accepted for a map with string keys) |
 * | struct | object with the field names of VDL; a field left out is zero |
 * | union | object with one field |
 * | optional | null or the value |
 * | any | null or an {@link Any}; see {@link anyOf} for what else is accepted |
 * | typeobject | {@link Type} |
 * | error | null or a {@link VError}; any Error is accepted |
 * | time.Time, time.Duration | as the structs they are, with seconds in a
 *   bigint; a Date and a number of milliseconds are accepted. See dateOf() and
 *   millisecondsOf() |
 *
 * Strings that are no UTF-8 lose what is not. Source: vom.md 2 to 9, 15.
 */
import { ERROR, Type, checkType, typeOf } from "./types.js";

/** Values may be nested as deep as this. */
const MAX_DEPTH = 500;
const MAX_COUNT = 2 ** 30;
const VERSION = 0x81, NIL = 0xe0, END = 0xe1, INCOMPLETE = 0xe2;
const FIRST_ID = 41;
const FLOAT32_MAX = 3.4028234663852886e38;
const BASE = ["", "bool", "byte", "string", "uint16", "uint32", "uint64",
    "int16", "int32", "int64", "float32", "float64", "", "", "typeobject",
    "any", "int8"];
const builtIn = new Map();
BASE.forEach((kind, id) => kind === "" || builtIn.set(id, typeOf(kind)));
builtIn.set(39, typeOf("[]byte")).set(40, typeOf("[]string"));
const builtInIds = new Map([...builtIn].map(([id, t]) => [String(t), id]));
const WIRE = ["Named", "Enum", "Array", "List", "Set", "Map", "Struct",
    "Union", "Optional"];
const bits = { byte: 8, uint16: 16, uint32: 32, uint64: 64, int8: 8,
    int16: 16, int32: 32, int64: 64 };

/** What comes out of an any: a value and its type. */
export class Any {
    /** @param {Type | string} type @param {*} value */
    constructor(type, value) {
        this.type = typeOf(type);
        this.value = value;
    }
}

/**
 * An error with an id that every language knows.
 *
 * @property {string} id      e.g. "v.io/v23/verror.NoExist"
 * @property {string} action  "NoRetry", "RetryConnection", "RetryRefetch",
 *     "RetryBackoff": what the caller may do about it
 * @property {Array} params   the parameters of the message: the component and
 *     the operation, then those of this id; each null or an {@link Any}
 */
export class VError extends Error {
    constructor(id, message, params = [], action = "NoRetry") {
        super(message);
        this.name = "VError";
        this.id = id;
        this.params = params;
        this.action = action;
    }

    /** A VError for whatever was thrown. */
    static from(e) {
        if (e instanceof VError)
            return e;
        const text = e instanceof Error ? e.message : String(e);
        return new VError("v.io/v23/verror.Unknown", text,
            ["app", "call", text]);
    }
}

const EPOCH = 62135596800n; // unix time 0 in seconds since year 1

/** The Date of a time.Time, rounded to milliseconds. */
export const dateOf = (time) => new Date(Number(time.Seconds - EPOCH) * 1000 +
    Math.round(time.Nanos / 1e6));
/** The milliseconds of a time.Duration. */
export const millisecondsOf = (d) => Number(d.Seconds) * 1000 + d.Nanos / 1e6;

/** Values that are more convenient than the struct of a type of that name. */
const natives = {
    "time.Time": (v) => v instanceof Date ? timeOf(v) : v,
    "time.Duration": (v) => typeof v === "number" ? {
        Seconds: BigInt(Math.trunc(v / 1000)),
        Nanos: Math.round((v % 1000) * 1e6) } : v,
    "v.io/v23/vdl.WireError": (v) => {
        if (!(v instanceof Error))
            return v;
        const e = VError.from(v);
        return { Id: e.id, RetryCode: e.action, Msg: e.message,
            ParamList: e.params };
    },
    // Blessings of this library carry their wire form.
    "v.io/v23/security.WireBlessings": (v) => v?.wire ?? v,
};
natives.error = natives["v.io/v23/vdl.WireError"];

function timeOf(date) {
    const ms = date.getTime();
    if (Number.isNaN(ms))
        throw new TypeError("not a date");
    const s = Math.floor(ms / 1000);
    const time = { Seconds: BigInt(s) + EPOCH, Nanos: (ms - s * 1000) * 1e6 };
    // Both parts have one sign.
    return time.Seconds >= 0n || time.Nanos === 0 ? time :
        { Seconds: time.Seconds + 1n, Nanos: time.Nanos - 1e9 };
}

/**
 * The Any of a JavaScript value whose type nobody tells: boolean is bool,
 * number float64, bigint int64, string string, Uint8Array []byte, Date
 * time.Time, Error error, {@link Type} typeobject, Array []any, Set
 * set[string], Map map[string]any, and any other object, too. null and an Any stay.
 */
export function anyOf(v) {
    if (v === null || v === undefined || v instanceof Any)
        return v ?? null;
    const plain = { boolean: "bool", number: "float64", bigint: "int64",
        string: "string" }[typeof v];
    if (plain !== undefined)
        return new Any(plain, v);
    if (typeof v !== "object")
        throw new TypeError(`a ${typeof v} is no value`);
    const classes = [[Uint8Array, "[]byte"], [Error, ERROR],
        [Date, "time.Time struct{Seconds int64;Nanos int32}"],
        [Type, "typeobject"], [Array, "[]any"], [Set, "set[string]"]];
    const known = classes.find(([c]) => v instanceof c);
    return new Any(known?.[1] ?? "map[string]any", v);
}

/** A value without the types that anys in it tell. */
export function plain(v) {
    if (v instanceof Any)
        return plain(v.value);
    if (Array.isArray(v))
        return v.map(plain);
    if (v instanceof Map)
        return new Map([...v].map(([k, e]) => [plain(k), plain(e)]));
    if (v === null || typeof v !== "object" ||
        Object.getPrototypeOf(v) !== Object.prototype)
        return v;
    const out = {};
    for (const [name, e] of Object.entries(v))
        set(out, name, plain(e));
    return out;
}

/** Sets a member, even one named __proto__. */
function set(object, name, value) {
    if (name === "__proto__")
        Object.defineProperty(object, name, { value, enumerable: true,
            writable: true, configurable: true });
    else
        object[name] = value;
}

const text = new TextEncoder();
const words = new TextDecoder("utf-8", { ignoreBOM: true });

/** Bytes that grow. */
class Writer {
    #room = new Uint8Array(256);
    length = 0;

    space(n) {
        const at = this.length;
        if (at + n > this.#room.length) {
            const more = new Uint8Array(Math.max(2 * at, at + n));
            more.set(this.#room.subarray(0, at));
            this.#room = more;
        }
        this.length += n;
        return this.#room.subarray(at, this.length);
    }
    byte(b) {
        this.space(1)[0] = b;
    }
    bytes(b) {
        this.space(b.length).set(b);
    }
    uint(n) {
        if (n <= 0x7f)
            return this.byte(Number(n));
        const hex = n.toString(16), size = Math.ceil(hex.length / 2);
        this.byte(256 - size);
        this.bytes(fromHex(hex.padStart(2 * size, "0")));
    }
    int(n) {
        if (typeof n === "bigint")
            this.uint(n >= 0n ? n * 2n : ~n * 2n + 1n);
        else
            this.uint(n >= 0 ? n * 2 : (-n - 1) * 2 + 1);
    }
    float(n) {
        const d = new DataView(new ArrayBuffer(8));
        d.setFloat64(0, n, true);
        this.uint(d.getBigUint64(0));
    }
    string(s) {
        const b = text.encode(s);
        this.uint(b.length);
        this.bytes(b);
    }
    get done() {
        return this.#room.slice(0, this.length);
    }
}

/**
 * The types that one side of a connection has told, or tells with a value.
 * Each new one is given to `emit` as a type message, those inside it first.
 */
export class TypeWriter {
    #ids = new Map(builtInIds);
    #objects = new Map();
    #next = FIRST_ID;
    #emit;

    /** @param {(bytes: Uint8Array) => void} emit */
    constructor(emit) {
        this.#emit = emit;
    }

    /** The id of a type. @param {Type} type */
    id(type) {
        let id = this.#objects.get(type);
        if (id === undefined) {
            id = this.#define(type, new Set());
            this.#objects.set(type, id);
        }
        return id;
    }

    #define(type, ancestors) {
        const key = String(type), known = this.#ids.get(key);
        if (known !== undefined)
            return known;
        const id = this.#next++;
        this.#ids.set(key, id);
        ancestors.add(key);
        const w = new Writer();
        this.#wire(w, type, (t) => this.#define(t, ancestors));
        ancestors.delete(key);
        const incomplete = ancestors.size > 0 && within(type, ancestors);
        const message = new Writer();
        if (incomplete)
            message.byte(INCOMPLETE);
        message.int(-id);
        message.uint(w.length);
        message.bytes(w.done);
        this.#emit(message.done);
        return id;
    }

    #wire(w, t, id) {
        const index = WIRE.findIndex((k) => k.toLowerCase() === t.kind);
        w.uint(Math.max(index, 0));
        if (t.name !== "") {
            w.uint(0);
            w.string(t.name);
        }
        let field = 1;
        const number = (n) => {
            w.uint(field++);
            w.uint(n);
        };
        if (index < 0)
            number(BASE.indexOf(t.kind));
        if (t.key !== undefined)
            number(id(t.key));
        if (t.elem !== undefined)
            number(id(t.elem));
        if (t.len !== undefined)
            number(t.len);
        if (t.labels !== undefined) {
            number(t.labels.length);
            t.labels.forEach((l) => w.string(l));
        }
        if (t.fields?.length > 0) {
            const ids = t.fields.map((f) => id(f.type));
            number(ids.length);
            t.fields.forEach((f, i) => {
                w.uint(0);
                w.string(f.name);
                w.uint(1);
                w.uint(ids[i]);
                w.byte(END);
            });
        }
        w.byte(END);
    }
}

/** Is a type of these texts inside another? */
function within(type, texts) {
    const all = new Set([type]);
    for (const t of all) {
        if (texts.has(String(t)))
            return true;
        t.inside().forEach((i) => all.add(i));
    }
    return false;
}

/** Has a value message of that type a length? */
const hasLength = (t) => !t.isBytes && ["any", "optional", "array", "list",
    "set", "map", "struct", "union"].includes(t.kind);

/**
 * One value message without a version byte.
 *
 * @param {TypeWriter} types  learns the types of the value
 * @param {Type} type
 * @param {*} value
 * @returns {Uint8Array}
 * @throws {TypeError} if the value is not of the type; says where
 */
export function encode(types, type, value) {
    if (type.kind === "any") {
        const any = anyOf(value);
        if (any !== null)
            return encode(types, any.type, any.value);
    }
    const id = types.id(type);
    const w = new Writer(), message = { types, ids: [], lengths: [] };
    put(w, message, type, value, 0);
    const out = new Writer();
    out.int(id);
    if (type.holds("any") || type.holds("typeobject")) {
        out.uint(message.ids.length);
        message.ids.forEach((i) => out.uint(i));
    }
    if (type.holds("any")) {
        out.uint(message.lengths.length);
        message.lengths.forEach((n) => out.uint(n));
    }
    if (hasLength(type))
        out.uint(w.length);
    out.bytes(w.done);
    return out.done;
}

function unfit(type, value) {
    const kind = value === null ? "null" : value?.constructor?.name ??
        typeof value;
    throw new TypeError(`expected ${type.name || type.kind}, got ${kind}` +
        (["string", "number", "bigint"].includes(typeof value) ?
            ` ${String(value).slice(0, 40)}` : ""));
}

/** Runs something whose errors tell that they come from a part. */
function part(name, run) {
    try {
        return run();
    } catch (e) {
        if (e instanceof TypeError)
            e.message = name + (/^[.[]/.test(e.message) ? "" : ": ") +
                e.message;
        throw e;
    }
}

/**
 * Puts a value; true if it is zero, so that a struct can leave it out.
 * undefined is zero, so that the fields of an object can be left out.
 */
function put(w, m, type, value, depth) {
    if (depth > MAX_DEPTH)
        throw new TypeError("nested too deep");
    if (value instanceof Any && type.kind !== "any")
        value = value.value;
    if (type.name !== "" && natives[type.name] !== undefined)
        value = natives[type.name](value);
    const inner = (t, v) => put(w, m, t, v, depth + 1);
    switch (type.kind) {
    case "bool":
        if (typeof (value ??= false) !== "boolean")
            unfit(type, value);
        w.byte(value ? 1 : 0);
        return !value;
    case "float32":
    case "float64":
        if (typeof (value ??= 0) !== "number")
            unfit(type, value);
        if (type.kind === "float32") {
            if (Number.isFinite(value) && Math.abs(value) > FLOAT32_MAX)
                unfit(type, value);
            value = Math.fround(value);
        }
        w.float(value);
        return value === 0;
    case "string":
        if (typeof (value ??= "") !== "string")
            unfit(type, value);
        w.string(value);
        return value === "";
    case "enum": {
        const label = type.labels.indexOf(value ?? type.labels[0]);
        if (label < 0)
            unfit(type, value);
        w.uint(label);
        return label === 0;
    }
    case "typeobject": {
        const t = typeOf(value ?? "any");
        w.uint(reference(m, t));
        return t.kind === "any";
    }
    case "optional":
        if (value !== null && value !== undefined) {
            // What a struct puts for itself.
            put(w, m, type.elem, value, depth);
            return false;
        }
        w.byte(NIL);
        return true;
    case "any":
        return putAny(w, m, value, inner);
    case "list":
    case "array":
        return putSequence(w, type, value, inner);
    case "set":
    case "map":
        return putKeyed(w, type, value, inner);
    case "struct":
        return putStruct(w, m, type, value, inner);
    case "union":
        return putUnion(w, type, value, inner);
    default:
        return putInteger(w, type, value ?? 0);
    }
}

function putInteger(w, type, value) {
    const size = bits[type.kind], signed = type.kind[0] === "i";
    if (typeof value !== "bigint" && !Number.isSafeInteger(value))
        unfit(type, value);
    const n = BigInt(value);
    if (n !== (signed ? BigInt.asIntN(size, n) : BigInt.asUintN(size, n)))
        unfit(type, value);
    if (signed)
        w.int(value);
    else
        w.uint(value);
    return n === 0n;
}

function reference(m, type) {
    const id = m.types.id(type), at = m.ids.indexOf(id);
    return at >= 0 ? at : m.ids.push(id) - 1;
}

function putAny(w, m, value, inner) {
    const any = anyOf(value);
    if (any === null) {
        w.byte(NIL);
        return true;
    }
    if (any.type.kind === "any")
        return inner(any.type, any.value);
    w.uint(reference(m, any.type));
    const k = m.lengths.push(0) - 1;
    w.uint(k);
    const start = w.length;
    inner(any.type, any.value);
    m.lengths[k] = w.length - start;
    return false;
}

function putSequence(w, type, value, inner) {
    const array = type.kind === "array";
    if (type.isBytes) {
        value ??= new Uint8Array(type.len ?? 0);
        if (Array.isArray(value))
            value = Uint8Array.from(value, (b) => Number.isInteger(b) &&
                b >= 0 && b <= 255 ? b : unfit(type.elem, b));
        if (!(value instanceof Uint8Array))
            unfit(type, value);
    } else {
        value ??= array ? new Array(type.len).fill(undefined) : [];
        if (!Array.isArray(value))
            unfit(type, value);
    }
    if (array && value.length !== type.len)
        throw new TypeError(`expected ${type.len} elements, got ` +
            value.length);
    w.uint(array ? 0 : value.length);
    if (type.isBytes) {
        w.bytes(value);
        return array ? value.every((b) => b === 0) : value.length === 0;
    }
    let zero = array || value.length === 0;
    for (let i = 0; i < value.length; i++)
        if (!part(`[${i}]`, () => inner(type.elem, value[i])))
            zero = false;
    return zero;
}

function putKeyed(w, type, value, inner) {
    let entries = value ?? [];
    if (type.kind === "map" && value?.constructor === Object)
        entries = Object.entries(value);
    else if (value !== undefined && (type.kind === "set" ?
        !(value instanceof Set) : !(value instanceof Map)))
        unfit(type, value);
    entries = [...entries];
    w.uint(entries.length);
    for (const e of entries) {
        const [key, elem] = type.kind === "set" ? [e] : e;
        part("key", () => inner(type.key, key));
        if (type.kind === "map")
            part(`[${String(key)}]`, () => inner(type.elem, elem));
    }
    return entries.length === 0;
}

function putStruct(w, m, type, value, inner) {
    value ??= {};
    if (typeof value !== "object" || Array.isArray(value))
        unfit(type, value);
    let zero = true;
    type.fields.forEach((f, i) => {
        const start = w.length, ids = m.ids.length;
        w.uint(i);
        const v = Object.hasOwn(value, f.name) ? value[f.name] : undefined;
        if (part(`.${f.name}`, () => inner(f.type, v))) {
            w.length = start;
            m.ids.length = ids;
        } else {
            zero = false;
        }
    });
    w.byte(END);
    for (const name of Object.keys(value))
        if (!type.fields.some((f) => f.name === name))
            throw new TypeError(`${type.name || "struct"} has no field ` +
                name);
    return zero;
}

function putUnion(w, type, value, inner) {
    value ??= { [type.fields[0].name]: undefined };
    const names = typeof value === "object" ? Object.keys(value) : [];
    const i = type.fields.findIndex((f) => f.name === names[0]);
    if (names.length !== 1 || i < 0)
        unfit(type, value);
    w.uint(i);
    return part(`.${names[0]}`, () => inner(type.fields[i].type,
        value[names[0]])) && i === 0;
}

/** Reads bytes; every complaint is a RangeError. */
class Reader {
    constructor(bytes) {
        this.bytes = bytes;
        this.at = 0;
    }
    get left() {
        return this.bytes.length - this.at;
    }
    fail(what) {
        throw new RangeError(`bad VOM, byte ${this.at}: ${what}`);
    }
    byte() {
        if (this.left === 0)
            this.fail("it ends too early");
        return this.bytes[this.at++];
    }
    slice(n) {
        if (n > this.left)
            this.fail("it ends too early");
        this.at += n;
        return this.bytes.slice(this.at - n, this.at);
    }
    /** A number, or a bigint above 48 bits. */
    uint() {
        const first = this.byte();
        if (first < 0x80)
            return first;
        const size = 256 - first;
        if (size > 8)
            this.fail("no integer");
        let n = size > 6 ? 0n : 0;
        for (let i = 0; i < size; i++)
            n = size > 6 ? n << 8n | BigInt(this.byte()) :
                n * 256 + this.byte();
        return n;
    }
    int() {
        const u = this.uint();
        if (typeof u === "bigint")
            return u & 1n ? ~(u >> 1n) : u >> 1n;
        return u % 2 === 1 ? -(u + 1) / 2 : u / 2;
    }
    /** A count of things of at least one byte each. */
    count(least = 1) {
        const n = this.uint();
        if (n > MAX_COUNT || Number(n) * least > this.left)
            this.fail("a count that is too large");
        return Number(n);
    }
    float() {
        const d = new DataView(new ArrayBuffer(8));
        d.setBigUint64(0, BigInt(this.uint()));
        return d.getFloat64(0, true);
    }
    string() {
        return words.decode(this.slice(this.count()));
    }
}

/** The types that the other side of a connection has told. */
export class TypeReader {
    #types = new Map(builtIn);
    #wires = new Map();
    #rest = new Uint8Array(0);
    #started = false;

    /**
     * Takes any piece of a type stream: a version byte, then type messages.
     * @throws {RangeError} if it is malformed
     */
    feed(piece) {
        const all = new Uint8Array(this.#rest.length + piece.length);
        all.set(this.#rest);
        all.set(piece, this.#rest.length);
        const r = new Reader(all);
        if (!this.#started && r.left > 0) {
            version(r);
            this.#started = true;
        }
        for (;;) {
            const start = r.at;
            // The end of a message may come with the next piece.
            if (!whole(r)) {
                this.#rest = all.slice(start);
                return;
            }
            r.at = start;
            if (!this.message(r))
                r.fail("no type message");
        }
    }

    /** Takes a type message if one comes next. */
    message(r) {
        const start = r.at, incomplete = r.bytes[r.at] === INCOMPLETE;
        if (incomplete)
            r.at++;
        const id = r.int();
        if (id >= 0) {
            if (incomplete)
                r.fail("a value that is marked incomplete");
            r.at = start;
            return false;
        }
        if (-id < FIRST_ID || this.#wires.has(Number(-id)))
            r.fail(`type ${-id} is not to be defined`);
        if (this.#wires.size >= 65536)
            r.fail("too many types");
        const inner = new Reader(r.slice(r.count()));
        this.#wires.set(Number(-id), wireType(inner));
        if (inner.left > 0)
            r.fail("more than a type in a type message");
        if (!incomplete)
            this.get(Number(-id));
        return true;
    }

    /** The type of an id. @throws {RangeError} if it is unknown or bad */
    get(id) {
        const known = this.#types.get(id);
        if (known !== undefined)
            return known;
        const made = new Map();
        const build = (i, chain = 0) => {
            const there = this.#types.get(i) ?? made.get(i);
            if (there !== undefined)
                return there;
            const wire = this.#wires.get(i);
            if (wire === undefined || chain > MAX_DEPTH)
                throw new RangeError(`bad VOM: type ${i} is unknown`);
            if (wire.kind === "Named")
                return this.#named(i, wire, made, build);
            const t = new Type(wire.kind.toLowerCase(), wire.name);
            made.set(i, t);
            const sub = (j) => build(j, chain + 1);
            if (wire.key !== undefined)
                t.key = sub(wire.key);
            if (wire.elem !== undefined)
                t.elem = sub(wire.elem);
            if (wire.fields !== undefined)
                t.fields = wire.fields.map((f) => ({ name: f.name,
                    type: sub(f.type) }));
            if (wire.labels !== undefined)
                t.labels = wire.labels;
            if (wire.kind === "Array")
                t.len = wire.len;
            return t;
        };
        const type = build(id);
        try {
            checkType(type);
        } catch (e) {
            throw new RangeError(`bad VOM: type ${id}: ${e.message}`);
        }
        for (const [i, t] of made)
            this.#types.set(i, t);
        return type;
    }

    /** Another name for a type, mostly of one for a built-in one. */
    #named(id, wire, made, build) {
        const seen = new Set([id]);
        let base = wire.elem;
        while (this.#wires.get(base)?.kind === "Named" && !seen.has(base)) {
            seen.add(base);
            base = this.#wires.get(base).elem;
        }
        if (seen.has(base) || wire.name === "")
            throw new RangeError("bad VOM: a name for nothing");
        const t = new Type("", wire.name);
        made.set(id, t);
        Object.assign(t, build(base), { name: wire.name });
        return t;
    }
}

/** Is a whole type message there? */
function whole(r) {
    if (r.bytes[r.at] === INCOMPLETE)
        r.at++;
    for (const field of ["int", "uint"]) {
        const first = r.bytes[r.at];
        if (first === undefined || r.left < (first >= 0xf8 ? 257 - first : 1))
            return false;
        const n = r[field]();
        if (field === "uint" && n > 1 << 20)
            r.fail("a type that is too large");
        if (field === "uint" && r.left < n)
            return false;
    }
    return true;
}

function version(r) {
    if (r.byte() !== VERSION)
        r.fail("not version 0x81");
}

function wireType(r) {
    const kind = WIRE[r.uint()] ?? r.fail("no kind of type");
    const wire = { kind, name: "", len: 0 };
    const id = () => Number(r.uint());
    const field = (name) => {
        const f = { name: "", type: 0 };
        fields(r, [() => { f.name = r.string(); },
            () => { f.type = id(); }]);
        return f;
    };
    const many = (one) => Array.from({ length: r.count() }, one);
    const first = { Enum: () => { wire.labels = many(() => r.string()); },
        Set: () => { wire.key = id(); },
        Map: () => { wire.key = id(); },
        Struct: () => { wire.fields = many(field); },
        Union: () => { wire.fields = many(field); } };
    const second = { Array: () => { wire.len = Number(r.uint()); },
        Map: () => { wire.elem = id(); } };
    if (kind === "Struct" || kind === "Union")
        wire.fields = [];
    if (kind === "Enum")
        wire.labels = [];
    if (kind === "Set" || kind === "Map")
        wire.key = 0;
    if (["Named", "Array", "List", "Map", "Optional"].includes(kind))
        wire.elem = 0;
    fields(r, [() => { wire.name = r.string(); },
        first[kind] ?? (() => { wire.elem = id(); }), second[kind]]);
    return wire;
}

/** The fields of a struct, in any order. */
function fields(r, readers) {
    while (r.bytes[r.at] !== END) {
        const i = r.uint();
        (readers[i] ?? (() => r.fail("no such field")))(i);
    }
    r.at++;
}

/**
 * Decodes the next value message.
 *
 * @param {TypeReader} types
 * @param {Reader} r
 * @returns {Any} with null for a nil any
 */
function next(types, r) {
    const id = r.int();
    if (id <= 0)
        r.fail("no value");
    const type = types.get(Number(id));
    const m = { types, ids: [], lengths: 0 };
    if (type.holds("any") || type.holds("typeobject"))
        m.ids = Array.from({ length: r.count() }, () => Number(r.uint()));
    if (type.holds("any")) {
        m.lengths = r.count();
        for (let i = 0; i < m.lengths; i++)
            if (r.uint() > MAX_COUNT)
                r.fail("a length that is too large");
    }
    let inner = r;
    if (hasLength(type)) {
        const n = r.count(), start = r.at;
        inner = new Reader(r.bytes.subarray(0, start + n));
        inner.at = start;
        r.at += n;
    }
    const value = get(inner, m, type, 0);
    if (inner !== r && inner.left > 0)
        inner.fail("more than a value in a message");
    return value instanceof Any && type.kind === "any" ? value :
        new Any(type, value);
}

/** The fewest bytes of a value. */
function least(type) {
    return type.kind === "array" ? 1 + type.len : 1;
}

function get(r, m, type, depth) {
    if (depth > MAX_DEPTH)
        r.fail("nested too deep");
    const inner = (t) => get(r, m, t, depth + 1);
    switch (type.kind) {
    case "bool": {
        const b = r.byte();
        if (b > 1)
            r.fail("no bool");
        return b === 1;
    }
    case "float32":
    case "float64": {
        const f = r.float();
        if (type.kind === "float64")
            return f;
        if (Number.isFinite(f) && Math.abs(f) > FLOAT32_MAX)
            r.fail("no float32");
        return Math.fround(f);
    }
    case "string":
        return r.string();
    case "enum":
        return type.labels[r.uint()] ?? r.fail("no label");
    case "typeobject":
        return m.types.get(m.ids[r.uint()] ?? r.fail("no type"));
    case "optional":
        if (r.bytes[r.at] !== NIL)
            return get(r, m, type.elem, depth);
        r.at++;
        return null;
    case "any": {
        if (r.bytes[r.at] === NIL) {
            r.at++;
            return null;
        }
        const t = m.types.get(m.ids[r.uint()] ?? r.fail("no type"));
        if (r.uint() >= m.lengths)
            r.fail("no length");
        const v = inner(t);
        return v instanceof Any ? v : new Any(t, v);
    }
    case "array":
        if (r.byte() !== 0)
            r.fail("no array");
        if (least(type) - 1 > r.left)
            r.fail("it ends too early");
        return sequence(r, type, type.len, inner);
    case "list":
        return sequence(r, type, r.count(least(type.elem)), inner);
    case "set": {
        const out = new Set();
        for (let n = r.count(least(type.key)); n > 0; n--)
            out.add(inner(type.key));
        return out;
    }
    case "map": {
        const out = new Map();
        for (let n = r.count(least(type.key) + least(type.elem)); n > 0; n--) {
            const key = inner(type.key);
            out.set(key, inner(type.elem));
        }
        return out;
    }
    case "struct":
        return struct(r, type, inner);
    case "union": {
        const f = type.fields[r.uint()] ?? r.fail("no such field");
        const out = {};
        set(out, f.name, inner(f.type));
        return out;
    }
    default:
        return integer(r, type);
    }
}

function sequence(r, type, n, inner) {
    if (type.isBytes)
        return r.slice(n);
    const out = [];
    for (let i = 0; i < n; i++)
        out.push(inner(type.elem));
    return out;
}

function integer(r, type) {
    const size = bits[type.kind], signed = type.kind[0] === "i";
    const n = signed ? r.int() : r.uint();
    if (size === 64)
        return BigInt(n);
    if (signed ? n < -(2 ** (size - 1)) || n >= 2 ** (size - 1) :
        n >= 2 ** size)
        r.fail(`no ${type.kind}`);
    return n;
}

const isError = (type) => type.name === "v.io/v23/vdl.WireError" ||
    type.name === "error";

function struct(r, type, inner) {
    const read = new Map();
    fields(r, type.fields.map((f, i) => () => read.set(i, inner(f.type))));
    const out = {};
    type.fields.forEach((f, i) => set(out, f.name, read.has(i) ?
        read.get(i) : zero(f.type)));
    return isError(type) && typeof out.Id === "string" ?
        new VError(out.Id, out.Msg, out.ParamList, out.RetryCode) : out;
}

/** The zero value of a type. */
export function zero(type) {
    switch (type.kind) {
    case "any":
    case "optional": return null;
    case "bool": return false;
    case "string": return "";
    case "enum": return type.labels[0];
    case "typeobject": return typeOf("any");
    case "set": return new Set();
    case "map": return new Map();
    case "uint64":
    case "int64": return 0n;
    case "list":
    case "array":
        return type.isBytes ? new Uint8Array(type.len ?? 0) :
            Array.from({ length: type.len ?? 0 }, () => zero(type.elem));
    case "struct":
    case "union": {
        const out = {};
        for (const f of type.kind === "union" ? [type.fields[0]] :
            type.fields)
            set(out, f.name, zero(f.type));
        return out;
    }
    default: return 0;
    }
}

/**
 * The value messages of a stream with a version byte.
 *
 * @param {Uint8Array} bytes
 * @param {TypeReader} [types]  of the connection; without them the stream
 *     brings its own
 * @returns {Any[]}
 * @throws {RangeError} if the bytes are malformed
 */
export function decodeAll(bytes, types) {
    const r = new Reader(bytes), own = types ?? new TypeReader();
    const out = [];
    version(r);
    while (r.left > 0)
        if (types !== undefined || !own.message(r))
            out.push(next(own, r));
    return out;
}

/** The one value of a stream: {@link decodeAll}. */
export function decode(bytes, types) {
    const all = decodeAll(bytes, types);
    if (all.length !== 1)
        throw new RangeError(`bad VOM: ${all.length} values, not one`);
    return all[0];
}

/**
 * A stream with a version byte of values that bring their types.
 *
 * @param {Any[]} values
 * @returns {Uint8Array}
 */
export function encodeAll(...values) {
    const w = new Writer();
    w.byte(VERSION);
    const types = new TypeWriter((message) => w.bytes(message));
    for (const v of values)
        w.bytes(encode(types, v.type, v.value));
    return w.done;
}

const DIGITS = text.encode("0123456789abcdef");
const NIBBLES = new Uint8Array(256).fill(255);
DIGITS.forEach((c, i) => { NIBBLES[c] = i; });
text.encode("ABCDEF").forEach((c, i) => { NIBBLES[c] = i + 10; });

/** Bytes as lower-case hex. */
export function toHex(bytes) {
    const out = new Uint8Array(2 * bytes.length);
    for (let i = 0; i < bytes.length; i++) {
        out[2 * i] = DIGITS[bytes[i] >> 4];
        out[2 * i + 1] = DIGITS[bytes[i] & 15];
    }
    return words.decode(out);
}

/** @throws {RangeError} if the text is not hex */
export function fromHex(hex) {
    const codes = text.encode(hex), out = new Uint8Array(codes.length >> 1);
    let bad = codes.length % 2;
    for (let i = 0; i < out.length; i++) {
        const high = NIBBLES[codes[2 * i]], low = NIBBLES[codes[2 * i + 1]];
        bad |= (high | low) & 0xf0;
        out[i] = high << 4 | low;
    }
    if (bad)
        throw new RangeError("not hex");
    return out;
}

export { ERROR, Type, VERSION, typeOf };
