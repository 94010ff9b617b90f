// What this page tells of itself: one of each kind, for whoever is signed in.

import { loadPreferences } from "../../session/preferences";
import { roomOfPath } from "../../session/link";
import { call } from "../client";
import { who } from "../who";
import { CrashReporter } from "./crash";
import { type Feature, Usage, type UsageEvent } from "./usage";

const ask = () => call("GET /api/v1/social/account/usage");

const counted = new Set<Feature>();
let usage = fresh();
let crashes = reporter();
let whose = who.peek();
// Somebody else's choice is another.
who.subscribe((name) => {
  if (name === whose) return;
  whose = name;
  usage.decide(false);
  usage = fresh();
  crashes = reporter();
  counted.clear();
});

/** Counts that somebody used something: once until the page is loaded anew, however often they do. */
export function used(feature: Feature): void {
  if (who.peek() === null || counted.has(feature)) return;
  counted.add(feature);
  usage.note({ kind: "feature", feature });
}

/** Counts what happened in a visit to a room. */
export function played(events: UsageEvent[]): void {
  if (who.peek() === null) return;
  for (const event of events) usage.note(event);
  void usage.flush();
}

/** Asks now what is to be known when the page goes. */
export function beReady(): void {
  if (who.peek() !== null) void usage.know();
}

/** Somebody chose whether they are counted. */
export function chose(allowed: boolean): void {
  usage.decide(allowed);
}

export function crashed(cause: unknown): void {
  if (who.peek() !== null) void crashes.report(cause);
}

function fresh(): Usage {
  return new Usage({
    ask,
    send: async (events) => {
      const headers = { "Content-Type": "application/json" };
      // What goes out as the page goes is sent all the same.
      const request = { method: "POST", headers, body: JSON.stringify({ events }), keepalive: true };
      const { status } = await fetch("/api/v1/social/usage", request);
      return status !== 401 && status !== 403;
    },
  });
}

function reporter(): CrashReporter {
  return new CrashReporter({
    ask,
    names: () => [who.peek() ?? "", loadPreferences().name, roomOfPath(location.pathname) ?? ""],
    stamp: () => ({ id: crypto.randomUUID().replaceAll("-", ""), at: Date.now(), agent: navigator.userAgent }),
    send: async (key, envelope) => {
      const headers = { "Content-Type": "application/x-sentry-envelope", "X-Sentry-Auth": `Sentry sentry_key=${key}` };
      await fetch("/api/page/envelope/", { method: "POST", headers, body: envelope, keepalive: true });
    },
  });
}
