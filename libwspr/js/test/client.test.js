// BSD-3-Clause; see LICENSE.
// The client against a proxy that the test plays: protocol rules, and what a
// broken proxy may send.
import test from "node:test";
import assert from "node:assert/strict";
import { Any, FROM, FakeProxy, TO, TYPES, encodeAll, fromHex, toHex }
    from "./fake.js";
import { VError, anyOf, plain } from "../vom.js";
import { parseMethod } from "../protocol.js";
import { connect, globMatches } from "../vanadium.js";

const nil = FakeProxy.nil;
const withId = (id) => (e) => e instanceof VError && e.id === id;
const error = (id, message) => new Any("error", new VError(id, message));
const settled = () => new Promise((resolve) => setImmediate(resolve));

test("a call sends its request and gets its result", async () => {
    const p = await FakeProxy.start({ language: "de" });
    assert.equal(p.url, "ws://fake/ws");
    const result = p.client.call("a/b", "Add(a int32, b int64) int32 | error",
        [1, 2n]);
    const f = await p.next();
    assert.deepEqual([f.id, f.type], [1, TO.REQUEST]);
    const { Name, Method, NumInArgs, NumOutArgs, IsStreaming, Deadline,
        Context } = f.value;
    assert.deepEqual([Name, Method, NumInArgs, NumOutArgs, IsStreaming,
        Deadline.NoDeadline, Context.Language],
    ["a/b", "Add", 2, 1, false, true, "de"]);
    assert.deepEqual(f.args.map((a) => [String(a.type), a.value]),
        [["int32", 1], ["int64", 2n]]);
    p.finish(1, new Any("int32", 3));
    assert.equal(await result, 3);
    const none = p.client.call("a", "No() error");
    assert.equal((await p.next()).id, 3);
    p.finish(3);
    assert.equal(await none, undefined);
    const two = p.client.call("a", "Two() (a int32, b string | error)", [],
        { typed: true });
    await p.next();
    p.finish(5, new Any("int32", 1), new Any("ex.S string", "s"));
    assert.deepEqual((await two).map((a) => [String(a.type), a.value]),
        [["int32", 1], ["ex.S string", "s"]]);
});

test("methods are found in the signature, which is asked for once",
    async () => {
        const p = await FakeProxy.start();
        const results = [1, 2].map((n) => p.client.call("x", "Get", [n]));
        const f = await p.next();
        assert.deepEqual([f.value.Name, f.value.Method, plain(f.args)],
            ["__controller", "Signature", ["x"]]);
        const arg = "signature.Arg struct{Name string;Type typeobject}";
        p.finish(1, new Any("[]signature.Interface struct{Name string;" +
            `Methods []signature.Method struct{Name string;InArgs []${arg};` +
            "OutArgs []signature.Arg;InStream ?signature.Arg;" +
            "OutStream ?signature.Arg}}", [{ Name: "I", Methods: [{
            Name: "Get", InArgs: [{ Name: "n", Type: "ex.N uint16" }],
            OutArgs: [{ Type: "string" }] }] }]));
        for (const id of [3, 5]) {
            const call = await p.next();
            assert.equal(String(call.args[0].type), "ex.N uint16");
            p.finish(id, new Any("string", `r${id}`));
        }
        assert.deepEqual(await Promise.all(results), ["r3", "r5"]);
        await assert.rejects(p.client.call("x", "Put"),
            withId("v.io/v23/verror.UnknownMethod"));
        await assert.rejects(p.client.call("x", "Get", [1, 2]), /1 arguments/);
        await assert.rejects(p.client.call("x", "Get", [-1]),
            /Get, argument n: expected ex.N, got Number -1/);
        assert.equal(p.frames.length, 0, "nothing was sent for those");
    });

