// BSD-3-Clause; see LICENSE.
// Statistics, as they change.
"use strict";

const MAX_ROWS = 2000; // of a table of values

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
    return v.text.length < 60 ? h("div", { class: "big" }, v.text)
        : h("pre", {}, cut(v.text));
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
