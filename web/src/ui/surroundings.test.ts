// @vitest-environment happy-dom

import { afterEach, describe, expect, it, vi } from "vitest";

import { signedIn, signedOut } from "../account/who";
import { passInto } from "./surroundings";

afterEach(() => {
  signedOut();
  localStorage.clear();
  sessionStorage.clear();
  history.replaceState(null, "", "/");
  vi.unstubAllGlobals();
});

/** What the server is shown, where it is asked at all. */
async function shown(password = ""): Promise<unknown> {
  const sent: unknown[] = [];
  vi.stubGlobal("fetch", async (_url: string, { body }: RequestInit) => {
    sent.push(JSON.parse(String(body)));
    const headers = { "Content-Type": "application/json" };
    return new Response(JSON.stringify({ pass: "a pass", role: "guest", seconds: 60 }), { headers });
  });
  const ask = passInto("duo", password);
  if (ask === undefined) return null;
  expect(await ask("first")).toEqual({ pass: "a pass" });
  return sent[0];
}

describe("what opens a room", () => {
  it("is nothing to guests, who ask nobody", async () => {
    expect(await shown()).toBeNull();
  });

  it("is the account of whoever is signed in", async () => {
    signedIn("ada");
    expect(await shown()).toEqual({});
  });

  it("is the invite of the link, also after signing in on another page, and of no other room", async () => {
    history.replaceState(null, "", "/r/duo#invite=abc");
    expect(await shown()).toEqual({ invite: "abc" });
    history.replaceState(null, "", "/r/duo");
    signedIn("ada");
    expect(await shown()).toEqual({ invite: "abc" });
    expect(passInto("trio", "")).toBeDefined();
    signedOut();
    expect(passInto("trio", "")).toBeUndefined();
  });

  it("is the password, where one was typed, rather than an invite that did not do", async () => {
    history.replaceState(null, "", "/r/duo#invite=old");
    expect(await shown("tune")).toEqual({ password: "tune" });
  });
});