test("errors keep their ids and parameters", async () => {
    const p = await FakeProxy.start();
    const result = p.client.call("a", "Get() string | error");
    await p.next();
    p.send(1, FROM.ERROR, new Any("error", new VError("ex.odd", "odd",
        ["p", "op", 5n], "RetryBackoff")));
    await assert.rejects(result, (e) => e.id === "ex.odd" &&
        e.message === "odd" && e.action === "RetryBackoff" &&
        plain(e.params)[2] === 5n);
    // Those of 2016 had another name.
    const old = p.client.call("a", "Get() string | error");
    await p.next();
    p.raw(3, FROM.ERROR, new Any("?error struct{Id string;RetryCode enum{" +
        "NoRetry;RetryConnection;RetryRefetch;RetryBackoff};Msg string;" +
        "ParamList []any}", { Id: "ex.old", Msg: "m" }));
    await assert.rejects(old, withId("ex.old"));
});

test("streams go both ways", async () => {
    const p = await FakeProxy.start();
    const s = p.client.stream("a", "Sum() stream<int32, string> int64 | error");
    await s.send(1);
    await s.send(2);
    s.close();
    const [call, one, two, end] = [await p.next(), await p.next(),
        await p.next(), await p.next()];
    assert.ok(call.value.IsStreaming);
    assert.deepEqual([one, two].map((f) => [f.id, f.type, f.value]),
        [[1, TO.ITEM, 1], [1, TO.ITEM, 2]]);
    assert.deepEqual([end.id, end.type], [1, TO.ITEMS_END]);
    for (const text of ["x", "y"])
        p.send(1, FROM.ITEM, new Any("string", text));
    p.send(1, FROM.ITEMS_END, nil);
    p.finish(1, new Any("int64", 3n));
    const got = [];
    for await (const item of s)
        got.push(item);
    assert.deepEqual([got, await s.result], [["x", "y"], 3n]);
    await assert.rejects(p.client.stream("a", "Get() stream<_, int32>").send(1)
        .then(() => p.client.stream("a", "Get() stream<_, int32>").send(1)),
    /takes no items/);
});

test("leaving the loop over a stream cancels the call", async () => {
    const p = await FakeProxy.start();
    const s = p.client.stream("a", "Get() stream<_, int32> error");
    await p.next();
    p.send(1, FROM.ITEM, new Any("int32", 1));
    for await (const item of s) {
        assert.equal(item, 1);
        break;
    }
    const f = await p.next();
    assert.deepEqual([f.id, f.type], [1, TO.CANCEL]);
    await assert.rejects(s.result, withId("v.io/v23/verror.Canceled"));
    // What still comes is for nobody.
    p.send(1, FROM.ITEM, new Any("int32", 2));
    p.send(1, FROM.ERROR, error("ex.late", "late"));
    assert.equal(p.closed, null);
});

test("an error of a stream ends its loop", async () => {
    const p = await FakeProxy.start();
    const s = p.client.stream("a", "Get() stream<_, int32> error");
    await p.next();
    p.send(1, FROM.ERROR, error("ex.bad", "bad"));
    await assert.rejects(async () => {
        for await (const item of s)
            assert.fail(item);
    }, withId("ex.bad"));
    await assert.rejects(s.result, withId("ex.bad"));
});

test("signals and time-outs cancel", async () => {
    const p = await FakeProxy.start();
    const stop = new AbortController();
    const a = p.client.call("a", "Get() error", [], { signal: stop.signal });
    await p.next();
    stop.abort();
    await assert.rejects(a, withId("v.io/v23/verror.Canceled"));
    assert.equal((await p.next()).type, TO.CANCEL);
    await assert.rejects(p.client.call("a", "Get() error", [],
        { signal: stop.signal }), withId("v.io/v23/verror.Canceled"));
    assert.equal(p.frames.length, 0, "a call given up before it began");
    const b = p.client.call("a", "Get() error", [], { timeout: 1 });
    const { value } = await p.next();
    assert.deepEqual(value.Deadline.FromNow, { Seconds: 0n, Nanos: 1000000 });
    await assert.rejects(b, withId("v.io/v23/verror.Timeout"));
    const f = await p.next();
    assert.deepEqual([f.id, f.type], [3, TO.CANCEL]);
});

