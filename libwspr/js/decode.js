// BSD-3-Clause; see LICENSE.
/** From VOM to values. What is malformed is a RangeError. */
import { Any, VError, isError, set } from "./values.js";
import { END, FIRST_ID, FLOAT32_MAX, INCOMPLETE, MAX_DEPTH, NIL, VERSION, WIRE,
    bits, builtIn, hasLength } from "./wire.js";
import { Type, checkType, typeOf } from "./types.js";

const MAX_COUNT = 2 ** 30;
const words = new TextDecoder("utf-8", { ignoreBOM: true });

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
