// BSD-3-Clause; see LICENSE.
// A tree of names that is loaded as it is opened.
"use strict";

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