test("a call can demand names of the server and grant blessings",
    async () => {
        const p = await FakeProxy.start();
        const result = p.client.call("a", "Get() error", [], {
            servers: ["root:server"], grant: async (call) => {
                assert.deepEqual(call.remoteNames, ["root:server"]);
                return (await self).at(0);
            } });
        const f = await p.next();
        assert.deepEqual(f.value.CallOptions, [
            { AllowedServersPolicy: ["root:server"] }, { Granter: 1 }]);
        const self = p.client.principal.blessSelf("me").then((b) => [b]);
        await p.next();
        bless(p, 1, "me");
        p.finish(3, new Any(TYPES.id, 1));
        await self;
        const ask = (handle) => p.ask(FROM.GRANTER, new Any("string",
            toHex(encodeAll(new Any(TYPES.granter, { GranterHandle: handle,
                Call: { RemoteBlessingStrings: ["root:server"] } })))));
        // Those frames hold hex of a stream with types of its own.
        const raw = (handle) => p.raw(100 + handle, FROM.GRANTER,
            new Any("string", toHex(encodeAll(new Any(TYPES.granter,
                { GranterHandle: handle, Call: {
                    RemoteBlessingStrings: ["root:server"] } })))));
        assert.equal(typeof ask, "function");
        raw(1);
        const answer = await p.next();
        assert.deepEqual([answer.id, answer.type], [101, TO.GRANTER]);
        assert.equal(answer.value.Err, null);
        assert.equal(answer.value.Blessings.CertificateChains[0][0].Extension,
            "me");
        raw(1);
        assert.match((await p.next()).value.Err.message, /no granter 1/);
        p.finish(1);
        await result;
    });

function bless(p, id, ...names) {
    p.send(2, FROM.BLESSINGS, new Any(TYPES.blessings, [{ Add: { CacheId: id,
        Blessings: { CertificateChains: [names.map((n) => ({ Extension: n,
            PublicKey: Uint8Array.of(id) }))] } } }]));
}

test("blessings are named by numbers until they are forgotten", async () => {
    const p = await FakeProxy.start();
    const get = async (id) => {
        const result = p.client.principal.blessings();
        const f = await p.next();
        p.finish(f.id, new Any(TYPES.id, id));
        return result;
    };
    bless(p, 7, "root", "me");
    const b = await get(7);
    assert.deepEqual([b.names, b.publicKey, String(b)],
        [["root:me"], Uint8Array.of(7), "root:me"]);
    assert.equal(await get(0), null);
    const forget = (after) => p.send(4, FROM.BLESSINGS, new Any(
        TYPES.blessings, [{ Delete: { CacheId: 7, DeleteAfter: after } }]));
    forget(3); // Two more are on their way.
    assert.equal((await get(7)).names[0], "root:me");
    assert.equal((await get(7)).names[0], "root:me");
    assert.equal(await get(7), null);
    // They go back as they came.
    const set = p.client.principal.setBlessings(b);
    const f = await p.next();
    assert.equal(f.args[0].value.CertificateChains[0][1].Extension, "me");
    p.finish(f.id);
    await set;
    const all = p.client.principal.allBlessings();
    const g = await p.next();
    bless(p, 8, "root", "you");
    p.finish(g.id, new Any(`map[string]${TYPES.id}`, new Map([["...", 8]])));
    assert.equal((await all).get("...").names[0], "root:you");
});

/** A proxy with a server, whose creation is answered. */
async function serving(what, options) {
    const p = await FakeProxy.start(options?.client);
    const made = p.client.serve("name", what, options);
    const f = await p.next();
    p.finish(f.id);
    p.flags = f.args[2].value;
    return Object.assign(p, { server: await made });
}

