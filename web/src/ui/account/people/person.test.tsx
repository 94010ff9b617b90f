// @vitest-environment happy-dom

import { afterEach, describe, expect, it } from "vitest";

import { signedOut } from "../../../account/who";
import { close, field, heading, open, press, problem, text, type, wrongWith } from "../test_pages";
import { alerts, choose, done, has, ID, latest, person } from "./test_people";

const NOBODY = problem(404, "not_found", "there is nobody of this name here; check how it is written");
const standing = () => document.querySelector(".standing")?.textContent;

afterEach(async () => {
  await close();
  signedOut();
});

describe("a person's page", () => {
  it("shows what they let one see, as text", async () => {
    const shown = { status: "On tour", bio: "I <i>play</i>.\nAnd sing.", instruments: ["drums", "bass"], photo: "h1" };
    has({ "GET people/bob": [200, person("bob", shown)] });
    await open("/account/people/bob");
    expect([heading(), document.querySelector(".lead")?.textContent]).toEqual(["bob", "On tour"]);
    expect(document.querySelector(".bio")?.textContent).toBe(shown.bio);
    expect([...document.querySelectorAll(".instruments li")].map((each) => each.textContent)).toEqual(shown.instruments);
    const photo = document.querySelector("img");
    expect([photo?.getAttribute("src"), photo?.alt]).toEqual(["/api/v1/social/people/bob/photo?size=512&of=h1", "Photo of bob"]);
  });

  it("shows a letter for a photo, and says so where there is nothing else", async () => {
    has({ "GET people/bob": [200, person("bob")] });
    await open("/account/people/bob");
    expect([document.querySelector("img"), document.querySelector(".letter")?.textContent]).toEqual([null, "B"]);
    expect(text()).toContain("They show you nothing more of themselves.");
  });

  it("says that there is nobody, and leads back", async () => {
    has({ "GET people/b%25zz": NOBODY });
    await open("/account/people/b%zz");
    expect(heading()).toBe("Nobody here");
    expect(text()).toContain("There is nobody of this name here; check how it is written.");
    await press("All people");
    expect([location.pathname, heading()]).toEqual(["/account/people", "People"]);
  });

  it("can be tried again where the server does not answer", async () => {
    has({ "GET people/bob": [[503, { code: "busy", detail: "the server is busy" }], [200, person("bob")]] });
    await open("/account/people/bob");
    expect(alerts().join()).toContain("The server is busy.");
    await press("Try again");
    expect(standing()).toBe("You and bob are not friends.");
  });

  it("of one's own has nobody to ask, block or report", async () => {
    has({ "GET people/ada": [200, person("ada", { id: ID })] });
    await open("/account/people/ada");
    expect(text()).toContain("This is you");
    expect(document.querySelectorAll("button")).toHaveLength(0);
  });
});

describe("a friendship", () => {
  it("is asked for, and taken back", async () => {
    const asked = has({
      "GET people/bob": [[200, person("bob")], [200, person("bob", { friendship: "outgoing" })], [200, person("bob")]],
      "PUT friends/bob": [[429, { code: "too_many_requests", detail: "wait a little" }], [200, { state: "outgoing" }]],
      "DELETE friends/bob": [204],
    });
    await open("/account/people/bob");
    await press("Ask to be friends");
    expect(alerts()).toEqual(["Wait a little."]);
    await press("Ask to be friends");
    expect(asked.slice(-2).map(({ route }) => route)).toEqual(["PUT friends/bob", "GET people/bob"]);
    expect(standing()).toBe("You asked bob to be friends. There is no answer yet.");
    expect(document.activeElement?.className).toBe("standing");
    await press("Take it back");
    expect([standing(), alerts()]).toEqual(["You and bob are not friends.", []]);
  });

  it("is accepted, shows more of them, and ends when that was asked once more", async () => {
    const friend = person("bob", { friendship: "friends", bio: "For friends." });
    const asked = has({
      "GET people/bob": [[200, person("bob", { friendship: "incoming" })], [200, friend], [200, person("bob")]],
      "PUT friends/bob": [200, { state: "friends" }], "DELETE friends/bob": [204],
    });
    await open("/account/people/bob");
    expect(standing()).toBe("bob asked you to be friends.");
    await press("Accept");
    expect(standing()).toBe("You and bob are friends.");
    expect(text()).toContain("For friends.");
    await press("End the friendship");
    expect(latest(asked)?.route).toBe("GET people/bob");
    await press("End it");
    expect(asked.slice(-2).map(({ route }) => route)).toEqual(["DELETE friends/bob", "GET people/bob"]);
    expect(standing()).toBe("You and bob are not friends.");
    expect(text()).not.toContain("For friends.");
  });

  it("is declined", async () => {
    const asked = has({ "GET people/bob": [[200, person("bob", { friendship: "incoming" })], [200, person("bob")]], "DELETE friends/bob": [204] });
    await open("/account/people/bob");
    await press("Decline");
    expect(asked.at(-2)?.route).toBe("DELETE friends/bob");
    expect(standing()).toBe("You and bob are not friends.");
  });
});

