// BSD-3-Clause; see LICENSE.
// wspr-node.mjs: the JavaScript client in Node against wsprd and real servers,
// for wspr.sh, which sets
//   WSPR     address of wsprd           WSPR_PID  its process
//   MODULES  where the package ws is    ALICE     credentials of somebody else
// Names: "fortune", "echo"; what this serves is below "js".
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readFileSync, readdirSync } from "node:fs";
import { createRequire } from "node:module";
import test from "node:test";
import { promisify } from "node:util";
import { Any, VError, connect, dateOf, globMatches, millisecondsOf, plain,
    typeOf } from "../../libwspr/js/vanadium.js";

const env = process.env;
const { WebSocket } = createRequire(env.MODULES + "/")("ws");
const open = (options = {}) => connect(env.WSPR, { WebSocket, ...options });
const run = promisify(execFile);
const v = await open();
const withId = (id) => (e) => {
    assert.ok(e instanceof VError, e.stack);
    return e.id === id || assert.equal(e.id, id, e.message);
};
/** What a program of another language says. */
const vrpc = async (...args) => (await run("vrpc", ["-timeout=20s", ...args], {
    env: { ...env, V23_CREDENTIALS: env.ALICE } })).stdout;
/** Tries until something is so. */
async function until(what, ok) {
    for (let i = 0; i < 200; i++) {
        if (await ok().catch(() => false))
            return;
        await new Promise((resolve) => setTimeout(resolve, 50));
    }
    assert.fail(`never: ${what}`);
}
async function all(items) {
    const out = [];
    for await (const i of items)
        out.push(i);
    return out;
}
const names = async (pattern, c = v) => (await all(c.namespace.glob(pattern)))
    .map((e) => e.Error ? `error ${e.Name}` : e.Name).sort();

test("who this is", async () => {
    assert.deepEqual((await v.principal.blessings()).names, ["root:wsprd"]);
    assert.match(await v.principal.describe(), /root:wsprd/);
    const key = await v.principal.publicKey();
    assert.deepEqual(key, (await v.principal.blessings()).publicKey);
    const self = await v.principal.blessSelf("me");
    assert.deepEqual(self.names, ["me"]);
    const child = await v.principal.bless(key,
        await v.principal.blessings(), "page");
    assert.deepEqual(child.names, ["root:wsprd:page"]);
    assert.equal(self.wire.CertificateChains[0][0].Caveats.length, 0);
    assert.equal(await v.principal.setBlessingsFor("nobody", child), null);
    assert.deepEqual((await v.principal.blessingsFor(["nobody"])).names
        .sort(), ["root:wsprd", "root:wsprd:page"]);
    assert.deepEqual((await v.principal.allBlessings()).get("nobody").names,
        child.names);
    await v.principal.addToRoots(self);
    assert.deepEqual(await v.remoteBlessings("fortune"), ["root"]);
});

test("names", async () => {
    assert.deepEqual(await v.namespace.roots(), [env.V23_NAMESPACE]);
    assert.deepEqual(await names("*"), ["dir", "echo", "fortune"]);
    const [address] = await v.namespace.resolve("fortune");
    await v.namespace.mount("js/mounted", address, 60000);
    assert.deepEqual(await names("js/*"), ["js/mounted"]);
    assert.equal(await v.call("js/mounted", "Has", ["none"]), false);
    await v.namespace.unmount("js/mounted");
    assert.deepEqual(await names("js/..."), []);
    await assert.rejects(v.namespace.resolve("no/such"),
        withId("v.io/v23/naming.nameDoesntExist"));
    const [permissions, version] = await v.namespace.permissions("echo");
    assert.ok(permissions instanceof Map && typeof version === "string");
});

test("calls", async () => {
    assert.equal(typeof await v.call("fortune", "Get"), "string");
    assert.equal(await v.call("fortune", "Add", ["from Node: é, 世界"]),
        undefined);
    assert.equal(await v.call("fortune", "Has", ["from Node: é, 世界"]), true);
    assert.deepEqual(await v.call("echo", "Sum", [1, 2, [0.5, 1.5]]),
        [3n, 2, 2]);
    await assert.rejects(v.call("fortune", "Put"),
        withId("v.io/v23/verror.UnknownMethod"));
    await assert.rejects(v.call("fortune", "Put(x string) error", ["x"]),
        withId("v.io/v23/verror.UnknownMethod"));
    await assert.rejects(v.call("echo", "Sum", ["1", 2, []]), TypeError);
});

