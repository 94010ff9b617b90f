// What the tests of the pages of people share: a server with nothing to tell, and what only these
// pages have to press.

import { vi } from "vitest";

import { type Asked, serverSays, settled, text } from "../test_pages";

export const ID = "0199f0c0-0000-7000-8000-000000000001";

export const ACCOUNT = {
  id: ID, region: "eu", email: "ada@example.org", username: "ada", role: "user", language: "en", created_at: 0,
};

export const PROFILE = {
  bio: "I play.", status: "On tour", instruments: ["piano", "organ, pipe"], photo: null,
  seen_by: { bio: "everybody", status: "friends", instruments: "everybody", photo: "nobody" },
};

/** Somebody, by a name that is also the id. */
export const person = (username: string, more: object = {}) => ({
  id: username, username, bio: null, status: null, instruments: null, photo: null, friendship: null, ...more,
});

type Answers = Parameters<typeof serverSays>[0];

export const NOTHING: Answers = {
  "GET account": [200, ACCOUNT],
  "GET account/notices": [200, { notices: [], next: null }],
  "GET friends?state=incoming": [200, { friends: [], next: null }],
  "GET friends?state=outgoing": [200, { friends: [], next: null }],
  "GET friends?state=friends": [200, { friends: [], next: null }],
  "GET account/profile": [200, PROFILE],
  "GET account/preferences": [200, { presence: true, room: false, read_receipts: true, typing: false }],
  "GET account/blocks": [200, { blocks: [], next: null }],
};

/** The live connections that the page opened. */
export const sockets: Socket[] = [];

class Socket {
  onmessage: ((event: { data: unknown }) => void) | null = null;
  onclose: ((event: { code: number }) => void) | null = null;
  closed = false;
  constructor() {
    sockets.push(this);
  }
  send() {}
  close() {
    this.closed = true;
  }
  async says(...events: object[]) {
    await settled(() => {
      for (const event of events) this.onmessage?.({ data: JSON.stringify(event) });
    });
  }
}

/** A server that has what is given, and else nothing. */
export function has(answers: Answers): Asked[] {
  sockets.length = 0;
  vi.stubGlobal("WebSocket", Socket);
  return serverSays({ ...NOTHING, ...answers });
}

/** What the latest question was, and what went with it. */
export const latest = (asked: Asked[]) => asked.at(-1);

/** What stands in a list, by the label of the list. */
export function listed(label: string): string[] {
  const group = document.querySelector(`[aria-label="${label}"]`);
  return [...(group?.querySelectorAll("li") ?? [])].map((each) => each.querySelector(".name")?.textContent ?? each.textContent ?? "");
}

export async function choose(label: string, value: string): Promise<void> {
  const found = [...document.querySelectorAll("label")].find((each) => each.textContent === label);
  const select = document.getElementById(found?.htmlFor ?? "");
  if (!(select instanceof HTMLSelectElement)) throw new Error(`no choice ${label}:\n${text()}`);
  select.value = value;
  await settled(() => void select.dispatchEvent(new Event("change", { bubbles: true })));
}

/** What is wrong, as it is read out. */
export const alerts = () => [...document.querySelectorAll("[role=alert]")].map((each) => each.textContent).filter((each) => each !== "");
/** What is done, likewise. */
export const done = () => [...document.querySelectorAll(".done")].map((each) => each.textContent).filter((each) => each !== "");
