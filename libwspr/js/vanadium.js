// BSD-3-Clause; see LICENSE.
/**
 * Vanadium in a web page or in Node, through the proxy wsprd.
 *
 *     import { connect } from "./vanadium.js";
 *     const v = await connect("http://127.0.0.1:8124");
 *     console.log(await v.call("fortune", "Get"));
 *     for await (const item of v.stream("house/clock", "Watch"))
 *         console.log(item);
 *     await v.serve("adder", { add: (call, a, b) => a + b },
 *         { methods: ["Add(a int32, b int32) int32 | error"] });
 *
 * What VDL types are in JavaScript stands in vom.js. Every failure is a
 * {@link VError} with the id that the server gave it, except a TypeError when
 * an argument does not fit its type. Source: wspr.md.
 */
import { Blessings, BlessingsCache } from "./blessings.js";
import { Namespace, Principal } from "./names.js";
import { CONTROLLER, FROM, NAMESPACE, TO, parseMethod, types }
    from "./protocol.js";
import { Server, globMatches, grant, securityCall, validate }
    from "./server.js";
import { Queue, Stream } from "./stream.js";
import { Any, Type, TypeReader, TypeWriter, VError, dateOf, decode, encode,
    fromHex, millisecondsOf, plain, toHex, typeOf } from "./vom.js";

/** Above so many bytes not yet sent, sending on a stream waits. */
const MUCH = 1 << 20;
const ANSWERS = new Set([FROM.FINAL, FROM.ITEM, FROM.ITEMS_END, FROM.ERROR]);
const SIGNATURES = 100, SIGNATURE_AGE = 3600e3;
const CANCELED = "v.io/v23/verror.Canceled";
const TIMEOUT = "v.io/v23/verror.Timeout";
const ABORTED = "v.io/v23/verror.Aborted";
const own = (id, what) => new VError(id, what, ["app", "call", what]);

/**
 * Connects to a proxy.
 *
 * @param {string} [address]  of the proxy, e.g. "http://127.0.0.1:8124"; in a
 *     page, by default where it came from
 * @param {object} [options]
 * @param {function} [options.WebSocket]  the class to use if there is no global
 *     one: in Node 20 that of the package `ws` (or start Node with
 *     --experimental-websocket); Node 22 and browsers have it
 * @param {string} [options.language]  of messages, e.g. "en-US"
 * @param {(text: string) => void} [options.log]  told what the proxy reports
 * @param {Object<string, (call, param) => *>} [options.caveats]  checks of
 *     caveats by their id in hex, which throw or return false if the caveat
 *     does not hold
 * @returns {Promise<Client>}
 */
export function connect(address = globalThis.location?.origin, options = {}) {
    const Socket = options.WebSocket ?? globalThis.WebSocket;
    if (Socket === undefined)
        throw new TypeError("there is no WebSocket here; see connect()");
    const url = address.replace(/^http/, "ws").replace(/\/?$/, "/ws");
    return new Promise((resolve, reject) => {
        const client = new Client(new Socket(url), options, () =>
            resolve(client));
        client.closed.then((why) => reject(new Error(
            `no connection to ${url} (${why.code} ${why.reason})`)));
    });
}

/**
 * A connection to the proxy, made by {@link connect}. Options of calls:
 *
 * @typedef {object} CallOptions
 * @property {number} [timeout]     in milliseconds
 * @property {AbortSignal} [signal] cancels the call
 * @property {boolean} [typed]      results and items are Any, with their types
 * @property {string[]} [servers]   patterns; a server none of whose names
 *     matches one is not called
 * @property {(call) => Blessings} [grant]  blessings for the server, who
 *     is called call.remoteNames
 */
export class Client {
    #socket;
    #options;
    #typesIn = new TypeReader();
    #typesOut;
    #blessings = new BlessingsCache();
    #calls = new Map();
    #serving = new Map();
    #servers = new Map();
    #granters = new Map();
    #signatures = new Map();
    #next = 1;
    #lastServer = 0;
    #lastGranter = 0;
    #ended;
    #end;

