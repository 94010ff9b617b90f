// @vitest-environment happy-dom

import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import { loadPreferences, savePreferences } from "../session/preferences";
import { refreshWho, signedIn, signedOut, who } from "./who";

const nameInRooms = () => loadPreferences().name;
const playAs = (name: string) => savePreferences({ ...loadPreferences(), name });

let requests = 0;
const answering = (status: number, body: object) =>
  vi.stubGlobal("fetch", async () => {
    requests += 1;
    return new Response(JSON.stringify(body), { status });
  });

beforeEach(() => {
  signedOut();
  localStorage.clear();
  requests = 0;
});
afterEach(() => vi.unstubAllGlobals());

describe("who is signed in", () => {
  it("is proposed as the name in rooms, until another one is typed there", () => {
    playAs("Anna");
    signedIn("ada");
    expect([who.value, nameInRooms()]).toEqual(["ada", "ada"]);
    playAs("Ada (drums)");
    signedIn("ada");
    signedIn("countess");
    expect([who.value, nameInRooms()]).toEqual(["countess", "Ada (drums)"]);
    signedOut();
    expect([who.value, nameInRooms()]).toEqual([null, "Ada (drums)"]);
  });

  it("takes the name along where it was only the username", () => {
    signedIn("ada");
    signedIn("countess");
    expect(nameInRooms()).toBe("countess");
    signedOut();
    expect(nameInRooms()).toBe("");
  });

  it("is asked after only where somebody is", async () => {
    answering(401, {});
    await refreshWho();
    expect(requests).toBe(0);
    signedIn("ada");
    await refreshWho();
    expect([requests, who.value]).toEqual([1, null]);
  });

  it("is what the server says, and stays where the server says nothing", async () => {
    signedIn("ada");
    answering(200, { username: "countess" });
    await refreshWho();
    expect(who.value).toBe("countess");
    for (const status of [429, 500, 503]) {
      answering(status, {});
      await refreshWho();
    }
    vi.stubGlobal("fetch", () => Promise.reject(new TypeError("Failed to fetch")));
    await refreshWho();
    expect(who.value).toBe("countess");
  });

  it("is learned from another tab", () => {
    signedIn("ada");
    localStorage.removeItem("vjam.who");
    dispatchEvent(new StorageEvent("storage", { key: "vjam.who" }));
    expect(who.value).toBeNull();
  });
});
