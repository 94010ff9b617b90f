// @vitest-environment happy-dom

import { afterEach, describe, expect, it, vi } from "vitest";

import { signedIn, signedOut, who } from "../../../account/who";
import { close, field, heading, open, press, problem, serverSays, settled, text } from "../test_pages";
import { uploads } from "./queue";
import { bytesText, describeFile } from "./words";

const ID = "0199f0c0-0000-7000-8000-000000000003";
const OLDER = "0199f0c0-0000-7000-8000-000000000002";
const OLDEST = "0199f0c0-0000-7000-8000-000000000001";
const NEW = "0199f0c0-0000-7000-8000-000000000009";
const ME = "0199f0c0-0000-7000-8000-00000000000a";
const file = (id: string, name: string, others: object = {}) => ({
  id, name, account: ME, media_type: "audio/flac", size: 21_000_000, analysis: "done", duration_ms: 187_000,
  created_at: 1_781_287_440_000, ...others,
});
const FILES = { files: [file(ID, "<b>take</b> 3.flac")], used: 421_000_000, quota: 1_073_741_824 };

afterEach(async () => {
  await settled(() => uploads.clear());
  await close();
  signedOut();
});

const names = () => [...document.querySelectorAll(".files .file-name")].map((each) => each.textContent);
const said = () => [...document.querySelectorAll("[role=status]")].map((each) => each.textContent).filter((each) => each !== "");
const alerts = () => [...document.querySelectorAll("[role=alert]")].map((each) => each.textContent).join("");
const focused = () => document.activeElement?.getAttribute("aria-label") ?? document.activeElement?.textContent;

async function choose(...files: File[]): Promise<void> {
  const input = field("Recordings and pictures");
  Object.defineProperty(input, "files", { value: files, configurable: true });
  await settled(() => void input.dispatchEvent(new Event("change", { bubbles: true })));
}

describe("the list of files", () => {
  it("shows each as text, and how much room is left", async () => {
    serverSays({ "GET files": [200, FILES] });
    await open("/account/files");
    expect(heading()).toBe("Your files");
    expect(names()).toEqual(["<b>take</b> 3.flac"]);
    expect(text()).toContain("FLAC, 3:07, 21 MB");
    expect(text()).toContain("421 MB of 1.1 GB used, 653 MB free");
    const bar = document.querySelector<HTMLProgressElement>(".field progress");
    expect([bar?.value, bar?.max]).toEqual([421_000_000, 1_073_741_824]);
    expect(document.querySelector<HTMLAnchorElement>("a[download]")?.getAttribute("href")).toBe(`/api/v1/social/files/${ID}/content`);
    expect(document.querySelector("a[download]")?.getAttribute("download")).toBe("<b>take</b> 3.flac");
  });

  it("shows more on demand", async () => {
    const asked = serverSays({
      "GET files": [200, { ...FILES, next: ID }],
      [`GET files?before=${ID}`]: [200, { ...FILES, files: [file(OLDER, "take 2"), file(OLDEST, "flyer", { media_type: "image/png" })] }],
    });
    await open("/account/files");
    await press("Show more");
    expect(names()).toEqual(["<b>take</b> 3.flac", "take 2", "flyer"]);
    expect(text()).not.toContain("Show more");
    expect(said()).toContain("2 more files are shown.");
    expect(focused()).toBe("Your files");
    expect(asked).toHaveLength(2);
    expect(document.querySelector(".file-small")?.getAttribute("src")).toBe(`/api/v1/social/files/${OLDEST}/thumbnail`);
  });

  it("deletes a file once that was said twice", async () => {
    const asked = serverSays({ "GET files": [200, FILES], [`DELETE files/${ID}`]: [204] });
    await open("/account/files");
    await press("Delete <b>take</b> 3.flac");
    expect(text()).toContain("Delete <b>take</b> 3.flac for good?");
    expect(focused()).toBe("Keep it");
    await press("Keep it");
    expect(focused()).toBe("Delete <b>take</b> 3.flac");
    expect(asked).toHaveLength(1);
    await press("Delete <b>take</b> 3.flac");
    await press("Delete it");
    expect(asked.at(-1)?.route).toBe(`DELETE files/${ID}`);
    expect(names()).toEqual([]);
    expect(said()).toContain("<b>take</b> 3.flac is deleted.");
    expect(text()).toContain("400 MB of 1.1 GB used");
    expect(focused()).toBe("Your files");
  });

  it("copies a link, or shows it where a page may not copy", async () => {
    const until = Date.now() + 900_000;
    serverSays({
      "GET files": [200, FILES],
      [`POST files/${ID}/link`]: [201, { url: "/api/v1/social/content/abc", expires_at: until }],
    });
    const clipboard: string[] = [];
    vi.stubGlobal("navigator", { ...navigator, clipboard: { writeText: async (link: string) => void clipboard.push(link) } });
    await open("/account/files");
    await press("Copy a link to <b>take</b> 3.flac");
    expect(clipboard).toEqual([new URL("/api/v1/social/content/abc", location.href).href]);
    expect(said().join()).toContain("The link is copied. Whoever has it can fetch the file until");
    vi.stubGlobal("navigator", { ...navigator, clipboard: undefined });
    await press("Copy a link to <b>take</b> 3.flac");
    const shown = document.querySelector<HTMLInputElement>("input[readonly]");
    expect(shown?.value).toBe(clipboard[0]);
    expect(document.activeElement).toBe(shown);
  });

  it("says what went wrong, and leads whoever is signed out to signing in and back", async () => {
    signedIn("ada");
    serverSays({ "GET files": [problem(503, "busy", "the server is busy"), [200, FILES], problem(401, "not_signed_in", "no")] });
    await open("/account/files");
    expect(alerts()).toContain("The server is busy.");
    await press("Try again");
    expect(names()).toHaveLength(1);
    await open("/account/files");
    expect([location.pathname, location.search, who.value]).toEqual(["/account/sign-in", "?next=/account/files", null]);
  });
});

