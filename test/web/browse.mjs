// BSD-3-Clause; see LICENSE.
// browse.mjs: click through the page of debug browse in a headless browser.
// Started by browse.sh, which says in the environment what there is:
//   URL        of the page           LOG     a log file that grows
//   SERVER     name of the server    HOSTILE a name with markup below it
//   DEAD       a name nobody serves  SLOW    a server that is stopped, or ""
//   SUB        a server whose trace has calls of its own
// and what browser.mjs wants.
import { appendFileSync } from "node:fs";
import { check, finish, forgive, listen as watch, open, stepper } from
    "./browser.mjs";

const env = process.env;
const context = await open(1280);
const origin = new URL(env.URL).origin;
const listen = (page) => watch(page, origin);
const page = listen(await context.newPage());
const picture = (name, of) => (of || page).screenshot({ path: env.OUT + "/" +
    name + ".png" });
const tab = (name, of) => (of || page).click(`nav a:has-text("${name}")`);
const text = (selector, of) => (of || page).innerText(selector);
const at = (view, args) => env.URL + "#" + view + "?" +
    new URLSearchParams(args);
const step = stepper(picture);
const row = (label) => page.locator(".tree .row", {
    has: page.locator(`.label:text-is("${label}")`) });

await step("names", async () => {
    await page.goto(env.URL);
    await page.waitForSelector(".box td:has-text('tcp')");
    check("the server is named", (await page.inputValue("#name")) ===
        env.SERVER);
    await page.waitForSelector("dt:has-text('Public key')");
    check("its blessings are shown", /server/.test(await text("main")));
    check("who looks is named", /You are root/.test(await text("footer")));
    await picture("names");
});

await step("keyboard", async () => {
    await row(env.SERVER).focus();
    await page.keyboard.press("ArrowDown"); // to the hostile name
    await page.keyboard.press("ArrowDown");
    check("down goes to __debug", await page.evaluate(() =>
        document.activeElement.textContent.includes("__debug")),
    await page.evaluate(() => document.activeElement.textContent));
    await page.keyboard.press("ArrowRight");
    await row("stats").waitFor();
    await page.keyboard.press("ArrowRight");
    check("right goes into it", await page.evaluate(() =>
        document.activeElement.getAttribute("aria-level")) === "3");
    await page.keyboard.press("ArrowLeft");
    await page.keyboard.press("ArrowLeft");
    check("left closes it", !await row("stats").isVisible());
    await page.keyboard.press("End");
    check("end goes to the end", await page.evaluate(() =>
        document.activeElement.textContent.includes("name space")));
    await page.keyboard.press("Enter");
    check("enter selects", await row("name space").getAttribute(
        "aria-selected") === "true");
});

await step("hostile names", async () => {
    await page.goto(at("names", { n: env.SERVER }));
    await row(env.HOSTILE).click();
    await page.waitForSelector("h1:has-text('" + env.HOSTILE.slice(0, 4) +
        "')");
    check("markup in names stays text", await page.locator(
        "main img, main script").count() === 0);
    await picture("hostile");
});

await step("many names", async () => {
    await row("many").click();
    await row("00000").click();
    await row("999").waitFor({ state: "attached" });
    check("all of a thousand names", await page.locator(".tree .row").count()
        > 1000);
    await row(env.HOSTILE).first().click();
    check("and the page still answers", await row(env.HOSTILE).first()
        .getAttribute("aria-selected") === "true");
});

await step("signature", async () => {
    await tab("Signature");
    await page.waitForSelector(".method:has-text('ResolveStep')");
    check("types are listed", /MountEntry/.test(await text("pre")));
    await picture("signature");
});

await step("stats", async () => {
    await tab("Stats");
    await row("rpc").click();
    await row("server").click();
    await row("routing-id").click();
    await page.waitForSelector("td.name a:has-text('latency-ms')");
    await picture("stats");
    await page.click("td.name a:has-text('__Glob/latency-ms'):not(:has-text(" +
        "'delta'))");
    await page.waitForSelector(".hist .fill");
    check("a histogram is drawn", await page.locator(".hist .fill").evaluateAll(
        (v) => v.some((e) => e.getBoundingClientRect().width > 20)));
    await picture("histogram");
    const count = () => page.locator(".figures div").first().innerText();
    const before = await count();
    // The calls that opening the tree makes are counted.
    await row("stats").click();
    await page.goBack();
    await page.waitForFunction((old) => {
        const e = document.querySelector(".figures div");
        return e && e.innerText !== old;
    }, before);
    check("it changes by itself", await count() !== before);
    await page.goto(at("stats", { n: env.SERVER, s: "system" }));
    await page.waitForSelector("td.name a:text-is('pid')");
    await page.fill("input[type=search]", "pid");
    check("a filter hides the others", await page.locator(
        "tbody tr:visible").count() === 1);
    await picture("filter");
});