/** Looks up and calls; the answer. */
async function invoke(p, method, args, { suffix = "", call = {} } = {}) {
    p.ask(FROM.LOOKUP, new Any(TYPES.lookup, { ServerId: 1,
        Suffix: suffix }));
    const lookup = await p.next();
    if (lookup.value.Err !== null || lookup.value.Handle < 0)
        return lookup;
    p.call = p.ask(FROM.INVOKE, new Any(TYPES.invoke, { ServerId: 1,
        Handle: lookup.value.Handle, Method: method, Args: args,
        Call: { Deadline: { NoDeadline: true }, ...call } }));
    return p.next();
}

test("an object is served with its signature", async () => {
    const p = await serving({
        sum(call, a, b) { return a + b; },
        Two: async (call) => [call.suffix, [call.method]],
        throws() { throw new VError("ex.mine", "mine"); },
        breaks() { throw new Error("broken"); },
        _hidden() {},
    }, { methods: ["Sum(a int32, b int32) int32 | error",
        "Two() (a string, b []string | error)", "Throws() error",
        "Breaks() error"] });
    assert.deepEqual(p.flags, [{ IsLeaf: true }]);
    const sum = await invoke(p, "sum", [anyOf(1), anyOf(2)]);
    assert.deepEqual([sum.id, sum.type], [p.call, TO.RESPONSE]);
    assert.equal(sum.value.Err, null);
    assert.deepEqual(sum.value.Results.map((r) => [String(r.type), r.value]),
        [["int32", 3]]);
    const two = await invoke(p, "two", [], { call: { SecurityCall: {
        Suffix: "", Method: "two" } } });
    assert.deepEqual(plain(two.value.Results), ["", ["two"]]);
    assert.equal((await invoke(p, "throws", [])).value.Err.id, "ex.mine");
    const broken = (await invoke(p, "breaks", [])).value.Err;
    assert.deepEqual([broken.id, plain(broken.params)],
        ["v.io/v23/verror.Unknown", ["app", "call", "broken"]]);
    assert.equal((await invoke(p, "_hidden", [])).value.Err.id,
        "v.io/v23/verror.NoExist");
    assert.match((await invoke(p, "sum", [anyOf(0.5), anyOf(1)])).value.Err
        .message, /expected int32/);
    p.ask(FROM.LOOKUP, new Any(TYPES.lookup, { ServerId: 1 }));
    const { value } = await p.next();
    assert.deepEqual(value.Signature[0].Methods.map((m) => [m.Name,
        m.InArgs.map((a) => a.Name + " " + a.Type)]),
    [["Sum", ["a int32", "b int32"]], ["Two", []], ["Throws", []],
        ["Breaks", []]]);
    assert.deepEqual([value.HasAuthorizer, value.HasGlobber], [false, false]);
    p.ask(FROM.LOOKUP, new Any(TYPES.lookup, { ServerId: 1,
        Suffix: "below" }));
    assert.equal((await p.next()).value.Handle, -1);
    p.ask(FROM.LOOKUP, new Any(TYPES.lookup, { ServerId: 2 }));
    assert.match((await p.next()).value.Err.message, /no server 2/);
    p.ask(FROM.INVOKE, new Any(TYPES.invoke, { ServerId: 1, Handle: 999,
        Method: "sum" }));
    assert.match((await p.next()).value.Err.message, /no handle 999/);
});

test("an object without a signature takes and returns any", async () => {
    class Base { hello(call, who) { return `hello ${who}`; } }
    const p = await serving(new (class extends Base { Other() { return null; }
        _no() {} })());
    p.ask(FROM.LOOKUP, new Any(TYPES.lookup, { ServerId: 1 }));
    assert.deepEqual((await p.next()).value.Signature[0].Methods.map((m) =>
        [m.Name, m.InArgs.length, String(m.OutArgs[0].Type)]),
    [["Other", 0, "any"], ["Hello", 1, "any"]]);
    const r = await invoke(p, "hello", [anyOf("you")]);
    assert.deepEqual(plain(r.value.Results), ["hello you"]);
    assert.deepEqual((await invoke(p, "other", [])).value.Results, [null]);
});

