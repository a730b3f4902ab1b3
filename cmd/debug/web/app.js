// BSD-3-Clause; see LICENSE.
// The page of debug browse. What it shows comes from servers that may say
// anything, so all of it becomes text nodes, never markup.
"use strict";

const $ = (id) => document.getElementById(id);
const main = $("main");
const MAX_ROWS = 2000; // of a table of values
const MAX_LINES = 5000; // of a log

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

// ---- a tree that is loaded as it is opened ---------------------------------

// load(node) gives children {label, name, pattern, kids, …}; pick(node) is
// called for the selected one.
class Tree {
    constructor(label, load, pick) {
        this.load = load;
        this.pick = pick;
        this.list = h("ul", { role: "group" });
        this.element = h("div", { class: "tree", role: "tree",
            "aria-label": label, onkeydown: (e) => this.key(e) }, this.list);
    }

    add(node, list, level) {
        node.level = level || 1;
        node.twist = h("span", { class: "twist", "aria-hidden": "true" },
            node.kids ? "▸" : "");
        node.row = h("button", { class: "row", role: "treeitem", tabindex: -1,
            type: "button", "aria-level": node.level, title: node.label,
            "aria-expanded": node.kids ? "false" : null,
            style: { paddingLeft: (node.level - 1) * 14 + 2 + "px" },
            onclick: (e) => {
                if (e.target === node.twist)
                    this.toggle(node);
                else
                    this.select(node);
            } }, node.twist, h("span", { class: "label" }, node.label),
            node.badges);
        node.row.node = node;
        node.below = h("ul", { role: "group", hidden: true });
        (list || this.list).append(h("li", { role: "none" }, node.row,
            node.below));
        if (!this.element.querySelector("[tabindex='0']"))
            node.row.tabIndex = 0;
        return node;
    }

    async open(node) {
        if (!node.kids)
            return;
        node.row.setAttribute("aria-expanded", "true");
        node.twist.textContent = "▾";
        node.below.hidden = false;
        if (node.children)
            return;
        node.children = [];
        const indent = { paddingLeft: node.level * 14 + 18 + "px" };
        const wait = h("li", { class: "note", style: indent }, "…");
        node.below.append(wait);
        try {
            await this.load(node, (child) => {
                const before = node.children.findIndex(
                    (c) => c.label > child.label);
                node.children.push(this.add(child, node.below,
                    node.level + 1));
                if (before >= 0) {
                    node.below.insertBefore(child.row.parentNode,
                        node.children[before].row.parentNode);
                    node.children.splice(before, 0, node.children.pop());
                }
            }, (text, bad) => node.below.append(h("li", { style: indent,
                class: bad ? "note bad" : "note" }, text)));
            if (node.below.childNodes.length === 1) { // nothing but "…"
                node.kids = false;
                node.twist.textContent = "";
                node.row.removeAttribute("aria-expanded");
            }
        } catch (e) {
            if (!aborted(e))
                node.below.append(h("li", { class: "note bad", style: indent },
                    reasons[e.id] || e.message));
            node.children = null;
        }
        wait.remove();
    }

    close(node) {
        if (!node.kids)
            return;
        node.row.setAttribute("aria-expanded", "false");
        node.twist.textContent = "▸";
        node.below.hidden = true;
        if (!node.children) // it failed: next time again
            node.below.replaceChildren();
    }

    toggle(node) {
        if (node.row.getAttribute("aria-expanded") === "true")
            this.close(node);
        else
            this.open(node);
    }

    mark(node) {
        for (const r of this.element.querySelectorAll("[aria-selected]"))
            r.removeAttribute("aria-selected");
        for (const r of this.element.querySelectorAll("[tabindex='0']"))
            r.tabIndex = -1;
        node.row.setAttribute("aria-selected", "true");
        node.row.tabIndex = 0;
    }

    select(node) {
        this.mark(node);
        node.row.focus({ preventScroll: true });
        this.open(node);
        this.pick(node);
    }

