// Asks GIPHY, from this browser: its terms let nobody ask for others. It is asked only once whoever looks has
// agreed, with the key that our server then gives. What surprises: numbers of pictures are texts there, and
// an answer without a `response_id` is a failure though its status says that all went well.

import type { Giphy, Id } from "../../protocol/social";

/** A picture that moves, as it is shown. */
export interface Gif {
  id: Id;
  /** What is in it, for whoever does not see it. */
  title: string;
  url: string;
  width: number;
  height: number;
}

/** GIPHY gave nothing that can be shown; the message is for people. */
export class GiphyError extends Error {}

/** Looks for some; the popular ones where nothing is said. */
export async function findGifs(giphy: Giphy, words: string): Promise<Gif[]> {
  const q = words.trim().slice(0, WORDS_MAX);
  const common = { limit: String(COUNT), rating: giphy.rating, bundle: "messaging_non_clips" };
  const answer = await ask(giphy, q === "" ? "trending" : "search", q === "" ? common : { ...common, q });
  return Array.isArray(answer) ? answer.flatMap((each) => gifOf(each) ?? []) : [];
}

/** One by its name; null where it is not there any more. */
export async function gifById(giphy: Giphy, id: string): Promise<Gif | null> {
  const answer = await ask(giphy, encodeURIComponent(id), { rating: giphy.rating });
  return answer === null ? null : gifOf(answer);
}

async function ask(giphy: Giphy, what: string, query: Record<string, string>): Promise<unknown> {
  const url = `${giphy.api}/v1/gifs/${what}?${new URLSearchParams({ api_key: giphy.key, ...query })}`;
  let response: Response;
  try {
    response = await fetch(url, { credentials: "omit", referrerPolicy: "no-referrer" });
  } catch {
    throw new GiphyError("GIPHY cannot be reached. Check your connection and try again.");
  }
  if (response.status === 404) return null;
  if (response.status === 429) throw new GiphyError("GIPHY was asked too often. Try again in a while.");
  if (!response.ok) throw new GiphyError("GIPHY gave no answer. Try again later.");
  const body = (await response.json().catch(() => null)) as { data?: unknown; meta?: { response_id?: unknown } } | null;
  const { data, meta } = body ?? {};
  if (data === undefined || typeof meta?.response_id !== "string" || meta.response_id === "") {
    throw new GiphyError("GIPHY gave no answer. Try again later.");
  }
  return data;
}

/** Null where it is not what GIPHY says that it gives. */
function gifOf(given: unknown): Gif | null {
  const { id, title, alt_text, images } = (given ?? {}) as Record<string, unknown>;
  const sizes = (images ?? {}) as Record<string, Record<string, unknown> | undefined>;
  const image = sizes["fixed_width"] ?? sizes["fixed_height"];
  const [width, height] = [Number(image?.["width"]), Number(image?.["height"])];
  const url = image?.["url"];
  if (typeof id !== "string" || !ID.test(id) || typeof url !== "string" || !/^https?:/.test(url)) return null;
  if (!(0 < width && width < SIDE_MAX && 0 < height && height < SIDE_MAX)) return null;
  const words = [alt_text, title].find((each) => typeof each === "string" && each !== "");
  return { id, title: typeof words === "string" ? words : "GIF", url, width, height };
}

const ID = /^[a-zA-Z0-9]{1,64}$/;
const WORDS_MAX = 50;
const COUNT = 24;
const SIDE_MAX = 10_000;