test("every kind of value", async () => {
    const point = "ex.P struct{X int32;Y int32}";
    for (const [type, value] of [["bool", true], ["byte", 200],
        ["uint16", 65535], ["uint32", 4294967295], ["uint64", 2n ** 64n - 1n],
        ["int8", -128], ["int16", -1], ["int32", 2 ** 31 - 1],
        ["int64", -(2n ** 63n)], ["float32", 0.5], ["float64", -1e300],
        ["float64", Infinity], ["string", "\u0000é\u{1f600}"],
        ["ex.E enum{A;B}", "B"], ["[]byte", Uint8Array.of(0, 255)],
        ["[3]byte", Uint8Array.of(1, 2, 3)], ["[]string", []],
        ["[2]int16", [1, -2]], ["set[string]", new Set(["a", "b"])],
        ["map[string]int32", new Map([["a", 1], ["b", 2]])],
        [`map[${point}]bool`, new Map([[{ X: 1, Y: 2 }, true]])],
        [point, { X: 1, Y: -1 }], [`?${point}`, { X: 1, Y: -1 }],
        ["ex.U union{A int32;B string}", { B: "b" }],
        ["[]any", [1, null, "s"]], ["typeobject", typeOf(`[]${point}`)],
        ["ex.N struct{V string;K []ex.N}", { V: "a", K: [{ V: "b", K: [] }] }],
    ]) {
        const back = await v.call("echo", "Echo", [new Any(type, value)],
            { typed: true });
        assert.equal(String(back.type), type);
        assert.deepEqual(plain(back), value, type);
    }
    assert.equal(await v.call("echo", "Echo", [null]), null);
    const when = new Date("2026-02-03T04:05:06.789Z");
    const record = { Name: "n", Data: [1, 2], Flag: true, B: 1, U16: 2,
        U64: 3n, I8: -4, I64: -5n, F: 6.5, Color: "Blue", Point: { X: 7 },
        Fixed: [1, 2, 3, 4], List: ["l"], Tags: new Set(["t"]),
        Attrs: { a: 1, b: "two" }, Choice: { P: [{ Y: 8 }] },
        Opt: { X: 9, Y: 10 }, When: when, Dur: 1500, Typ: typeOf("[]int8"),
        Any: new Any("int8", 5), Next: { Name: "next" } };
    const got = await v.call("echo", "EchoRecord", [record]);
    assert.equal(dateOf(got.When).getTime(), when.getTime());
    assert.equal(millisecondsOf(got.Dur), 1500);
    assert.deepEqual([got.Data, got.Color, got.Choice, got.Attrs, got.Any,
        String(got.Typ), got.Next.Name, got.Next.Next, got.Tags],
    [Uint8Array.of(1, 2), "Blue", { P: [{ X: 0, Y: 8 }] },
        new Map([["a", 1], ["b", "two"]]), 5, "[]int8", "next", null,
        new Set(["t"])]);
    const big = new Uint8Array(1 << 20).map((_, i) => i * 7);
    assert.deepEqual(await v.call("echo", "EchoBytes", [big]), big);
});

test("errors", async () => {
    for (const [kind, id] of [["noexist", "NoExist"], ["noaccess", "NoAccess"],
        ["badarg", "BadArg"], ["internal", "Internal"]])
        await assert.rejects(v.call("echo", "Fail", [kind]),
            withId(`v.io/v23/verror.${id}`));
    await assert.rejects(v.call("echo", "Fail", ["custom"]),
        withId("example.org/oracle/echo.Custom"));
    await assert.rejects(v.call("echo", "Fail", ["retrybackoff"]), (e) =>
        e.action === "RetryBackoff");
    await assert.rejects(v.call("echo", "Fail", ["goerror"]),
        withId("v.io/v23/verror.Unknown"));
    await assert.rejects(v.call("echo/deny", "Nothing"), VError);
    await assert.rejects(v.call("echo", "Nothing", [], { servers: ["other"] }),
        VError);
    await v.call("echo", "Nothing", [], { servers: ["root"] });
});

