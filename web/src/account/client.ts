// Asks the server's routes of accounts. What goes in and comes back is typed by the route's name; what
// goes wrong is always a `ProblemError` with a code for programs and a sentence for people, also where
// no server answered at all.

import type { Problem, ProblemCode, Routes } from "../protocol/social";

/** The codes of the server, and two of our own: nobody answered, or somebody who is not our server. */
export type Code = ProblemCode | "unreachable" | "unreadable";

export class ProblemError extends Error {
  readonly code: Code;
  /** Which field of the body it is about; null for none. */
  readonly field: string | null;

  constructor(code: Code, sentence: string, field: string | null = null) {
    super(sentence);
    this.name = "ProblemError";
    this.code = code;
    this.field = field;
  }
}

type Route = keyof Routes;
type Part<R extends Route, K extends "path" | "query" | "headers" | "body"> = Routes[R][K] extends undefined
  ? { [key in K]?: undefined }
  : { [key in K]: Routes[R][K] };
type Input<R extends Route> = Part<R, "path"> & Part<R, "query"> & Part<R, "headers"> & Part<R, "body">;

/** The same, whichever route it is for. */
interface Given {
  path?: object;
  query?: object;
  headers?: Record<string, string>;
  body?: unknown;
}

/** Asks a route; `input` is left out where it takes nothing. */
export async function call<R extends Route>(
  route: R,
  ...[input]: Partial<Input<R>> extends Input<R> ? [Input<R>?] : [Input<R>]
): Promise<Routes[R]["answer"]> {
  const [method = "GET", template = ""] = route.split(" ");
  const { path, query, headers, body }: Given = (input ?? {}) as object;
  const request: RequestInit = { method, headers: { ...headers }, credentials: "same-origin", cache: "no-store" };
  if (body instanceof Blob) {
    request.body = body;
  } else if (body !== undefined) {
    request.body = JSON.stringify(body);
    request.headers = { ...headers, "Content-Type": "application/json" };
  }
  let response: Response;
  try {
    response = await fetch(fill(template, path) + search(query), request);
  } catch {
    throw new ProblemError("unreachable", "The server cannot be reached. Check your connection and try again.");
  }
  if (!response.ok) throw await problemOf(response);
  if (response.status === 204) return undefined as Routes[R]["answer"];
  const type = response.headers.get("Content-Type") ?? "";
  try {
    if (type.startsWith("application/json")) return (await response.json()) as Routes[R]["answer"];
    // Files are bytes; a text is somebody else's page.
    if (!type.startsWith("text/")) return (await response.blob()) as unknown as Routes[R]["answer"];
  } catch {
    // Cut off.
  }
  throw unreadable(response.status);
}

function fill(template: string, path: object | undefined): string {
  const values = (path ?? {}) as Record<string, string>;
  return template.replace(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(values[name] ?? ""));
}

function search(query: object | undefined): string {
  const given = Object.entries(query ?? {}).filter(([, value]) => value !== undefined && value !== null);
  if (given.length === 0) return "";
  return `?${new URLSearchParams(given.map(([name, value]) => [name, String(value)]))}`;
}

async function problemOf(response: Response): Promise<ProblemError> {
  if (response.headers.get("Content-Type")?.startsWith("application/problem+json") !== true) {
    return unreadable(response.status);
  }
  const problem = (await response.json().catch(() => null)) as Partial<Problem> | null;
  if (typeof problem?.code !== "string" || typeof problem.detail !== "string") {
    return unreadable(response.status);
  }
  const wait = Number(response.headers.get("Retry-After"));
  // Somebody who waits an hour does not count its seconds.
  if (problem.code === "too_many_requests" && 0 < wait) {
    return new ProblemError(problem.code, `That was tried too often. Try again in ${duration(wait)}.`);
  }
  // The reason alone says nothing of what there is a reason for.
  if (problem.code === "unavailable" && typeof problem.title === "string") {
    return new ProblemError(problem.code, `${problem.title}: ${problem.detail}`);
  }
  return new ProblemError(problem.code, WORDS[problem.code] ?? problem.detail, problem.field ?? null);
}

/** A proxy's error page, or a server of another kind. */
function unreadable(status: number): ProblemError {
  return new ProblemError(
    "unreadable",
    `The server gave an answer that this page cannot read (${status}). Reload the page, or try again in a minute.`,
  );
}

function duration(seconds: number): string {
  if (seconds < 60) return seconds === 1 ? "a second" : `${seconds} seconds`;
  const minutes = Math.ceil(seconds / 60);
  if (minutes < 90) return minutes === 1 ? "a minute" : `${minutes} minutes`;
  return `${Math.ceil(minutes / 60)} hours`;
}

/** What the server says to programs rather than to people. */
const WORDS: Partial<Record<ProblemCode, string>> = {
  not_signed_in: "You are not signed in any more. Sign in again.",
  wrong_region: "This server keeps no accounts there. Choose the other region, or sign up at another server.",
  foreign_page: "The server did not believe that this page is its own. Open it by the server's own address.",
};
