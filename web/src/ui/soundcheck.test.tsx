// @vitest-environment happy-dom

import { render } from "preact";
import { act } from "preact/test-utils";
import { afterEach, expect, it } from "vitest";

import type { NetworkFigures, Wait } from "../session/soundcheck";
import type { InputCheck } from "./input";
import { type Measuring, SoundCheck } from "./soundcheck";

const QUERY = { engine: null, uplink: "auto" as const, name: null, autojoin: false };
const FIGURES: NetworkFigures = {
  roundTripMs: 18,
  upLostPermille: 0,
  downLostPermille: 0,
  upJitterMs: 1,
  aroundMs: 14,
};
const INPUT = { latencyMs: 6 } as InputCheck;

const MEASURING: Measuring = {
  feedback: async () => -20,
  network: async () => FIGURES,
  look: async () => [{ name: "Ana", engine: "native", presence: "online", around_us: 26_000 }],
};

afterEach(() => void act(() => render(null, document.body)));

async function check(input: InputCheck | null, measuring: Measuring): Promise<string> {
  const page = <SoundCheck room="duo" query={QUERY} openInput={async () => input} disabled={false} measuring={measuring} />;
  await act(async () => {
    render(page, document.body);
    await new Promise((resolve) => setTimeout(resolve));
  });
  await act(async () => {
    document.querySelector("button")?.click();
    await new Promise((resolve) => setTimeout(resolve));
  });
  return document.querySelector("[role=status]")?.textContent ?? "";
}

it("says what to do, and how it would be with who is there", async () => {
  const said = await check(INPUT, MEASURING);
  expect(said).toContain("Loudspeaker. What was played comes back, 20 dB quieter.Use headphones");
  expect(said).toContain("Network. 18.0 ms to the server and back");
  // 14 ms and the input's 6 on one side, 26 on the other.
  expect(said).toContain("You and Ana: 23 ms, comfortable up to 160 bpm.");
  expect(document.querySelector("button")?.textContent).toBe("Check again");
});

it("leaves the loudspeaker out while no input is open", async () => {
  const said = await check(null, MEASURING);
  expect(said).not.toContain("Loudspeaker");
  expect(said).toContain("You and Ana: 20 ms");
});

it("goes on where a step fails, and where nobody is told of", async () => {
  const refused = async () => Promise.reject(new Error("The server is full."));
  expect(await check(INPUT, { ...MEASURING, network: refused })).toContain("This could not be checked.The server is full.");
  const old = { ...MEASURING, look: async () => Promise.reject(new Error("malformed")) };
  expect(await check(INPUT, old)).toContain("You and somebody as near to the server as you: 20 ms");
});

it("ends with the page", async () => {
  let waiting: Wait = async () => undefined;
  const measuring: Measuring = {
    ...MEASURING,
    network: (_, wait) => {
      waiting = wait;
      return new Promise(() => undefined);
    },
  };
  await check(null, measuring);
  await act(() => render(null, document.body));
  await expect(waiting(0)).rejects.toThrow("not wanted");
});