    key(e) {
        const rows = [...this.element.querySelectorAll(".row")].filter(
            (r) => r.offsetParent !== null);
        const i = rows.indexOf(document.activeElement);
        if (i < 0)
            return;
        const node = rows[i].node;
        const open = rows[i].getAttribute("aria-expanded") === "true";
        const to = { ArrowDown: i + 1, ArrowUp: i - 1, Home: 0,
            End: rows.length - 1 }[e.key];
        if (to !== undefined && rows[to])
            rows[to].focus();
        else if (e.key === "ArrowRight" && !open)
            this.open(node);
        else if (e.key === "ArrowRight" && rows[i + 1])
            rows[i + 1].focus();
        else if (e.key === "ArrowLeft" && open)
            this.close(node);
        else if (e.key === "ArrowLeft") {
            const up = rows[i].closest("ul").parentNode.querySelector(".row");
            if (up)
                up.focus();
        } else
            return;
        e.preventDefault();
    }
}

// Children of a name by glob, for trees.
async function globChildren(node, found, note, signal) {
    const seen = new Set();
    let n = 0;
    const end = await ask("glob", { n: join(node.pattern, "*") }, signal,
        (e) => {
            const label = behind(e.name, node.name);
            if (e.problem !== undefined) {
                note((e.name ? last(e.name) + ": " : "") + e.problem, true);
            } else if (label && !seen.has(label)) {
                seen.add(label);
                n++;
                found({ label, name: join(node.name, label),
                    pattern: join(node.pattern, escaped(label)), entry: e,
                    kids: !e.leaf });
            }
        });
    if (end.cut)
        note("Only the first " + plural(n, "name") + " are shown.");
    return n;
}

// ---- view: names -----------------------------------------------------------

function serverRows(servers) {
    return h("table", {}, h("thead", {}, h("tr", {}, ["Protocol", "Address",
        "Blessings", "Routing id", "Ends"].map((t) => h("th", {}, t)))),
    h("tbody", {}, servers.map((s) => h("tr", {}, h("td", {}, s.protocol),
        h("td", { class: "name" }, s.address || s.server),
        h("td", {}, (s.blessings || []).map((b) => h("span",
            { class: "badge" }, b))),
        h("td", { class: "name soft" }, s.rid || ""),
        h("td", {}, s.left === undefined ? "never"
            : s.left < 0 ? "now" : "in " + span(s.left * 1e9))))));
}

async function nameDetails(name, box, signal) {
    const servers = h("div", {}, h("p", { class: "soft" }, "Resolving …"));
    const who = h("div", {}, h("p", { class: "soft" }, "Asking …"));
    put(box, h("div", { class: "bar" }, h("h1", { class: "mono" },
        name || "The name space"),
    name && name !== serverOf() && h("a", { class: "button", href:
        link("names", { n: name }) }, "Open as server"),
    name && h("a", { class: "button", href: link("signature",
        { n: serverOf(), o: name }) }, "Signature")));
    if (!name) {
        add(box, h("p", {}, "What the roots of the name space know:"),
            (info.roots || []).map((r) => h("p", {}, h("code", {}, r))));
        return;
    }
    add(box, [h("h2", {}, "Servers"), servers, h("h2", {}, "Who answers"),
        who]);
    const first = ask("resolve", { n: name }, signal).then((e) =>
        put(servers, e.servers.length ? serverRows(e.servers) : h("p",
            { class: "soft" }, "Nobody serves this name."))).catch((err) => {
        if (!/nameDoesntExist|NoExist$/.test(err.id))
            throw err;
        put(servers, h("p", { class: "soft" },
            "Nothing is mounted at this name itself."));
    });
    const second = ask("identify", { n: name }, signal).then((e) =>
        put(who, h("dl", {}, h("dt", {}, "Address"), h("dd", { class: "mono" },
            e.address), h("dt", {}, "Says that it is"), h("dd", {},
            e.presented.split(",").map((b) => h("span", { class: "badge" },
                b))), h("dt", {}, "You recognize"), h("dd", {},
            e.valid.length ? e.valid.map((b) => h("span",
                { class: "badge" }, b)) : h("span", { class: "badge bad" },
                "none of it")), h("dt", {}, "Public key"),
        h("dd", { class: "mono" }, e.key || ""))));
    await Promise.all([[first, servers], [second, who]].map(([p, e]) =>
        p.catch((err) => aborted(err) || put(e, complaint(err)))));
}

