// A page with the editor in a browser that nobody sees, given the module of playwright-core and the browser's program. Each line of
// standard input is a JSON array, the name of a step and its arguments; each is answered by one line: {"value": ...} or
// {"error": "..."}. The end of the input closes the browser.
import { createInterface } from "node:readline";

const [library, executablePath] = process.argv.slice(2);
const { chromium } = await import(library);

// It runs as root in CI, where the browser has no sandbox, and on machines without a graphics card or much shared memory.
const browser = await chromium.launch({
  executablePath,
  args: ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"],
});
const page = await browser.newPage({ viewport: { width: 1280, height: 800 } });
page.setDefaultTimeout(60_000);

const tab = page.locator(".terminal-tabs-entry.has-text");
const shell = tab.filter({ hasNotText: "Task" });
const visibleTerminal = page.locator(".terminal-wrapper.active .xterm");
// Not for long: a task that comes into view at this moment takes the place of what was clicked.
const focusIsIn = (selector) =>
  page
    .waitForFunction((wanted) => document.activeElement?.closest(wanted) !== null, selector, { timeout: 2_000 })
    .then(() => true, () => false);

// "editor", "terminal" and "nothing" put the focus there and tell whether it is.
const steps = {
  // Load the window and wait until its parts are there.
  async open(url) {
    await page.goto(url);
    await page.locator(".monaco-workbench .statusbar-item").first().waitFor();
  },
  // Open a file of the folder by its name in the explorer, with the cursor in its text.
  async editor(file) {
    const text = page.locator(".monaco-editor .view-lines").first();
    if (!(await text.isVisible())) await page.locator(".explorer-folders-view").getByText(file, { exact: true }).dblclick();
    await text.click();
    return focusIsIn(".monaco-editor");
  },
  // A shell of the user's own in a terminal, with the cursor in it.
  async terminal() {
    while ((await shell.count()) === 0) {
      // A window drops the keys of its first seconds.
      await page.keyboard.press("Control+Shift+Backquote");
      await shell.first().waitFor({ timeout: 5_000 }).catch(() => {});
    }
    // At its left end: the buttons that kill it come up under the pointer at its right.
    await shell.first().click({ position: { x: 12, y: 8 } });
    await visibleTerminal.click();
    return focusIsIn(".xterm");
  },
  // Nothing in particular, as after a click on an empty window.
  async nothing() {
    await page.locator(".editor-group-container.empty").click();
    return page.evaluate(() => !document.activeElement?.closest(".monaco-editor, .xterm"));
  },
  press: (chord) => page.keyboard.press(chord),
  // The name of the terminal in view, and its text; two empty strings while there is none.
  async shown() {
    const active = tab.and(page.locator(".is-active"));
    if ((await active.count()) === 0 || (await visibleTerminal.count()) === 0) return { name: "", text: "" };
    const rows = await visibleTerminal.locator(".xterm-rows > div").allTextContents();
    return { name: (await active.locator(".label-name").innerText()).trim(), text: rows.join("\n").replaceAll("\u00a0", " ") };
  },
  // How the newest run of that task stands, by the sign beside its terminal's name: none yet, "running", "succeeded", "failed".
  async state(task) {
    const label = tab.filter({ hasText: task }).locator(".monaco-icon-label");
    if ((await label.count()) === 0) return "";
    const sign = await label.evaluate((element) => getComputedStyle(element, "::after").content.codePointAt(1));
    return { 0xeb19: "running", 0xeab2: "succeeded", 0xea87: "failed" }[sign] ?? "";
  },
  picture: (path) => page.screenshot({ path }).then(() => path),
};

for await (const line of createInterface({ input: process.stdin })) {
  const [step, ...args] = JSON.parse(line);
  let answer;
  try {
    answer = { value: (await steps[step](...args)) ?? null };
  } catch (error) {
    answer = { error: `${error}` };
  }
  process.stdout.write(`${JSON.stringify(answer)}\n`);
}
await browser.close();
