import { afterEach, describe, expect, it, vi } from "vitest";

import { GiphyError, findGifs, gifById } from "./giphy";

const GIPHY = { api: "https://api.giphy.example", key: "k&y", rating: "g" as const };
const given = (id: string, part: object = {}) => ({
  id, title: "a cat", alt_text: "", rating: "g", images: { fixed_width: { url: `https://media.giphy.example/${id}.gif`, width: "200", height: "113", size: "9" } }, ...part,
});
const whole = (data: unknown) => ({ data, pagination: { total_count: 1, count: 1, offset: 0 }, meta: { status: 200, msg: "OK", response_id: "r1" } });

/** A double of GIPHY; what it was asked. */
function says(status: number, body: unknown): string[] {
  const asked: string[] = [];
  vi.stubGlobal("fetch", async (url: string, { credentials, referrerPolicy }: RequestInit) => {
    expect([credentials, referrerPolicy]).toEqual(["omit", "no-referrer"]);
    asked.push(url);
    return new Response(JSON.stringify(body), { status });
  });
  return asked;
}

afterEach(() => vi.unstubAllGlobals());

describe("GIPHY", () => {
  it("is asked for words, or for what is popular, below the server's rating", async () => {
    const asked = says(200, whole([given("abc")]));
    expect(await findGifs(GIPHY, " cats & dogs ")).toEqual([{ id: "abc", title: "a cat", url: "https://media.giphy.example/abc.gif", width: 200, height: 113 }]);
    await findGifs(GIPHY, " ");
    await findGifs(GIPHY, "x".repeat(60));
    const urls = asked.map((each) => new URL(each));
    expect(urls.map(({ pathname }) => pathname)).toEqual(["/v1/gifs/search", "/v1/gifs/trending", "/v1/gifs/search"]);
    expect(urls.map(({ searchParams }) => searchParams.get("q"))).toEqual(["cats & dogs", null, "x".repeat(50)]);
    for (const { searchParams } of urls) expect([searchParams.get("api_key"), searchParams.get("rating")]).toEqual(["k&y", "g"]);
  });

  it("is asked for one by its name, which may be gone", async () => {
    const asked = says(200, whole(given("abc", { alt_text: "a cat that plays" })));
    expect(await gifById(GIPHY, "abc")).toMatchObject({ id: "abc", title: "a cat that plays" });
    expect(new URL(asked[0] ?? "").pathname).toBe("/v1/gifs/abc");
    says(404, { meta: { status: 404, msg: "Not Found", response_id: "r2" } });
    expect(await gifById(GIPHY, "abc")).toBeNull();
  });

  it("is not believed where an answer is none", async () => {
    for (const [status, body] of [
      [200, { data: [], meta: { status: 200, msg: "OK", response_id: "" } }],
      [200, { data: [] }], [200, null], [401, {}], [414, {}], [429, {}], [500, {}],
    ] as const) {
      says(status, body);
      await expect(findGifs(GIPHY, "x"), JSON.stringify([status, body])).rejects.toThrow(GiphyError);
    }
    vi.stubGlobal("fetch", () => Promise.reject(new TypeError("blocked")));
    await expect(findGifs(GIPHY, "x")).rejects.toThrow("cannot be reached");
  });

  it("shows nothing that is not as it should be", async () => {
    const image = (part: object) => ({ images: { fixed_width: { url: "https://m.example/x.gif", width: "1", height: "1", ...part } } });
    says(200, whole([
      null, {}, given("../x"), given("a", { images: {} }), given("b", image({ url: "javascript:alert(1)" })), given("c", image({ width: "wide" })),
      given("d", image({ height: "0" })), given("e", { images: { fixed_height: { url: "https://m.example/e.gif", width: "9", height: "8" } } }),
    ]));
    expect((await findGifs(GIPHY, "x")).map(({ id }) => id)).toEqual(["e"]);
  });
});
