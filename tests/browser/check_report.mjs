// Opens a page that `bert report` wrote in headless Chromium, at desktop and phone width, light and dark, and fails if
// the page logs an error, asks for anything, runs wider than the window, or cuts a label of a chart.
//
//     npm install playwright-core            # the one requirement, in any folder: NODE_PATH or node_modules beside this file
//     node tests/browser/check_report.mjs runs/mine/report.html [FOLDER_FOR_SCREENSHOTS]
//
// CHROMIUM names the browser; /usr/bin/chromium by default.
import { createRequire } from "node:module";
import { mkdirSync } from "node:fs";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";

const require = createRequire(join(process.cwd(), "any.js"));
const { chromium } = require("playwright-core");
const [page_file, folder] = process.argv.slice(2);
if (!page_file) {
  console.error("usage: node check_report.mjs REPORT.html [FOLDER_FOR_SCREENSHOTS]");
  process.exit(2);
}
const url = pathToFileURL(resolve(page_file)).href;
if (folder) mkdirSync(folder, { recursive: true });

/** What is wrong with the layout: texts of charts outside of them, and a page wider than its window. */
function layout_problems() {
  const problems = [];
  const root = document.documentElement;
  if (root.scrollWidth > root.clientWidth) {
    problems.push(`the page is ${root.scrollWidth} wide in a window of ${root.clientWidth}`);
  }
  for (const svg of document.querySelectorAll("svg")) {
    const frame = svg.getBoundingClientRect();
    for (const text of svg.querySelectorAll("text")) {
      const box = text.getBoundingClientRect();
      if (box.left < frame.left - 1 || box.right > frame.right + 1 || box.bottom > frame.bottom + 1) {
        problems.push(`${svg.getAttribute("aria-label")}: the label ${text.textContent} is cut`);
      }
    }
  }
  return problems;
}

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: ["--no-sandbox", "--disable-gpu"],
});
const problems = [];
for (const [width, height] of [[1280, 900], [390, 844]]) {
  for (const colorScheme of ["light", "dark"]) {
    const where = `${width} px, ${colorScheme}`;
    const context = await browser.newContext({ viewport: { width, height }, colorScheme });
    const page = await context.newPage();
    page.on("console", (message) => {
      if (["error", "warning"].includes(message.type())) problems.push(`${where}: ${message.text()}`);
    });
    page.on("pageerror", (error) => problems.push(`${where}: ${error}`));
    page.on("request", (request) => {
      const asked = request.url();
      if (asked !== url && !asked.startsWith("data:")) problems.push(`${where}: requests ${asked}`);
    });
    await page.goto(url);
    problems.push(...(await page.evaluate(layout_problems)).map((problem) => `${where}: ${problem}`));
    if (folder) {
      await page.screenshot({ path: join(folder, `${width}-${colorScheme}.png`), fullPage: true });
    }
    await context.close();
  }
}
await browser.close();
for (const problem of problems) console.error(problem);
console.log(problems.length === 0 ? "ok" : `${problems.length} problems`);
process.exit(problems.length === 0 ? 0 : 1);
