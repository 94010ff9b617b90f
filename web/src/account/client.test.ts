import { afterEach, describe, expect, it, vi } from "vitest";

import { call, ProblemError } from "./client";

const ID = "0199f0c0-0000-7000-8000-000000000001";

interface Asked {
  url: string;
  request: RequestInit;
}

/** Answers every request alike; gives what was asked. */
function answering(answer: () => Response): Asked[] {
  const asked: Asked[] = [];
  vi.stubGlobal("fetch", async (url: string, request: RequestInit) => {
    asked.push({ url, request });
    return answer();
  });
  return asked;
}

function problem(status: number, body: object, headers: Record<string, string> = {}): () => Response {
  const all = { "Content-Type": "application/problem+json", ...headers };
  return () => new Response(JSON.stringify(body), { status, headers: all });
}

async function failure(asking: Promise<unknown>): Promise<ProblemError> {
  const error = await asking.then(() => null, (reason: unknown) => reason);
  if (!(error instanceof ProblemError)) throw new Error(`no problem, but ${String(error)}`);
  return error;
}

afterEach(() => vi.unstubAllGlobals());

describe("a request", () => {
  it("has its values in the path, and its body as JSON", async () => {
    const asked = answering(() => new Response(null, { status: 204 }));
    const path = { reset: `${ID}/../x` };
    const body = { code: "12345678", password: "between the bars" };
    expect(await call("POST /api/v1/social/password-resets/{reset}/complete", { path, body })).toBeUndefined();
    expect(asked[0]?.url).toBe(`/api/v1/social/password-resets/${ID}%2F..%2Fx/complete`);
    expect(asked[0]?.request).toMatchObject({
      method: "POST",
      credentials: "same-origin",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(body),
    });
  });

  it("without a body says nothing of one", async () => {
    const asked = answering(() => Response.json([]));
    expect(await call("GET /api/v1/social/sessions")).toEqual([]);
    expect(asked[0]?.request.body).toBeUndefined();
    expect(asked[0]?.request.headers).toEqual({});
  });
});

describe("an answer", () => {
  it("is bytes where it is a file", async () => {
    answering(() => new Response("RIFF", { headers: { "Content-Type": "audio/wav" } }));
    const answer: unknown = await call("GET /api/v1/social/account");
    expect(answer instanceof Blob ? await answer.text() : answer).toBe("RIFF");
  });
});

describe("what goes wrong", () => {
  it("has the server's code, sentence and field", async () => {
    answering(problem(422, { code: "invalid", detail: "this name is kept for the server", field: "username" }));
    const error = await failure(call("PUT /api/v1/social/account/username", { body: { username: "root" } }));
    expect(error).toMatchObject({ code: "invalid", message: "this name is kept for the server", field: "username" });
  });

  it("is said in a musician's words where the server speaks to programs", async () => {
    answering(problem(401, { code: "not_signed_in", detail: "sign in first, and send the session's token or cookie along" }));
    const error = await failure(call("GET /api/v1/social/sessions"));
    expect(error).toMatchObject({ code: "not_signed_in", message: "You are not signed in any more. Sign in again." });
  });

  it("is that there are no accounts, and why", async () => {
    answering(problem(503, { code: "unavailable", title: "There are no accounts on this server", detail: "its folder is full" }));
    const error = await failure(call("GET /api/v1/social/account"));
    expect(error.message).toBe("There are no accounts on this server: its folder is full");
  });

  it.each([
    ["1", "a second"],
    ["59", "59 seconds"],
    ["60", "a minute"],
    ["3372", "57 minutes"],
    ["86400", "24 hours"],
  ])("says how long to wait in words: %s s is %s", async (seconds, words) => {
    answering(problem(429, { code: "too_many_requests", detail: "too many" }, { "Retry-After": seconds }));
    expect((await failure(call("GET /api/v1/social/account"))).message).toContain(`Try again in ${words}.`);
  });

  it("is told apart from a server that cannot be reached", async () => {
    vi.stubGlobal("fetch", () => Promise.reject(new TypeError("Failed to fetch")));
    expect((await failure(call("GET /api/v1/social/account"))).code).toBe("unreachable");
  });

  it.each([
    ["a proxy's page", () => new Response("<h1>502</h1>", { status: 502, headers: { "Content-Type": "text/html" } })],
    ["a problem that is none", problem(500, { message: "?" })],
    ["a problem that is cut off", () => new Response("{", { status: 500, headers: { "Content-Type": "application/problem+json" } })],
    ["a page where data should be", () => new Response("<!doctype html>", { headers: { "Content-Type": "text/html" } })],
    ["data that are cut off", () => new Response("[", { headers: { "Content-Type": "application/json" } })],
  ])("is %s, which nobody can read", async (_, answer) => {
    answering(answer);
    const error = await failure(call("GET /api/v1/social/account"));
    expect(error.code).toBe("unreadable");
    expect(error.message).toContain("Reload the page");
  });
});
