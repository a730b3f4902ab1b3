// BSD-3-Clause; see LICENSE.
/** Values that VDL types have in JavaScript; see vom.js. */
import { ERROR, Type, typeOf } from "./types.js";

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

/** Is it the struct of errors, of today or of 2016? */
export const isError = (type) => type.name === "v.io/v23/vdl.WireError" ||
    type.name === "error";

/** Values that are more convenient than the struct of a type of that name. */
export const natives = {
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
 * set[string], Map map[string]any, and any other object, too. null and an Any
 * stay.
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
export function set(object, name, value) {
    if (name === "__proto__")
        Object.defineProperty(object, name, { value, enumerable: true,
            writable: true, configurable: true });
    else
        object[name] = value;
}

const text = new TextEncoder(), words = new TextDecoder();
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
