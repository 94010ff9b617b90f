// @vitest-environment happy-dom

import { afterEach, expect, it, vi } from "vitest";

import { press, settled, text } from "../test_pages";
import { BOB, DUO, ME, all, chat, closeChats, live, openChats, said, write } from "./test_chats";

afterEach(closeChats);

const DUO_PATH = `/account/chats/${DUO}`;
const GIPHY = { key: "k", rating: "g", api: "https://api.giphy.example" };
const NOT_AGREED = { available: true, agreed_at: null, giphy: null };
const AGREED = { available: true, agreed_at: 1, giphy: GIPHY };
const cat = (id: string) => ({
  id, title: `cat ${id}`, images: { fixed_width: { url: `https://media.giphy.example/${id}.gif`, width: "200", height: "100" } },
});

/** Puts a double of GIPHY beside our server; what it was asked. */
function giphy(): string[] {
  const asked: string[] = [];
  const server = globalThis.fetch;
  vi.stubGlobal("fetch", async (url: string, request: RequestInit) => {
    if (!url.startsWith(GIPHY.api)) return server(url, request);
    const { pathname } = new URL(url);
    asked.push(pathname);
    const data = /\/(search|trending)$/.test(pathname) ? [cat("a1"), cat("b2")] : cat(pathname.split("/").at(-1) ?? "");
    return new Response(JSON.stringify({ data, meta: { status: 200, msg: "OK", response_id: "r" } }));
  });
  return asked;
}
const images = () => [...document.querySelectorAll(".gif img, .gif-found img")].map((each) => each.getAttribute("src"));
const withGif = [said(1, BOB, "", { gif: { provider: "giphy", id: "c3" } })];

it("are not offered where the server has none, and a message says that there is one", async () => {
  await openChats(DUO_PATH, [chat({ last_seq: 1, rev: 1 })], withGif);
  expect([all(".composer-buttons button"), all(".gif-placeholder")]).toEqual([["Attach", "Send"], ["A GIF from GIPHY."]]);
});

it("come from GIPHY only once that was agreed to, in plain words", async () => {
  const asked = await openChats(DUO_PATH, [chat({ last_seq: 1, rev: 1 })], withGif, {
    "GET account/gifs": [200, NOT_AGREED],
    "PUT account/gifs": [[200, AGREED], [200, NOT_AGREED]],
    [`POST chats/${DUO}/messages`]: [200, said(2, ME, "", { gif: { provider: "giphy", id: "b2" } })],
  });
  await live();
  const asks = giphy();
  const answers = () => asked.filter(({ route }) => route === "PUT account/gifs").map(({ body }) => body);
  expect(asked.filter(({ route }) => route === "GET account/gifs")).toHaveLength(1);
  await press("GIF");
  expect(text()).toContain("GIPHY then sees your network address and what you look for.");
  expect([asks, images()]).toEqual([[], []]);
  await press("Show GIFs from GIPHY");
  expect(answers()).toEqual([{ agreed: true }]);
  await vi.waitFor(() => expect(images()).toHaveLength(3));
  expect(new Set(asks)).toEqual(new Set(["/v1/gifs/trending", "/v1/gifs/c3"]));
  expect(document.querySelector(".gif img")?.getAttribute("alt")).toBe("cat c3");
  expect(document.querySelector(".gif img")?.getAttribute("crossorigin")).toBe("anonymous");
  expect(all(".gif figcaption, .gif-by strong")).toEqual(["Powered By GIPHY", "Powered By GIPHY"]);
  // What was typed waits for its own message.
  await write("half a thought");
  await press("Send cat b2");
  const post = asked.find(({ route }) => route.startsWith("POST chats"));
  expect(post?.body).toMatchObject({ body: "", gif: { provider: "giphy", id: "b2" } });
  expect(document.querySelector("textarea")?.value).toBe("half a thought");
  await press("GIF");
  await press("Ask GIPHY no more");
  expect(answers()).toEqual([{ agreed: true }, { agreed: false }]);
  await settled(() => {});
  expect(images()).toEqual([]);
});
