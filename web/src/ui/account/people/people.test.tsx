// @vitest-environment happy-dom

import { afterEach, describe, expect, it } from "vitest";

import { signedIn, signedOut, who } from "../../../account/who";
import { close, field, heading, open, press, problem, settled, text, type, wrongWith } from "../test_pages";
import { ACCOUNT, alerts, choose, done, has, latest, listed, person, PROFILE, sockets } from "./test_people";

const friend = (username: string) => ({ person: person(username), asked_at: 0, accepted_at: null });
const notice = (id: string, kind: string, more: object = {}) => ({
  id, kind, person: null, report: null, explanation: null, created_at: 0, read_at: null, ...more,
});

afterEach(async () => {
  await close();
  signedOut();
});

describe("the page of people", () => {
  it("is for whoever is signed in; others are led to signing in, and back", async () => {
    signedIn("ada");
    has({ "GET account": problem(401, "not_signed_in", "sign in first") });
    await open("/account/people");
    expect([location.pathname, location.search, who.value]).toEqual(["/account/sign-in", "?next=/account/people", null]);
  });

  it("can be tried again where the server has none to give", async () => {
    has({ "GET account": [[503, { code: "unavailable", detail: "accounts are off" }], [200, ACCOUNT]] });
    await open("/account/people");
    expect(alerts().join()).toContain("Accounts are off.");
    await press("Try again");
    expect(heading()).toBe("People");
    expect([...document.querySelectorAll("h2")].map((each) => each.textContent)).toEqual([
      "Notices", "Find people", "Friends", "Your photo", "Your profile", "What others see, and what you are told", "Blocked people",
    ]);
  });

  it("is none of a path that only begins alike", async () => {
    has({});
    for (const path of ["/account/peoples", "/account/people/ada/x"]) {
      await open(path);
      expect(text(), path).toBe("");
    }
  });
});

describe("notices", () => {
  it("lead to the messages that name or answer somebody", async () => {
    const message = { id: "m7", chat: "c1", seq: 7 };
    has({
      "GET account/notices": [200, {
        notices: [
          notice("n2", "mentioned", { person: person("bob"), message }),
          notice("n1", "answered", { person: person("eve"), message: { ...message, seq: 9 } }),
        ],
      }],
    });
    await open("/account/people");
    const told = [...document.querySelectorAll(".notice p")].map((each) => each.textContent);
    expect(told).toEqual(["New: bob names you in a message.", "New: eve answered a message of yours."]);
    const links = [...document.querySelectorAll(".notice a")].map((each) => each.getAttribute("href"));
    expect(links).toEqual(["/account/people/bob", "/account/chats/c1?message=7", "/account/people/eve", "/account/chats/c1?message=9"]);
  });

  it("say what there is to tell, and count as read when they were", async () => {
    const asked = has({
      "GET account/notices": [200, {
        notices: [
          notice("n5", "friend_asked", { person: person("bob") }),
          notice("n4", "friend_accepted", { person: person("eve") }),
          notice("n3", "report_resolved", { report: "r" }),
          notice("n2", "warned", { explanation: "be <b>kind</b>" }),
          notice("n1", "content_removed", { explanation: "not yours", read_at: 1 }),
        ],
      }],
      "POST account/notices/read": [204],
    });
    await open("/account/people");
    const told = () => [...document.querySelectorAll(".notice p")].map((each) => each.textContent);
    expect(told()).toEqual([
      "New: bob asked you to be friends.",
      "New: eve accepted: you are friends.",
      "New: The moderators decided on a report of yours.",
      "New: The moderators warn you. Be <b>kind</b>.",
    ]);
    await press("Mark all as read");
    expect(latest(asked)).toEqual({ route: "POST account/notices/read", body: { up_to: "n5" } });
    expect(told()).toEqual([]);
    expect(text()).toContain("Nothing is new.");
    expect(done()).toEqual(["All of them count as read."]);
    expect(text()).not.toContain("Mark all as read");
    expect(document.activeElement?.getAttribute("aria-label")).toBe("Notices");
    await press("Earlier notices");
    expect(told()).toHaveLength(5);
    expect(told().join()).not.toContain("New:");
    expect(told().at(-1)).toBe("The moderators removed something of yours. Not yours.");
  });

  it("come in pages, and the focus goes to the list when there are no more", async () => {
    has({
      "GET account/notices": [200, { notices: [notice("n2", "report_resolved", { read_at: 1 })], next: "n2" }],
      "GET account/notices?after=n2": [[503, { code: "busy", detail: "the server is busy" }], [200, { notices: [notice("n1", "warned")], next: null }]],
    });
    await open("/account/people");
    expect(listed("Notices")).toEqual([]);
    await press("Earlier notices");
    await press("Show more: Notices");
    expect(alerts()).toEqual(["The server is busy."]);
    expect(listed("Notices")).toHaveLength(1);
    await press("Show more: Notices");
    expect([alerts(), listed("Notices").length]).toEqual([[], 2]);
    expect(text()).not.toContain("Show more");
    expect(document.activeElement?.getAttribute("aria-label")).toBe("Notices");
  });
});