function namesView(n, args, signal) {
    const box = h("section", { class: "box" });
    let running = new AbortController();
    const tree = new Tree("Names", (node, found, note) => {
        if (node.server)
            found({ label: "__debug", name: join(node.name, "__debug"),
                pattern: join(node.pattern, "__debug"), kids: true });
        return globChildren(node, found, note, signal);
    }, (node) => {
        running.abort();
        running = new AbortController();
        signal.addEventListener("abort", () => running.abort());
        nameDetails(node.name, box, running.signal);
    });
    put(main, h("div", { class: "split" }, h("aside", { class: "box" },
        tree.element), box));
    const root = tree.add({ label: n, name: n, pattern: n, kids: true,
        server: true });
    tree.add({ label: "name space", name: "", pattern: "", kids: true });
    tree.select(root);
}

// ---- view: signature -------------------------------------------------------

// Some compilers keep the marks of comments.
const doc = (s) => s.replace(/^\/\/ ?/gm, "").trim();

function argText(a) {
    return (a.name ? a.name + " " : "") + a.type;
}
function methodLine(m) {
    const ins = m.in.map(argText).join(", ");
    const outs = [...m.out.map(argText)];
    let text = "(" + ins + ")";
    if (m.inStream.length || m.outStream.length)
        text += " stream<" + (m.inStream.length ? argText(m.inStream[0]) : "_")
            + ", " + (m.outStream.length ? argText(m.outStream[0]) : "_") +
            ">";
    text += outs.length ? " (" + outs.join(", ") + " | error)" : " error";
    return h("div", { class: "sig" }, h("b", {}, m.name), text, " ",
        m.tags.map((t) => h("span", { class: "badge" }, t)));
}

async function signatureView(n, args, signal) {
    const object = args.get("o") || n;
    const input = h("input", { value: object, class: "mono", size: 60,
        "aria-label": "Object name", spellcheck: "false" });
    const out = h("div", {}, h("p", { class: "soft" }, "Asking …"));
    put(main, h("form", { class: "bar", onsubmit: (e) => {
        e.preventDefault();
        go("signature", { n, o: input.value });
    } }, h("h1", {}, "What can be called"), input,
    h("button", {}, "Show")), out);
    put(out);
    try {
        const end = await ask("signature", { n: object }, signal, (x) => {
            add(out, h("section", { class: "box", style: {
                marginBottom: "14px" } }, h("h2", {}, x.name || "(no name)",
                h("span", { class: "count" }, x.pkg)),
            x.doc && h("p", { class: "soft doc" }, doc(x.doc)),
            x.methods.map((m) => h("div", { class: "method" }, methodLine(m),
                m.doc && h("p", { class: "doc" }, doc(m.doc))))));
        });
        if (end.types)
            add(out, h("section", { class: "box" }, h("h2", {}, "Types"),
                h("pre", {}, end.types.trim())));
    } catch (e) {
        aborted(e) || add(out, complaint(e));
    }
}

// ---- view: stats -----------------------------------------------------------

function histogram(v) {
    const most = Math.max(1, ...v.Buckets.map((b) => b.Count));
    const used = v.Buckets.map((b) => b.Count !== 0);
    const from = Math.max(0, used.indexOf(true) - 1);
    const to = Math.min(v.Buckets.length, used.lastIndexOf(true) + 2);
    const figure = (name, x) => h("div", {}, x, h("span", {}, name));
    const number = (x) => v.Count ? x.toLocaleString("en") : "–";
    return [h("div", { class: "figures" }, figure("count",
        v.Count.toLocaleString("en")), figure("least", number(v.Min)),
    figure("greatest", number(v.Max)), figure("average", v.Count
        ? (v.Sum / v.Count).toLocaleString("en",
            { maximumFractionDigits: 2 }) : "–")),
    h("div", { class: "hist", role: "img", "aria-label": "Histogram of " +
        plural(v.Count, "value") }, v.Buckets.slice(from, to).map((b, i) => {
        const next = v.Buckets[from + i + 1];
        return [h("div", { class: "range" }, b.LowBound.toLocaleString("en"),
            next ? " – " + next.LowBound.toLocaleString("en") : " and more"),
        h("div", { class: "track" }, h("div", { class: "fill", style: {
            width: 100 * b.Count / most + "%" } })),
        h("div", { class: "much" }, b.Count.toLocaleString("en"), v.Count
            ? h("span", { class: "soft" }, " · " + (100 * b.Count / v.Count)
                .toFixed(1) + " %") : "")];
    })),
    to - from < v.Buckets.length && v.Count > 0 && h("p", { class: "soft" },
        "Empty buckets at the ends are left out.")];
}

