// BSD-3-Clause; see LICENSE.
/** Blessings that the proxy has told of. */
import { BLESSINGS_ID } from "./protocol.js";
import { Any } from "./values.js";

/** Blessings: of this page, or of who calls it. */
export class Blessings {
    constructor(wire) {
        /** The struct v.io/v23/security.WireBlessings. */
        this.wire = wire;
    }
    /** What they claim to be; ServerCall tells which names are valid. */
    get names() {
        return this.wire.CertificateChains.map((chain) =>
            chain.map((c) => c.Extension).join(":"));
    }
    /** The public key they belong to, DER. @returns {Uint8Array} */
    get publicKey() {
        return this.wire.CertificateChains[0].at(-1).PublicKey;
    }
    toString() {
        return this.names.join(",");
    }
}

/** Blessings that the proxy named by a number since. */
export class BlessingsCache {
    #entries = new Map();

    update(messages) {
        for (const { Add, Delete } of messages) {
            const id = (Add ?? Delete).CacheId;
            if (Add !== undefined) {
                this.#entries.set(id, { used: 0, until: Infinity,
                    blessings: new Blessings(Add.Blessings) });
                continue;
            }
            const entry = this.#entries.get(id);
            if (entry !== undefined)
                entry.until = Delete.DeleteAfter;
            this.#forget(id, entry);
        }
    }
    #forget(id, entry) {
        if (entry?.used >= entry?.until)
            this.#entries.delete(id);
    }
    /** @returns {Blessings | null} */
    take(id) {
        const entry = this.#entries.get(id);
        if (entry === undefined)
            return null;
        entry.used++;
        this.#forget(id, entry);
        return entry.blessings;
    }
    /** An Any with blessings in the place of their numbers. */
    resolve(any) {
        if (any?.type.name === BLESSINGS_ID)
            return new Any("any", this.take(any.value));
        if (any?.type.elem?.name === BLESSINGS_ID)
            return new Any("any", new Map([...any.value].map(([k, id]) =>
                [k, this.take(id)])));
        return any;
    }
}
