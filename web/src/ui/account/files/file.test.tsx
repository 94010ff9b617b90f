// @vitest-environment happy-dom

import { afterEach, describe, expect, it, vi } from "vitest";

import { signedOut } from "../../../account/who";
import { close, field, heading, open, press, problem, serverSays, settled, text, type, wrongWith } from "../test_pages";
import { findPeaks } from "./peaks";
import { columns, keySeek } from "./waveform";

const ID = "0199f0c0-0000-7000-8000-000000000003";
const ME = "0199f0c0-0000-7000-8000-00000000000a";
const BEA = "0199f0c0-0000-7000-8000-00000000000b";
const COMMENT = "0199f0c0-0000-7000-8000-0000000000c1";
const OTHER = "0199f0c0-0000-7000-8000-0000000000c2";
const RECORDING = {
  id: ID, name: "take 3.flac", account: ME, media_type: "audio/flac", size: 21_000_000, analysis: "done" as const,
  duration_ms: 187_000, created_at: 1_781_287_440_000,
};
const PEAKS = { duration_ms: 187_000, min: [-128, 0], max: [127, 64] };
const comment = (id: string, at_ms: number, words: string, who: string | null) => ({
  id, at_ms, text: words, created_at: 0, author: who === null ? null : { account: who, username: who === ME ? "ada" : "bea" },
});
const about = (file: object, others: object = {}) => ({
  "GET account": [200, { id: ME, username: "ada" }],
  [`GET files/${ID}`]: [200, file],
  [`GET files/${ID}/peaks`]: [200, PEAKS],
  [`GET files/${ID}/comments`]: [200, []],
  ...others,
}) as never;

afterEach(async () => {
  await close();
  signedOut();
});

const slider = () => document.querySelector("canvas") as HTMLCanvasElement;
const audio = () => document.querySelector("audio") as HTMLAudioElement;
const at = () => slider().getAttribute("aria-valuetext");
const said = () => [...document.querySelectorAll("[role=status]")].map((each) => each.textContent).filter((each) => each !== "");
const key = (name: string) => settled(() => void slider().dispatchEvent(new KeyboardEvent("keydown", { key: name, bubbles: true, cancelable: true })));

describe("a recording", () => {
  it("is played from its address, and moved in by the keys", async () => {
    serverSays(about(RECORDING));
    await open(`/account/files/${ID}`);
    expect(heading()).toBe("take 3.flac");
    expect(audio().getAttribute("src")).toBe(`/api/v1/social/files/${ID}/content`);
    expect([slider().getAttribute("role"), slider().tabIndex, at()]).toEqual(["slider", 0, "0:00 of 3:07"]);
    await key("PageUp");
    await key("ArrowRight");
    expect([at(), audio().currentTime]).toEqual(["0:35 of 3:07", 35]);
    await key("ArrowLeft");
    expect(at()).toBe("0:30 of 3:07");
    await key("End");
    expect(at()).toBe("3:07 of 3:07");
    await key("Home");
    expect(at()).toBe("0:00 of 3:07");
    expect(said()).toContain("Click to move, or use the arrow keys.");
  });

  it("is moved in by a click", async () => {
    serverSays(about(RECORDING));
    await open(`/account/files/${ID}`);
    slider().getBoundingClientRect = () => ({ left: 100, width: 400 }) as DOMRect;
    slider().setPointerCapture = () => {};
    const point = (type: string, clientX: number, buttons: number) =>
      settled(() => void slider().dispatchEvent(new PointerEvent(type, { clientX, buttons, button: 0, bubbles: true })));
    await point("pointerdown", 300, 1);
    expect([at(), audio().currentTime]).toEqual(["1:33 of 3:07", 93.5]);
    await point("pointermove", 900, 1);
    expect(at()).toBe("3:07 of 3:07");
    await point("pointermove", 100, 0);
    expect(at()).toBe("3:07 of 3:07");
  });

  it("follows the player", async () => {
    serverSays(about({ ...RECORDING, analysis: "failed", duration_ms: null }));
    await open(`/account/files/${ID}`);
    expect(slider().getAttribute("aria-disabled")).toBe("true");
    await key("End");
    Object.defineProperty(audio(), "duration", { value: 60 });
    await settled(() => void audio().dispatchEvent(new Event("durationchange")));
    audio().currentTime = 12;
    await settled(() => void audio().dispatchEvent(new Event("timeupdate")));
    expect(at()).toBe("0:12 of 1:00");
    expect(said()).toContain("Of this recording no waveform can be drawn. It can be played all the same.");
    await settled(() => void audio().dispatchEvent(new Event("error")));
    expect(text()).toContain("This browser cannot play the recording now.");
  });

  it("says that its waveform is awaited, and asks nothing any more when the page is left", async () => {
    const asked = serverSays(about({ ...RECORDING, analysis: "waiting", duration_ms: null }));
    await open(`/account/files/${ID}`);
    expect(said()).toContain("The waveform is on its way. The recording can be played already.");
    await close();
    expect(asked.map(({ route }) => route)).not.toContain(`GET files/${ID}/peaks`);
  });

  it("is of somebody else: they keep it", async () => {
    serverSays(about({ ...RECORDING, account: BEA }));
    await open(`/account/files/${ID}`);
    expect(text()).toContain("Download");
    expect(document.querySelector("[aria-label='Delete take 3.flac']")).toBeNull();
  });

  it("is deleted, and the list comes next", async () => {
    serverSays(about(RECORDING, { [`DELETE files/${ID}`]: [204], "GET files": [200, { files: [], used: 0, quota: 9 }] }));
    await open(`/account/files/${ID}`);
    await press("Delete take 3.flac");
    await press("Delete it");
    expect([location.pathname, heading()]).toEqual(["/account/files", "Your files"]);
  });

  it("may not be there", async () => {
    serverSays({ "GET account": [200, { id: ME }], [`GET files/${ID}`]: problem(404, "not_found", "there is no such file") } as never);
    await open(`/account/files/${ID}`);
    expect(document.querySelector("[role=alert]")?.textContent).toContain("There is no such file.");
  });
});

