// BSD-3-Clause; see LICENSE.
// wspr.mjs: clicks through the demonstration of wsprd in Chromium, for wspr.sh,
// which sets
//   WSPR     address of wsprd           WSPR_PID  its process
// and what browser.mjs wants.
import { readFileSync, readdirSync } from "node:fs";
import { createServer } from "node:http";
import { check, finish, forgive, listen, open, stepper, trouble } from
    "./browser.mjs";

const env = process.env;
const context = await open(1200);
const page = listen(await context.newPage(), new URL(env.WSPR).origin);
const picture = (name) => page.screenshot({ fullPage: true,
    path: `${env.OUT}/wspr-${name}.png` });
const step = stepper(picture);
const name = (text) => page.locator(".names .name", { hasText:
    new RegExp(`^${text}$`) });
const method = (text) => page.locator(`[data-method=${text}]`);
const button = (of, text) => of.locator(`button:text-is("${text}")`);
/** Calls a method; what came out. */
async function call(m) {
    await button(m, "Call").click();
    await m.locator("output, .error").first().waitFor();
    return m.locator(".result").innerText();
}

await step("names", async () => {
    await page.goto(env.WSPR + "/");
    await name("fortune").waitFor();
    check("who this is", /You are root:wsprd/.test(await page.innerText(
        "#me")), await page.innerText("#me"));
    check("all names", await page.locator(".names .name").count() === 3);
    await page.locator(".names li", { has:
        page.locator(".name", { hasText: /^dir$/ }) }).locator(".toggle")
        .click();
    await name("inner").waitFor();
    check("what is below is shown on demand", true);
    await picture("names");
});

await step("a call", async () => {
    await name("fortune").click();
    await method("Add").waitFor();
    check("its signature", (await method("Has").locator("h3").innerText()) ===
        "Has(fortune string) (bool | error)",
    await method("Has").locator("h3").innerText());
    check("its documentation", /^Add remembers a fortune/m.test(
        await method("Add").innerText()));
    await method("Add").locator("textarea").fill("<img src=x> from a page");
    check("no results are done", /^done/.test(await call(method("Add"))));
    await method("Has").locator("textarea").fill("<img src=x> from a page");
    check("a result", /^true/.test(await call(method("Has"))));
    check("text with markup is text", /^"|^fortune = "/.test(
        await call(method("Get"))) && await page.locator("main img").count()
        === 0);
    await picture("call");
});

await step("a form for every kind", async () => {
    await name("echo").click();
    const m = method("EchoRecord");
    await m.waitFor();
    const input = (label) => m.locator(".field", { has: page.locator(
        `label:text-is("${label}")`) }).first().locator(
        "input, select, textarea").last();
    await input("Name").fill("from a form");
    await input("Data").fill("0x00ff");
    await input("Flag").check();
    await input("U64").fill("18446744073709551615");
    await input("I8").fill("-128");
    await input("F").fill("1e-7");
    await input("Color").selectOption("Blue");
    const group = (label) => m.locator("fieldset", { has: page.locator(
        `> legend:text-matches("^${label} ")`) }).first();
    await button(group("List"), "Add").click();
    await group("List").locator("textarea").fill("an item");
    await group("Choice").locator("select").selectOption("S");
    await group("Choice").locator("textarea").fill("chosen");
    await group("Opt").locator("input[type=checkbox]").first().check();
    const text = await call(m);
    for (const part of ['Name: "from a form"', 'Data: "\\x00\\xff"',
        "Flag: true", "U64: 18446744073709551615", "I8: -128", "F: 1e-07",
        "Color: Blue", 'List: {"an item"}', 'Choice: {S: "chosen"}',
        "Opt: {X: 0, Y: 0}", "Next: nil"])
        check(`the record has ${part}`, text.includes(part),
            text.slice(0, 600));
    await input("I8").fill("-129");
    check("a number that does not fit", /I8/.test(await call(m)));
    await input("I8").fill("abc");
    check("text that is no number", /I8: abc is no whole number/.test(
        await call(m)));
    check("the field is marked and has the focus", await page.evaluate(() =>
        document.activeElement.getAttribute("aria-invalid") === "true"));
    await picture("form");
});

await step("several results, and errors", async () => {
    const sum = method("Sum"), values = sum.locator(".field input");
    await values.nth(0).fill("40");
    await values.nth(1).fill("2");
    check("results have names", /isum = int64\(42\)/.test(await call(sum)),
        await sum.locator(".result").innerText());
    await method("Fail").locator("textarea").fill("noexist");
    check("an error has its id", /v\.io\/v23\/verror\.NoExist/.test(
        await call(method("Fail"))));
});

await step("a stream is watched", async () => {
    const m = method("StreamCount");
    await m.locator(".field input").fill("5000");
    await button(m, "Start").click();
    await m.locator("output:text-is('done')").waitFor();
    check("all items are counted", /5000 items/.test(
        await m.locator(".result").innerText()));
    check("the last ones are shown", await m.locator("li").count() === 200 &&
        /int32\(4999\)/.test(await m.locator("li").last().innerText()));
    await picture("stream");
});

await step("a stream both ways", async () => {
    const m = method("StreamSum");
    await button(m, "Start").click();
    for (const n of ["40", "2"]) {
        await m.locator(".result .field input").fill(n);
        await button(m, "Send").click();
    }
    await button(m, "No more").click();
    await m.locator(".result output").first().waitFor();
    check("its results", /sum = int64\(42\)\s+n = int64\(2\)/.test(
        await m.locator(".result").innerText()),
    await m.locator(".result").innerText());
});

