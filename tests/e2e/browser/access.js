// What a phone, a keyboard and a screen reader ask of any page: that it is no wider than its window, that
// axe finds nothing to complain of, and that every control can be reached by Tab.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import path from "node:path";

import { ROOT } from "./harness.js";

const AXE = await readFile(path.join(ROOT, "web/node_modules/axe-core/axe.min.js"), "utf8");

export async function isAccessible(page, what) {
  const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  assert.ok(overflow <= 0, `${what} is ${overflow} px wider than its window`);
  // The page's policy forbids injected scripts, as it should; evaluate is the debugger's way in.
  await page.evaluate(AXE);
  const { violations } = await page.evaluate(() => globalThis.axe.run(document));
  const found = violations.map(({ id, help, nodes }) => `${id}: ${help} (${nodes.map((n) => n.target.join(" ")).join(", ")})`);
  assert.deepEqual(found, [], what);
}

/** The controls in sight that can be used, each numbered. */
function numberControls() {
  const all = document.querySelectorAll("a[href], button, input, select, summary, [tabindex='0']");
  const usable = [...all].filter((element) => element.checkVisibility() && !element.disabled && !element.closest("[inert]"));
  usable.forEach((element, i) => (element.dataset.testControl = String(i)));
  return usable.map((element) => element.outerHTML.slice(0, 120));
}

/** Presses Tab through the whole page, and asks that every control had the focus. */
export async function everyControlIsReached(page, what) {
  const controls = await page.evaluate(numberControls);
  assert.ok(2 <= controls.length, `${what} has ${controls.length} controls`);
  const reached = new Set();
  for (let presses = 0; presses < 2 * controls.length + 10 && reached.size < controls.length; presses++) {
    await page.keyboard.press("Tab");
    const number = await page.evaluate(() => document.activeElement?.dataset.testControl);
    if (number !== undefined) reached.add(Number(number));
  }
  assert.deepEqual(controls.filter((_, i) => !reached.has(i)), [], `${what}: never reached by Tab`);
}