function series(v) {
    const values = v.Values || [];
    const low = Math.min(0, ...values), high = Math.max(1, ...values);
    const step = 100 / Math.max(1, values.length - 1);
    const path = values.map((y, i) => (i ? "L" : "M") + (i * step).toFixed(2) +
        " " + (38 - 36 * (y - low) / (high - low)).toFixed(2)).join("");
    const svg = h("svg", { viewBox: "0 0 100 40", class: "spark",
        preserveAspectRatio: "none", role: "img", "aria-label":
            "Series from " + low + " to " + high },
    h("path", { d: path || "M0 38L100 38" }));
    return [svg, h("div", { class: "scale" }, h("span", {}, new Date(
        v.StartTime).toLocaleTimeString()), h("span", {},
        "up to " + high.toLocaleString("en")), h("span", {},
        plural(values.length, "value") + ", one every " +
        span(v.Resolution)))];
}

function brief(v) {
    if (v.gone)
        return "gone";
    if (v.histogram)
        return v.histogram.Count === 0 ? "no values yet"
            : plural(v.histogram.Count, "value") + ", " + v.histogram.Min +
              " to " + v.histogram.Max + ", average " +
              (v.histogram.Sum / v.histogram.Count).toLocaleString("en",
                  { maximumFractionDigits: 2 });
    if (v.series)
        return plural((v.series.Values || []).length, "value") + " every " +
            span(v.series.Resolution);
    return v.text.length > 400 ? v.text.slice(0, 400) + " …" : v.text;
}

function whole(v) {
    if (v.histogram)
        return histogram(v.histogram);
    if (v.series)
        return series(v.series);
    return h("div", { class: v.text.length < 60 ? "big" : "mono" }, v.text);
}

// The values at and below a name, as they change.
function watchValues(base, path, n, box, signal) {
    const top = h("div", {}), state = h("p", { class: "soft" }, "Asking …");
    const filter = h("input", { type: "search", placeholder: "filter names",
        "aria-label": "Filter names", hidden: true });
    const body = h("tbody", {});
    const table = h("table", { hidden: true }, h("thead", {}, h("tr", {},
        h("th", {}, "Name"), h("th", {}, "Value"), h("th", { class: "type" },
            "Type"))),
    body);
    const rows = new Map();
    put(box, h("div", { class: "bar" }, h("h1", { class: path ? "mono" : null
    }, path || "All statistics"), filter), state, top, table);
    const apply = (r) => {
        r.row.hidden = !r.name.includes(filter.value);
    };
    filter.addEventListener("input", () => rows.forEach(apply));
    const update = (v) => {
        if (v.problem) {
            put(state, v.problem);
            return;
        }
        if (v.name === "") {
            if (v.type !== "any")
                put(top, whole(v), h("p", { class: "soft", title: v.type },
                    h("code", {}, v.type.split(" ")[0])));
            return;
        }
        let r = rows.get(v.name);
        if (!r && rows.size === MAX_ROWS) {
            put(state, "Only the first " + MAX_ROWS + " values are shown; " +
                "choose a name further down.");
            return;
        }
        if (!r) {
            if (v.type === "any")
                return; // a name with nothing but others below
            r = { name: v.name, value: h("td", { class: "value" }) };
            r.row = h("tr", {}, h("td", { class: "name" }, h("a", {
                href: link("stats", { n, s: join(path, v.name) }) }, v.name)),
            r.value, h("td", { class: "soft mono type", title: v.type },
                v.type.split(" ")[0].split(/[/.]/).pop()));
            rows.set(v.name, r);
            const sorted = [...rows.keys()].sort();
            const next = sorted[sorted.indexOf(v.name) + 1];
            body.insertBefore(r.row, next ? rows.get(next).row : null);
            table.hidden = false;
            filter.hidden = rows.size < 8;
            apply(r);
        } else if (r.text !== brief(v)) {
            r.value.classList.remove("changed");
            void r.value.offsetWidth; // so that it starts again
            r.value.classList.add("changed");
        }
        r.text = brief(v);
        r.value.textContent = r.text;
    };
    live(signal, async (now) => {
        let retry = 2;
        while (!now.aborted) {
            try {
                await ask("watch", { n: join(base, path), p: "..." }, now,
                    (v) => {
                        if (!v.problem)
                            put(state, "Changes are shown as they come.");
                        update(v);
                    });
                put(state, "The server ends the watch. Asking again …");
            } catch (e) {
                if (aborted(e))
                    return;
                put(state, complaint(e));
                if (e.id !== "v.io/v23/verror.NoServers" && e.id !== "gone")
                    return;
            }
            await new Promise((ok) => setTimeout(ok, 1000 * retry));
            retry = Math.min(30, retry * 2);
        }
    });
}