describe("comments", () => {
  it("are listed as text, and jumped to", async () => {
    const all = [comment(COMMENT, 5_000, "<i>too loud</i>", BEA), comment(OTHER, 65_000, "", null)];
    serverSays(about(RECORDING, { [`GET files/${ID}/comments`]: [200, all] }));
    await open(`/account/files/${ID}`);
    expect(text()).toContain("<i>too loud</i>");
    expect(text()).toContain("Somebody who is gone");
    await press("Go to 1:05");
    expect([at(), audio().currentTime]).toEqual(["1:05 of 3:07", 65]);
  });

  it("are added at the moment at which somebody began to type", async () => {
    const asked = serverSays(about(RECORDING, {
      [`GET files/${ID}/comments`]: [[200, []], [200, [comment(COMMENT, 30_000, "nice", ME)]]],
      [`POST files/${ID}/comments`]: [problem(422, "invalid", "a comment has 1 to 1000 characters", "text"), [201, { id: COMMENT }]],
    }));
    await open(`/account/files/${ID}`);
    await press("Add the comment");
    expect(wrongWith("Comment at 0:00")).toBe("Write something first.");
    await key("PageUp");
    await type("Comment at 0:30", " nice ");
    await key("PageUp");
    expect(field("Comment at 0:30").value).toBe(" nice ");
    expect(text()).toContain("Say it of 1:00 instead");
    await press("Add the comment");
    expect(wrongWith("Comment at 0:30")).toBe("A comment has 1 to 1000 characters.");
    await press("Add the comment");
    expect(asked.filter(({ route }) => route.startsWith("POST")).at(-1)?.body).toEqual({ at_ms: 30_000, text: "nice" });
    expect(document.querySelector(".comments")?.textContent).toContain("nice");
    expect(said()).toContain("Your comment is at 0:30.");
    expect(field("Comment at 1:00").value).toBe("");
  });

  it("are moved to where the recording is", async () => {
    const asked = serverSays(about(RECORDING, { [`POST files/${ID}/comments`]: [201, { id: COMMENT }] }));
    await open(`/account/files/${ID}`);
    await type("Comment at 0:00", "here");
    await key("End");
    await press("Say it of 3:07 instead");
    await press("Add the comment");
    expect(asked.find(({ route }) => route.startsWith("POST"))?.body).toEqual({ at_ms: 187_000, text: "here" });
  });

  it("are deleted by whoever said them, and by the owner of the recording", async () => {
    const all = [comment(COMMENT, 5_000, "mine", ME), comment(OTHER, 65_000, "hers", BEA)];
    const asked = serverSays(about({ ...RECORDING, account: BEA }, {
      [`GET files/${ID}/comments`]: [[200, all], [200, all.slice(1)]],
      [`DELETE files/${ID}/comments/${COMMENT}`]: [204],
    }));
    await open(`/account/files/${ID}`);
    expect(document.querySelector("[aria-label='Delete the comment at 1:05']")).toBeNull();
    await press("Delete the comment at 0:05");
    await press("Delete it");
    expect(asked.map(({ route }) => route)).toContain(`DELETE files/${ID}/comments/${COMMENT}`);
    expect(document.querySelector(".comments")?.textContent).not.toContain("mine");
    expect(said()).toContain("The comment is deleted.");
    expect(document.activeElement?.className).toBe("comments");
    serverSays(about(RECORDING, { [`GET files/${ID}/comments`]: [200, all] }));
    await open("/account/files");
    await open(`/account/files/${ID}`);
    expect(document.querySelector("[aria-label='Delete the comment at 1:05']")).not.toBeNull();
  });
});

