// @vitest-environment happy-dom

import { render } from "preact";
import { act } from "preact/test-utils";
import { expect, it } from "vitest";

import type { Finding } from "../protocol";
import { Findings } from "./findings";

const slow: Finding = { code: "large_period", about: 2, severity: "serious", text: "Bob: set `-p 64`." };
const shaky: Finding = { code: "shaky_network", about: 1, severity: "slight", text: "Ann shakes by 14 ms." };

function page(): { show(findings: Finding[]): void; lines(): unknown[]; spoken(): string; more(): unknown } {
  const root = document.createElement("div");
  return {
    show: (findings) => act(() => render(<Findings state={{ findings, me: 1 }} />, root)),
    lines: () => [...root.querySelectorAll("li")].map((line) => line.textContent?.trim()),
    more: () => root.querySelector("summary")?.textContent ?? undefined,
    spoken: () => root.querySelector("[role=status]")?.textContent ?? "",
  };
}

it("says what the server found, and which is one's own", () => {
  const { show, lines, more } = page();
  show([slow, shaky]);
  expect(lines()).toEqual(["Bob: set -p 64.", "You: Ann shakes by 14\u00a0ms."]);
  expect(more()).toBe("and 1 more");
  show([shaky]);
  expect(more()).toBeUndefined();
  show([]);
  expect(lines()).toEqual([]);
});

it("is read out once for each problem, not for each number", () => {
  const { show, spoken, lines } = page();
  show([]);
  expect(spoken()).toBe("");
  show([shaky]);
  expect(spoken()).toBe(shaky.text);
  show([{ ...shaky, text: "Ann shakes by 19 ms." }]);
  expect(lines()).toEqual(["You: Ann shakes by 19\u00a0ms."]);
  expect(spoken()).toBe(shaky.text);
  show([slow, shaky]);
  expect(spoken()).toBe(slow.text);
});
