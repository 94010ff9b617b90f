import { afterEach, describe, expect, it, vi } from "vitest";

import { uploadWorld } from "./upload_server";

const ID = "0199f0c0-0000-7000-8000-000000000001";
const UPLOAD = { id: ID, name: "take.wav", size: 9, offset: 5, expires_at: 0 };
const part = new Blob(["hello"]);

/** Answers every request alike; gives the last one. */
function answering(answer: (request: RequestInit) => Response | Promise<Response>) {
  const asked: { url: string; request: RequestInit }[] = [];
  vi.stubGlobal("fetch", async (url: string, request: RequestInit) => {
    asked.push({ url, request });
    return answer(request);
  });
  return asked;
}

const send = (signal = new AbortController().signal) => uploadWorld.server.send(ID, 4, part, signal);
const unanswered = ({ signal }: RequestInit) =>
  new Promise<Response>((_, reject) => signal?.addEventListener("abort", () => reject(new DOMException("", "AbortError"))));

afterEach(() => {
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

describe("a part", () => {
  it("is sent as it is, with where it begins", async () => {
    const asked = answering(() => Response.json(UPLOAD));
    expect(await send()).toEqual(UPLOAD);
    expect(asked[0]?.url).toBe(`/api/v1/social/uploads/${ID}`);
    expect(asked[0]?.request).toMatchObject({ method: "PATCH", body: part, headers: { "Upload-Offset": "4" } });
  });

  it("is refused with the server's code and sentence", async () => {
    answering(() => Response.json({ code: "kind_not_allowed", detail: "no such kind" }, { status: 415 }));
    await expect(send()).rejects.toMatchObject({ code: "kind_not_allowed", message: "no such kind" });
    answering(() => new Response("<h1>Bad gateway</h1>", { status: 502 }));
    await expect(send()).rejects.toMatchObject({ code: "unreadable" });
    answering(() => new Response("<h1>Log in to this Wi-Fi</h1>"));
    await expect(send()).rejects.toMatchObject({ code: "unreadable" });
  });

  it("is broken off by whoever cancels, and where nobody answers", async () => {
    answering(unanswered);
    const aborter = new AbortController();
    const canceled = send(aborter.signal);
    aborter.abort();
    await expect(canceled).rejects.toMatchObject({ code: "unreachable" });
    vi.useFakeTimers();
    const lost = expect(send()).rejects.toMatchObject({ code: "unreachable" });
    await vi.advanceTimersByTimeAsync(120_000);
    await lost;
  });
});

describe("waiting", () => {
  it("ends with its time, with a network, or with whoever cancels", async () => {
    const target = new EventTarget();
    vi.stubGlobal("addEventListener", target.addEventListener.bind(target));
    vi.stubGlobal("removeEventListener", target.removeEventListener.bind(target));
    vi.useFakeTimers();
    const aborter = new AbortController();
    const ended: string[] = [];
    const wait = (name: string, ms: number) => void uploadWorld.wait(ms, aborter.signal).then(() => ended.push(name));
    wait("time", 1_000);
    await vi.advanceTimersByTimeAsync(1_000);
    wait("network", 30_000);
    target.dispatchEvent(new Event("online"));
    await vi.advanceTimersByTimeAsync(0);
    wait("cancel", 30_000);
    aborter.abort();
    await vi.advanceTimersByTimeAsync(0);
    expect(ended).toEqual(["time", "network", "cancel"]);
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe("a hash", () => {
  it("is as the server takes it, or none where the browser has none", async () => {
    expect(await uploadWorld.hash(part)).toBe("2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824");
    vi.stubGlobal("crypto", {});
    expect(await uploadWorld.hash(part)).toBeNull();
  });
});
