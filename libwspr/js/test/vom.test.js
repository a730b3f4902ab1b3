// BSD-3-Clause; see LICENSE.
// VOM in both directions against the vectors that all implementations share.
import test from "node:test";
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { Any, TypeReader, TypeWriter, VError, anyOf, dateOf, decode, decodeAll,
    encode, encodeAll, fromHex, millisecondsOf, plain, toHex, typeOf }
    from "../vom.js";
import { canBeKey } from "../types.js";
import { format } from "../text.js";

const vectors = (name) => readFileSync(new URL("../../../test/vectors/vom/" +
    name + ".jsonl", import.meta.url), "utf8").trimEnd().split("\n")
    .map((line) => JSON.parse(line));

/** A text with the entries of its sets and maps in order is the same. */
const sorted = (text) => [...text].sort().join("");

/** What a JavaScript string cannot hold: bytes that are no UTF-8. */
const lossy = (text) => text.includes("\\x") && !text.includes("byte");

function same(record, any, what) {
    const text = format(any);
    assert.equal(record.unordered ? sorted(text) : text,
        record.unordered ? sorted(record.value) : record.value,
        `${record.name}: ${what}`);
}

for (const file of ["vom81_pass", "vom81_hand"])
    test(`${file}: decodes, prints and encodes the same`, () => {
        let exact = 0;
        for (const r of vectors(file)) {
            const any = decode(fromHex(r.hex));
            assert.equal(String(any.type), r.type, r.name);
            if (lossy(r.value)) {
                assert.match(format(any), /\ufffd|\\x/, r.name);
                continue;
            }
            same(r, any, "text");
            same(r, decode(encodeAll(any)), "text after a round trip");
            // An any at the top is what is in it.
            if (!r.unordered) {
                assert.equal(toHex(encodeAll(any)), r.hex, r.name);
                exact++;
            }
            if (r.hex_type === undefined)
                continue;
            const types = new TypeReader();
            if (r.hex_type !== "")
                types.feed(fromHex("81" + r.hex_type));
            same(r, decode(fromHex("81" + r.hex_value), types), "split");
        }
        assert.ok(file === "vom81_hand" || exact > 1000);
    });

test("vom81_lenient: decodes what is unusual", () => {
    for (const r of vectors("vom81_lenient")) {
        const any = decode(fromHex(r.hex));
        assert.equal(String(any.type), r.type, r.name);
        same(r, any, "text");
        if (r.canonical_hex !== undefined)
            assert.equal(toHex(encodeAll(any)), r.canonical_hex, r.name);
    }
});

test("vom81_fail: rejects", () => {
    for (const r of vectors("vom81_fail"))
        assert.throws(() => {
            if (decodeAll(fromHex(r.hex)).length === 0)
                throw new RangeError("no value");
        }, RangeError, `${r.name} (${r.why})`);
});

test("vom81_strict: rejects, or is bounded", () => {
    for (const r of vectors("vom81_strict")) {
        const start = process.memoryUsage().heapUsed;
        if (r.require === "reject")
            assert.throws(() => decode(fromHex(r.hex)), RangeError, r.name);
        else
            try {
                decode(fromHex(r.hex));
            } catch (e) {
                assert.ok(e instanceof RangeError && /^bad VOM/.test(
                    e.message), `${r.name}: ${e.message}`);
            }
        assert.ok(process.memoryUsage().heapUsed - start < 64e6, r.name);
    }
});

test("vom81_stream: several values on one stream, and split", () => {
    for (const r of vectors("vom81_stream")) {
        const values = decodeAll(fromHex(r.hex));
        assert.deepEqual(values.map((v) => String(v.type)), r.types, r.name);
        values.forEach((v, i) => lossy(r.values[i]) ||
            assert.equal(sorted(format(v)), sorted(r.values[i]), r.name));
        if (r.unordered || r.values.some(lossy))
            continue;
        let typeStream = "";
        const types = new TypeWriter((m) => { typeStream += toHex(m); });
        const out = values.map((v) => toHex(encode(types, v.type, v.value)));
        assert.equal("81" + out.join(""), r.value_stream, r.name);
        assert.equal(typeStream, r.type_stream.slice(2), r.name);
        // The type stream in single bytes.
        const reader = new TypeReader();
        for (const b of fromHex(r.type_stream))
            reader.feed(Uint8Array.of(b));
        assert.deepEqual(decodeAll(fromHex(r.value_stream), reader)
            .map(format).map(sorted), r.values.map(sorted), r.name);
    }
});

test("vom81_js: reads what the reference library writes", () => {
    for (const r of vectors("vom81_js")) {
        const values = decodeAll(fromHex(r.hex));
        assert.deepEqual(values.map((v) => sorted(format(v))),
            r.values.map(sorted), r.name);
    }
});

test("vom81_types: types and their texts", () => {
    for (const r of vectors("vom81_types")) {
        const type = decode(fromHex(r.hex)).value;
        assert.equal(String(type), r.unique, r.name);
        const parsed = typeOf(r.unique);
        for (const t of [type, parsed]) {
            assert.equal(String(t), r.unique);
            assert.equal(t.kind, r.kind, r.name);
            assert.equal(t.name, r.type_name, r.name);
            assert.equal(t.isBytes, r.is_bytes, r.name);
            assert.equal(t.holds("any"), r.contains_any, r.name);
            assert.equal(t.holds("typeobject"), r.contains_typeobject);
            assert.equal(canBeKey(t), r.can_be_key, r.name);
        }
    }
});