test("a served method streams", async () => {
    const p = await serving({ async double(call) {
        let n = 0;
        for await (const item of call.items) {
            await call.send(2 * item);
            n++;
        }
        return n;
    } }, { methods: ["Double() stream<int32, int32> int32 | error"] });
    const done = invoke(p, "double", []);
    await settled();
    p.send(p.call, FROM.ITEM, new Any("int32", 4));
    const item = await done;
    assert.deepEqual([item.id, item.type, item.value], [p.call, TO.ITEM, 8]);
    p.send(p.call, FROM.ITEMS_END, nil);
    assert.deepEqual(plain((await p.next()).value.Results), [1]);
    p.send(p.call, FROM.ITEM, new Any("int32", 4)); // for nobody
    assert.equal(p.closed, null);
});

test("a caller that gives up aborts the method", async () => {
    let aborted;
    const p = await serving({ wait: (call) => new Promise((resolve, reject) =>
        call.signal.addEventListener("abort", () => {
            aborted = true;
            reject(new Error("aborted"));
        })) }, { methods: ["Wait() error"] });
    const reply = invoke(p, "wait", []);
    await settled();
    p.send(p.call, FROM.CANCEL, nil);
    await reply; // A late answer is ignored by the proxy.
    assert.ok(aborted);
});

test("calls are authorized", async () => {
    const p = await serving({ get: () => 1 }, { authorize(call) {
        assert.equal(this.object.get(), 1);
        if (!call.remoteNames.includes("root:friend"))
            throw new VError("v.io/v23/verror.NoAccess", "who are you?");
    } });
    const ask = async (handle, name) => {
        p.ask(FROM.AUTHORIZE, new Any(TYPES.authorize, { ServerId: 1,
            Handle: handle, Call: { RemoteBlessingStrings: [name] } }));
        const f = await p.next();
        assert.equal(f.type, TO.AUTHORIZATION);
        return f.value.Err;
    };
    p.ask(FROM.LOOKUP, new Any(TYPES.lookup, { ServerId: 1 }));
    assert.ok((await p.next()).value.HasAuthorizer);
    assert.equal(await ask(0, "root:friend"), null);
    assert.equal((await ask(0, "root:foe")).id, "v.io/v23/verror.NoAccess");
    assert.match((await ask(0, "root:friend")).message, /no handle 0/);
});

test("a dispatcher finds objects, and what is below them", async () => {
    const p = await serving(async (suffix) => {
        if (suffix === "broken")
            throw new Error("broken");
        return suffix === "none" ? null : { object: { get: () => suffix },
            async *glob(call, pattern) {
                for (const name of ["x", "y", "xy"])
                    if (globMatches(pattern, name))
                        yield name;
                yield { Error: { Name: "z", Error: new Error("no z") } };
            } };
    });
    assert.deepEqual(p.flags, []);
    assert.deepEqual(plain((await invoke(p, "get", [], { suffix: "a/b" }))
        .value.Results), ["a/b"]);
    assert.equal((await invoke(p, "get", [], { suffix: "none" })).value
        .Handle, -1);
    assert.match((await invoke(p, "get", [], { suffix: "broken" })).value.Err
        .message, /broken/);
    const got = [await invoke(p, "Glob__", [anyOf("x*")]), await p.next(),
        await p.next(), await p.next()];
    assert.deepEqual(got.map((f) => f.type), [TO.ITEM, TO.ITEM, TO.ITEM,
        TO.RESPONSE]);
    assert.deepEqual([got[0].value.Entry.Name, got[1].value.Entry.Name,
        got[2].value.Error.Error.message], ["x", "xy", "no z"]);
});

