// @vitest-environment happy-dom

import { afterEach, describe, expect, it, vi } from "vitest";

import type { StoredFile } from "../../../protocol/social";
import { open, press, settled, text } from "../test_pages";
import { uploads } from "../files/queue";
import { BOB, DUO, ME, all, chat, closeChats, live, openChats, said, says, write } from "./test_chats";

afterEach(async () => {
  await settled(() => uploads.clear());
  await closeChats();
});

const DUO_PATH = `/account/chats/${DUO}`;
const TAKE = "0199f0c0-0000-7000-8000-000000000001";
const STAGE = "0199f0c0-0000-7000-8000-000000000002";

const file = (id: string, name: string, part: Partial<StoredFile> = {}): StoredFile => ({
  id, name, account: BOB, media_type: "audio/flac", size: 21_000_000, analysis: "done", duration_ms: 187_000, created_at: 0, ...part,
});
const take = file(TAKE, "<b>take</b> 3.flac");
const stage = file(STAGE, "stage.png", { media_type: "image/png", analysis: "none", duration_ms: null, width_px: 640, height_px: 320, size: 9_000 });
const PEAKS = { [`GET files/${TAKE}/peaks`]: [200, { duration_ms: 187_000, min: [-9], max: [9] }] as [number, object] };
const COMMENTS = { [`GET files/${TAKE}/comments`]: [200, []] as [number, object] };
const players = () => document.querySelectorAll("audio").length;

describe("files of messages", () => {
  it("are shown by name, and as gone where they are", async () => {
    await openChats(DUO_PATH, [chat({ last_seq: 2, rev: 2 })], [
      said(1, BOB, "", { files: [{ file: take }, { file: stage }] }),
      said(2, BOB, "two", { files: [{ file: null }] }),
    ]);
    expect(all(".message-files .file-name")).toEqual(["<b>take</b> 3.flac", "stage.png"]);
    expect(all(".message-files .tag")).toEqual(["FLAC, 3:07, 21 MB", "PNG, 640 × 320, 9.0 KB"]);
    expect(all(".message-files .message-gone")).toEqual(["A file that was deleted."]);
    expect(all(".message-body")).toEqual(["two"]);
    const image = document.querySelector<HTMLImageElement>(".message-picture");
    expect([image?.getAttribute("src"), image?.width, image?.height]).toEqual([`/api/v1/social/files/${STAGE}/thumbnail`, 160, 80]);
    const download = document.querySelector("a[download]");
    expect([download?.getAttribute("href"), download?.getAttribute("download")]).toEqual([`/api/v1/social/files/${TAKE}/content`, "<b>take</b> 3.flac"]);
    await says({ type: "message", chat: DUO, message: said(1, BOB, "", { rev: 3, files: [{ file: null }, { file: stage }] }) });
    expect(all(".message-files .file-name")).toEqual(["stage.png"]);
  });

  it("are listened to on demand, one at a time, with what was said of them", async () => {
    const twice = [said(1, BOB, "", { files: [{ file: take }] }), said(2, BOB, "again", { files: [{ file: take }] })];
    const asked = await openChats(DUO_PATH, [chat({ last_seq: 2, rev: 2 })], twice, { ...PEAKS, ...COMMENTS });
    expect(players()).toBe(0);
    await press("Listen to <b>take</b> 3.flac");
    expect([players(), document.querySelector("audio")?.getAttribute("src")]).toEqual([1, `/api/v1/social/files/${TAKE}/content`]);
    expect(asked.some(({ route }) => route === `GET files/${TAKE}/peaks`)).toBe(true);
    expect(text()).toContain("Nobody said anything so far.");
    expect(document.activeElement?.className).toBe("message-player");
    const second = document.querySelector<HTMLElement>("[data-seq='2'] button[aria-expanded][aria-label^=Listen]");
    await settled(() => second?.click());
    expect([players(), document.querySelector("[data-seq='2'] audio") !== null]).toEqual([1, true]);
    await settled(() => second?.click());
    expect(players()).toBe(0);
  });

  it("show how long they are once that is known", async () => {
    const waiting = { ...take, analysis: "waiting" as const, duration_ms: null };
    await openChats(DUO_PATH, [chat({ last_seq: 1, rev: 1 })], [said(1, BOB, "", { files: [{ file: waiting }] })]);
    expect(all(".message-files .tag")).toEqual(["FLAC, 21 MB"]);
    await says({ type: "message", chat: DUO, message: said(1, BOB, "", { rev: 2, files: [{ file: take }] }) });
    expect(all(".message-files .tag")).toEqual(["FLAC, 3:07, 21 MB"]);
  });

  it("name the chat's last message where it says nothing", async () => {
    const last = said(1, BOB, "", { files: [{ file: take }] });
    await openChats("/account/chats", [chat({ last_seq: 1, rev: 1, last_message: last })]);
    expect(all(".chats-last")).toEqual(["bob: <b>take</b> 3.flac"]);
    await says({ type: "ready" });
  });
});

