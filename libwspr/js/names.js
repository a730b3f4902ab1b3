// BSD-3-Clause; see LICENSE.
/** What the proxy itself can do: names, and who this page is. */
import { NAMESPACE } from "./protocol.js";

/** The name space as this page sees it: Client.namespace. */
export class Namespace {
    #client;

    constructor(client) {
        this.#client = client;
    }
    #call(method, args, options) {
        return this.#client.control(method, args, options, "__namespace");
    }

    /**
     * Names that match a pattern, e.g. "house/*" or "house/...".
     *
     * @param {string} pattern
     * @param {CallOptions} [options]
     * @returns {AsyncIterable<object>} naming.MountEntry: {Name, Servers,
     *     ServesMountTable, IsLeaf}, and {Name, Error} of who did not answer
     */
    async *glob(pattern, options = {}) {
        const canceler = new AbortController();
        const signal = options.signal === undefined ? canceler.signal :
            AbortSignal.any([options.signal, canceler.signal]);
        const call = this.#client.start("__namespace", NAMESPACE.get("Glob"),
            [pattern], { ...options, signal }, true);
        call.result.catch(() => {}); // The loop tells it, too.
        try {
            for await (const reply of call.queue)
                yield reply.Entry ?? reply.Error;
            await call.result;
        } finally {
            canceler.abort();
        }
    }
    /** Mounts a server for some milliseconds, 0 for ever. */
    mount(name, server, ttl = 0, replace = false) {
        return this.#call("Mount", [name, server, ttl, replace]);
    }
    /** Unmounts a server; all of them if it is "". */
    unmount(name, server = "") {
        return this.#call("Unmount", [name, server]);
    }
    /** Where an object is. @returns {Promise<string[]>} */
    resolve(name, options) {
        return this.#call("Resolve", [name], options);
    }
    resolveToMountTable(name, options) {
        return this.#call("ResolveToMountTable", [name], options);
    }
    /** One step of resolve(). */
    shallowResolve(name, options) {
        return this.#call("ShallowResolve", [name], options);
    }
    /** @returns {Promise<string[]>} */
    roots() {
        return this.#call("Roots", []);
    }
    setRoots(roots) {
        return this.#call("SetRoots", [roots]);
    }
    /** @returns {Promise<boolean>} whether something was forgotten */
    flushCacheEntry(name) {
        return this.#call("FlushCacheEntry", [name]);
    }
    disableCache(disable) {
        return this.#call("DisableCache", [disable]);
    }
    /** @returns {Promise<[Map, string]>} permissions by tag, their version */
    permissions(name) {
        return this.#call("GetPermissions", [name]);
    }
    /** @param {string} version  of those that are replaced; "" for any */
    setPermissions(name, permissions, version = "") {
        return this.#call("SetPermissions", [name, permissions, version]);
    }
    /** Deletes a name of a mount table. */
    delete(name, subtree = false) {
        return this.#call("Delete", [name, subtree]);
    }
}

/**
 * Who this page is: Client.principal. Caveats are {Id, ParamVom} with 16 bytes
 * and a VOM stream; without any, blessings are not restricted.
 */
export class Principal {
    #client;

    constructor(client) {
        this.#client = client;
    }
    #call(method, ...args) {
        return this.#client.control(method, args);
    }

    /** The public key, DER. @returns {Promise<Uint8Array>} */
    publicKey() {
        return this.#call("BlessingStorePublicKey");
    }
    /** What this page shows to others. @returns {Promise<Blessings | null>} */
    blessings() {
        return this.#call("BlessingStoreDefault");
    }
    setBlessings(blessings) {
        return this.#call("BlessingStoreSetDefault", blessings);
    }
    /** What it shows to those with such names. */
    blessingsFor(names) {
        return this.#call("BlessingStoreForPeer", names);
    }
    /** @returns {Promise<Blessings | null>} what was there before */
    setBlessingsFor(pattern, blessings) {
        return this.#call("BlessingStoreSet", blessings, pattern);
    }
    /** @returns {Promise<Map<string, Blessings>>} by pattern of names */
    allBlessings() {
        return this.#call("BlessingStorePeerBlessings");
    }
    /** Blesses a public key as an extension of blessings of this page. */
    bless(publicKey, blessings, extension, caveats = []) {
        return this.#call("Bless", publicKey, blessings, extension, caveats);
    }
    blessSelf(name, caveats = []) {
        return this.#call("BlessSelf", name, caveats);
    }
    /** Trusts the roots of blessings. */
    addToRoots(blessings) {
        return this.#call("AddToRoots", blessings);
    }
    /** A text for people. */
    describe() {
        return this.#call("BlessingStoreDebugString");
    }
}