test("caveats are checked", async () => {
    const mine = "00112233445566778899aabbccddeeff";
    const p = await serving({}, { client: { caveats: { [mine]: (call, param) =>
        param === call.suffix } } });
    bless(p, 1, "root", "server");
    const time = (ms) => new Any("time.Time struct{Seconds int64;" +
        "Nanos int32}", new Date(Date.now() + ms));
    const cases = [
        ["00000000000000000000000000000000", anyOf(true), true],
        ["00000000000000000000000000000000", anyOf(false), false],
        ["a64c2d0119fba3348071feeb2f308000", time(60000), true],
        ["a64c2d0119fba3348071feeb2f308000", time(-60000), false],
        ["baaf6839a98f9c138399cd69d6ff9925", time(-60000), true],
        ["54a676398137187ecdb26d2d69ba0003", new Any("[]string", ["Get"]),
            true],
        ["54a676398137187ecdb26d2d69ba0003", new Any("[]string", ["Put"]),
            false],
        ["0577f8564c8e5ffeff8e2b1f4d6d8000", new Any("[]string", ["root"]),
            true],
        ["0577f8564c8e5ffeff8e2b1f4d6d8000", new Any("[]string", ["roo",
            "root:$"]), false],
        ["efcde3751416c73b189ce89ccc938000", new Any("[]string", ["Read"]),
            true],
        ["efcde3751416c73b189ce89ccc938000", new Any("[]string", ["Write"]),
            false],
        [mine, anyOf("s"), true], [mine, anyOf("t"), false]];
    const cavs = cases.map(([id, param]) => [{ Id: fromHex(id),
        ParamVom: encodeAll(param) }]);
    cavs.push([...cavs[0], ...cavs[1]], [], [{ Id: fromHex("f".repeat(32)),
        ParamVom: encodeAll(anyOf(1)) }], [{ Id: fromHex("0".repeat(32)),
        ParamVom: Uint8Array.of(1, 2) }]);
    p.ask(FROM.CAVEATS, new Any(TYPES.caveats, { Cavs: cavs, Call: {
        Method: "get", Suffix: "s", LocalBlessings: 1, MethodTags: [
            new Any("v.io/v23/security/access.Tag string", "Read")] } }));
    const { type, value } = await p.next();
    assert.equal(type, TO.CAVEATS);
    const results = value.Results.map((r) => plain(r));
    assert.deepEqual(results.map((r) => r === null),
        [...cases.map((c) => c[2]), false, true, false, false]);
    assert.equal(results.at(-2).id, "v.io/v23/security.CaveatNotRegistered");
});

test("servers get names and are stopped", async () => {
    const p = await serving({ get: () => 1 });
    for (const [run, method, args] of [
        [() => p.server.addName("b"), "AddName", [1, "b"]],
        [() => p.server.removeName("b"), "RemoveName", [1, "b"]],
        [() => p.server.stop(), "Stop", [1]]]) {
        const done = run();
        const f = await p.next();
        assert.deepEqual([f.value.Method, plain(f.args)], [method, args]);
        p.finish(f.id);
        await done;
    }
    p.ask(FROM.LOOKUP, new Any(TYPES.lookup, { ServerId: 1 }));
    assert.match((await p.next()).value.Err.message, /no server 1/);
    const bad = p.client.serve("x", {});
    const f = await p.next();
    p.send(f.id, FROM.ERROR, error("ex.no", "no"));
    await assert.rejects(bad, withId("ex.no"));
    await assert.rejects(async () => {
        const made = p.client.serve("x", {}, { methods: ["Get() error"] });
        p.finish((await p.next()).id);
        await made;
        p.ask(FROM.LOOKUP, new Any(TYPES.lookup, { ServerId: 3 }));
        throw (await p.next()).value.Err;
    }, /no method Get/);
});