function statsView(n, args, signal) {
    const base = join(n, "__debug/stats");
    const box = h("section", { class: "box" });
    const tree = new Tree("Statistics", (node, found, note) =>
        globChildren(node, found, note, signal),
    (node) => go("stats", { n, s: behind(node.name, base) }));
    const root = tree.add({ label: "stats", name: base, pattern: base,
        kids: true });
    let shown = new AbortController();
    // Open the way down to what is shown.
    const reveal = async (path) => {
        let node = root;
        await tree.open(node);
        for (const part of path ? path.split("/") : []) {
            const child = (node.children || []).find((c) => c.label === part);
            if (!child)
                break;
            node = child;
            await tree.open(node);
        }
        tree.mark(node);
        const frame = tree.element.parentNode; // not the whole page
        frame.scrollTop = node.row.offsetTop - frame.clientHeight / 2;
    };
    const update = (now) => {
        const path = now.get("s") || "";
        shown.abort();
        shown = new AbortController();
        reveal(path);
        watchValues(base, path, n, box, shown.signal);
    };
    signal.addEventListener("abort", () => shown.abort());
    put(main, h("div", { class: "split" }, h("aside", { class: "box" },
        tree.element), box));
    update(args);
    return update;
}

// ---- view: logs ------------------------------------------------------------

function logsView(n, args, signal) {
    const base = join(n, "__debug/logs");
    const list = h("div", { class: "list" }, h("p", { class: "soft" },
        "Asking …"));
    const box = h("section", { class: "box" });
    let shown = new AbortController();
    const update = (now) => {
        const file = now.get("f") || "";
        shown.abort();
        shown = new AbortController();
        for (const a of list.querySelectorAll("a"))
            a.ariaCurrent = a.textContent === file ? "true" : null;
        if (file)
            showLog(base, file, box, shown.signal);
        else
            put(box, h("p", { class: "soft" }, "Choose a file."));
    };
    signal.addEventListener("abort", () => shown.abort());
    put(main, h("div", { class: "split" }, h("aside", { class: "box" }, list),
        box));
    update(args);
    listLogs(n, base, list, signal);
    return update;
}

async function listLogs(n, base, list, signal) {
    const names = [], problems = [], file = here().args.get("f");
    try {
        await ask("glob", { n: join(base, "*") }, signal, (e) => {
            if (e.problem !== undefined)
                problems.push(e.problem);
            else
                names.push(behind(e.name, base));
        });
        names.sort();
        put(list, names.map((f) => h("a", { class: "item", title: f,
            href: link("logs", { n, f }),
            "aria-current": f === file ? "true" : null }, f)),
        problems.map((p) => h("div", { class: "error" }, p)),
        names.length + problems.length === 0 && h("p", { class: "soft" },
            "This server keeps no log files."));
    } catch (e) {
        aborted(e) || put(list, complaint(e));
    }
}