/** A stream that stays open, with an item. */
async function start(m) {
    await button(m, "Start").click();
    await button(m, "Send").click();
    await m.locator("li").first().waitFor();
}

await step("a stream is stopped", async () => {
    const m = method("StreamEcho");
    await start(m);
    await button(m, "Stop").click();
    await m.locator(".error").waitFor();
    check("stopped", /Canceled/.test(await m.locator(".error").innerText()));
    check("nothing more can be sent", await button(m, "Send").isDisabled());
});

await step("keyboard", async () => {
    await page.goto(env.WSPR + "/");
    await name("fortune").waitFor();
    await page.keyboard.press("Tab");
    await page.keyboard.press("Enter");
    check("the first stop skips to the content", await page.evaluate(() =>
        document.activeElement.id) === "main");
    await page.locator("#name").focus();
    await page.keyboard.type("fortune");
    await page.keyboard.press("Enter");
    await method("Get").waitFor();
    await button(method("Get"), "Call").focus();
    await page.keyboard.press("Enter");
    await method("Get").locator("output").waitFor();
    check("a call without a mouse", true);
    const bare = await page.evaluate(() => [...document.querySelectorAll(
        "input, select, textarea, button")].filter((e) => !e.labels?.length &&
        !e.textContent && !e.getAttribute("aria-label")).length);
    check("everything to act on has a name", bare === 0, bare);
});

await step("names that do not answer", async () => {
    await page.goto(env.WSPR + "/#" + encodeURIComponent("no/such <b>name"));
    await page.locator("main .error").first().waitFor();
    check("what is not there is told", /no\/such <b>name/.test(
        await page.innerText("h1")));
    await page.goto(env.WSPR + "/#%");
    check("a broken address does no harm", /Open a name/.test(
        await page.innerText("main")));
});

await step("narrow and dark", async () => {
    await page.emulateMedia({ colorScheme: "dark" });
    await page.goto(env.WSPR + "/#echo");
    await method("EchoRecord").waitFor();
    await picture("dark");
    await page.setViewportSize({ width: 420, height: 800 });
    check("a narrow window needs no sideways scrolling", await page.evaluate(
        () => document.scrollingElement.scrollWidth <= innerWidth));
    await picture("narrow");
    await page.setViewportSize({ width: 1200, height: 800 });
});

/** The page of docs/wspr.md, as its reader has it: beside the client. */
function guide(request, response) {
    const top = new URL("../../", import.meta.url);
    if (request.url.startsWith("/js/")) {
        response.writeHead(200, { "Content-Type": "text/javascript" });
        response.end(readFileSync(new URL("libwspr" + request.url, top)));
        return;
    }
    const text = readFileSync(new URL("docs/wspr.md", top), "utf8");
    const html = /<!-- file oracle.html -->\n```html\n(.*?)```/s.exec(text)[1];
    response.writeHead(200, { "Content-Type": "text/html" });
    response.end(html.replaceAll("house/oracle", "fortune").replace(
        "http://127.0.0.1:8124", env.WSPR));
}

await step("the page of the guide", async () => {
    const site = createServer(guide);
    await new Promise((ready) => site.listen(0, "127.0.0.1", ready));
    const own = await context.newPage();
    own.on("pageerror", (e) => trouble.push("guide: " + e.message));
    const saying = own.locator("#saying");
    await own.goto(`http://127.0.0.1:${site.address().port}/oracle.html`);
    await own.locator("#saying:not(:text-is('…'))").waitFor();
    check("it says something", !/verror|Error/.test(await saying.innerText()),
        await saying.innerText());
    await own.fill("[name=text]", "taught by a page");
    await own.click("text=Teach");
    await own.waitForFunction(() =>
        document.querySelector("[name=text]").value === "");
    await own.evaluate(() => {
        window.said = [];
        new MutationObserver(() => said.push(saying.textContent)).observe(
            saying, { childList: true });
    });
    const heard = () => own.evaluate(() => said);
    for (let i = 1; i <= 500 && (await heard()).at(-1) !== "taught by a page";
        i++) {
        await own.click("#ask");
        await own.waitForFunction((n) => said.length >= n, i);
    }
    check("it repeats what it was taught", (await heard()).at(-1) ===
        "taught by a page");
    await own.close();
    site.close();
});

const files = () => readdirSync(`/proc/${env.WSPR_PID}/fd`).length;
const kib = () => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(
    `/proc/${env.WSPR_PID}/status`, "utf8"))[1]);

await step("a page that reloads in a loop", async () => {
    const reload = async (n) => {
        for (let i = 0; i < n; i++) {
            await page.reload();
            await start(method("StreamEcho"));
        }
    };
    await reload(3);
    const before = [files(), kib()];
    await reload(15);
    await page.goto("about:blank");
    for (let i = 0; i < 100 && files() >= before[0]; i++)
        await page.waitForTimeout(50);
    check("leaves no connections", files() < before[0] + 2,
        `${before[0]}, ${files()}`);
    check("and no memory", kib() - before[1] < 8192,
        `${kib() - before[1]} KiB`);
});

await step("a proxy that goes away", async () => {
    await page.goto(env.WSPR + "/#fortune");
    await method("Get").waitFor();
    process.kill(Number(env.WSPR_PID));
    await page.locator("#state button").waitFor();
    check("is told", /connection to the proxy is gone/.test(
        await page.innerText("#state")));
    await page.locator("#state button").click();
    await page.locator("#state button").waitFor();
    check("and can be tried again", /no connection/.test(
        await page.innerText("#state")));
    await picture("gone");
    // Chromium itself complains of that.
    forgive(/WebSocket connection/);
});

await finish();