test("the name space is asked in the same way", async () => {
    const p = await FakeProxy.start();
    const mount = p.client.namespace.mount("a", "/b", 2500);
    const f = await p.next();
    assert.deepEqual([f.value.Name, f.value.Method, plain(f.args)],
        ["__namespace", "Mount", ["a", "/b", { Seconds: 2n, Nanos: 5e8 },
            false]]);
    p.finish(f.id);
    await mount;
    const names = [];
    const glob = (async () => {
        for await (const e of p.client.namespace.glob("*"))
            names.push(e.Error?.message ?? e.Name);
    })();
    const g = await p.next();
    assert.ok(g.value.IsStreaming);
    const { globReply } = (await import("../protocol.js")).types;
    p.send(g.id, FROM.ITEM, new Any(globReply, { Entry: { Name: "x" } }));
    p.send(g.id, FROM.ITEM, new Any(globReply, { Error: { Name: "y",
        Error: new Error("bad y") } }));
    p.send(g.id, FROM.ITEMS_END, nil);
    p.finish(g.id);
    await glob;
    assert.deepEqual(names, ["x", "bad y"]);
    assert.equal(p.frames.length, 0, "nothing was cancelled");
    for (const [run, method, outs] of [
        [(n) => n.roots(), "Roots", [new Any("[]string", ["/r"])]],
        [(n) => n.resolve("x"), "Resolve", [new Any("[]string", ["/s"])]],
        [(n) => n.permissions("x"), "GetPermissions", [anyOf(new Map()),
            anyOf("v")]],
        [(n) => n.setPermissions("x", { Read: { In: ["..."] } }),
            "SetPermissions", []],
        [(n) => n.unmount("x"), "Unmount", []],
        [(n) => n.delete("x", true), "Delete", []]]) {
        const done = run(p.client.namespace);
        const q = await p.next();
        assert.equal(q.value.Method, method);
        p.finish(q.id, ...outs);
        await done;
    }
});

test("the end of the connection ends everything", async () => {
    const p = await serving({ wait: (call) => new Promise((resolve, reject) =>
        call.signal.addEventListener("abort", reject)) });
    invoke(p, "wait", []);
    await settled();
    const call = p.client.call("a", "Get() error");
    const stream = p.client.stream("a", "Get() stream<_, int32> error");
    const loop = (async () => {
        for await (const item of stream)
            assert.fail(item);
    })();
    await settled();
    p.end(1006, "gone");
    for (const end of [call, stream.result, loop])
        await assert.rejects(end, (e) => e.id === "v.io/v23/verror.Aborted" &&
            /closed: gone/.test(e.message));
    assert.deepEqual(await p.client.closed, { code: 1006, reason: "gone" });
    await assert.rejects(p.client.call("a", "Get() error"), /closed/);
    await p.client.close();
});

test("a proxy that cannot be reached is told", async () => {
    class Dead {
        constructor() {
            queueMicrotask(() => {
                this.onerror({});
                this.onclose({ code: 1006, reason: "" });
            });
        }
        close() {}
    }
    await assert.rejects(connect("https://host:1/", { WebSocket: Dead }),
        /no connection to wss:\/\/host:1\/ws/);
});

test("what a broken proxy sends costs the connection, not more", async () => {
    const bad = {
        "no header": "01",
        "an empty value": "0100",
        "no version": "0100020201",
        "half a value": "010081060401",
        "hex that is none inside": "010081060278787878".slice(0, 14),
        "a value of an unknown type": "0100810608" + toHex(new TextEncoder()
            .encode("81520100")),
        "a bad type message": "000c814e0403515152",
        "a type stream of another version": "000c814e0180",
    };
    for (const [what, text] of Object.entries(bad)) {
        const p = await FakeProxy.start();
        const call = p.client.call("a", "Get() error");
        await settled();
        p.text(text);
        await assert.rejects(call, withId("v.io/v23/verror.Aborted"), what);
        assert.equal(p.closed.code, 4000, what);
        assert.equal((await p.client.closed).code, 4000);
    }
});