async function showLog(base, file, box, signal) {
    const name = join(base, file), part = 128 * 1024;
    const lines = h("div", { class: "log", tabindex: 0, role: "log",
        "aria-label": "Lines of " + file });
    const state = h("span", { class: "soft" });
    let follow = true, from = 0, size = 0;
    const button = h("button", { "aria-pressed": "true", onclick: () => {
        follow = !follow;
        button.setAttribute("aria-pressed", String(follow));
        restart();
    } }, "Follow");
    const all = h("button", { hidden: true, onclick: () => {
        all.hidden = true;
        from = 0;
        lines.replaceChildren();
        restart();
    } }, "From the beginning");
    put(box, h("div", { class: "bar" }, h("h1", { class: "mono" }, file),
        state, all, button), lines);
    const level = (s) => /^[WEF]\d{4} /.test(s) ? s[0] : null;
    const show = (o) => {
        if (o.problem)
            return;
        const end = lines.scrollTop + lines.clientHeight >=
            lines.scrollHeight - 40;
        lines.append(h("div", { class: level(o.line) }, o.line || " "));
        if (lines.childNodes.length > MAX_LINES)
            lines.firstChild.remove();
        from = o.pos + new TextEncoder().encode(o.line).length + 1;
        if (end)
            lines.scrollTop = lines.scrollHeight;
    };
    try {
        size = (await ask("size", { n: name }, signal)).size;
    } catch (e) {
        aborted(e) || put(box, h("h1", { class: "mono" }, file),
            complaint(e));
        return;
    }
    put(state, bytes(size));
    if (size > part) {
        from = size - part;
        all.hidden = false;
    }
    let stop = new AbortController();
    const restart = () => {
        stop.abort();
        stop = new AbortController();
        signal.addEventListener("abort", () => stop.abort());
        live(stop.signal, async (now) => {
            try {
                const end = await ask("log", { n: name, from,
                    follow: follow ? 1 : 0 }, now, show);
                from = end.next;
            } catch (e) {
                if (!aborted(e) && e.id !== "v.io/v23/verror.EndOfFile")
                    lines.append(complaint(e));
            }
        });
    };
    restart();
}
const bytes = (n) => n < 1024 ? n + " bytes" : n < 1048576
    ? (n / 1024).toFixed(1) + " KiB" : (n / 1048576).toFixed(1) + " MiB";

// ---- view: traces ----------------------------------------------------------

// Nanoseconds for people.
function span(ns) {
    const a = Math.abs(ns);
    const cut = (x) => x.toLocaleString("en", { maximumSignificantDigits: 3 });
    if (a < 1e3)
        return cut(ns) + " ns";
    if (a < 1e6)
        return cut(ns / 1e3) + " µs";
    if (a < 1e9)
        return cut(ns / 1e6) + " ms";
    if (a < 120e9)
        return cut(ns / 1e9) + " s";
    if (a < 7200e9)
        return Math.round(ns / 60e9) + " min";
    return a < 172800e9 ? Math.round(ns / 3600e9) + " h"
        : Math.round(ns / 86400e9) + " days";
}

async function tracesView(n, args, signal) {
    const base = join(n, "__debug/vtrace");
    if (args.get("id")) {
        showTrace(n, base, args.get("id"), signal);
        return;
    }
    const state = h("div", {}, h("p", { class: "soft" }, "Asking …"));
    const count = h("span", { class: "count" });
    put(main, h("section", { class: "box" }, h("div", { class: "bar" },
        h("h1", {}, "Traces", count), h("button", { onclick: render },
            "Refresh")), state));
    const found = [];
    try {
        await ask("traces", { n: base }, signal, (t) => t.problem ||
            found.push(t));
        found.sort((a, b) => a.when < b.when ? 1 : -1);
        put(count, found.length ? String(found.length) : "");
        put(state, found.length ? traceTable(n, found) : h("p",
            { class: "hint" }, "This server has collected no traces. Start " +
            "it with --v23.vtrace.sample-rate=1 to collect all of them."));
    } catch (e) {
        aborted(e) || put(state, complaint(e));
    }
}

