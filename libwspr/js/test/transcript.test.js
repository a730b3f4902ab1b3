// BSD-3-Clause; see LICENSE.
// What the reference library and the reference proxy said to each other, read
// in order and written again.
import test from "node:test";
import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { Any, Type, TypeReader, TypeWriter, VError, decode, decodeAll, dateOf,
    encode, fromHex, toHex } from "../vom.js";
import { FROM, TO } from "../protocol.js";

const dir = new URL("../../../test/vectors/wspr/", import.meta.url);
const files = readdirSync(dir).filter((f) => f.startsWith("ws2016-"));
const lower = (name) => name[0].toLowerCase() + name.slice(1);

/** What the reference library makes of a value without a type of its own. */
function untyped(value) {
    const [[name, v]] = Object.entries(value);
    switch (name) {
    case "Null": return null;
    case "Set": return new Set(v);
    case "Map": return new Map(v.map((e) => [e.Key, e.Value]));
    case "Object": return Object.fromEntries(v.map((e) => [e.Key, e.Value]));
    default: return v;
    }
}

/** Compares a value with the notation of the transcripts. */
function compare(want, value, where) {
    if (value instanceof Any)
        value = value.type.name === "JSValue" ? untyped(value.value) :
            value.value;
    const is = (ok) => assert.ok(ok, `${where}: want ` +
        `${JSON.stringify(want)?.slice(0, 200)}`);
    if (want !== null && typeof want === "object" && "val" in want &&
        "$type" in want)
        return compare(want.val, value, where);
    if (want === null || want === undefined)
        // Blessings without chains are none to the reference library.
        return is(value === null || value.CertificateChains?.length === 0);
    if (typeof want === "string") {
        const [, what, rest] = /^(hex|bigint|date|type):(.*)$/s.exec(want) ??
            [];
        switch (what) {
        case "hex": return is(toHex(value) === rest);
        case "bigint": return is(value === BigInt(rest));
        case "date": return is(Math.abs(dateOf(value) - new Date(rest)) < 2);
        case "type": return is(value instanceof Type &&
            String(value) === rest);
        default: return is(value === want);
        }
    }
    if (typeof want !== "object")
        return is(typeof want === "number" ? Math.abs(Number(value) - want) <=
            Math.abs(want) * 1e-12 : value === want);
    if (Array.isArray(want)) {
        is(value.length === want.length);
        return want.forEach((w, i) => compare(w, value[i], `${where}[${i}]`));
    }
    if ("$map" in want) {
        is(value.size === want.$map.length);
        const have = [...value];
        return want.$map.forEach(([k, v], i) => {
            compare(k, have[i][0], `${where} key`);
            compare(v, have[i][1], `${where}[${i}]`);
        });
    }
    if ("$set" in want) {
        is(value.size === want.$set.length);
        return want.$set.forEach((k, i) => compare(k, [...value][i], where));
    }
    if ("$error" in want) {
        is(value instanceof VError && value.id === want.$error &&
            value.message === want.msg && value.action === want.action);
        return compare(want.params, value.params, where);
    }
    if ("chains" in want)
        return compare(want.chains, value.CertificateChains, where);
    for (const [name, w] of Object.entries(want)) {
        if (name === "$type")
            continue;
        const field = Object.keys(value).find((n) => lower(n) === name);
        if (field === undefined)
            assert.ok(w === null || w === undefined, `${where}.${name}`);
        else
            compare(w, value[field], `${where}.${name}`);
    }
}

const BARE = new Set([FROM.ERROR, FROM.ITEMS_END, FROM.LOOKUP, FROM.CANCEL,
    FROM.CAVEATS, FROM.LOG, FROM.BLESSINGS]);
const frames = { read: 0, same: 0, alike: 0 };

/** A direction of a connection: its types, and those of who says it again. */
class Direction {
    types = new TypeReader();
    said = "";
    writer = new TypeWriter((m) => { this.said += toHex(m); });

    read(r, payload, where) {
        const all = decodeAll(payload, this.types);
        const [first, ...args] = all;
        if (!r.value_omitted && "value" in r)
            compare(r.value, first, where);
        if (!r.args_omitted && r.args !== undefined)
            compare(r.args, args, `${where} args`);
        frames.read++;
        const again = "81" + all.map((any) => toHex(encode(this.writer,
            any.type, any.value))).join("");
        // Ids are the same as long as the other side meets types in the same
        // order; the values are the same in any case.
        if (again === toHex(payload))
            frames.same++;
        else
            frames.alike++;
    }
}

for (const file of files)
    test(`${file}: every frame`, () => {
        const connections = new Map();
        for (const line of readFileSync(new URL(file, dir), "utf8").trimEnd()
            .split("\n")) {
            const r = JSON.parse(line);
            if (r.dir === undefined || r.text_omitted)
                continue;
            const key = `${r.conn} ${r.dir}`, where = `${file} ${r.n}`;
            if (!connections.has(key))
                connections.set(key, new Direction());
            const d = connections.get(key);
            if (r.dir === "c2s") {
                const m = JSON.parse(r.text);
                assert.deepEqual([m.id, m.type], [r.id, r.type], where);
                if (m.type === TO.TYPE)
                    d.types.feed(fromHex(m.data));
                else if (m.data && m.type !== TO.GRANTER)
                    d.read(r, fromHex(m.data), where);
                continue;
            }
            const bytes = fromHex(r.text);
            const head = decodeAll(Uint8Array.of(0x81, 12, ...bytes.subarray(0,
                bytes[0] >= 0xf8 ? 257 - bytes[0] : 1)))[0].value;
            assert.equal(Number(head), r.id, where);
            const at = bytes[0] >= 0xf8 ? 258 - bytes[0] : 2;
            assert.equal(bytes[at - 1], r.type, where);
            const outer = decode(bytes.subarray(at)).value;
            if (r.type === FROM.TYPE)
                d.types.feed(outer);
            else if (BARE.has(r.type))
                "value" in r && !r.value_omitted &&
                    compare(r.value, outer, where);
            else if (r.type !== FROM.GRANTER)
                d.read(r, fromHex(outer), where);
        }
    });

test("most frames come out as they went in", () => {
    assert.ok(frames.read > 500, JSON.stringify(frames));
    assert.ok(frames.same > frames.alike, JSON.stringify(frames));
});
