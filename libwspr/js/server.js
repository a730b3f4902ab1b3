// BSD-3-Clause; see LICENSE.
/** Objects that are called by others: what the proxy asks, and the answers. */
import { parseMethod, types } from "./protocol.js";
import { Any, VError, dateOf, decode, encodeAll, fromHex, plain, toHex, typeOf }
    from "./vom.js";

const MAX_HANDLES = 10000;
const lower = (name) => name[0].toLowerCase() + name.slice(1);
const upper = (name) => name[0].toUpperCase() + name.slice(1);

const noMethod = (name) => new VError("v.io/v23/verror.NoExist",
    `there is no method ${name}`, ["app", "call", name]);

/**
 * What a name, or a suffix below it, stands for.
 *
 * @typedef {object} Entry
 * @property {object} object     its methods are called as
 *     `method(call, ...args)` with a {@link ServerCall}; names beginning with
 *     "_" are not exported. One result is returned as it is, several in an
 *     array; what is thrown goes to the caller, a {@link VError} as it is
 * @property {string[]} [methods]  their signatures, see parseMethod(). Without
 *     them, every function takes and returns any
 * @property {boolean} [typed]  arguments and items are Any, with their types
 * @property {(call) => *} [authorize]  throws to refuse the call. Without it
 *     a caller must have blessings that the proxy's extend or that extend them
 * @property {(call, pattern: string) => AsyncIterable} [glob]  names below the
 *     object that match a pattern ({@link globMatches}): strings, or
 *     naming.GlobReply
 */

/**
 * A call of a method of this page.
 *
 * @typedef {object} ServerCall
 * @property {string} method, suffix, language, localEndpoint, remoteEndpoint
 * @property {Any[]} tags           of the method
 * @property {Blessings} localBlessings, remoteBlessings, grantedBlessings
 * @property {string[]} localNames, remoteNames  the valid ones of the blessings
 * @property {Date | null} deadline
 * @property {AbortSignal} signal   aborted when the caller gives up
 * @property {AsyncIterable} items  what the caller streams
 * @property {(item) => Promise<void>} send  streams to the caller; resolved
 *     when there is room for more
 */

/** A name that this page serves; made by Client.serve(). */
export class Server {
    #client;
    #lookup;
    #handles = new Map();
    #next = 0;

    constructor(client, id, lookup) {
        this.#client = client;
        this.id = id;
        this.#lookup = lookup;
    }

    /** Publishes another name. */
    addName(name) {
        return this.#client.control("AddName", [this.id, name]);
    }
    /** Takes a name back. */
    removeName(name) {
        return this.#client.control("RemoveName", [this.id, name]);
    }
    /** Ends all calls and takes all names back. */
    stop() {
        return this.#client.stopServer(this);
    }

    async lookup(suffix) {
        const entry = await this.#lookup(suffix);
        if (entry === null || entry === undefined)
            return { Handle: -1 };
        const known = prepare(entry), handle = this.#next++;
        this.#next %= 2 ** 31;
        this.#handles.set(handle, known);
        // The proxy does not tell of lookups that led to no call.
        if (this.#handles.size > MAX_HANDLES)
            this.#handles.delete(this.#handles.keys().next().value);
        return { Handle: handle, HasAuthorizer: !!entry.authorize,
            HasGlobber: !!entry.glob, Signature: known.signature };
    }

    async authorize(handle, call) {
        const entry = this.#entry(handle);
        try {
            await entry.authorize(call);
        } catch (e) {
            this.#handles.delete(handle);
            throw e;
        }
    }

    /** The results of a call as Anys. */
    async invoke(handle, method, args, call) {
        const entry = this.#entry(handle);
        this.#handles.delete(handle);
        if (method === "Glob__" && entry.glob)
            return glob(entry, call, args[0].value);
        const m = entry.methods.get(lower(method));
        if (m === undefined)
            throw noMethod(method);
        const send = call.send, out = m.signature.OutStream;
        call.send = (item) => send(new Any(out?.Type ?? "any", item));
        if (!entry.typed)
            call.items = untypedItems(call.items);
        const result = await m.run.call(entry.object, call, ...(entry.typed ?
            args : args.map(plain)));
        const outs = m.signature.OutArgs;
        const results = outs.length === 1 ? [result] : result ?? [];
        if (results.length !== outs.length)
            throw new TypeError(`${method} returned ${results.length} ` +
                `results, not ${outs.length}`);
        return outs.map((o, i) => new Any(o.Type, results[i]));
    }

    #entry(handle) {
        const entry = this.#handles.get(handle);
        if (entry === undefined)
            throw new VError("v.io/v23/verror.NoExist",
                `there is no handle ${handle}`);
        return entry;
    }
}

async function *untypedItems(items) {
    for await (const item of items)
        yield plain(item);
}

async function glob(entry, call, pattern) {
    for await (const found of entry.glob(call, pattern)) {
        const reply = typeof found === "string" ?
            { Entry: { Name: found } } : found;
        await call.send(new Any(types.globReply, reply));
    }
    return [new Any("any", null)];
}

const prepared = new WeakMap();

/** An entry with its signature and functions. */
function prepare(entry) {
    const { object = {}, methods: texts } = entry;
    let known = prepared.get(object);
    if (known === undefined || known.texts !== texts) {
        const signatures = texts?.map(parseMethod) ?? untyped(object);
        const methods = new Map();
        for (const s of signatures) {
            const run = object[lower(s.Name)] ?? object[upper(s.Name)];
            if (typeof run !== "function")
                throw new TypeError(`the object has no method ${s.Name}`);
            methods.set(lower(s.Name), { run, signature: s });
        }
        known = { texts, methods, signature: [{ Methods: signatures }] };
        prepared.set(object, known);
    }
    return { ...known, object, typed: entry.typed,
        authorize: entry.authorize?.bind(entry),
        glob: entry.glob?.bind(entry) };
}

