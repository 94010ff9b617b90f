// A double of GIPHY, as far as its documentation goes: search, trending and one by its name, numbers of
// pictures as texts, and the pictures themselves. It keeps what it was asked, and by whom.

import { once } from "node:events";
import { createServer } from "node:http";

export const KEY = "abc123";

/** A pixel, which a page scales. */
const PICTURE = Buffer.from("R0lGODlhAQABAIAAAMBAgP///yH5BAAAAAAALAAAAAABAAEAAAICRAEAOw==", "base64");
const TITLES = { a1: "A cat on a piano", b2: "A cat with a drum", c3: "A dog that sings" };

/** Starts it; it ends with `undo`. */
export async function startGiphy(undo) {
  /** What it was asked, in order: the path, the query, and what else came along. */
  const asked = [];
  const server = createServer((request, response) => {
    const url = new URL(request.url, "http://giphy.example");
    const { referer = "", cookie = "", origin = "" } = request.headers;
    asked.push({ path: url.pathname, query: Object.fromEntries(url.searchParams), referer, cookie, origin });
    const [status, type, body] = answer(url, `http://${request.headers.host}`);
    response.writeHead(status, { "Content-Type": type, "Access-Control-Allow-Origin": "*" });
    response.end(body);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  undo.add(async () => {
    server.closeAllConnections();
    server.close();
    await once(server, "close");
  });
  return { url: `http://127.0.0.1:${server.address().port}`, asked };
}

function answer({ pathname, searchParams }, own) {
  const media = /^\/media\/(\w+)\/200w\.gif$/.exec(pathname);
  if (media) return media[1] in TITLES ? [200, "image/gif", PICTURE] : [404, "text/plain", ""];
  if (searchParams.get("api_key") !== KEY) return said(401, {}, "No API key found in request.");
  const what = /^\/v1\/gifs\/(\w+)$/.exec(pathname)?.[1];
  if (what === "trending") return said(200, Object.keys(TITLES).map((id) => gif(id, own)));
  if (what === "search") {
    const words = searchParams.get("q");
    if (!words) return said(400, [], "q is missing");
    const found = Object.keys(TITLES).filter((id) => TITLES[id].includes(words));
    return said(200, found.map((id) => gif(id, own)));
  }
  return what in TITLES ? said(200, gif(what, own)) : said(404, {}, "Not Found!");
}

function gif(id, own) {
  const image = { url: `${own}/media/${id}/200w.gif`, width: "200", height: "120", size: String(PICTURE.length) };
  return { type: "gif", id, title: TITLES[id], alt_text: "", rating: "g", images: { fixed_width: image } };
}

function said(status, data, msg = "OK") {
  const meta = { status, msg, response_id: "8f2c" };
  return [status, "application/json", JSON.stringify({ data, meta })];
}
