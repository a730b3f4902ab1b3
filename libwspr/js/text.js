// BSD-3-Clause; see LICENSE.
/** Values as people read them, the way `vom decode` prints them. */
import { VError, anyOf } from "./vom.js";

/**
 * @param {Any} any
 * @returns {string} e.g. `ex.Point struct{X int32;Y int32}{X: 1, Y: 2}`
 *     Source: vom.md 16.1
 */
export function format(any) {
    if (any === null)
        return "any(nil)";
    const { type, value } = any, kind = type.kind;
    const what = literal(type, value);
    if (type.name === "" && (kind === "bool" || kind === "string"))
        return what;
    const braces = ["list", "array", "set", "map", "struct", "union"]
        .includes(kind) && !type.isBytes;
    return String(type) + (braces ? what : `(${what})`);
}

/** A value without its type. @param {Type} type @param {*} value */
export function literal(type, value) {
    const inside = (items) => `{${items.join(", ")}}`;
    switch (type.kind) {
    case "any":
        return value === null ? "nil" : format(anyOf(value));
    case "optional":
        return value === null ? "nil" : literal(type.elem, value);
    case "float32":
    case "float64":
        return float(value);
    case "string":
        return quote(value);
    case "list":
    case "array":
        return type.isBytes ? quoteBytes(value) :
            inside(value.map((v) => literal(type.elem, v)));
    case "set":
        return inside([...value].map((k) => literal(type.key, k)));
    case "map":
        return inside([...value].map(([k, v]) => literal(type.key, k) + ": " +
            literal(type.elem, v)));
    case "struct": {
        const s = value instanceof VError ? { Id: value.id,
            RetryCode: value.action, Msg: value.message,
            ParamList: value.params } : value;
        return inside(type.fields.map((f) => f.name + ": " +
            literal(f.type, s[f.name])));
    }
    case "union": {
        const [name] = Object.keys(value);
        return inside([name + ": " + literal(type.fields.find((f) =>
            f.name === name).type, value[name])]);
    }
    default:
        return String(value);
    }
}

function float(f) {
    if (!Number.isFinite(f))
        return Number.isNaN(f) ? "NaN" : f > 0 ? "+Inf" : "-Inf";
    if (f === 0)
        return Object.is(f, -0) ? "-0" : "0";
    const [digits, exponent] = f.toExponential().split("e");
    const x = Number(exponent);
    if (x >= -4 && x < 6)
        return String(f);
    return `${digits}e${x < 0 ? "-" : "+"}${String(Math.abs(x))
        .padStart(2, "0")}`;
}

const ESCAPES = { 7: "a", 8: "b", 9: "t", 10: "n", 11: "v", 12: "f",
    13: "r", 34: '"', 92: "\\" };

/** A string in quotes, what cannot be seen escaped. */
export function quote(string) {
    let out = '"';
    for (const c of string) {
        const code = c.codePointAt(0);
        if (ESCAPES[code] !== undefined)
            out += "\\" + ESCAPES[code];
        else if (code < 0x20 || code === 0x7f)
            out += "\\x" + code.toString(16).padStart(2, "0");
        else if (c !== " " && /[\p{C}\p{Z}]/u.test(c))
            out += code > 0xffff ? "\\U" + code.toString(16).padStart(8, "0") :
                "\\u" + code.toString(16).padStart(4, "0");
        else
            out += c;
    }
    return out + '"';
}

/** Bytes as a string in quotes; those that are no UTF-8 as `\xNN`. */
function quoteBytes(bytes) {
    let out = "";
    for (let i = 0; i < bytes.length;) {
        let n = Math.min(4, bytes.length - i), piece;
        for (; n > 0; n--) {
            try {
                piece = new TextDecoder("utf-8", { fatal: true,
                    ignoreBOM: true }).decode(bytes.subarray(i, i + n));
                break;
            } catch {
                // Perhaps fewer bytes are a character.
            }
        }
        out += n > 0 ? quote(piece).slice(1, -1) :
            "\\x" + bytes[i].toString(16).padStart(2, "0");
        i += Math.max(n, 1);
    }
    return `"${out}"`;
}
