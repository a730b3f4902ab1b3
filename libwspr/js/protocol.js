// BSD-3-Clause; see LICENSE.
/** What a page and the proxy say to each other. Source: wspr.md 3, 4, 7, 8. */
import { Parser, checkType, typeOf } from "./types.js";

/** Types of messages to the proxy, and from it. */
export const TO = { REQUEST: 0, RESPONSE: 2, ITEM: 3, ITEMS_END: 4,
    LOOKUP: 11, AUTHORIZATION: 12, CANCEL: 17, CAVEATS: 21, GRANTER: 22,
    TYPE: 23 };
export const FROM = { FINAL: 0, ITEM: 1, ERROR: 2, INVOKE: 3, ITEMS_END: 4,
    LOOKUP: 5, AUTHORIZE: 6, CANCEL: 7, CAVEATS: 8, LOG: 9, GRANTER: 10,
    BLESSINGS: 11, TYPE: 12 };

const P = "v.io/x/ref/services/wspr/internal", V = "v.io/v23";
export const BLESSINGS_ID = `${P}/principal.BlessingsId`;

const DURATION = "time.Duration struct{Seconds int64;Nanos int32}";
const TRACE = `${V}/vtrace.Request struct{SpanId ${V}/uniqueid.Id [16]byte;` +
    `TraceId ${V}/uniqueid.Id;Flags ${V}/vtrace.TraceFlags int32;` +
    "LogLevel int32}";
const ARG = "signature.Arg struct{Name string;Doc string;Type typeobject}";
const SIGNATURE = "[]signature.Interface struct{Name string;PkgPath string;" +
    "Doc string;Embeds []signature.Embed struct{Name string;PkgPath string;" +
    "Doc string};Methods []signature.Method struct{Name string;Doc string;" +
    `InArgs []${ARG};OutArgs []signature.Arg;InStream ?signature.Arg;` +
    "OutStream ?signature.Arg;Tags []any}}";
const CAVEATS = `[]${V}/security.Caveat struct{Id ${V}/uniqueid.Id ` +
    "[16]byte;ParamVom []byte}";
const WIRE_BLESSINGS = `${V}/security.WireBlessings struct{` +
    `CertificateChains [][]${V}/security.Certificate struct{` +
    `Extension string;PublicKey []byte;Caveats ${CAVEATS};` +
    `Signature ${V}/security.Signature struct{Purpose []byte;` +
    `Hash ${V}/security.Hash string;R []byte;S []byte}}}`;
const PATTERN = `${V}/security.BlessingPattern string`;

export const types = {
    request: typeOf(`${P}/app.RpcRequest struct{Name string;Method string;` +
        "NumInArgs int32;NumOutArgs int32;IsStreaming bool;" +
        `Deadline time.WireDeadline struct{FromNow ${DURATION};` +
        `NoDeadline bool};TraceRequest ${TRACE};` +
        `Context ${P}/rpc/server.Context struct{Language string};` +
        `CallOptions []${P}/app.RpcCallOption union{` +
        `AllowedServersPolicy []${PATTERN};` +
        `Granter ${P}/app.GranterHandle int32}}`),
    reply: typeOf(`${P}/lib.ServerRpcReply struct{Results []any;Err error}`),
    lookup: typeOf(`${P}/rpc/server.LookupReply struct{Handle int32;` +
        "HasAuthorizer bool;HasGlobber bool;" +
        `Signature ${SIGNATURE};Err error}`),
    authorization: typeOf(`${P}/rpc/server.AuthReply struct{Err error}`),
    caveats: typeOf(`${P}/rpc/server.CaveatValidationResponse struct{` +
        "Results []error}"),
    granter: typeOf(`${P}/app.GranterResponse struct{` +
        `Blessings ${WIRE_BLESSINGS};Err error}`),
    globReply: typeOf(`${V}/naming.GlobReply union{` +
        `Entry ${V}/naming.MountEntry struct{Name string;` +
        `Servers []${V}/naming.MountedServer struct{Server string;` +
        `Deadline time.WireDeadline struct{FromNow ${DURATION};` +
        "NoDeadline bool}};" +
        "ServesMountTable bool;IsLeaf bool};" +
        `Error ${V}/naming.GlobError struct{Name string;Error error}}`),
};

