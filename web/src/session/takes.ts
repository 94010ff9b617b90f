// What the server tells of a take: docs/protocol.md, "Takes".

import type { Take } from "../protocol";

export interface TakeStatus {
  seconds: number | null;
  running: boolean;
  kept_until_unix_ms: number;
  stems: StemStatus[];
  markers: { at_seconds: number; text: string }[];
  export: ExportStatus;
  problems: string[];
}

export interface StemStatus {
  name: string;
  label: string;
  bytes: number;
  seconds: number | null;
  state: "arriving" | "complete" | "missing" | "damaged";
}

export type ExportStatus =
  | { state: "waiting" }
  | { state: "preparing"; percent: number }
  | { state: "ready"; bytes: number; newest: boolean }
  | { state: "failed"; text: string };

/** What is known of a take; `text` says in words why nothing is. */
export type Told = { status: TakeStatus } | { text: string };

type Fetch = typeof fetch;

/** Asks the server how it is with a take. */
export async function askForTake(take: Take, get: Fetch = fetch): Promise<Told> {
  try {
    const response = await get(pathOf(take), { headers: { Authorization: `Bearer ${take.key}` } });
    if (!response.ok) return { text: await refusal(response) };
    return { status: (await response.json()) as TakeStatus };
  } catch {
    return { text: "the server does not answer; it is asked again by itself" };
  }
}

/** Has the server make the download; the take's state tells how far it is. */
export async function prepareDownload(take: Take, get: Fetch = fetch): Promise<void> {
  try {
    // What is there already comes by the link, and not into the page's memory.
    const response = await get(downloadPath(take));
    await response.body?.cancel();
  } catch {
    // Asked for again by hand.
  }
}

/** Where the stems can be downloaded. */
export function downloadPath(take: Take): string {
  return `${pathOf(take)}/take.zip?key=${take.key}`;
}

/** Whether something is going to change by itself. */
export function isUnderWay({ running, stems, export: made }: TakeStatus): boolean {
  return running || made.state === "preparing" || stems.some((stem) => stem.state === "arriving");
}

async function refusal(response: Response): Promise<string> {
  const text = (await response.text()).trim();
  return text === "" ? `the server answered ${response.status}` : text;
}

function pathOf(take: Take): string {
  return `/api/v1/takes/${take.id}`;
}
