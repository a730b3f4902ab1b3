// BSD-3-Clause; see LICENSE.
// Logs and profiles.
"use strict";

const MAX_LINES = 5000; // of a log

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
        lines.append(h("div", { class: level(o.line) },
            cut(o.line) || " "));
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
            put(text, h("h2", {}, p), r.ok
                ? h("pre", {}, cut(said) || "(empty)")
                : h("div", { class: "error", role: "alert" }, said));
        } catch (e) {
            aborted(e) || put(text, complaint(e));
        }
    };
    const first = ask("cmdline", { n: base }, signal).then((o) => put(line,
        h("code", {}, o.list.join(" "))));
    const one = (p) => h("tr", {}, h("td", { class: "name" }, p), h("td", {},
        h("button", { onclick: () => show(p) }, "Show"), " ",
        h("a", { class: "button", href: file(p, {}), download:
            p + ".pprof" }, "Save")));
    const second = ask("profiles", { n: base }, signal).then((o) => put(list,
        o.list.length ? h("table", { class: "narrow" }, h("tbody", {},
            o.list.sort().map(one))) : h("p", { class: "soft" },
            "This server has no named profiles."),
        h("p", {}, h("a", { class: "button", download: "cpu.pprof",
            href: file("profile", { seconds: 10 }) },
        "Save a profile of the processor, 10 s"))));
    await Promise.all([[first, line], [second, list]].map(([p, e]) =>
        p.catch((err) => aborted(err) || put(e, complaint(err)))));
}