function traceTable(n, found) {
    return h("table", { class: "traces" }, h("thead", {}, h("tr", {},
        h("th", {}, "Began"), h("th", {}, "Trace"),
        h("th", { class: "num" }, "Spans"), h("th", { class: "num" },
            "Lasted"))),
    h("tbody", {}, found.map((t) => {
        const to = link("traces", { n, id: t.id });
        return h("tr", { class: "open", onclick: () => {
            location.hash = to.slice(1);
        } }, h("td", { class: "when" }, when(t.when)),
        h("td", { class: "name" }, h("a", { href: to, title: t.id },
            traceName(t))), h("td", { class: "num" }, t.spans.toLocaleString(
            "en")), h("td", { class: "num" }, span(t.lasted)));
    })));
}
const traceName = (t) => t.name || t.first || "Trace " + t.id.slice(0, 12);

function when(text) {
    if (!text)
        return "unknown";
    const t = new Date(text);
    const two = (x) => String(x).padStart(2, "0");
    return isNaN(t) ? text : t.getFullYear() + "-" + two(t.getMonth() + 1) +
        "-" + two(t.getDate()) + " " + two(t.getHours()) + ":" +
        two(t.getMinutes()) + ":" + two(t.getSeconds());
}

async function showTrace(n, base, id, signal) {
    const out = h("section", { class: "box" }, h("p", { class: "soft" },
        "Asking …"));
    put(main, h("p", {}, h("a", { href: link("traces", { n }) },
        "← All traces")), out);
    let t = null;
    try {
        await ask("trace", { n: base, id }, signal, (o) => {
            t = o;
        });
        if (t.problem)
            throw new Refused(t.problem);
        put(out, h("h1", {}, traceName(t), h("span", { class: "count" },
            plural(t.spans, "span"), " in ", span(t.lasted))),
        h("p", { class: "soft" }, when(t.when), " · ", h("code", {}, t.id)),
        timeline(t));
    } catch (e) {
        aborted(e) || put(out, complaint(e));
    }
}

function timeline(t) {
    const all = Math.max(1, t.lasted);
    const at = (ns) => Math.min(100, Math.max(0, 100 * ns / all)) + "%";
    const box = h("div", { class: "timeline" }, h("div", { class: "head" },
        h("div", {}, "Span"), h("div", { class: "ticks" }, [0, 0.25, 0.5,
            0.75, 1].map((x) => h("span", {}, span(x * all)))),
        h("div", { class: "took" }, "Lasted")));
    const rows = [];
    for (const s of t.tree) {
        const start = s.start === undefined ? 0 : s.start;
        const end = s.end === undefined ? all : s.end;
        const notes = h("div", { class: "notes", hidden: true },
            s.notes.length ? s.notes.map((x) => h("div", {}, h("code", {},
                x.at === undefined ? "?" : span(x.at)), h("span",
                { class: "mono" }, x.text))) : h("span", { class: "soft" },
                "No annotations."));
        const row = h("button", { class: s.missing ? "span missing" : "span",
            type: "button", "aria-expanded": "false", onclick: () => {
                notes.hidden = !notes.hidden;
                row.setAttribute("aria-expanded", String(!notes.hidden));
            } },
        h("div", { class: "what", title: s.name, style: { paddingLeft:
            Math.min(12, s.depth) * 14 + "px" } }, s.name || (s.depth ? "(no name)" :
                "whole trace")),
        h("div", { class: "lane" }, !s.missing && h("div", {
            class: s.end === undefined ? "piece open" : "piece",
            style: { left: at(start), width: Math.max(0, 100 *
                (Math.min(end, all) - start) / all) + "%" } }),
        s.notes.filter((x) => x.at !== undefined).map((x) => h("div", {
            class: "mark", title: span(x.at) + "  " + x.text, style: {
                left: at(x.at) } }))),
        h("div", { class: "took" }, s.missing ? "" : s.end === undefined
            ? "open" : span(end - start)));
        rows.push(row);
        box.append(row, notes);
    }
    box.addEventListener("keydown", (e) => {
        const i = rows.indexOf(document.activeElement);
        const to = { ArrowDown: i + 1, ArrowUp: i - 1 }[e.key];
        if (i >= 0 && rows[to]) {
            rows[to].focus();
            e.preventDefault();
        }
    });
    return box;
}

