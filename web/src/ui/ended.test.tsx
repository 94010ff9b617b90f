// @vitest-environment happy-dom

import { render } from "preact";
import { act } from "preact/test-utils";
import { afterEach, expect, it } from "vitest";

import { problemOfBye } from "../session/words";
import { Ended } from "./ended";

afterEach(() => act(() => render(null, document.body)));

const shown = (reason: "removed" | "replaced") =>
  act(() => {
    const problem = problemOfBye(reason, "Bo took you out of the room");
    render(<Ended room="duo" problem={problem} stems={[]} takes={[]} onJoin={() => undefined} />, document.body);
  });

it("says who took one out, and offers another room instead of the same", () => {
  shown("removed");
  expect(document.activeElement?.textContent).toBe("You were taken out of the room.");
  expect(document.body.textContent).toContain("Bo took you out of the room.");
  expect(document.body.textContent).toContain("ten minutes at least");
  expect(document.body.textContent).not.toContain("Join again");
  expect(document.querySelector(".primary")?.textContent?.trim()).toBe("Another room");
});

it("offers the way back where there is one", () => {
  shown("replaced");
  expect(document.querySelector(".primary")?.textContent?.trim()).toBe("Join again");
});
