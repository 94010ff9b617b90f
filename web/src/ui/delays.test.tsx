// @vitest-environment happy-dom

import { render } from "preact";
import { expect, it } from "vitest";

import type { Participant } from "../protocol";
import { type SessionState, initialState } from "../session/state";
import { Delays, worst } from "./delays";

const person = (id: number, name: string): Participant => ({
  id,
  name,
  engine: "native",
  presence: "online",
  tracks: [{ id: id * 10, label: "mic", channels: 1, muted: false }],
});

const hearing = (track: number, ms?: number, concealed_permille = 0) => ({
  track,
  ...(ms === undefined ? {} : { delay_us: ms * 1000 }),
  lost_permille: 40,
  concealed_permille,
});

function room(hearings: SessionState["hearings"], ...others: Participant[]): SessionState {
  const state = initialState("jam");
  return { ...state, me: 1, participants: [person(1, "Ann"), ...others], hearings };
}

function shown(state: SessionState): HTMLElement {
  const root = document.createElement("div");
  render(<Delays state={state} />, root);
  return root;
}

it("says who hears whom how late, each as they say it", () => {
  const state = room(
    { 1: [hearing(20, 23.4)], 2: [hearing(10, 61.2, 25)], 3: [hearing(10)] },
    person(2, "Bob"),
    person(3, "Cid"),
  );
  const cells = [...shown(state).querySelectorAll("tbody tr")].map((row) =>
    [...row.children].map((cell) => cell.textContent?.trim()),
  );
  expect(cells).toEqual([
    ["You", "", "23.4", "–"],
    ["Bob", "61.2 3 % torn", "", "–"],
    ["Cid", "–", "–", ""],
  ]);
  expect(shown(state).querySelectorAll("td.late")).toHaveLength(1);
  expect(worst(state)).toBe("Bob hears you after 61.2 ms");
  expect(worst(room({ 1: [hearing(20, 9)] }, person(2, "Bob")))).toBe("you hear Bob after 9.0 ms");
});

it("leaves out what those said who are away", () => {
  const bob = { ...person(2, "Bob"), presence: "away" as const };
  const state = room({ 1: [hearing(20, 9)], 2: [hearing(10, 61)] }, bob);
  expect(worst(state)).toBe("you hear Bob after 9.0 ms");
});

it("is not there for one alone, and says where nothing is known", () => {
  expect(shown(room({})).children).toHaveLength(0);
  expect(shown(room({}, person(2, "Bob"))).textContent).toContain("not known yet");
});