const methods = new Map();

/**
 * The signature of a method from a text like that of VDL, where parameters
 * are a name and a type and types are whole ({@link typeOf}):
 *
 *     Add(a int32, b int32) (sum int32 | error)
 *     Count(to int32) stream<_, int32> error
 *     Get(key string) any | error
 *
 * @param {string} text
 * @returns {object} a signature.Method, as signature() returns them
 * @throws {SyntaxError} if the text is none
 */
export function parseMethod(text) {
    let method = methods.get(text);
    if (method !== undefined)
        return method;
    const p = new Parser(text.trim());
    const arg = (name, type) => {
        checkType(type);
        return { Name: name, Doc: "", Type: type };
    };
    const named = () => {
        const args = [];
        while (!p.take(")")) {
            if (args.length > 0)
                p.need(", ");
            const name = p.word();
            p.need(" ");
            args.push(arg(name, p.type()));
            if (p.take(" | error")) {
                p.need(")");
                break;
            }
        }
        return args;
    };
    const item = () => p.take("_") ? null : arg("", p.type());
    method = { Name: p.word(), Doc: "", InArgs: [], OutArgs: [],
        InStream: null, OutStream: null, Tags: [] };
    p.need("(");
    method.InArgs = named();
    if (p.take(" stream<")) {
        method.InStream = item();
        p.need(", ");
        method.OutStream = item();
        p.need(">");
    }
    if (p.take(" (")) {
        method.OutArgs = named();
    } else if (!p.take(" error") && p.take(" ")) {
        method.OutArgs = [arg("", p.type())];
        p.take(" | error");
    }
    p.end();
    methods.set(text, method);
    return method;
}

const table = (texts) => new Map(texts.map(parseMethod).map((m) =>
    [m.Name, m]));

/** The objects of the proxy itself. */
export const CONTROLLER = table([
    "NewServer(name string, serverId uint32, options []" + P +
        "/app.RpcServerOption union{IsLeaf bool;ServesMountTable bool})",
    "Stop(serverId uint32)",
    "AddName(serverId uint32, name string)",
    "RemoveName(serverId uint32, name string)",
    `Bless(key []byte, with ${WIRE_BLESSINGS}, extension string, ` +
        `caveats ${CAVEATS}) any`,
    `BlessSelf(name string, caveats ${CAVEATS}) any`,
    `AddToRoots(blessings ${WIRE_BLESSINGS})`,
    `BlessingStoreSet(blessings ${WIRE_BLESSINGS}, pattern ${PATTERN}) any`,
    "BlessingStoreForPeer(names []string) any",
    `BlessingStoreSetDefault(blessings ${WIRE_BLESSINGS})`,
    "BlessingStoreDefault() any",
    "BlessingStorePublicKey() any",
    "BlessingStorePeerBlessings() any",
    "BlessingStoreDebugString() any",
    "RemoteBlessings(name string, method string) any",
    "Signature(name string) any",
]);

const PERMISSIONS = `${V}/security/access.Permissions map[string]` +
    `${V}/security/access.AccessList struct{In []${PATTERN};` +
    "NotIn []string}";

export const NAMESPACE = table([
    `Glob(pattern string) stream<_, any>`,
    `Mount(name string, server string, ttl ${DURATION}, replace bool)`,
    "Unmount(name string, server string)",
    "Resolve(name string) any",
    "ResolveToMountTable(name string) any",
    "ShallowResolve(name string) any",
    "FlushCacheEntry(name string) any",
    "DisableCache(disable bool)",
    "Roots() any",
    "SetRoots(roots []string)",
    `SetPermissions(name string, permissions ${PERMISSIONS}, ` +
        "version string)",
    "GetPermissions(name string) (permissions any, version any)",
    "Delete(name string, deleteSubtree bool)",
]);