describe("a block", () => {
  it("hides what they show, and can be taken back on the spot", async () => {
    const asked = has({
      "GET people/bob": [[200, person("bob", { bio: "I play.", status: "On tour", friendship: "friends" })], [200, person("bob", { bio: "I play." })]],
      "PUT account/blocks/bob": [[409, { code: "limit_reached", detail: "you blocked 1000 people" }], [204]],
      "DELETE account/blocks/bob": [204],
    });
    await open("/account/people/bob");
    await press("Block bob");
    expect(latest(asked)?.route).toBe("GET people/bob");
    await press("Block");
    expect(alerts()).toEqual(["You blocked 1000 people."]);
    await press("Block bob");
    await press("Block");
    expect([latest(asked)?.route, done()]).toEqual(["PUT account/blocks/bob", ["bob is blocked."]]);
    for (const gone of ["I play.", "On tour", "friends."]) expect(text()).not.toContain(gone);
    expect(document.activeElement?.textContent).toContain("Neither of you finds");
    // A block keeps nobody from reporting.
    expect(text()).toContain("Report bob");
    await press("Unblock bob");
    expect(asked.slice(-2).map(({ route }) => route)).toEqual(["DELETE account/blocks/bob", "GET people/bob"]);
    expect(standing()).toBe("You and bob are not friends.");
    expect([text().includes("I play."), done()]).toEqual([true, ["bob is not blocked any more."]]);
  });
});

describe("a report", () => {
  it("needs a reason, and a text where the reason says nothing", async () => {
    const asked = has({ "GET people/bob": [200, person("bob")], "POST reports": [201, { id: "r" }] });
    await open("/account/people/bob");
    const before = asked.length;
    await press("Report bob");
    expect(document.activeElement).toBe(field("What is wrong"));
    await press("Send the report");
    expect(wrongWith("What is wrong")).toBe("Choose what is wrong.");
    await choose("What is wrong", "other");
    expect(wrongWith("What is wrong")).toBe("");
    await press("Send the report");
    expect(wrongWith("What happened")).toBe("Say what is wrong.");
    expect(asked).toHaveLength(before);
    await choose("What is wrong", "spam");
    await type("What happened", "Again and again.");
    await press("Send the report");
    expect(latest(asked)).toEqual({
      route: "POST reports", body: { kind: "person", username: "bob", reason: "spam", text: "Again and again." },
    });
    expect(done()).toEqual(["Your report waits for the moderators. A notice tells you when they decided."]);
    expect([document.querySelector("form"), document.activeElement?.textContent]).toEqual([null, "Report bob"]);
  });

  it("that the server refuses keeps what was written", async () => {
    has({ "GET people/bob": [200, person("bob")], "POST reports": problem(422, "invalid", "this has 1001 characters, and 1000 are the most; shorten it", "text") });
    await open("/account/people/bob");
    await press("Report bob");
    await choose("What is wrong", "hate");
    await type("What happened", "Long.");
    await press("Send the report");
    expect(wrongWith("What happened")).toBe("This has 1001 characters, and 1000 are the most; shorten it.");
    expect(field("What happened").value).toBe("Long.");
  });
});