test("streams", async () => {
    const echo = v.stream("echo", "StreamEcho");
    const sent = [1, "two", [3n], null, true];
    for (const item of sent)
        await echo.send(item);
    echo.close();
    assert.deepEqual(await all(echo), sent);
    assert.equal(await echo.result, BigInt(sent.length));
    const n = 20000;
    const count = await all(v.stream("echo", "StreamCount", [n]));
    assert.ok(count.length === n && count.every((x, i) => x === i));
    const sum = v.stream("echo", "StreamSum");
    for (let i = 0; i < 1000; i++)
        await sum.send(i);
    sum.close();
    assert.deepEqual(await sum.result, [499500n, 1000n]);
    const fail = v.stream("echo", "StreamFail", [3, "badstate"]), got = [];
    await assert.rejects(async () => {
        for await (const item of fail)
            got.push(item);
    }, withId("v.io/v23/verror.BadState"));
    assert.ok(got.length <= 3);
    const bytes = await all(v.stream("echo", "StreamBytes", [20, 100000]));
    assert.deepEqual(bytes.map((b) => b.length), Array(20).fill(100000));
});

test("giving up", async () => {
    const count = async (what) => (await v.call("echo", "Counters")).get(what);
    const before = await count("cancels");
    const stop = new AbortController();
    const sleep = v.call("echo", "Sleep", [60000], { signal: stop.signal });
    await until("the call began", async () => await count("calls") > 0);
    stop.abort();
    await assert.rejects(sleep, withId("v.io/v23/verror.Canceled"));
    await until("the server knows", async () =>
        await count("cancels") > before);
    await assert.rejects(v.call("echo", "Sleep", [60000], { timeout: 200 }),
        withId("v.io/v23/verror.Timeout"));
    for await (const item of v.stream("echo", "StreamCount", [2 ** 31 - 1])) {
        assert.equal(item, 0);
        break;
    }
});

const METHODS = ["Add(a int32, b int32) (sum int32 | error)",
    "Who() []string | error", "Fail(kind string) error",
    "Double() stream<int32, int32> int32 | error", "Wait() error"];
class Adder {
    aborted = 0;
    add(call, a, b) {
        return a + b;
    }
    who(call) {
        return [call.suffix, ...call.remoteNames];
    }
    fail(call, kind) {
        throw kind === "plain" ? new Error("plain") :
            new VError("ex.mine", "mine", ["p", "o", 7n]);
    }
    async double(call) {
        let n = 0;
        for await (const item of call.items) {
            await call.send(2 * item);
            n++;
        }
        return n;
    }
    wait(call) {
        return new Promise((resolve, reject) =>
            call.signal.addEventListener("abort", () => {
                this.aborted++;
                reject(new Error("aborted"));
            }));
    }
}

test("an object of this program", async () => {
    const adder = new Adder(), seen = [];
    const server = await v.serve("js/adder", adder, { methods: METHODS,
        authorize(call) {
            seen.push(call);
            if (!call.remoteNames.some((n) => n === "root:alice" ||
                n === "root:wsprd"))
                throw new VError("v.io/v23/verror.NoAccess", "no");
        } });
    await until("it is mounted", async () =>
        (await names("js/*")).includes("js/adder"));
    assert.match(await vrpc("signature", "js/adder"),
        /Double\(\) stream<int32/);
    assert.equal((await vrpc("call", "js/adder", "Add", "2", "3")).trim(),
        "int32(5)");
    assert.match(await vrpc("call", "js/adder", "Who"), /root:alice/);
    assert.deepEqual(seen.at(-1).remoteBlessings.names, ["root:alice"]);
    assert.equal(seen.at(-1).method, "who");
    await assert.rejects(vrpc("call", "js/adder", "Fail", '"plain"'), /plain/);
    // Through another connection of this program.
    const other = await open();
    assert.equal(await other.call("js/adder", "Add", [40, 2]), 42);
    await assert.rejects(other.call("js/adder", "Fail", ["x"]), (e) =>
        e.id === "ex.mine" && plain(e.params).at(-1) === 7n);
    const s = other.stream("js/adder", "Double");
    for (let i = 0; i < 100; i++)
        await s.send(i);
    s.close();
    assert.deepEqual(await all(s), Array.from({ length: 100 }, (_, i) =>
        2 * i));
    assert.equal(await s.result, 100);
    const stop = new AbortController();
    const wait = other.call("js/adder", "Wait", [], { signal: stop.signal });
    await until("it waits", async () => seen.at(-1).method === "wait");
    stop.abort();
    await assert.rejects(wait, withId("v.io/v23/verror.Canceled"));
    await until("the method is told", async () => adder.aborted === 1);
    await server.addName("js/again");
    await until("it has a second name", async () =>
        (await names("js/*")).includes("js/again"));
    await server.removeName("js/again");
    await until("and lost it", async () =>
        !(await names("js/*")).includes("js/again"));
    await server.stop();
    assert.deepEqual(await names("js/*"), []);
    await other.close();
});

