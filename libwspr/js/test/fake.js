// BSD-3-Clause; see LICENSE.
// A proxy without a network: what the client sends is decoded, and the test
// says what comes back.
import { TypeReader, TypeWriter, Any, decode, decodeAll, encode, encodeAll,
    fromHex, toHex, typeOf } from "../vom.js";
import { FROM, TO } from "../protocol.js";
import { connect } from "../vanadium.js";

const BARE = new Set([FROM.ERROR, FROM.ITEMS_END, FROM.LOOKUP, FROM.CANCEL,
    FROM.CAVEATS, FROM.LOG, FROM.BLESSINGS, FROM.TYPE]);
const P = "v.io/x/ref/services/wspr/internal";
const SECURITY_CALL = `${P}/rpc/server.SecurityCall struct{Method string;` +
    "Suffix string;MethodTags []any;LocalBlessings " +
    `${P}/principal.BlessingsId uint32;LocalBlessingStrings []string;` +
    `RemoteBlessings ${P}/principal.BlessingsId;` +
    "RemoteBlessingStrings []string;LocalEndpoint string;" +
    "RemoteEndpoint string}";
const DEADLINE = "time.WireDeadline struct{FromNow time.Duration " +
    "struct{Seconds int64;Nanos int32};NoDeadline bool}";
const CONTEXT = `${P}/rpc/server.Context struct{Language string}`;
export const TYPES = {
    response: `${P}/app.RpcResponse struct{OutArgs []any}`,
    lookup: `${P}/rpc/server.dispatcherRequest struct{ServerId uint32;` +
        "Suffix string}",
    authorize: `${P}/rpc/server.AuthRequest struct{ServerId uint32;` +
        `Handle int32;Call ${SECURITY_CALL};Context ${CONTEXT}}`,
    invoke: `${P}/rpc/server.ServerRpcRequest struct{ServerId uint32;` +
        "Handle int32;Method string;Args []any;" +
        `Call ${P}/rpc/server.ServerRpcRequestCall struct{` +
        `SecurityCall ${SECURITY_CALL};Deadline ${DEADLINE};` +
        `Context ${CONTEXT};GrantedBlessings ${P}/principal.BlessingsId}}`,
    caveats: `${P}/rpc/server.CaveatValidationRequest struct{` +
        `Call ${SECURITY_CALL};Context ${CONTEXT};` +
        "Cavs [][]v.io/v23/security.Caveat struct{" +
        "Id v.io/v23/uniqueid.Id [16]byte;ParamVom []byte}}",
    log: `${P}/lib.LogMessage struct{Level ${P}/lib.LogLevel ` +
        "enum{Info;Error};Message string}",
    blessings: `[]${P}/principal.BlessingsCacheMessage union{` +
        `Add ${P}/principal.BlessingsCacheAddMessage struct{` +
        `CacheId ${P}/principal.BlessingsId uint32;` +
        "Blessings v.io/v23/security.WireBlessings struct{" +
        "CertificateChains [][]v.io/v23/security.Certificate struct{" +
        "Extension string;PublicKey []byte}}};" +
        `Delete ${P}/principal.BlessingsCacheDeleteMessage struct{` +
        `CacheId ${P}/principal.BlessingsId;DeleteAfter uint32}}`,
    granter: `?${P}/app.GranterRequest struct{GranterHandle ` +
        `${P}/app.GranterHandle int32;Call ${SECURITY_CALL}}`,
    id: `${P}/principal.BlessingsId uint32`,
};

export class FakeProxy {
    frames = [];
    calls = new Map();
    closed = null;
    #waiting = [];
    #typesIn = new TypeReader();
    #typesOut = new TypeWriter((m) => {
        if (this.#first)
            this.raw(0, FROM.TYPE, new Any("[]byte", Uint8Array.of(0x81)));
        this.#first = false;
        this.raw(0, FROM.TYPE, new Any("[]byte", m));
    });
    #first = true;
    #next = 2;

    /** A client that is connected to a new proxy. */
    static async start(options = {}) {
        const proxy = new FakeProxy();
        proxy.client = await connect("http://fake", { ...options,
            WebSocket: class {
                bufferedAmount = 0;
                constructor(url) {
                    proxy.url = url;
                    proxy.socket = this;
                    queueMicrotask(() => this.onopen?.({}));
                }
                send(text) {
                    proxy.receive(text);
                }
                close(code, reason) {
                    proxy.end(code, reason);
                }
            } });
        return proxy;
    }

    end(code, reason) {
        if (this.closed !== null)
            return;
        this.closed = { code, reason };
        queueMicrotask(() => this.socket.onclose?.({ code, reason }));
    }

    /** A text from the client. */
    receive(text) {
        const frame = JSON.parse(text);
        if (frame.type === TO.TYPE)
            return this.#typesIn.feed(fromHex(frame.data));
        if (frame.data) {
            const all = frame.type === TO.GRANTER ?
                decodeAll(fromHex(frame.data)) :
                decodeAll(fromHex(frame.data), this.#typesIn);
            frame.value = all[0].value;
            frame.args = all.slice(1);
        }
        const waiting = this.#waiting.shift();
        if (waiting !== undefined)
            waiting(frame);
        else
            this.frames.push(frame);
    }

    /** The next frame from the client that is not about types. */
    next() {
        if (this.frames.length > 0)
            return Promise.resolve(this.frames.shift());
        return new Promise((resolve) => this.#waiting.push(resolve));
    }

    /** Text as it comes from the network. */
    text(text) {
        if (this.closed === null)
            this.socket.onmessage({ data: text });
    }

    raw(id, type, any) {
        const uint = (n) => toHex(encodeAll(new Any("uint64", n)).subarray(2));
        this.text(uint(id) + uint(type) + toHex(encodeAll(any)));
    }

    /** A frame; a value of the types of the connection where it is one. */
    send(id, type, any) {
        if (BARE.has(type))
            return this.raw(id, type, any);
        const hex = "81" + toHex(encode(this.#typesOut, any.type, any.value));
        this.raw(id, type, new Any("string", hex));
    }

    /** A question with an id of its own; the id. */
    ask(type, any) {
        const id = this.#next;
        this.#next += 2;
        this.send(id, type, any);
        return id;
    }

    finish(id, ...results) {
        this.send(id, FROM.FINAL, new Any(TYPES.response,
            { OutArgs: results }));
    }

    static nil = new Any("any", null);
}

export { Any, FROM, TO, decode, encodeAll, fromHex, toHex, typeOf };