test("texts that are no types are refused", () => {
    for (const bad of ["", "int", "[]", "[x]byte", "[-1]byte", "map[string]",
        "map[string", "struct{A}", "struct{A int32", "ex.E enum{}",
        "int32 ", "?int32", "union{}", "set[any]", "struct{A int32;A bool}",
        "[]".repeat(1000) + "byte"])
        assert.throws(() => typeOf(bad), bad);
});

test("values of JavaScript become the type that is wanted", () => {
    const round = (type, value) => decode(encodeAll(new Any(type, value)))
        .value;
    assert.equal(round("int64", 5), 5n);
    assert.equal(round("int32", 5n), 5);
    assert.deepEqual(round("[]byte", [1, 2]), Uint8Array.of(1, 2));
    assert.deepEqual(round("map[string]int32", { a: 1 }),
        new Map([["a", 1]]));
    assert.deepEqual(round("ex.P struct{X int32;Y string}", { Y: "y" }),
        { X: 0, Y: "y" });
    const time = "time.Time struct{Seconds int64;Nanos int32}";
    for (const ms of [0, 1, -1, 1728345600005, -62135596800000,
        -62135596800001, -62135596799999])
        assert.equal(dateOf(round(time, new Date(ms))).getTime(), ms);
    assert.deepEqual(round(time, new Date(-62135596800500)),
        { Seconds: 0n, Nanos: -5e8 });
    const duration = "time.Duration struct{Seconds int64;Nanos int32}";
    for (const ms of [0, 0.5, 1500, -2500])
        assert.equal(millisecondsOf(round(duration, ms)), ms);
    const e = round("error", new VError("a.b", "text", ["x", null, 7n],
        "RetryRefetch"));
    assert.ok(e instanceof VError);
    assert.deepEqual([e.id, e.message, e.action, plain(e.params)],
        ["a.b", "text", "RetryRefetch", ["x", null, 7n]]);
    assert.equal(round("error", new Error("oh")).id,
        "v.io/v23/verror.Unknown");
    assert.equal(round("error", null), null);
    assert.deepEqual(plain(round("any", { a: [1, true, "s", null, 2n] })),
        new Map([["a", [1, true, "s", null, 2n]]]));
    assert.equal(format(anyOf(new Map([["a", Uint8Array.of(1)]]))),
        'map[string]any{"a": []byte("\\x01")}');
});

test("values of another type are refused, with the place", () => {
    const cases = [["int8", 128, /expected int8, got Number 128/],
        ["uint16", -1, /uint16/], ["int32", 1.5, /int32/],
        ["int64", 2n ** 63n, /int64/], ["uint64", -1n, /uint64/],
        ["bool", 1, /bool/], ["string", 1, /string/],
        ["float32", 1e39, /float32/], ["[2]byte", Uint8Array.of(1), /2 elem/],
        ["ex.E enum{A;B}", "C", /ex.E, got String C/],
        ["[]int32", [1, "x"], /^\[1\]: expected int32/],
        ["ex.S struct{A []ex.T struct{B bool}}", { A: [{ B: 3 }] },
            /^\.A\[0\]\.B: expected bool, got Number 3/],
        ["ex.S struct{A int32}", { a: 1 }, /no field a/],
        ["union{A int32;B bool}", { A: 1, B: true }, /union/],
        ["union{A int32;B bool}", { C: 1 }, /union/],
        ["map[string]int32", { a: "x" }, /^\[a\]: expected int32/],
        ["set[string]", ["a"], /set/], ["[]byte", [256], /byte/],
        ["[]byte", "abc", /list/], ["struct{A any}", { A: () => 1 },
            /^\.A: a function is no value/],
        ["time.Time struct{Seconds int64;Nanos int32}", new Date(NaN),
            /not a date/]];
    for (const [type, value, message] of cases)
        assert.throws(() => encodeAll(new Any(type, value)),
            (e) => e instanceof TypeError && message.test(e.message),
            `${type}: ${message}`);
    const deep = [];
    let at = deep;
    for (let i = 0; i < 5000; i++)
        at.push(at = []);
    assert.throws(() => encodeAll(new Any("x.R []x.R", deep)), /too deep/);
});

test("names that JavaScript knows are only names", () => {
    const any = new Any("struct{__proto__ int32;constructor string}",
        JSON.parse('{"__proto__": 5, "constructor": "c"}'));
    const { value } = decode(encodeAll(any));
    assert.equal(Object.getPrototypeOf(value), Object.prototype);
    assert.equal(format(any), format(new Any(any.type, value)));
    assert.match(format(any), /__proto__: 5, constructor: "c"/);
});

test("bytes in any order never do more than throw a RangeError", () => {
    let seed = 1;
    const random = (n) => (seed = seed * 48271 % 2147483647) % n;
    const inputs = vectors("vom81_pass").filter((r) => r.hex.length < 2000);
    let refused = 0;
    for (let i = 0; i < 20000; i++) {
        const bytes = fromHex(inputs[random(inputs.length)].hex);
        for (let k = 1 + random(3); k > 0; k--)
            bytes[random(bytes.length)] = random(256);
        try {
            decodeAll(bytes.subarray(0, random(4) > 0 ? bytes.length :
                random(bytes.length)));
        } catch (e) {
            refused++;
            assert.ok(e instanceof RangeError, `${toHex(bytes)}: ${e.stack}`);
        }
    }
    assert.ok(refused > 1000);
});
