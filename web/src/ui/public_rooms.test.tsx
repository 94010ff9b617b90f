// @vitest-environment happy-dom

import { render } from "preact";
import { act } from "preact/test-utils";
import { afterEach, expect, it, vi } from "vitest";

import { Home } from "./home";

afterEach(() => {
  void act(() => render(null, document.body));
  vi.unstubAllGlobals();
});

/** The first page, with a server that answers by the address; gives what was asked. */
async function shown(answers: Record<string, [status: number, body: object]>): Promise<string[]> {
  const asked: string[] = [];
  vi.stubGlobal("fetch", async (url: string) => {
    asked.push(url);
    const [status, body] = answers[url] ?? [404, { code: "not_found", detail: "nothing" }];
    const type = status < 400 ? "application/json" : "application/problem+json";
    return new Response(JSON.stringify(body), { status, headers: { "Content-Type": type } });
  });
  await act(() => render(<Home />, document.body));
  await vi.waitFor(() => expect(asked).not.toEqual([]));
  await settle();
  return asked;
}

const settle = () => act(() => new Promise<void>((resolve) => setTimeout(resolve, 10)));
const listed = () => [...document.querySelectorAll(".public-rooms li")].map((each) => each.textContent);
const FIRST = "/api/v1/social/public-rooms";

it("lists public rooms with who is there, page by page", async () => {
  const asked = await shown({
    [FIRST]: [200, { rooms: [{ name: "blue", title: "Blue hour", playing: 1 }, { name: "duo", title: "", playing: 0 }], next: "duo" }],
    [`${FIRST}?after=duo`]: [200, { rooms: [{ name: "trio", title: "Trio", playing: 3 }] }],
  });
  expect(listed()).toEqual(["Blue hour1 is there", "duoNobody there"]);
  const more = [...document.querySelectorAll("button")].find((each) => each.textContent === "Show more rooms");
  await act(() => more?.click());
  await settle();
  expect(listed()).toEqual(["Blue hour1 is there", "duoNobody there", "Trio3 are there"]);
  expect(document.querySelector<HTMLAnchorElement>(".public-rooms li:last-child a")?.getAttribute("href")).toBe("/r/trio");
  expect(document.body.textContent).not.toContain("Show more rooms");
  expect(asked).toEqual([FIRST, `${FIRST}?after=duo`]);
});

it.each([
  ["are none", 200, { rooms: [] }],
  ["cannot be had", 503, { code: "unavailable", detail: "accounts are off" }],
])("shows nothing where they %s", async (_, status, body) => {
  await shown({ [FIRST]: [status, body] });
  expect(document.querySelector(".public-rooms")).toBeNull();
  expect(document.querySelector("h1")?.textContent).toBe("Play together, wherever you are.");
});
