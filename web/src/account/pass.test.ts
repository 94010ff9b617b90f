import { afterEach, expect, it, vi } from "vitest";

import { askPass } from "./pass";

const refusals = { 403: "no", 404: "there is no such room", 429: "too often", 503: "not now" };

/** A server that answers like that; what it was sent. */
function server(status: number, body: object): unknown[] {
  const sent: unknown[] = [];
  vi.stubGlobal("fetch", async (url: string, request: RequestInit) => {
    sent.push(url, JSON.parse(String(request.body)));
    const type = status < 400 ? "application/json" : "application/problem+json";
    return new Response(JSON.stringify(body), { status, headers: { "Content-Type": type } });
  });
  return sent;
}

const refuses = (status: keyof typeof refusals, code: string) => server(status, { code, detail: refusals[status] });

afterEach(() => vi.unstubAllGlobals());

it("gives what the server gave", async () => {
  const sent = server(200, { pass: "a pass", role: "guest", seconds: 60 });
  expect(await askPass("duo", { password: "tune" })).toEqual({ pass: "a pass" });
  expect(sent).toEqual(["/api/v1/social/rooms/duo/pass", { password: "tune" }]);
});

it("gives none for a room that nobody owns, whatever was shown", async () => {
  refuses(404, "not_found");
  expect(await askPass("duo", { password: "tune" })).toEqual({ pass: null });
});

it.each([
  [403, "wrong_password", "wrong_password"],
  [403, "wrong_invite", "wrong_invite"],
  [403, "room_private", "room_private"],
  [403, "banned", "banned"],
  [429, "too_many_requests", "too_many_requests"],
  [503, "unavailable", "unavailable"],
] as const)("says %i %s in words to whoever showed something", async (status, code, problem) => {
  refuses(status, code);
  const answer = await askPass("duo", { password: "tune" });
  expect(answer).toMatchObject({ problem: { code: problem } });
  if ("problem" in answer) expect(answer.problem.title).toMatch(/^[A-Z].*\.$/);
});

it.each([[403, "banned"], [403, "room_private"]] as const)("says %i %s to whoever only has an account", async (status, code) => {
  refuses(status, code);
  expect(await askPass("duo", {})).toMatchObject({ problem: { code } });
});

it.each([
  [429, "too_many_requests"],
  [503, "busy"],
] as const)("has whoever comes back wait where it says %i %s", async (status, code) => {
  refuses(status, code);
  expect(await askPass("duo", {}, "back")).toMatchObject({ problem: { code, final: false } });
  expect(await askPass("duo", {}, "first")).toEqual({ pass: null });
});

it("has whoever comes back wait for a server that cannot be reached, and not for one without accounts", async () => {
  vi.stubGlobal("fetch", () => Promise.reject(new TypeError("offline")));
  expect(await askPass("duo", {}, "back")).toMatchObject({ problem: { code: "unreachable", final: false } });
  refuses(503, "unavailable");
  expect(await askPass("duo", {}, "back")).toEqual({ pass: null });
});

it("keeps nobody with an account out of open rooms where no passes can be had", async () => {
  refuses(503, "unavailable");
  expect(await askPass("duo", {})).toEqual({ pass: null });
  vi.stubGlobal("fetch", () => Promise.reject(new TypeError("offline")));
  expect(await askPass("duo", {})).toEqual({ pass: null });
});
