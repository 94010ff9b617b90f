// What the tests of the account pages share: the app at a path, a server that answers as it is told,
// and a musician's hands.

import { render } from "preact";
import { act } from "preact/test-utils";
import { vi } from "vitest";

import { path } from "../route";
import { accountPage } from "./pages";

export interface Asked {
  route: string;
  body: unknown;
}

type Answer = [status: number, body?: object];

/** Answers by route, as in "POST sessions"; a list is answered one after the other. */
export function serverSays(answers: Record<string, Answer | Answer[]>): Asked[] {
  const asked: Asked[] = [];
  vi.stubGlobal("fetch", async (url: string, { method, body }: RequestInit) => {
    const route = `${method} ${url.replace("/api/v1/social/", "")}`;
    // What every page asks beside what it is for.
    if (answers[route] === undefined && BESIDE[route] !== undefined) return Response.json(BESIDE[route]);
    asked.push({ route, body: typeof body === "string" ? JSON.parse(body) : undefined });
    const found = answers[route];
    if (found === undefined) throw new Error(`nobody answers ${route}`);
    const answer = isList(found) ? (1 < found.length ? found.shift() : found[0]) : found;
    const [status, json] = answer ?? [500];
    const type = status < 400 ? "application/json" : "application/problem+json";
    return new Response(json === undefined ? null : JSON.stringify(json), { status, headers: { "Content-Type": type } });
  });
  return asked;
}

/** A server without providers that pushes nothing, and an account with a password. */
const BESIDE: Record<string, unknown> = {
  "GET identity/providers": [],
  "GET account/push": { key: null, browsers: [] },
  "GET account/identities": { has_password: true, proven_until: 0, identities: [] },
};

const isList = (answer: Answer | Answer[]): answer is Answer[] => Array.isArray(answer[0]);

export const problem = (status: number, code: string, detail: string, field?: string): Answer => [status, { code, detail, field }];

function Page() {
  return accountPage(path.value);
}

/** Shows the page of a path, and those that it leads to. */
export async function open(to: string): Promise<void> {
  await settled(() => {
    render(null, document.body);
    history.replaceState(null, "", to);
    path.value = location.pathname;
    render(<Page />, document.body);
  });
}

export async function close(): Promise<void> {
  await settled(() => render(null, document.body));
  vi.unstubAllGlobals();
  localStorage.clear();
  sessionStorage.clear();
}

/** Does it, and lets everything happen that waits for nothing. */
export async function settled(what: () => void): Promise<void> {
  let next: (() => void) | null = what;
  // What a page asks for when it is there begins at the end of an act: a page that leads to another one
  // that asks takes three.
  for (let acts = 0; acts < 3; acts += 1) {
    await act(async () => {
      next?.();
      for (let turn = 0; turn < 4; turn += 1) await new Promise((resolve) => setTimeout(resolve));
    });
    next = null;
  }
}

export function field(label: string): HTMLInputElement {
  const found = [...document.querySelectorAll("label")].find((each) => each.textContent === label);
  const named = found?.htmlFor === "" ? found.querySelector("input") : document.getElementById(found?.htmlFor ?? "");
  if (named === null || named === undefined) throw new Error(`no field ${label}:\n${text()}`);
  return named as HTMLInputElement;
}

export async function type(label: string, value: string): Promise<void> {
  const input = field(label);
  input.value = value;
  await settled(() => void input.dispatchEvent(new Event("input", { bubbles: true })));
}

export async function press(name: string): Promise<void> {
  const all = [...document.querySelectorAll<HTMLElement>("button, a, input[type=radio]")];
  const named = (each: HTMLElement) => each.getAttribute("aria-label") ?? (each.textContent || each.closest("label")?.textContent);
  const found = all.find((each) => named(each)?.trim() === name);
  if (found === undefined) throw new Error(`nothing to press called ${name}:\n${text()}`);
  await settled(() => found.click());
}

export const heading = () => document.querySelector("h1")?.textContent ?? "";
export const text = () => document.body.textContent ?? "";

/** What a field says is wrong with it, as a screen reader finds it. */
export function wrongWith(label: string): string {
  const input = field(label);
  const [id = ""] = (input.getAttribute("aria-describedby") ?? "").split(" ");
  return input.getAttribute("aria-invalid") === "true" ? (document.getElementById(id)?.textContent ?? "") : "";
}