describe("finding people", () => {
  it("looks for how a name begins, and says how many there are", async () => {
    const asked = has({
      "GET people?q=bo": [200, { people: [person("bob", { status: "Jamming", friendship: "outgoing" }), person("bo.x", { instruments: ["drums", "bass"] })] }],
      "GET people?q=zz": [200, { people: [] }],
    });
    await open("/account/people");
    const before = asked.length;
    await press("Find");
    expect(wrongWith("How their username begins")).toBe("Type how the username begins.");
    expect(asked).toHaveLength(before);
    await type("How their username begins", " bo ");
    await press("Find");
    expect(listed("Who was found")).toEqual(["bob", "bo.x"]);
    expect(done()).toEqual(["2 people were found."]);
    for (const each of ["Jamming", "You asked", "drums, bass"]) expect(text()).toContain(each);
    expect(document.querySelector<HTMLAnchorElement>('[aria-label="Who was found"] a')?.pathname).toBe("/account/people/bob");
    await type("How their username begins", "zz");
    await press("Find");
    expect(done()).toEqual(["There is nobody whose username begins with “zz”."]);
    expect(listed("Who was found")).toEqual([]);
  });
});

describe("friends", () => {
  it("are accepted, and stand among friends then", async () => {
    const asked = has({
      "GET friends?state=incoming": [200, { friends: [friend("bob"), friend("eve")] }],
      "GET friends?state=friends": [[200, { friends: [] }], [200, { friends: [friend("bob")] }]],
      "PUT friends/bob": [[409, { code: "limit_reached", detail: "one of you has 1000 friends" }], [200, { state: "friends" }]],
    });
    await open("/account/people");
    expect(text()).toContain("You have none here yet");
    await press("Accept bob");
    expect(alerts()).toEqual(["One of you has 1000 friends."]);
    await press("Accept bob");
    expect(asked.slice(-2).map(({ route }) => route)).toEqual(["PUT friends/bob", "GET friends?state=friends"]);
    expect([listed("Who asked you"), listed("Your friends"), alerts()]).toEqual([["eve"], ["bob"], []]);
    expect(done()).toEqual(["You and bob are friends."]);
    expect(document.activeElement?.getAttribute("aria-label")).toBe("Who asked you");
  });

  it("are asked instead where they took their question back meanwhile", async () => {
    has({
      "GET friends?state=incoming": [200, { friends: [friend("bob")] }],
      "GET friends?state=outgoing": [[200, { friends: [] }], [200, { friends: [friend("bob")] }]],
      "PUT friends/bob": [200, { state: "outgoing" }],
    });
    await open("/account/people");
    await press("Accept bob");
    expect([listed("Who asked you"), listed("Whom you asked"), listed("Your friends")]).toEqual([[], ["bob"], []]);
    expect(done()).toEqual(["You asked bob to be friends."]);
  });

  it("are declined, and what was asked is taken back", async () => {
    const asked = has({
      "GET friends?state=incoming": [200, { friends: [friend("bob")] }],
      "GET friends?state=outgoing": [200, { friends: [friend("eve")] }],
      "DELETE friends/bob": [204], "DELETE friends/eve": [204],
    });
    await open("/account/people");
    await press("Decline bob");
    expect([latest(asked)?.route, listed("Who asked you"), done()]).toEqual(["DELETE friends/bob", [], ["You declined. bob is not told."]]);
    await press("Take back what you asked eve");
    expect([latest(asked)?.route, listed("Whom you asked")]).toEqual(["DELETE friends/eve", []]);
    expect(text()).toContain("You wait for nobody's answer.");
  });

  it("are parted from only when that was asked once more", async () => {
    const asked = has({ "GET friends?state=friends": [200, { friends: [friend("bob")] }], "DELETE friends/bob": [204] });
    await open("/account/people");
    const before = asked.length;
    await press("End the friendship with bob");
    expect(document.activeElement?.getAttribute("aria-label")).toBe("End your friendship with bob?");
    await press("Cancel");
    expect(document.activeElement?.getAttribute("aria-label")).toBe("End the friendship with bob");
    expect([asked.length, listed("Your friends")]).toEqual([before, ["bob"]]);
    await press("End the friendship with bob");
    await press("End it");
    expect([latest(asked)?.route, listed("Your friends")]).toEqual(["DELETE friends/bob", []]);
    expect(document.activeElement?.getAttribute("aria-label")).toBe("Your friends");
  });
});

