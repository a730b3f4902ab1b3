// BSD-3-Clause; see LICENSE.
/** From values to VOM. */
import { Any, anyOf, fromHex, natives } from "./values.js";
import { BASE, END, FIRST_ID, FLOAT32_MAX, INCOMPLETE, MAX_DEPTH, NIL, VERSION,
    WIRE, bits, builtInIds, hasLength } from "./wire.js";
import { typeOf } from "./types.js";

const text = new TextEncoder();

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
