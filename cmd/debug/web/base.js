// BSD-3-Clause; see LICENSE.
// The page of debug browse. What it shows comes from servers that may say
// anything, so all of it becomes text nodes, never markup. The scripts share
// their names; index.html has their order.
"use strict";

const $ = (id) => document.getElementById(id);
const main = $("main");

// ---- elements --------------------------------------------------------------

// h("a", {href: "#"}, "text", child, …): attributes by name; on… is a listener.
function h(tag, attrs, ...kids) {
    const svg = tag === "svg" || tag === "path";
    const e = svg ? document.createElementNS("http://www.w3.org/2000/svg", tag)
        : document.createElement(tag);
    for (const [k, v] of Object.entries(attrs || {})) {
        if (k.startsWith("on"))
            e.addEventListener(k.slice(2), v);
        else if (k === "style")
            Object.assign(e.style, v);
        else if (v !== undefined && v !== null && v !== false)
            e.setAttribute(k, v === true ? "" : v);
    }
    add(e, kids);
    return e;
}
function add(e, kids) {
    for (const k of [kids].flat(Infinity))
        if (k !== undefined && k !== null && k !== false)
            e.append(k);
    return e;
}
function put(e, ...kids) {
    e.replaceChildren();
    return add(e, kids);
}

// ---- questions -------------------------------------------------------------

const reasons = {
    "v.io/v23/verror.NoExist": "There is nothing of that name.",
    "v.io/v23/verror.NoExistOrNoAccess":
        "There is nothing of that name, or you may not see it.",
    "v.io/v23/verror.NoAccess": "You are not allowed to see this.",
    "v.io/v23/verror.NotTrusted": "The server is not one that you trust.",
    "v.io/v23/verror.NoServers": "No server answers under this name.",
    "v.io/v23/verror.Timeout": "The server did not answer in time.",
    "v.io/v23/verror.Canceled": "The question was taken back.",
    "v.io/v23/verror.EndOfFile": "There is nothing more.",
    "v.io/v23/verror.UnknownMethod": "This object cannot be asked for that.",
    "v.io/v23/verror.UnknownSuffix": "There is no object of that name.",
    "v.io/v23/verror.NoServersAndAuth": "No server that you trust answers.",
    "v.io/v23/naming.nameDoesntExist": "There is nothing of that name.",
};

class Refused extends Error {
    constructor(text, id) {
        super(text);
        this.id = id;
    }
}

// Ask; line(object) for each line of the answer but the last, which is
// returned. Throws Refused, or AbortError when the signal says so.
async function ask(what, params, signal, line) {
    let response;
    try {
        response = await fetch("api/" + what + "?" +
            new URLSearchParams(params), { signal, cache: "no-store" });
    } catch (e) {
        if (e.name === "AbortError")
            throw e;
        throw new Refused("debug browse is not running any more.", "gone");
    }
    if (!response.ok)
        throw new Refused(await response.text(), "http");
    const reader = response.body.pipeThrough(new TextDecoderStream())
        .getReader();
    let rest = "", last;
    for (;;) {
        let chunk;
        try {
            chunk = await reader.read();
        } catch (e) {
            if (e.name === "AbortError")
                throw e;
            break;
        }
        if (chunk.done)
            break;
        const lines = (rest + chunk.value).split("\n");
        rest = lines.pop();
        for (const text of lines) {
            const o = JSON.parse(text);
            if (o.error !== undefined)
                throw new Refused(o.error, o.id);
            if (o.end)
                last = o;
            else if (line)
                line(o);
        }
    }
    if (!last)
        throw new Refused("The answer broke off.", "broken");
    return last;
}

// An error as a sentence, with what the server said behind it.
function complaint(e) {
    const known = reasons[e.id];
    if (!known)
        return h("div", { class: "error", role: "alert" }, e.message ||
            "Something went wrong.");
    return h("div", { class: "error", role: "alert" }, known,
        h("details", {}, h("summary", {}, "What was said"),
            h("code", {}, e.message)));
}
const aborted = (e) => e.name === "AbortError";

// Run something that lasts while the tab can be seen: browsers give all tabs
// together few connections, and one that nobody looks at needs none.
function live(signal, run) {
    let now = null;
    const update = () => {
        if (signal.aborted || document.hidden) {
            if (now)
                now.abort();
            now = null;
        } else if (!now) {
            now = new AbortController();
            run(now.signal);
        }
    };
    document.addEventListener("visibilitychange", update, { signal });
    signal.addEventListener("abort", update);
    update();
}

// ---- names -----------------------------------------------------------------

const join = (a, b) => a === "" ? b : b === "" ? a
    : a.replace(/\/+$/, "") + "/" + b;
const escaped = (s) => s.replace(/[*?[\]\\]/g, "\\$&");
const last = (s) => s.replace(/\/+$/, "").split("/").pop();
// What stands behind a name's parent.
const behind = (name, parent) => name.startsWith(parent)
    ? name.slice(parent.length).replace(/^\/+/, "") : last(name);
// No more of a text than a page can bear.
const cut = (s) => s.length > 200000 ? s.slice(0, 200000) + " … and " +
    (s.length - 200000).toLocaleString("en") + " characters more" : s;
const plural = (n, word) => n.toLocaleString("en") + " " + word +
    (n === 1 ? "" : "s");

// ---- addresses of the page: #view?n=…&… ------------------------------------

function here() {
    const [view, query] = location.hash.slice(1).split("?");
    return { view: view || "names", args: new URLSearchParams(query || "") };
}
const link = (view, args) => "#" + view + "?" + new URLSearchParams(args);
function go(view, args) {
    location.hash = link(view, args).slice(1);
}