// ---- view: profiles --------------------------------------------------------

async function profilesView(n, args, signal) {
    const base = join(n, "__debug/pprof");
    const list = h("div", {}, h("p", { class: "soft" }, "Asking …"));
    const line = h("div", {}, h("p", { class: "soft" }, "Asking …"));
    const text = h("section", { class: "box", hidden: true, style: {
        marginTop: "14px" } });
    put(main, h("section", { class: "box" }, h("h2", {}, "Command line"),
        line, h("h2", {}, "Profiles"), list), text);
    const file = (p, more) => "api/profile?" + new URLSearchParams({ n: base,
        p, ...more });
    const show = async (p) => {
        text.hidden = false;
        put(text, h("h2", {}, p), h("p", { class: "soft" }, "Asking …"));
        try {
            const r = await fetch(file(p, { debug: 1 }), { signal });
            const said = await r.text();
            put(text, h("h2", {}, p), r.ok ? h("pre", {}, said || "(empty)")
                : h("div", { class: "error", role: "alert" }, said));
        } catch (e) {
            aborted(e) || put(text, complaint(e));
        }
    };
    const first = ask("cmdline", { n: base }, signal).then((o) => put(line,
        h("code", {}, o.list.join(" "))));
    const second = ask("profiles", { n: base }, signal).then((o) => put(list,
        o.list.length ? h("table", { class: "narrow" }, h("tbody", {}, o.list.sort().map((p) =>
            h("tr", {}, h("td", { class: "name" }, p), h("td", {},
                h("button", { onclick: () => show(p) }, "Show"), " ",
                h("a", { class: "button", href: file(p, {}), download:
                    p + ".pprof" }, "Save")))))) : h("p", { class: "soft" },
            "This server has no named profiles."),
        h("p", {}, h("a", { class: "button", download: "cpu.pprof",
            href: file("profile", { seconds: 10 }) },
        "Save a profile of the processor, 10 s"))));
    await Promise.all([[first, line], [second, list]].map(([p, e]) =>
        p.catch((err) => aborted(err) || put(e, complaint(err)))));
}

// ---- the frame -------------------------------------------------------------

const views = [["names", "Names", namesView],
    ["signature", "Signature", signatureView], ["stats", "Stats", statsView],
    ["logs", "Logs", logsView], ["traces", "Traces", tracesView],
    ["profiles", "Profiles", profilesView]];
let info = {};
let current = new AbortController();
let shown = {}; // what is there: a view that can show something else itself
const serverOf = () => here().args.get("n") || info.name || "";

function render() {
    const { view, args } = here(), n = serverOf();
    const found = views.find((v) => v[0] === view) || views[0];
    if (shown.view === found[0] && shown.n === n && shown.update) {
        shown.update(args);
        return;
    }
    current.abort();
    current = new AbortController();
    put($("tabs"), views.map(([id, label]) => h("a", { href: link(id, { n }),
        "aria-current": id === found[0] ? "page" : null }, label)));
    $("name").value = n;
    document.title = found[1] + " – " + (last(n) || n);
    const update = found[2](n, args, current.signal);
    shown = { view: found[0], n, update: typeof update === "function"
        ? update : null };
}

$("go").addEventListener("submit", (e) => {
    e.preventDefault();
    go(here().view, { n: $("name").value.trim() });
});
window.addEventListener("hashchange", render);
(async () => {
    try {
        info = await ask("info", {}, undefined);
        $("me").textContent = "You are " + info.me + ".";
        render();
    } catch (e) {
        put(main, complaint(e));
    }
})();
