// BSD-3-Clause; see LICENSE.
// The demonstration: names, what an object can do, calls and streams.
import { Blessings, connect } from "../vanadium.js";
import { format } from "../text.js";
import { el, field } from "./form.js";

/** A stream shows its last so many items, a value so many characters. */
const SHOWN = 200, LONG = 100000;
const $ = (id) => document.getElementById(id);
let client = null, opened = 0;

async function start() {
    $("state").replaceChildren("Connecting …");
    try {
        client = await connect();
    } catch (e) {
        return lost(e.message);
    }
    $("state").replaceChildren();
    const mine = client;
    client.closed.then(({ reason }) => mine === client &&
        lost(`The connection to the proxy is gone. ${reason}`));
    names();
    show();
    const [me, roots] = await Promise.all([client.principal.blessings(),
        client.namespace.roots()]).catch((e) => [e.message, []]);
    $("me").textContent = `You are ${me ?? "nobody"}; names begin at ` +
        (roots.join(", ") || "no mount table") + ".";
}

function lost(why) {
    client = null;
    $("state").replaceChildren(why + " ", el("button", { type: "button",
        onclick: start }, "Connect again"));
}

/** A sentence for an error. */
function failure(e) {
    return el("div", { className: "error", role: "alert" }, e.message,
        ...(e.id ? [el("br"), el("code", {}, e.id)] : []));
}

// The name space.

function names() {
    const root = el("ul", { className: "names" });
    $("names").replaceChildren(el("h2", {}, "Names"), root);
    fill(root, "");
}

/** Fills a list with what is below a name. */
async function fill(list, prefix) {
    list.replaceChildren(el("li", { className: "soft" }, "…"));
    const pattern = (prefix === "" ? "" : escape(prefix) + "/") + "*";
    const found = new Map(), errors = [];
    try {
        for await (const e of client.namespace.glob(pattern,
            { timeout: 15000 }))
            if (e.Error)
                errors.push(e.Error);
            else
                found.set(e.Name, e);
    } catch (e) {
        errors.push(e);
    }
    const rows = [...found.values()].sort((a, b) => a.Name < b.Name ? -1 : 1)
        .map(row);
    list.replaceChildren(...rows, ...errors.map((e) => el("li", {},
        failure(e))));
    if (rows.length + errors.length === 0)
        list.append(el("li", { className: "soft" }, "nothing below it"));
    mark();
}