/** Every function of an object, with any for every type. */
function untyped(object) {
    const names = new Set();
    for (let o = object; o !== null && o !== Object.prototype;
        o = Object.getPrototypeOf(o))
        for (const name of Object.getOwnPropertyNames(o))
            if (/^[A-Za-z]/.test(name) && name !== "constructor" &&
                typeof object[name] === "function")
                names.add(name);
    const arg = (name) => ({ Name: name, Type: typeOf("any") });
    return [...names].sort().map((name) => ({ Name: upper(name),
        InArgs: Array.from({ length: Math.max(object[name].length - 1, 0) },
            (_, i) => arg(`arg${i + 1}`)), OutArgs: [arg("")] }));
}

/** The part of a call that is there before its arguments are. */
export function securityCall(blessings, call, context) {
    return { method: call.Method, suffix: call.Suffix, tags: call.MethodTags,
        localBlessings: blessings.take(call.LocalBlessings),
        remoteBlessings: blessings.take(call.RemoteBlessings),
        localNames: call.LocalBlessingStrings,
        remoteNames: call.RemoteBlessingStrings,
        localEndpoint: call.LocalEndpoint, remoteEndpoint: call.RemoteEndpoint,
        language: context.Language };
}

/**
 * Is a name matched by a pattern as in mount tables: `*`, `?`, `[a-z]` and
 * `\` within an element, `...` or `***` at the end for everything below?
 *
 * @param {string} pattern
 * @param {string} name  relative to where the pattern is asked
 */
export function globMatches(pattern, name) {
    const want = pattern === "" ? [] : pattern.split("/");
    const have = name === "" ? [] : name.split("/");
    const recursive = ["...", "***"].includes(want.at(-1));
    if (recursive)
        want.pop();
    if (recursive ? have.length < want.length : have.length !== want.length)
        return false;
    return want.every((element, i) => {
        const source = element.replace(
            /\\(.)|\[\^?(?:\\.|[^\]\\])*\]|[*?]|[^\w]/gsu, (c, escaped) =>
                c === "*" ? ".*" : c === "?" ? "." :
                    c[0] === "[" && c.length > 2 ? c :
                        (escaped ?? c).replace(/[^\w]/u, (l) =>
                            `\\u{${l.codePointAt(0).toString(16)}}`));
        try {
            return new RegExp(`^${source}$`, "su").test(have[i]);
        } catch {
            return false; // A class that is none matches nothing.
        }
    });
}

/** Does a pattern of blessings match a name? */
function patternMatches(pattern, name) {
    if (pattern === "...")
        return true;
    if (pattern.endsWith(":$"))
        return name === pattern.slice(0, -2);
    return name === pattern || name.startsWith(pattern + ":");
}

/** The caveats that everybody knows; each may throw. */
const standard = {
    "00000000000000000000000000000000": (call, ok) => ok,
    a64c2d0119fba3348071feeb2f308000: (call, time) =>
        Date.now() <= dateOf(time).getTime(),
    baaf6839a98f9c138399cd69d6ff9925: (call, time) =>
        Date.now() > dateOf(time).getTime(),
    "54a676398137187ecdb26d2d69ba0003": (call, methods) =>
        call.method !== "" && (methods.includes(upper(call.method)) ||
            methods.includes(call.method)),
    "0577f8564c8e5ffeff8e2b1f4d6d8000": (call, patterns) => patterns.some(
        (p) => call.localBlessings?.names.some((n) => patternMatches(p, n))),
    efcde3751416c73b189ce89ccc938000: (call, tags) => call.tags.some((t) =>
        t?.type.name === "v.io/v23/security/access.Tag" &&
        tags.includes(t.value)),
};

/**
 * Validates caveats.
 *
 * @param {object} own  functions by hex id, as in connect()
 * @param {object} call
 * @param {{Id: Uint8Array, ParamVom: Uint8Array}[]} caveats
 * @returns {Promise<VError | null>}
 */
export async function validate(own, call, caveats) {
    for (const { Id, ParamVom } of caveats) {
        const id = toHex(Id), check = own[id] ?? standard[id];
        if (check === undefined)
            return new VError("v.io/v23/security.CaveatNotRegistered",
                `nobody knows caveat ${id}`);
        try {
            const param = decode(ParamVom);
            if (await check(call, param.value) === false)
                throw new Error(`caveat ${id} does not hold`);
        } catch (e) {
            return new VError("v.io/v23/security.CaveatValidation",
                `caveat ${id}: ${e.message}`, ["app", "call",
                    VError.from(e)]);
        }
    }
    return null;
}

/** Answers a question for blessings to grant to a server. */
export async function grant(blessings, granters, hex) {
    const { GranterHandle: handle, Call } = decode(fromHex(hex)).value;
    let reply;
    try {
        const granter = granters.get(handle);
        granters.delete(handle);
        if (granter === undefined)
            throw new Error(`there is no granter ${handle}`);
        reply = { Blessings: await granter(securityCall(blessings, Call,
            { Language: "" })) };
        return toHex(encodeAll(new Any(types.granter, reply)));
    } catch (e) {
        return toHex(encodeAll(new Any(types.granter,
            { Err: VError.from(e) })));
    }
}
