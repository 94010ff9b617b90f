// @vitest-environment happy-dom

// The switch for what a browser is told while no page is open, with a browser that can be told, and with others.

import { afterEach, describe, expect, it, vi } from "vitest";

import { signedIn } from "../../account/who";
import { close, open, press, problem, serverSays, settled, text } from "./test_pages";

const ACCOUNT = { id: "x", username: "ada", email: "ada@example.org", role: "user", language: "en", region: "eu", created_at: 0 };
const KEY = "BNcRdreALRFXTkOOUHK1EtK2wtaz5Ry4YfYCA_0QTpQtUbVlUls0VJXg7A8u-Ts1XbjhazAkj7I99e8QcYP7DkM";
const HERE = { id: "0190163d-8694-739b-aea5-966c26f8ad91", device_name: "Laptop", host: "push.example", created_at: 0, current: true };
const THERE = { ...HERE, id: "0190163d-8694-739b-aea5-966c26f8ad92", device_name: "Phone", current: false };
const says = (...browsers: object[]): [number, object] => [200, { key: KEY, browsers }];
const SETTINGS: Record<string, [number, object]> = {
  "GET account": [200, ACCOUNT],
  "GET sessions": [200, []],
  "GET languages": [200, []],
};

/** A browser whose musician answers like this when asked. */
function browser(answer: NotificationPermission, { fails = false, isOn = false } = {}) {
  const did: string[] = [];
  let subscription: object | null = null;
  const fresh = {
    toJSON: () => ({ endpoint: "https://push.example/x", keys: { p256dh: "BA", auth: "AA" }, expirationTime: null }),
    unsubscribe: async () => {
      did.push("unsubscribed");
      subscription = null;
      return true;
    },
  };
  if (isOn) subscription = fresh;
  const pushManager = {
    getSubscription: async () => subscription,
    subscribe: async (options: PushSubscriptionOptionsInit) => {
      if (fails) throw new DOMException("no push service", "AbortError");
      did.push(`subscribed with ${String(options.applicationServerKey)}, ${options.userVisibleOnly}`);
      return (subscription = fresh);
    },
  };
  let registration: object | undefined;
  const installed = { pushManager, unregister: async () => void did.push("uninstalled") };
  if (isOn) registration = installed;
  vi.stubGlobal("isSecureContext", true);
  vi.stubGlobal("PushManager", class {});
  vi.stubGlobal("Notification", {
    permission: "default",
    requestPermission: async () => {
      did.push("asked");
      Notification = { ...Notification, permission: answer } as typeof Notification;
      return answer;
    },
  });
  Object.defineProperty(navigator, "serviceWorker", {
    configurable: true,
    value: {
      getRegistration: async () => registration,
      register: async (url: string) => {
        did.push(`installed ${url}`);
        registration = installed;
      },
      ready: Promise.resolve(installed),
    },
  });
  return did;
}

afterEach(async () => {
  await close();
  Reflect.deleteProperty(navigator, "serviceWorker");
  Reflect.deleteProperty(navigator, "standalone");
});

async function settings(push: [number, object] | [number, object][]) {
  signedIn("ada");
  const asked = serverSays({ ...SETTINGS, "GET account/push": push as [number, object], "PUT account/push": [204], "DELETE account/push/0190163d-8694-739b-aea5-966c26f8ad91": [204], "DELETE account/push/0190163d-8694-739b-aea5-966c26f8ad92": [204] } as never);
  await open("/account");
  return asked;
}

describe("a browser", () => {
  it("is asked for nothing before the switch is pressed, and then told", async () => {
    const did = browser("granted");
    const asked = await settings([says(), says(HERE)]);
    expect(did).toEqual([]);
    await press("Tell this browser");
    await settled(() => undefined);
    expect(did).toEqual(["asked", "installed /push-worker.js", `subscribed with ${KEY}, true`]);
    const put = asked.find(({ route }) => route === "PUT account/push");
    expect(put?.body).toEqual({ endpoint: "https://push.example/x", p256dh: "BA", auth: "AA" });
    expect(text()).toContain("This browser is told from now on.");
    await press("Tell this browser no more");
    expect(did.slice(3)).toEqual(["unsubscribed", "uninstalled"]);
  });

  it("that may not is told why, and nothing is installed", async () => {
    const did = browser("denied");
    const asked = await settings(says());
    await press("Tell this browser");
    await settled(() => undefined);
    expect(did).toEqual(["asked"]);
    expect(text()).toContain("Allow them in its settings for this page");
    expect(asked.some(({ route }) => route.startsWith("PUT"))).toBe(false);
  });

  it("without a push service says so", async () => {
    const did = browser("granted", { fails: true });
    await settings(says());
    await press("Tell this browser");
    await settled(() => undefined);
    expect(text()).toContain("The push service of this browser does not answer.");
    expect(did.at(-1)).toBe("uninstalled");
  });

  it("whose service the server does not ask gives its address back", async () => {
    const did = browser("granted");
    signedIn("ada");
    serverSays({ ...SETTINGS, "GET account/push": says(), "PUT account/push": problem(422, "invalid", "this is no address of a push service", "endpoint") });
    await open("/account");
    await press("Tell this browser");
    await settled(() => undefined);
    expect(text()).toContain("This is no address of a push service.");
    expect(did.slice(-2)).toEqual(["unsubscribed", "uninstalled"]);
  });

  it("that took the address back by itself is forgotten", async () => {
    browser("granted");
    const asked = await settings(says(HERE));
    await settled(() => undefined);
    expect(asked.map(({ route }) => route)).toContain(`DELETE account/push/${HERE.id}`);
    expect(text()).not.toContain("Tell this browser no more");
  });

  it("elsewhere is switched off from here", async () => {
    const did = browser("granted", { isOn: true });
    const asked = await settings([says(HERE, THERE), says(HERE)]);
    await settled(() => undefined);
    await press("Tell Phone no more");
    expect(asked.map(({ route }) => route)).toContain(`DELETE account/push/${THERE.id}`);
    expect(did).toEqual([]);
    expect(text()).toContain("Phone is told no more.");
  });

  it("that cannot be told says what stands in the way", async () => {
    vi.stubGlobal("isSecureContext", false);
    await settings(says());
    expect(text()).toContain("did not come encrypted");
    await close();
    vi.stubGlobal("isSecureContext", true);
    await settings(says());
    expect(text()).toContain("cannot be told anything while no page is open");
    await close();
    vi.stubGlobal("isSecureContext", true);
    Object.defineProperty(navigator, "standalone", { configurable: true, value: false });
    await settings(says());
    expect(text()).toContain("Add to Home Screen");
  });
});

it("a server that pushes nothing has no switch", async () => {
  browser("granted");
  await settings([200, { key: null, browsers: [] }]);
  expect(text()).not.toContain("While no page is open");
});
