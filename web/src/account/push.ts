// Has this browser told what happens while no page is open. What surprises: three have to agree. The musician allows it, the
// browser's push service gives an address, and the server remembers it; what two of them do not know of is taken back.

import { call } from "./client";

/** Whether this browser can be told at all, and if not, what stands in the way. */
export type Ability = "able" | "insecure" | "home_screen" | "denied" | "unsupported";

/** The one program that runs while no page is open. It is installed by nothing but the switch. */
const WORKER = "/push-worker.js";

export function ability(): Ability {
  if (!globalThis.isSecureContext) return "insecure";
  if (!("serviceWorker" in navigator) || !("PushManager" in globalThis) || !("Notification" in globalThis)) {
    // Only Safari on phones and tablets knows whether it was opened from the home screen, and pushes only there.
    const { standalone } = navigator as { standalone?: boolean };
    return standalone === false ? "home_screen" : "unsupported";
  }
  return Notification.permission === "denied" ? "denied" : "able";
}

/** Whether this browser has an address at its push service. */
export async function hasAddress(): Promise<boolean> {
  if (ability() !== "able") return false;
  const registration = await navigator.serviceWorker.getRegistration("/");
  return (await registration?.pushManager.getSubscription()) != null;
}

/**
 * Switches this browser on with the server's key; whether the musician allowed it. To be called by a click, since
 * browsers ask nobody otherwise.
 */
export async function switchOn(key: string): Promise<boolean> {
  // First of all: Safari forgets the click while something else is waited for.
  if ((await Notification.requestPermission()) !== "granted") return false;
  await navigator.serviceWorker.register(WORKER, { scope: "/" });
  const { pushManager } = await navigator.serviceWorker.ready;
  const before = await pushManager.getSubscription();
  // It may be of another key, as where the server was set up anew, and would be refused.
  await before?.unsubscribe();
  const subscription = await pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: key });
  const { endpoint = "", keys } = subscription.toJSON();
  try {
    const body = { endpoint, p256dh: keys?.["p256dh"] ?? "", auth: keys?.["auth"] ?? "" };
    await call("PUT /api/v1/social/account/push", { body });
  } catch (error) {
    await leave();
    throw error;
  }
  return true;
}

/** Has the server forget a browser; this one forgets its address too, where it is the one. */
export async function switchOff(id: string, isThisOne: boolean): Promise<void> {
  await call("DELETE /api/v1/social/account/push/{browser}", { path: { browser: id } });
  if (isThisOne) await leave();
}

/** Takes the address back and uninstalls what runs without a page. */
export async function leave(): Promise<void> {
  if (!("serviceWorker" in navigator)) return;
  try {
    const registration = await navigator.serviceWorker.getRegistration("/");
    const subscription = await registration?.pushManager?.getSubscription();
    await subscription?.unsubscribe();
    await registration?.unregister();
  } catch {
    // The server pushes nothing there any more, whatever the browser keeps.
  }
}