await step("logs", async () => {
    await tab("Logs");
    const name = env.LOG.split("/").pop();
    await page.click(`a.item:text-is("${name}")`);
    await page.waitForSelector(".log div:has-text('first line')");
    appendFileSync(env.LOG, "<img src=x onerror=alert(1)> and more\n");
    await page.waitForSelector(".log div:has-text('onerror=alert(1)> and')");
    check("a log is followed, as text", await page.locator(
        "main img").count() === 0);
    check("errors stand out", await page.locator(".log .E").count() > 0);
    await picture("log");
});

await step("traces", async () => {
    await page.goto(at("traces", { n: env.SERVER }));
    await page.waitForSelector("table.traces tbody tr");
    await page.goto(at("traces", { n: env.SUB }));
    // Its own trace grows when it has mounted itself.
    const mount = page.locator("table.traces tr", { hasText: "sub" });
    for (let i = 0; i < 40 && await mount.count() === 0; i++) {
        await page.waitForTimeout(250);
        await page.click("button:has-text('Refresh')");
    }
    await picture("traces");
    await mount.last().locator("a").click();
    await page.waitForSelector(".timeline .span");
    const left = await page.locator(".timeline .what").evaluateAll((v) =>
        v.map((e) => parseInt(e.style.paddingLeft, 10)));
    check("spans are nested", new Set(left).size >= 3, left.join());
    check("and drawn", await page.locator(".timeline .piece").count() > 3);
    check("with what was noted", await page.locator(".timeline .mark").count()
        > 0);
    await page.locator(".timeline .span").first().focus();
    await page.keyboard.press("ArrowDown");
    await page.keyboard.press("ArrowDown");
    await page.keyboard.press("Enter");
    check("a span opens", await page.locator(
        ".timeline .span[aria-expanded=true]").count() === 1);
    check("and shows its notes", /@6@tcp/.test(await page.locator(
        ".timeline .notes:visible").innerText()));
    await picture("trace");
});

await step("profiles", async () => {
    await tab("Profiles");
    await page.waitForSelector("code:has-text('mounttabled')");
    await picture("profiles");
});

await step("errors", async () => {
    await page.goto(at("stats", { n: env.SERVER, s: "no/such" }));
    await page.waitForSelector(".error");
    check("what is not there is said in a sentence", (await text(".error"))
        .startsWith("There is nothing of that name."));
    await page.goto(at("names", { n: env.DEAD }));
    await page.waitForSelector(".error");
    check("who is not there, too", /No server|nothing of that name|in time/
        .test(await text("main")));
    await page.goto(at("names", { n: "[" }));
    await page.waitForSelector(".note.bad, .error");
    await picture("errors");
});

// A server that does not answer costs its own tab only.
await step("slow server", async () => {
    const other = listen(await context.newPage());
    await other.goto(at("stats", { n: env.SLOW }));
    const start = Date.now();
    await page.goto(at("stats", { n: env.SERVER, s: "system" }));
    await page.waitForSelector("td.name a:text-is('pid')");
    check("the other tab answers meanwhile", await other.locator(
        ".error, td.name").count() === 0, (await text("main", other)) +
        " after " + (Date.now() - start) + " ms");
    await other.close();
});

await step("many tabs", async () => {
    const tabs = [];
    for (let i = 0; i < 5; i++) {
        const t = listen(await context.newPage());
        tabs.push(t);
        await t.goto(at("stats", { n: env.SERVER, s: "system" }));
        await t.waitForSelector("td.name a:text-is('pid')");
    }
    await tab("Logs");
    await page.waitForSelector("a.item");
    check("five tabs watch and a sixth asks", true);
    await Promise.all(tabs.map((t) => t.close()));
});

await step("narrow and dark", async () => {
    await page.emulateMedia({ colorScheme: "dark" });
    for (const view of ["names", "stats", "logs", "traces"]) {
        await page.setViewportSize({ width: 420, height: 800 });
        await page.goto(at(view, { n: env.SERVER }));
        await page.waitForSelector(".row, .item, td a, .hint");
        check(view + " fits a narrow window", await page.evaluate(() =>
            document.scrollingElement.scrollWidth <= innerWidth));
        await picture("narrow-" + view);
        await page.setViewportSize({ width: 1280, height: 800 });
        await picture("dark-" + view);
    }
});

await step("strangers", async () => {
    const answer = await page.goto(origin + "/" + "x".repeat(32) + "/");
    check("another token is refused", answer.status() === 403);
    forgive(/status of 403/);
});

await finish();