describe("uploading", () => {
  const upload = (offset: number) => ({ id: NEW, name: "new.wav", size: 100, offset, expires_at: 0 });

  it("shows a file on its way, then among the others", async () => {
    const asked = serverSays({
      "GET files": [[200, FILES], [200, { ...FILES, used: 421_000_100, files: [file(NEW, "new.wav", { analysis: "waiting" }), ...FILES.files] }]],
      "POST uploads": [201, upload(0)],
      [`PATCH uploads/${NEW}`]: [200, upload(100)],
      [`POST uploads/${NEW}/complete`]: [201, file(NEW, "new.wav")],
    });
    await open("/account/files");
    await choose(new File([new Uint8Array(100)], "new.wav"));
    expect(names()).toEqual(["new.wav", "<b>take</b> 3.flac"]);
    expect(asked[1]).toEqual({ route: "POST uploads", body: { name: "new.wav", size: 100 } });
    expect((asked[3]?.body as { sha256: string }).sha256).toMatch(/^[0-9a-f]{64}$/);
    expect(said()).toContain("One file uploaded.");
    await press("Tidy this list");
    expect(document.querySelector(".uploads")).toBeNull();
    expect(document.activeElement).toBe(field("Recordings and pictures"));
  });

  it("says why one is refused, and tries it again", async () => {
    serverSays({
      "GET files": [200, FILES],
      "POST uploads": [problem(413, "quota_exceeded", "your files have 9 bytes of the 9 that they may have"), [201, upload(0)]],
      [`PATCH uploads/${NEW}`]: problem(415, "kind_not_allowed", "this is no kind of file that is kept here"),
      [`DELETE uploads/${NEW}`]: [204],
    });
    await open("/account/files");
    await choose(new File([new Uint8Array(100)], "new.wav"));
    expect(text()).toContain("Your files have 9 bytes of the 9 that they may have.");
    await press("Upload new.wav again");
    expect(text()).toContain("This is no kind of file that is kept here.");
    expect(said()).toContain("One file not uploaded.");
  });

  it("goes on while other pages are looked at, and is canceled", async () => {
    const asked = serverSays({
      "GET files": [200, FILES],
      "POST uploads": [201, upload(0)],
      [`GET uploads/${NEW}`]: [200, upload(0)],
      [`DELETE uploads/${NEW}`]: [204],
    });
    // Nobody answers the part: as if the line were gone.
    await open("/account/files");
    await choose(new File([new Uint8Array(100)], "new.wav"));
    expect(text()).toContain("The connection is lost; it goes on as soon as there is one.");
    const leaving = new Event("beforeunload", { cancelable: true });
    dispatchEvent(leaving);
    expect(leaving.defaultPrevented).toBe(true);
    await open("/account/files");
    expect(document.querySelector(".uploads progress")?.getAttribute("aria-label")).toBe("Upload of new.wav");
    await press("Cancel the upload of new.wav");
    expect(text()).toContain("Canceled");
    expect(focused()).toBe("Uploads");
    expect(asked.at(-1)?.route).toBe(`DELETE uploads/${NEW}`);
    const later = new Event("beforeunload", { cancelable: true });
    dispatchEvent(later);
    expect(later.defaultPrevented).toBe(false);
  });

  it("ends with the session of whoever began it", async () => {
    signedIn("ada");
    serverSays({ "GET files": [200, FILES], "POST uploads": [201, upload(0)], [`DELETE uploads/${NEW}`]: [204] });
    await open("/account/files");
    await choose(new File([new Uint8Array(100)], "new.wav"));
    await settled(() => signedOut());
    expect(uploads.entries.value).toEqual([]);
  });
});

describe("words", () => {
  it("count bytes as people do", () => {
    const all = [0, 999, 1000, 1_040_000, 9_960_000, 999_400_000, 999_600_000, 1_073_741_824].map(bytesText);
    expect(all).toEqual(["0 bytes", "999 bytes", "1.0 KB", "1.0 MB", "10 MB", "999 MB", "1.0 GB", "1.1 GB"]);
  });

  it("tell what a file is", () => {
    const picture = { media_type: "image/webp", duration_ms: null, width_px: 1600, height_px: 900, size: 250_000 };
    expect(describeFile({ ...file(ID, "x"), ...picture } as never)).toBe("WebP, 1600 × 900, 250 KB");
  });
});
