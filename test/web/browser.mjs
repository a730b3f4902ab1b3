// BSD-3-Clause; see LICENSE.
// browser.mjs: Chromium and counted checks, for tests of pages; the environment
// has
//   MODULES  where playwright-core is
//   OUT      directory for pictures
//   BROWSER  path of Chromium
import { mkdirSync } from "node:fs";
import { createRequire } from "node:module";

const env = process.env;
const { chromium } = createRequire(env.MODULES + "/")("playwright-core");
mkdirSync(env.OUT, { recursive: true });
let passed = 0, failed = 0;

export function check(what, ok, more) {
    if (ok) {
        passed++;
        return;
    }
    failed++;
    console.log("FAIL " + what + (more === undefined ? "" : ": " + more));
}

const browser = await chromium.launch({ executablePath: env.BROWSER,
    args: process.getuid() === 0 ? ["--no-sandbox"] : [] });
/** A window of that many pixels. */
export async function open(width) {
    const context = await browser.newContext({ colorScheme: "light",
        viewport: { width, height: 800 }, reducedMotion: "reduce" });
    context.setDefaultTimeout(20000);
    return context;
}

/** What went wrong on pages. */
export const trouble = [];
/** The page is to have no errors, and nothing from elsewhere. */
export function listen(page, origin) {
    page.on("pageerror", (e) => trouble.push("error: " + e.message));
    page.on("console", (m) => m.type() === "error" &&
        trouble.push("console: " + m.text()));
    page.on("request", (r) => new URL(r.url()).origin === origin ||
        trouble.push("asked elsewhere: " + r.url()));
    page.on("dialog", (d) => {
        trouble.push("dialog: " + d.message());
        d.dismiss();
    });
    return page;
}
/** Trouble that had to be. */
export function forgive(what) {
    trouble.splice(0, trouble.length, ...trouble.filter((t) => !what.test(t)));
}

/** A part of a test: the next one runs also if it fails, of which
 * `picture(name)` takes a picture. */
export const stepper = (picture) => async (name, run) => {
    try {
        await run();
    } catch (e) {
        check(name, false, e.message.split("\n").slice(0, 3).join(" "));
        await picture("failed-" + name.replace(/\W+/g, "-"));
    }
};

/** The end of the program. */
export async function finish() {
    check("nothing went wrong on any page", trouble.length === 0,
        trouble.slice(0, 5).join("; "));
    await browser.close();
    console.log(passed + " passed, " + failed + " failed");
    process.exit(failed === 0 ? 0 : 1);
}