    constructor(socket, options, opened) {
        this.#socket = socket;
        this.#options = options;
        let first = true;
        this.#typesOut = new TypeWriter((message) => {
            this.#send(0, TO.TYPE, (first ? "81" : "") + toHex(message));
            first = false;
        });
        /** Resolved with {code, reason} when the connection is at its end. */
        this.closed = new Promise((resolve) => { this.#end = resolve; });
        socket.onopen = opened;
        socket.onmessage = (event) => this.#receive(event.data);
        socket.onclose = (event) => this.#close(event.code, event.reason);
        socket.onerror = () => {}; // onclose follows.
        this.namespace = new Namespace(this);
        this.principal = new Principal(this);
    }

    /**
     * Calls a method.
     *
     * @param {string} name    of the object
     * @param {string} method  its name, or its signature as parseMethod() takes
     *     it, which saves asking for it
     * @param {Array} [args]
     * @param {CallOptions} [options]
     * @returns {Promise} the result; an array if there are several
     */
    async call(name, method, args = [], options = {}) {
        const m = await this.#method(name, method, options);
        return this.start(name, m, args, options).result;
    }

    /**
     * Calls a method that streams; parameters as those of call().
     * @returns {Stream}
     */
    stream(name, method, args = [], options = {}) {
        const canceler = new AbortController();
        const outer = options.signal;
        const give = () => canceler.abort(outer?.reason);
        outer?.addEventListener("abort", give);
        const started = this.#method(name, method, options).then((m) =>
            this.start(name, m, args, { ...options, signal: canceler.signal },
                true));
        const late = (use) => started.then(use);
        const result = late((s) => s.result).finally(() =>
            outer?.removeEventListener("abort", give));
        return new Stream({ result, cancel: give,
            send: (item, last) => late((s) => s.send(item, last)),
            queue: { next: () => late((s) => s.queue.next()) } });
    }

    /**
     * What an object can do.
     *
     * @param {string} name
     * @param {CallOptions & {fresh: boolean}} [options]  fresh: ask again, even
     *     if it is known
     * @returns {Promise<object[]>} []signature.Interface, types as Type
     */
    async signature(name, options = {}) {
        const now = Date.now(), known = this.#signatures.get(name);
        if (!options.fresh && now - known?.time < SIGNATURE_AGE)
            return known.value;
        const value = this.control("Signature", [name], options);
        this.#signatures.delete(name);
        this.#signatures.set(name, { value, time: now });
        if (this.#signatures.size > SIGNATURES)
            this.#signatures.delete(this.#signatures.keys().next().value);
        value.catch(() => this.#signatures.delete(name));
        return value;
    }

    /** The names of the server of an object. @returns {Promise<string[]>} */
    remoteBlessings(name, method = "__Signature", options = {}) {
        return this.control("RemoteBlessings", [name, method], options);
    }

    /**
     * Serves objects.
     *
     * @param {string} name  to publish; "" for none
     * @param {object | ((suffix: string) => Entry)} what  an object with
     *     methods, or a function that finds the {@link Entry} of a suffix (null
     *     if there is none)
     * @param {object} [options]  methods, typed, authorize, glob: those of the
     *     entry of one object; isLeaf: nothing is below it (by default
     *     for one object without glob); servesMountTable
     * @returns {Promise<Server>} when it listens; publishing goes on
     */
    async serve(name, what, options = {}) {
        const one = typeof what !== "function";
        const entry = { object: what, ...options };
        const server = new Server(this, ++this.#lastServer, one ?
            (suffix) => suffix === "" || options.glob ? entry : null : what);
        this.#servers.set(server.id, server);
        const flags = [];
        if (options.isLeaf ?? (one && !options.glob))
            flags.push({ IsLeaf: true });
        if (options.servesMountTable)
            flags.push({ ServesMountTable: true });
        try {
            await this.control("NewServer", [name, server.id, flags]);
        } catch (e) {
            this.#servers.delete(server.id);
            throw e;
        }
        return server;
    }

    /** Ends the connection, all calls and all servers. */
    close() {
        this.#socket.onmessage = null; // What is on its way is for nobody.
        this.#socket.close(1000, "");
        return this.closed;
    }

    /** Calls a method of the proxy's own object. Private to this library. */
    control(method, args, options = {}, object = "__controller") {
        const m = (object === "__controller" ? CONTROLLER : NAMESPACE)
            .get(method);
        return this.start(object, m, args, options, m.OutStream !== null)
            .result;
    }

    /** Stops a server. Private to this library. */
    async stopServer(server) {
        await this.control("Stop", [server.id]);
        this.#servers.delete(server.id);
    }

    async #method(name, method, options) {
        if (method.includes("("))
            return parseMethod(method);
        const interfaces = await this.signature(name, { ...options,
            typed: false });
        for (const i of interfaces)
            for (const m of i.Methods)
                if (m.Name === method)
                    return m;
        throw own("v.io/v23/verror.UnknownMethod",
            `${name} has no method ${method}`);
    }

    /** Starts a call of a known method. Private to this library. */
    start(name, method, args, options, streaming = method.InStream !== null ||
        method.OutStream !== null) {
        if (args.length !== method.InArgs.length)
            throw new TypeError(`${method.Name} takes ` +
                `${method.InArgs.length} arguments, not ${args.length}`);
        this.#needOpen();
        const { timeout, signal } = options;
        if (signal?.aborted)
            throw own(CANCELED, "the call was canceled");
        const id = this.#next;
        const payload = this.#request(name, method, args, options, streaming);
        this.#next += 2;
        const call = { queue: new Queue(), options, outs: method.OutArgs };
        call.result = new Promise((resolve, reject) => {
            call.finish = (error, results) => {
                if (!this.#calls.delete(id))
                    return;
                clearTimeout(call.timer);
                signal?.removeEventListener("abort", call.abort);
                this.#granters.delete(call.granter);
                call.queue.end(error);
                if (error !== undefined)
                    reject(error);
                else
                    resolve(results);
            };
        });
        const giveUp = (why) => {
            if (this.#calls.has(id))
                this.#send(id, TO.CANCEL, null);
            call.finish(why);
        };
        call.abort = () => giveUp(own(CANCELED, "the call was canceled"));
        call.queue.overflow = () => giveUp(own(ABORTED,
            "too many items that nobody took"));
        this.#calls.set(id, call);
        this.#send(id, TO.REQUEST, payload);
        if (timeout !== undefined)
            call.timer = setTimeout(() => giveUp(own(TIMEOUT,
                `no answer within ${timeout} ms`)), timeout);
        signal?.addEventListener("abort", call.abort);
        const item = method.InStream?.Type;
        call.send = async (value, last = false) => {
            if (!this.#calls.has(id))
                return;
            if (last)
                this.#send(id, TO.ITEMS_END);
            else if (item === undefined)
                throw new TypeError(`${method.Name} takes no items`);
            else
                this.#send(id, TO.ITEM, this.#encode(item, value));
            await this.#room();
        };
        return call;
    }

    #request(name, method, args, options, streaming) {
        const { timeout, servers, grant: granter } = options;
        const callOptions = [];
        if (servers !== undefined)
            callOptions.push({ AllowedServersPolicy: servers });
        const random = () => crypto.getRandomValues(new Uint8Array(16));
        const values = args.map((a, i) => {
            const { Name, Type: type } = method.InArgs[i];
            try {
                return encode(this.#typesOut, type, a);
            } catch (e) {
                e.message = `${method.Name}, argument ${Name || i + 1}: ` +
                    e.message;
                throw e;
            }
        });
        if (granter !== undefined) {
            this.#granters.set(++this.#lastGranter, granter);
            callOptions.push({ Granter: this.#lastGranter });
        }
        const request = this.#encode(types.request, { Name: name,
            Method: method.Name, NumInArgs: args.length,
            NumOutArgs: method.OutArgs.length, IsStreaming: streaming,
            Deadline: timeout === undefined ? { NoDeadline: true } :
                { FromNow: timeout },
            TraceRequest: { SpanId: random(), TraceId: random() },
            Context: { Language: this.#options.language },
            CallOptions: callOptions });
        return request + values.map(toHex).join("");
    }

    /** Hex of a stream of one value with the types of the connection. */
    #encode(type, value) {
        return "81" + toHex(encode(this.#typesOut, type, value));
    }

    #send(id, type, data) {
        if (this.#ended === undefined)
            this.#socket.send(JSON.stringify({ id, data, type }));
    }

    #needOpen() {
        if (this.#ended !== undefined)
            throw own(ABORTED, "the connection to the proxy is closed");
    }

    async #room() {
        while (this.#ended === undefined && this.#socket.bufferedAmount > MUCH)
            await new Promise((resolve) => setTimeout(resolve, 10));
    }

    #close(code, reason) {
        if (this.#ended !== undefined)
            return;
        this.#ended = { code, reason };
        const why = own(ABORTED, "the connection to the proxy is closed" +
            (reason ? `: ${reason}` : ""));
        for (const call of [...this.#calls.values()])
            call.finish(why);
        for (const served of this.#serving.values()) {
            served.items.end(why);
            served.canceler.abort();
        }
        this.#serving.clear();
        this.#servers.clear();
        this.#end(this.#ended);
    }

    #receive(text) {
        let bytes;
        try {
            bytes = fromHex(text);
        } catch {
            bytes = [];
        }
        if (bytes.length === 0) {
            this.#options.log?.(`the proxy said: ${text}`);
            if (/^{ *"mounttableRoot"/.test(text))
                this.#fail("the proxy speaks another protocol (JSON)");
            return;
        }
        try {
            this.#frame(bytes);
        } catch (e) {
            this.#fail(e.message);
        }
    }

    #fail(what) {
        this.#socket.close(4000, what.slice(0, 100));
        this.#close(4000, what);
    }

    #frame(bytes) {
        let at = 0;
        const number = () => {
            let n = bytes[at++], size = n >= 0xf8 ? 256 - n : 0;
            for (n = size > 0 ? 0 : n; size > 0; size--)
                n = n * 256 + bytes[at++];
            return n;
        };
        const id = number(), type = number();
        const call = this.#calls.get(id), served = this.#serving.get(id);
        if (ANSWERS.has(type) && call === undefined && served === undefined)
            return undefined; // of a call that was given up
        // Most frames hold the hex of the value that they are about.
        const outer = decode(bytes.subarray(at)).value;
        const value = () => decode(fromHex(outer), this.#typesIn);
        switch (type) {
        case FROM.TYPE:
            return this.#typesIn.feed(outer);
        case FROM.BLESSINGS:
            return this.#blessings.update(outer);
        case FROM.FINAL:
            return this.#finish(call, value().value.OutArgs);
        case FROM.ITEM: {
            const item = value();
            call?.queue.push(call.options.typed ? item : plain(item));
            return served?.items.push(item);
        }
        case FROM.ITEMS_END:
            call?.queue.end();
            return served?.items.end();
        case FROM.ERROR:
            call?.finish(VError.from(outer));
            return served?.items.end(VError.from(outer));
        case FROM.CANCEL:
            this.#serving.delete(id);
            served?.items.end(own(CANCELED, "the caller gave up"));
            return served?.canceler.abort();
        case FROM.LOG:
            return this.#options.log?.(outer.Message);
        case FROM.LOOKUP:
            return this.#answer(id, TO.LOOKUP, types.lookup, () =>
                this.#server(outer.ServerId).lookup(outer.Suffix));
        case FROM.AUTHORIZE: {
            const { ServerId, Handle, Call, Context } = value().value;
            const about = securityCall(this.#blessings, Call, Context);
            return this.#answer(id, TO.AUTHORIZATION, types.authorization,
                () => this.#server(ServerId).authorize(Handle, about));
        }
        case FROM.CAVEATS: {
            const about = securityCall(this.#blessings, outer.Call,
                outer.Context);
            return this.#answer(id, TO.CAVEATS, types.caveats, async () => ({
                Results: await Promise.all(outer.Cavs.map((set) =>
                    validate(this.#options.caveats ?? {}, about, set))) }));
        }
        case FROM.INVOKE:
            return this.#invoke(id, value().value);
        case FROM.GRANTER:
            return grant(this.#blessings, this.#granters, outer).then((hex) =>
                this.#send(id, TO.GRANTER, hex));
        default:
            this.#options.log?.(`the proxy sent a message of type ${type}`);
        }
    }

    #finish(call, results) {
        const found = results.map((r) => this.#blessings.resolve(r));
        const out = call.options.typed ? found : found.map(plain);
        call.finish(undefined, out.length === 1 ? out[0] :
            out.length === 0 ? undefined : out);
    }

    #server(id) {
        const server = this.#servers.get(id);
        if (server === undefined)
            throw new VError("v.io/v23/verror.NoExist",
                `there is no server ${id}`);
        return server;
    }

    /** Answers a question, or tells why not. */
    async #answer(id, type, answerType, run) {
        let data;
        try {
            data = this.#encode(answerType, await run() ?? {});
        } catch (e) {
            data = this.#encode(answerType, { Err: VError.from(e) });
        }
        this.#send(id, type, data);
    }

    #invoke(id, { ServerId, Handle, Method, Args, Call }) {
        const canceler = new AbortController(), items = new Queue();
        this.#serving.set(id, { items, canceler });
        items.overflow = () => canceler.abort();
        const left = Call.Deadline;
        const call = {
            ...securityCall(this.#blessings, Call.SecurityCall, Call.Context),
            grantedBlessings: this.#blessings.take(Call.GrantedBlessings),
            deadline: left.NoDeadline ? null :
                new Date(Date.now() + millisecondsOf(left.FromNow)),
            signal: canceler.signal, items,
            send: async (item) => {
                this.#needOpen();
                if (!this.#serving.has(id))
                    throw own(CANCELED, "the caller gave up");
                this.#send(id, TO.ITEM, this.#encode(item.type, item.value));
                await this.#room();
            } };
        this.#answer(id, TO.RESPONSE, types.reply, async () => {
            try {
                return { Results: await this.#server(ServerId).invoke(Handle,
                    Method, Args, call) };
            } finally {
                this.#serving.delete(id);
                items.end();
            }
        });
    }
}

export { Any, Blessings, Stream, Type, VError, dateOf, decode, globMatches,
    millisecondsOf, parseMethod, plain, toHex, typeOf };