test("texts that are no frames are only reported", async () => {
    const said = [];
    const p = await FakeProxy.start({ log: (text) => said.push(text) });
    p.text("can't unmarshall JSONMessage: bad");
    p.text("");
    p.send(2, FROM.LOG, new Any(TYPES.log, { Message: "mounted" }));
    p.raw(4, 99, nil);
    for (const type of [FROM.ITEMS_END, FROM.CANCEL, FROM.ERROR, FROM.FINAL])
        p.raw(77, type, type === FROM.ERROR ? error("ex.x", "x") : nil);
    assert.deepEqual(said.map((s) => s.slice(0, 20)), ["the proxy said: can'",
        "the proxy said: ", "mounted", "the proxy sent a mes"]);
    assert.equal(p.closed, null);
    p.text('{"mounttableRoot": ["/x"]}');
    assert.match((await p.client.closed).reason, /JSON/);
});

test("a stream that nobody reads is bounded", async () => {
    const p = await FakeProxy.start();
    const s = p.client.stream("a", "Get() stream<_, bool> error");
    await p.next();
    for (let i = 0; i <= 1 << 16; i++)
        p.send(1, FROM.ITEM, new Any("bool", true));
    await assert.rejects(s.result, withId("v.io/v23/verror.Aborted"));
    assert.equal((await p.next()).type, TO.CANCEL);
});

test("sending waits for the network", async () => {
    const p = await FakeProxy.start();
    const s = p.client.stream("a", "Put() stream<int32, _> error");
    await p.next();
    p.socket.bufferedAmount = 1 << 21;
    let sent = false;
    const sending = s.send(1).then(() => { sent = true; });
    await p.next();
    await settled();
    assert.ok(!sent);
    p.socket.bufferedAmount = 0;
    await sending;
});

test("signatures of methods are read", () => {
    const show = (m) => [m.Name, m.InArgs.map((a) => `${a.Name}:${a.Type}`),
        m.OutArgs.map((a) => `${a.Name}:${a.Type}`),
        m.InStream && String(m.InStream.Type),
        m.OutStream && String(m.OutStream.Type)];
    const cases = {
        "A()": ["A", [], [], null, null],
        "A() error": ["A", [], [], null, null],
        "A(x ex.E enum{A;B}) ex.E enum{A;B} | error":
            ["A", ["x:ex.E enum{A;B}"], [":ex.E enum{A;B}"], null, null],
        "A() stream<int32, _>": ["A", [], [], "int32", null],
        ["A() stream<_, []?ex.S struct{E error}> (n int32, " +
            "m map[string]any | error)"]: ["A", [],
            ["n:int32", "m:map[string]any"], null,
            "[]?ex.S struct{E ?v.io/v23/vdl.WireError struct{Id string;" +
            "RetryCode v.io/v23/vdl.WireRetryCode enum{NoRetry;" +
            "RetryConnection;RetryRefetch;RetryBackoff};Msg string;" +
            "ParamList []any}}"],
    };
    for (const [text, want] of Object.entries(cases))
        assert.deepEqual(show(parseMethod(text)), want, text);
    for (const text of ["", "A", "A(", "A(int32)", "A(a int32,b int32)",
        "A() stream<int32>", "A() int", "A(a ?int32)", "A() (a int32"])
        assert.throws(() => parseMethod(text), text);
});

test("names match patterns as in mount tables", () => {
    for (const [pattern, name, want] of [["", "", true], ["", "a", false],
        ["*", "a", true], ["*", "a/b", false], ["a/...", "a/b/c", true],
        ["...", "", true], ["a/...", "b", false], ["a?c", "abc", true],
        ["[a-c]x", "bx", true], ["[^a-c]x", "bx", false],
        ["\\*", "*", true], ["\\*", "a", false], ["a.c", "abc", false],
        ["(", "(", true], ["[]", "[]", false], ["é*", "éa", true],
        ["***", "a/b", true]])
        assert.equal(globMatches(pattern, name), want, `${pattern} ${name}`);
});
