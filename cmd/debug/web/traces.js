// BSD-3-Clause; see LICENSE.
// Traces, each as a timeline.
"use strict";

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
            Math.min(12, s.depth) * 14 + "px" } },
        s.name || (s.depth ? "(no name)" : "whole trace")),
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
