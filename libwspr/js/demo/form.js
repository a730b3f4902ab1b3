// BSD-3-Clause; see LICENSE.
// Forms that ask for a value of a VDL type.
import { Any, fromHex, typeOf } from "../vom.js";

/** An element with properties, attributes and children. */
export function el(tag, props = {}, ...children) {
    const e = document.createElement(tag);
    for (const [name, value] of Object.entries(props))
        if (name.startsWith("on") || name in e)
            e[name] = value;
        else
            e.setAttribute(name, value);
    e.append(...children.filter((c) => c !== null));
    return e;
}

/** A type that somebody made up must not fill the memory with fields. */
const MOST = 1000;
let ids = 0, made = 0;

/** What a person typed that is no value; `input` is where. */
class Wrong extends Error {
    constructor(input, message) {
        super(message);
        this.input = input;
    }
}

/**
 * A field for a value.
 *
 * @param {Type} type
 * @param {string} label
 * @returns {{element: Element, read: () => *}} read() gives the value, or
 *     throws after it has shown where something is wrong
 */
export function field(type, label) {
    made = 0;
    const { element, read } = any(type, label);
    return { element, read() {
        for (const e of element.querySelectorAll("[aria-invalid]"))
            e.removeAttribute("aria-invalid");
        try {
            return read();
        } catch (e) {
            e.input?.setAttribute("aria-invalid", "true");
            e.input?.focus();
            throw e;
        }
    } };
}

function any(type, label) {
    if (++made > MOST)
        return { element: el("p", { className: "soft" },
            `${label}: too much to ask for; it is zero`), read() {} };
    switch (type.name) {
    case "time.Time":
        return line(type, label, el("input", { type: "datetime-local",
            step: "0.001" }), (text) => text === "" ? undefined :
            new Date(text));
    case "time.Duration":
        return line(type, label, el("input", { placeholder: "seconds" }),
            (text) => number(text || "0") * 1000);
    }
    switch (type.kind) {
    case "bool": {
        const box = el("input", { type: "checkbox" });
        return line(type, label, box, () => box.checked);
    }
    case "enum":
        return line(type, label, el("select", {}, ...type.labels.map((l) =>
            el("option", {}, l))), (text) => text);
    case "string":
        return line(type, label, el("textarea", { rows: 1 }), (text) => text);
    case "typeobject":
        return line(type, label, el("input", { placeholder: "any" }),
            (text) => typeOf(text || "any"));
    case "optional": return optional(type, label);
    case "any": return dynamic(label);
    case "struct": return struct(type, label);
    case "union": return union(type, label);
    case "list":
    case "array":
        return type.isBytes ? line(type, label, el("input", {
            placeholder: "text, or 0x and hex" }), (text) => text === "" ?
            undefined : bytes(text)) :
            type.kind === "array" ? array(type, label) :
                many(type, label, () => any(type.elem, ""), (v) => v);
    case "set":
        return many(type, label, () => any(type.key, ""), (v) => new Set(v));
    case "map":
        return many(type, label, () => entry(type), (v) => new Map(v));
    default:
        return line(type, label, el("input", { inputMode: "decimal",
            placeholder: "0" }), (text) => type.kind.startsWith("float") ?
            number(text || "0") : integer(text || "0"));
    }
}

function number(text) {
    const n = Number(text.trim().replace("Inf", "Infinity"));
    if (Number.isNaN(n) && text.trim() !== "NaN")
        throw new Error(`${text} is no number`);
    return n;
}

function integer(text) {
    if (!/^\s*[-+]?(\d+|0x[\da-f]+)\s*$/i.test(text))
        throw new Error(`${text} is no whole number`);
    return BigInt(text.trim().replace("+", ""));
}

const bytes = (text) => text.startsWith("0x") ? fromHex(text.slice(2)) :
    new TextEncoder().encode(text);

/** One line with one input. */
function line(type, label, input, parse) {
    input.id = `field-${++ids}`;
    const text = String(type.name || type);
    return { element: el("div", { className: "field" },
        el("label", { htmlFor: input.id }, label || "value"), input,
        el("span", { className: "type" }, text)), read() {
        try {
            return parse(input.value);
        } catch (e) {
            throw new Wrong(input, `${label || "value"}: ${e.message}`);
        }
    } };
}

const group = (label, type, ...inside) => el("fieldset", {},
    el("legend", {}, `${label || "value"} `, el("span", { className: "soft" },
        type.name || type.kind)), ...inside);

function struct(type, label) {
    const fields = type.fields.map((f) => [f.name, any(f.type, f.name)]);
    return { element: group(label, type, ...fields.map(([, f]) => f.element)),
        read: () => Object.fromEntries(fields.map(([n, f]) =>
            [n, f.read()])) };
}

function array(type, label) {
    const items = Array.from({ length: Math.min(type.len, MOST) }, (_, i) =>
        any(type.elem, `[${i}]`));
    return { element: group(label, type, ...items.map((i) => i.element)),
        read: () => Array.from({ length: type.len }, (_, i) =>
            items[i]?.read()) };
}

function entry(type) {
    const key = any(type.key, "key"), elem = any(type.elem, "value");
    return { element: el("div", {}, key.element, elem.element),
        read: () => [key.read(), elem.read()] };
}

/** Any number of values. */
function many(type, label, make, collect) {
    const items = [];
    const add = el("button", { type: "button", onclick() {
        const item = make();
        const row = el("div", { className: "field" }, item.element,
            el("button", { type: "button", onclick() {
                items.splice(items.indexOf(item), 1);
                row.remove();
                add.focus();
            } }, "Remove"));
        items.push(item);
        add.before(row);
        row.querySelector("input, select, textarea")?.focus();
    } }, "Add");
    return { element: group(label, type, add),
        read: () => collect(items.map((i) => i.read())) };
}

/** A part that is there when a control says so. */
function changing(control, make) {
    const place = el("div");
    let part = null;
    const update = () => {
        made = 0;
        part = make();
        place.replaceChildren(...(part === null ? [] : [part.element]));
    };
    control.onchange = update;
    update();
    return { place, part: () => part };
}

function optional(type, label) {
    const box = el("input", { type: "checkbox", id: `field-${++ids}` });
    const { place, part } = changing(box, () => box.checked ?
        any(type.elem, label) : null);
    return { element: group(label, type, el("div", { className: "field" }, box,
        el("label", { htmlFor: box.id }, "set")), place),
    read: () => part()?.read() ?? null };
}

function union(type, label) {
    const select = el("select", { "aria-label": `field of ${label}` },
        ...type.fields.map((f) => el("option", {}, f.name)));
    const { place, part } = changing(select, () => any(
        type.fields[select.selectedIndex].type, select.value));
    return { element: group(label, type, select, place),
        read: () => ({ [select.value]: part().read() }) };
}

/** A value of a type that the person names. */
function dynamic(label) {
    const input = el("input", { value: "string", spellcheck: false,
        "aria-label": `type of ${label || "value"}` });
    const { place, part } = changing(input, () => {
        input.removeAttribute("aria-invalid");
        try {
            return input.value === "" ? null :
                { type: typeOf(input.value), ...any(typeOf(input.value), "") };
        } catch {
            input.setAttribute("aria-invalid", "true");
            return null;
        }
    });
    return { element: group(label, { name: "any" }, el("div",
        { className: "field" }, "type", input), place), read() {
        if (part() === null && input.value !== "")
            throw new Wrong(input, `${input.value} is no type`);
        return part() === null ? null : new Any(part().type, part().read());
    } };
}