const escape = (name) => name.replace(/[\\*?[]/g, "\\$&");

function row(e) {
    const below = el("ul", { hidden: true });
    const toggle = el("button", { type: "button", className: "toggle",
        "aria-expanded": "false", "aria-label": `what is below ${e.Name}`,
        onclick() {
            below.hidden = !below.hidden;
            toggle.setAttribute("aria-expanded", String(!below.hidden));
            toggle.textContent = below.hidden ? "▸" : "▾";
            if (!below.hidden)
                fill(below, e.Name);
        } }, "▸");
    toggle.style.visibility = e.IsLeaf ? "hidden" : "";
    return el("li", {}, el("div", {}, toggle, el("button", { type: "button",
        className: "name", title: e.Name, onclick() {
            location.hash = encodeURIComponent(e.Name);
        } }, e.Name.split("/").at(-1)), e.ServesMountTable ?
        el("span", { className: "badge" }, "table") : null), below);
}

function mark() {
    const name = current();
    for (const b of document.querySelectorAll(".names .name"))
        b.setAttribute("aria-current", String(b.title === name));
}

// An object.

function current() {
    try {
        return decodeURIComponent(location.hash.slice(1));
    } catch {
        return "";
    }
}

async function show() {
    const name = current(), turn = ++opened, main = $("main");
    $("name").value = name;
    mark();
    if (client === null)
        return;
    if (name === "") {
        main.replaceChildren(el("h1", {}, "Vanadium"), el("p", {},
            "Open a name on the left, or type one above: this page shows " +
            "what the object can do, calls it and watches its streams."));
        return;
    }
    document.title = `${name} – Vanadium`;
    main.replaceChildren(el("h1", {}, name), el("p", { className: "soft" },
        "Asking what it can do …"));
    const parts = [], soon = { timeout: 15000 };
    try {
        const where = await client.namespace.resolve(name, soon);
        parts.push(el("details", {}, el("summary", { className: "soft" },
            `at ${where.length} address${where.length === 1 ? "" : "es"}`),
        ...where.map((a) => el("pre", {}, a))));
        parts.push(...(await client.signature(name, { ...soon, fresh: true }))
            .map(part));
    } catch (e) {
        parts.push(failure(e));
    }
    if (turn !== opened)
        return;
    main.replaceChildren(el("h1", {}, name), ...parts);
    function part(i) {
        const inside = [about(i.Doc), ...i.Methods.map((m) => method(name, m))];
        const title = [i.PkgPath, i.Name].filter((s) => s !== "").join(".");
        return i.Name === "__Reserved" ? el("details", { className:
            "reserved" }, el("summary", { className: "soft" },
            "what every server can do"), ...inside) :
            el("section", {}, el("h2", {}, title || "Methods"), ...inside);
    }
}

/** A type without what is in the types that have names. */
const short = (type) => type.name || ({ optional: () => "?" + short(type.elem),
    list: () => "[]" + short(type.elem), set: () => `set[${short(type.key)}]`,
    map: () => `map[${short(type.key)}]${short(type.elem)}`,
    array: () => `[${type.len}]${short(type.elem)}`,
})[type.kind]?.() || String(type);

/** A signature as VDL writes it. */
function text(m) {
    const args = (list) => list.map((a) => [a.Name, short(a.Type)].filter(
        (s) => s !== "").join(" ")).join(", ");
    const item = (i) => i === null ? "_" : short(i.Type);
    return `${m.Name}(${args(m.InArgs)})` + (m.InStream || m.OutStream ?
        ` stream<${item(m.InStream)}, ${item(m.OutStream)}>` : "") +
        (m.OutArgs.length > 0 ? ` (${args(m.OutArgs)} | error)` : " error");
}

/** Documentation, which is a comment of VDL. */
const about = (doc) => doc === "" ? null : el("p", { className: "soft" },
    doc.replace(/^\/\/ ?/gm, ""));

function method(name, m) {
    const fields = m.InArgs.map((a, i) => field(a.Type, a.Name ||
        `argument ${i + 1}`));
    const streams = m.InStream !== null || m.OutStream !== null;
    const result = el("div", { className: "result", "aria-live": "polite" });
    const call = el("button", {}, streams ? "Start" : "Call");
    const stop = el("button", { type: "button", disabled: true }, "Stop");
    const form = el("form", { onsubmit(event) {
        event.preventDefault();
        run();
    } }, ...fields.map((f) => f.element), el("div", { className: "bar" }, call,
        stop));
    async function run() {
        const canceler = new AbortController(), started = performance.now();
        let args;
        try {
            args = fields.map((f) => f.read());
        } catch (e) {
            result.replaceChildren(failure(e));
            return;
        }
        call.disabled = true;
        stop.disabled = false;
        stop.onclick = () => canceler.abort();
        const options = { typed: true, signal: canceler.signal };
        try {
            result.replaceChildren(streams ? "" : "…");
            const value = streams ? await stream(name, m, args, options,
                result) : await client.call(name, m.Name, args, options);
            const ms = Math.round(performance.now() - started);
            const values = m.OutArgs.length === 0 ? [] :
                m.OutArgs.length === 1 ? [value] : value;
            result.append(...(values.length === 0 ? [el("output", {}, "done")]
                : values.map((v, i) => el("output", {}, (m.OutArgs[i].Name ?
                    m.OutArgs[i].Name + " = " : "") + line(v) + "\n"))),
            el("div", { className: "soft" }, `${ms} ms`));
            if (!streams)
                result.firstChild.remove();
        } catch (e) {
            if (!streams)
                result.replaceChildren();
            result.append(failure(e));
        }
        call.disabled = false;
        stop.disabled = true;
    }
    return el("article", { className: "box", "data-method": m.Name },
        el("h3", {}, text(m)),
        about(m.Doc),
        m.Tags.length === 0 ? null : el("p", { className: "soft" }, "tags: ",
            m.Tags.map((t) => t === null ? "nil" : String(t.value)).join(", ")),
        form, result);
}

/** A value as text, not more than a page can show. */
function line(v) {
    const text = v === null ? "nil" : v.value instanceof Blessings ?
        String(v.value) : format(v);
    return text.length > LONG ? text.slice(0, LONG) + " …" : text;
}

/** Shows what a stream sends, asks for what it takes; its result. */
async function stream(name, m, args, options, result) {
    const s = client.stream(name, m.Name, args, options);
    const items = el("ol", { className: "items", tabIndex: 0,
        "aria-label": "items" });
    const count = el("div", { className: "soft" });
    if (m.InStream !== null) {
        const f = field(m.InStream.Type, m.InStream.Name || "item");
        const wrong = el("div");
        const buttons = [el("button", { type: "button", onclick() {
            wrong.replaceChildren();
            try {
                const value = f.read();
                s.send(value).catch((e) => wrong.replaceChildren(failure(e)));
            } catch (e) {
                wrong.replaceChildren(failure(e));
            }
        } }, "Send"), el("button", { type: "button", onclick() {
            s.close();
            buttons.forEach((b) => { b.disabled = true; });
        } }, "No more")];
        result.append(f.element, el("div", { className: "bar" }, ...buttons),
            wrong);
        s.result.catch(() => {}).then(() => buttons.forEach((b) => {
            b.disabled = true;
        }));
    }
    result.append(count, items);
    let n = 0, waiting = [];
    // Streams are faster than pages: what came is shown once for each picture.
    const show = () => {
        const low = items.scrollTop + items.clientHeight >=
            items.scrollHeight - 4, first = n - waiting.length + 1;
        items.append(...waiting.map((item, i) => el("li", { value: first + i },
            el("output", {}, line(item)))));
        waiting = [];
        while (items.children.length > SHOWN)
            items.firstChild.remove();
        count.textContent = `${n} item${n === 1 ? "" : "s"}`;
        if (low)
            items.scrollTop = items.scrollHeight;
    };
    try {
        for await (const item of s) {
            if (waiting.length === 0)
                requestAnimationFrame(show);
            else if (waiting.length === SHOWN)
                waiting.shift();
            waiting.push(item);
            n++;
        }
    } finally {
        show();
    }
    return s.result;
}

$("go").onsubmit = (event) => {
    event.preventDefault();
    const wanted = encodeURIComponent($("name").value.trim());
    if (location.hash === `#${wanted}`)
        show();
    else
        location.hash = wanted;
};
// Not a link to #main, which would be a name.
document.querySelector(".skip").onclick = (event) => {
    event.preventDefault();
    $("main").focus();
};
window.onhashchange = show;
start();
