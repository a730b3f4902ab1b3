// BSD-3-Clause; see LICENSE.
// Names and who serves them; signatures of objects.
"use strict";

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