describe("blocked people", () => {
  it("are listed, and unblocked", async () => {
    const asked = has({
      "GET account/blocks": [200, { blocks: [{ id: "b", username: "bob", blocked_at: 0 }, { id: "e", username: "eve", blocked_at: 0 }] }],
      "DELETE account/blocks/bob": [204],
    });
    await open("/account/people");
    expect(listed("Blocked people")).toEqual(["bob", "eve"]);
    await press("Unblock bob");
    expect([latest(asked)?.route, listed("Blocked people")]).toEqual(["DELETE account/blocks/bob", ["eve"]]);
    expect(done().join()).toContain("bob is not blocked any more.");
    expect(document.activeElement?.getAttribute("aria-label")).toBe("Blocked people");
  });
});

describe("the profile", () => {
  it("is changed as a whole, with who sees each part", async () => {
    const asked = has({
      "PUT account/profile": [[422, { code: "invalid", detail: "10 instruments are the most; leave some out", field: "instruments" }], [204]],
    });
    await open("/account/people");
    expect([field("Status").value, field("About you").value, field("Instruments").value]).toEqual(["On tour", "I play.", "piano\norgan, pipe"]);
    await type("Status", "At home");
    await type("Instruments", " organ, pipe \n\nvoice\n");
    await choose("Who sees your photo", "friends");
    await choose("Who sees your status", "nobody");
    await press("Save the profile");
    expect(wrongWith("Instruments")).toBe("10 instruments are the most; leave some out.");
    expect(document.activeElement).toBe(field("Instruments"));
    await press("Save the profile");
    expect(latest(asked)?.body).toEqual({
      bio: "I play.", status: "At home", instruments: ["organ, pipe", "voice"],
      seen_by: { ...PROFILE.seen_by, photo: "friends", status: "nobody" },
    });
    expect(done()).toEqual(["Your profile is changed."]);
    expect(wrongWith("Instruments")).toBe("");
  });
});