describe("attaching", () => {
  const sent = said(1, ME, "", { files: [{ file: take }] });

  it("takes files that are here, and sends them without a word", async () => {
    const asked = await openChats(DUO_PATH, [chat()], [], {
      "GET files": [200, { files: [take, stage], used: 0, quota: 1, next: STAGE }],
      [`GET files?before=${STAGE}`]: [200, { files: [], used: 0, quota: 1 }],
      [`POST chats/${DUO}/messages`]: [200, sent],
    });
    await live();
    await press("Attach");
    await press("Choose among your files");
    await press("Show more of your files");
    await press("Attach <b>take</b> 3.flac");
    await press("Attach stage.png");
    await press("Remove stage.png");
    expect(all(".attached .tag")).toEqual(["Attached, FLAC, 3:07, 21 MB"]);
    expect(all(".attach-own .file-name")).toEqual(["stage.png"]);
    await press("Send");
    const post = asked.find(({ route }) => route.startsWith("POST"));
    expect(post?.body).toMatchObject({ body: "", files: [TAKE] });
    expect([all(".attached"), all(".attach"), all(".message-files .file-name")]).toEqual([[], [], ["<b>take</b> 3.flac"]]);
  });

  it("uploads files of the device, and sends nothing before they are there", async () => {
    const upload = "0199f0c0-0000-7000-8000-000000000009";
    let arrive = () => {};
    const arrived = new Promise<void>((resolve) => (arrive = resolve));
    const asked = await openChats(DUO_PATH, [chat()], [], {
      "POST uploads": [201, { id: upload, offset: 0, expires_at: 9e15 }],
      [`PATCH uploads/${upload}`]: [200, { offset: 4 }],
      [`POST uploads/${upload}/complete`]: [201, { ...take, id: upload, name: "new.wav" }],
      [`POST chats/${DUO}/messages`]: [200, said(1, ME, "new")],
    });
    const server = globalThis.fetch;
    vi.stubGlobal("fetch", async (url: string, request: RequestInit) => {
      if (url.endsWith("/uploads")) await arrived;
      return server(url, request);
    });
    await press("Attach");
    const input = document.getElementById("attach-files") as HTMLInputElement;
    Object.defineProperty(input, "files", { value: [new File(["RIFF"], "new.wav")], configurable: true });
    await settled(() => void input.dispatchEvent(new Event("change", { bubbles: true })));
    await write("new");
    await press("Send");
    expect(text()).toContain("Not everything is uploaded yet.");
    expect(asked.some(({ route }) => route.startsWith("POST chats"))).toBe(false);
    arrive();
    await vi.waitFor(() => expect(all(".attached .tag").join()).toContain("Attached"), 3_000);
    await press("Send");
    expect(asked.find(({ route }) => route.startsWith("POST chats"))?.body).toMatchObject({ body: "new", files: [upload] });
  });

  it("comes back where the server refused the message", async () => {
    await openChats(DUO_PATH, [chat()], [], {
      "GET files": [200, { files: [take], used: 0, quota: 1 }],
      [`POST chats/${DUO}/messages`]: [422, { code: "invalid", detail: "one of these is no file of yours" }],
    });
    await press("Attach");
    await press("Choose among your files");
    await press("Attach <b>take</b> 3.flac");
    await press("Send");
    expect(text()).toContain("One of these is no file of yours.");
    await press("Discard");
    expect(all(".attached .file-name")).toEqual(["<b>take</b> 3.flac"]);
  });
});

describe("a message that one is led to", () => {
  it("is sought in its chat", async () => {
    await openChats(DUO_PATH, [chat({ last_seq: 2, rev: 2 })], [said(1, BOB, "@ada"), said(2, BOB, "two")]);
    await open(`${DUO_PATH}?message=1`);
    await vi.waitFor(() => expect(document.activeElement?.getAttribute("data-seq")).toBe("1"));
  });
});

describe("the search", () => {
  it("finds recordings only, also without a word", async () => {
    const found = { messages: [said(3, BOB, "here", { files: [{ file: take }] })], next: null };
    const asked = await openChats("/account/chats", [chat()], [], {
      "GET search/messages?audio=true": [200, found],
      "GET search/messages?q=take&audio=true": [200, found],
    });
    await settled(() => document.getElementById("chats-search-audio")?.click());
    await press("Search");
    expect(all("search .chats-last")).toEqual(["<b>take</b> 3.flac · here"]);
    const input = document.getElementById("chats-search") as HTMLInputElement;
    input.value = "take";
    await settled(() => void input.dispatchEvent(new Event("input", { bubbles: true })));
    await press("Search");
    expect(asked.at(-1)?.route).toBe("GET search/messages?q=take&audio=true");
  });
});