test("a page that only serves", async () => {
    const c = await open();
    await c.serve("js/first", { get: () => 1 }, { authorize() {} });
    await until("it is mounted", async () =>
        (await names("js/*")).includes("js/first"));
    assert.equal(await v.call("js/first", "Get"), 1);
    await c.close();
    await until("it is gone", async () => (await names("js/*")).length === 0);
});

test("objects below a name", async () => {
    const rooms = { kitchen: 21, hall: 18 };
    const server = await v.serve("js/house", (suffix) => suffix === "" ? {
        object: {}, authorize() {},
        async *glob(call, pattern) {
            for (const name of Object.keys(rooms))
                if (globMatches(pattern, name))
                    yield name;
        } } : suffix in rooms ? { object: { degrees: () => rooms[suffix] },
        authorize() {} } : null);
    await until("it is mounted", async () =>
        (await names("js/*")).includes("js/house"));
    assert.deepEqual(await names("js/house/*"),
        ["js/house/hall", "js/house/kitchen"]);
    assert.equal(await v.call("js/house/hall", "Degrees"), 18);
    assert.match(await vrpc("call", "js/house/kitchen", "Degrees"), /21/);
    await assert.rejects(v.call("js/house/cellar", "Degrees() any | error"),
        withId("v.io/v23/verror.NoExist"));
    await server.stop();
});

test("a method that is not there, and one that takes something else",
    async () => {
        const server = await v.serve("js/small", { get: () => 1 },
            { authorize() {}, methods: ["Get() int32 | error"] });
        await until("it is mounted", async () =>
            (await names("js/*")).includes("js/small"));
        await assert.rejects(v.call("js/small", "Put() error"), VError);
        await assert.rejects(v.call("js/small", "Get(x int32) int32 | error",
            [1]), VError);
        assert.equal(await v.call("js/small", "Get"), 1);
        await server.stop();
    });

/** Descriptors and memory of the proxy. */
function used() {
    const status = readFileSync(`/proc/${env.WSPR_PID}/status`, "utf8");
    return { files: readdirSync(`/proc/${env.WSPR_PID}/fd`).length,
        kib: Number(/VmRSS:\s+(\d+)/.exec(status)[1]) };
}

test("pages that come and go leave nothing behind", async () => {
    const page = async (i) => {
        const c = await open();
        assert.equal(await c.call("echo", "Echo", [i]), i);
        await c.serve(i % 3 === 0 ? `js/page${i}` : "", { get: () => i });
        const s = c.stream("echo", "StreamCount", [2 ** 31 - 1]);
        s.result.catch(() => {});
        c.call("echo", "Sleep", [60000]).catch(() => {});
        // A reload does not say good-bye to anybody.
        await (i % 2 === 0 ? c.close() : s[Symbol.asyncIterator]().next().then(
            () => c.close()));
    };
    const round = async (n) => {
        for (let i = 0; i < n; i += 4)
            await Promise.all([0, 1, 2, 3].map((k) => page(i + k)));
        await until("what they served is gone", async () =>
            (await names("js/*")).length === 0);
    };
    await round(12);
    const before = used();
    await round(48);
    await until("their files are closed", async () =>
        used().files <= before.files + 4);
    const grown = used().kib - before.kib;
    assert.ok(grown < 8192, `${grown} KiB more`);
});

test("the end", async () => {
    await v.close();
    await assert.rejects(v.call("echo", "Nothing() error"), VError);
});