describe("the photo", () => {
  /** Chooses a file that begins with these bytes; gives as what kinds it was sent. */
  async function send(begin: number[], name: string, kind: string): Promise<string[]> {
    const kinds: string[] = [];
    const server = globalThis.fetch;
    globalThis.fetch = (url, request) => {
      if (request?.body instanceof Blob) kinds.push(request.body.type);
      return server(url, request);
    };
    const input = field(document.querySelector("label[for=own-photo]")?.textContent ?? "");
    const file = new File([new Uint8Array(begin)], name, { type: kind });
    Object.defineProperty(input, "files", { configurable: true, value: [file] });
    await settled(() => void input.dispatchEvent(new Event("change", { bubbles: true })));
    return kinds;
  }
  const shown = () => document.querySelector(".own-photo img")?.getAttribute("src") ?? null;
  const JPEG = [0xff, 0xd8, 0xff, 0xe0];

  it("is sent as what it is, shown, and removed", async () => {
    const asked = has({
      "GET account/profile": [[200, PROFILE], [200, { ...PROFILE, photo: "h1" }], [200, { ...PROFILE, photo: "h2" }]],
      "PUT account/photo": [204], "DELETE account/photo": [204],
    });
    await open("/account/people");
    expect([shown(), text().includes("Remove the photo")]).toEqual([null, false]);
    // Its name says something else.
    expect(await send(JPEG, "me.png", "image/png")).toEqual(["image/jpeg"]);
    expect(shown()).toBe("/api/v1/social/people/ada/photo?size=512&of=h1");
    expect(done()).toEqual(["Your photo is changed."]);
    const riff = [..."RIFF....WEBP"].map((each) => each.charCodeAt(0));
    expect(await send(riff, "me", "")).toEqual(["image/webp"]);
    expect(shown()).toContain("of=h2");
    await press("Remove the photo");
    expect([latest(asked)?.route, shown()]).toEqual(["DELETE account/photo", null]);
    expect(document.activeElement).toBe(field("Choose a photo"));
  });

  it("that the server refuses changes nothing, and says why", async () => {
    has({ "GET account/profile": [200, { ...PROFILE, photo: "h1" }], "PUT account/photo": problem(415, "wrong_type", "this is no photo; send a JPEG, PNG or WebP") });
    await open("/account/people");
    expect(await send([1, 2, 3], "me.gif", "image/gif")).toEqual(["image/gif"]);
    expect(wrongWith("Choose another photo")).toBe("This is no photo; send a JPEG, PNG or WebP.");
    expect(shown()).toContain("of=h1");
  });
});

describe("what others see of what one does", () => {
  it("is switched one by one, and goes back where the server refuses", async () => {
    const asked = has({ "PUT account/preferences": [[204], [429, { code: "too_many_requests", detail: "too often" }]] });
    const on = () => ["That you are online", "What you have read", "That you are typing"].map((each) => field(each).checked);
    const flip = (label: string) => settled(() => field(label).click());
    await open("/account/people");
    expect(on()).toEqual([true, true, false]);
    await flip("That you are typing");
    expect(latest(asked)).toEqual({ route: "PUT account/preferences", body: { presence: true, room: false, read_receipts: true, typing: true } });
    expect(done()).toEqual(["That holds from now on."]);
    await flip("That you are online");
    expect(latest(asked)?.body).toEqual({ presence: false, room: false, read_receipts: true, typing: true });
    expect([on(), alerts(), done()]).toEqual([[true, true, true], ["Too often."], []]);
  });

  it("keeps both where a second switch does not wait for the first", async () => {
    const asked = has({ "PUT account/preferences": [204] });
    await open("/account/people");
    await settled(() => {
      field("That you are typing").click();
      field("What you have read").click();
    });
    const last = { presence: true, room: false, read_receipts: false, typing: true };
    expect(asked.slice(-2).map(({ body }) => body)).toEqual([{ ...last, read_receipts: true }, last]);
  });
});

describe("how friends are", () => {
  it("is shown as long as it is known, and where they play only if they say so", async () => {
    const friends = [friend("bob"), friend("eve"), friend("cyd"), friend("dan")];
    has({ "GET friends?state=friends": [200, { friends, next: null }] });
    await open("/account/people");
    const [socket] = sockets;
    const is = (account: string, more: object) => ({ type: "presence", account, ...more });
    await socket?.says(
      { type: "ready" }, { type: "resumed" }, is("bob", { state: "online", jamming: true, room: "attic" }),
      is("eve", { state: "online", jamming: true }), is("cyd", { state: "away" }), is("dan", { state: "online" }),
      is("dan", { state: "offline" }),
    );
    const tags = () => [...document.querySelectorAll("[data-presence]")].map((each) => each.textContent);
    expect(tags()).toEqual(["jamming in attic", "jamming", "away"]);
    expect(document.querySelector("[data-presence] a")?.getAttribute("href")).toBe("/r/attic");
    await settled(() => socket?.onclose?.({ code: 1001 }));
    expect(tags()).toEqual([]);
    await close();
    expect(sockets.every(({ closed }) => closed)).toBe(true);
  });
});
