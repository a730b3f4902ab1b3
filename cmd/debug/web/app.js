// BSD-3-Clause; see LICENSE.
// The frame: which view is shown.
"use strict";

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