describe("a picture", () => {
  it("is small, and whole on demand", async () => {
    const picture = { ...RECORDING, name: "flyer.png", media_type: "image/png", analysis: "none", duration_ms: null, width_px: 1600, height_px: 900, size: 250_000 };
    const asked = serverSays(about(picture));
    await open(`/account/files/${ID}`);
    const shown = () => document.querySelector(".picture");
    expect(shown()?.getAttribute("src")).toBe(`/api/v1/social/files/${ID}/thumbnail`);
    await press("Show all of it (250 KB)");
    expect([shown()?.getAttribute("src"), shown()?.getAttribute("alt")]).toEqual([`/api/v1/social/files/${ID}/content`, "flyer.png"]);
    await press("Show it small");
    expect(shown()?.getAttribute("src")).toBe(`/api/v1/social/files/${ID}/thumbnail`);
    expect(asked.map(({ route }) => route)).toEqual(["GET account", `GET files/${ID}`]);
  });
});

describe("the waveform", () => {
  const waiting = { ...RECORDING, analysis: "waiting" as const };
  const waits = () => {
    const all: number[] = [];
    return { all, wait: async (ms: number) => 0 < all.push(Math.round(ms)) };
  };

  it("is awaited, through a lost connection too", async () => {
    serverSays({
      [`GET files/${ID}`]: [[200, waiting], problem(503, "busy", "busy"), [200, RECORDING]],
      [`GET files/${ID}/peaks`]: [problem(503, "busy", "busy"), [200, PEAKS]],
    } as never);
    const { all, wait } = waits();
    expect(await findPeaks(waiting, wait)).toEqual({ file: RECORDING, peaks: PEAKS });
    expect(all).toEqual([1000, 1500, 2250, 15_000]);
    vi.unstubAllGlobals();
  });

  it("may not be there, or not yet", async () => {
    serverSays({ [`GET files/${ID}`]: [200, waiting], [`GET files/${ID}/peaks`]: problem(404, "not_found", "no") } as never);
    expect(await findPeaks(RECORDING, waits().wait)).toEqual({ file: RECORDING, peaks: null });
    expect((await findPeaks({ ...RECORDING, analysis: "failed" }, waits().wait))?.peaks).toBeNull();
    expect(await findPeaks(waiting, async () => false)).toBeNull();
    const { all, wait } = waits();
    expect(await findPeaks(waiting, wait)).toBeNull();
    expect([all.length, Math.max(...all)]).toEqual([200, 15_000]);
    vi.unstubAllGlobals();
  });

  it("has as many columns as there is room for", () => {
    const peaks = { min: [-128, -64, 0, 0], max: [0, 127, 0, 127] };
    expect(columns(peaks, 2)).toEqual([[-1, 1], [0, 1]]);
    expect(columns(peaks, 8).map(([, high]) => high)).toEqual([0, 0, 1, 1, 0, 0, 1, 1]);
    expect(columns({ min: [], max: [] }, 8)).toEqual([]);
  });

  it("is moved in by keys, never out of it", () => {
    expect([keySeek("ArrowLeft", 2_000, 9_000), keySeek("PageUp", 2_000, 9_000), keySeek("a", 2_000, 9_000)]).toEqual([0, 9_000, null]);
  });
});
