// A desk between a disk and a server that are made up, with the real writer of stems. Needs
// src/audio/stems/stem.wasm, which `cargo xtask test` builds first.

import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { beforeEach, expect, it, vi } from "vitest";

import type { StemOf, StemsState } from "../../session/stem_seam";
import { Desk, type World } from "./desk";
import type { Disk, StemFile, StemMeta } from "./disk";
import { InputWriter, inputRing } from "./input_ring";
import { StemModule } from "./stem_module";

const wasm = new WebAssembly.Module(
  readFileSync(new URL("./stem.wasm", import.meta.url)) as unknown as ArrayBuffer,
);
const QUANTUM = 128;
const OF: StemOf = {
  take: { id: "1".repeat(32), key: "2".repeat(32), title: "Blue", started_by: "Bo", start_us: 0 },
  room: "duo",
  name: "Zoë",
  label: "mic",
};

/** A disk that survives the page, with files that one desk has at a time. */
class FakeDisk implements Disk {
  readonly metas = new Map<string, string>();
  readonly files = new Map<string, Uint8Array<ArrayBuffer>>();
  readonly taken = new Set<string>();
  /** How often somebody must wait until an earlier page lets go of its files. */
  patience = Number.POSITIVE_INFINITY;
  bytesMax = Number.POSITIVE_INFINITY;

  async list(): Promise<StemMeta[]> {
    return [...this.metas.values()].map((text) => JSON.parse(text) as StemMeta);
  }
  async open(stem: string): Promise<StemFile | null> {
    if (this.taken.has(stem)) return null;
    this.taken.add(stem);
    const content = () => this.files.get(stem) ?? new Uint8Array(0);
    return {
      size: () => content().byteLength,
      read: (into, at) => {
        const piece = content().subarray(at, at + into.byteLength);
        into.set(piece);
        return piece.byteLength;
      },
      write: (bytes, at) => {
        if (this.bytesMax < at + bytes.byteLength) throw new DOMException("full", "QuotaExceededError");
        const grown = new Uint8Array(Math.max(content().byteLength, at + bytes.byteLength));
        grown.set(content());
        grown.set(bytes, at);
        this.files.set(stem, grown);
      },
      flush: () => undefined,
      close: () => void this.taken.delete(stem),
    };
  }
  async save(meta: StemMeta): Promise<void> {
    this.metas.set(meta.stem, JSON.stringify(meta));
  }
  async remove(stem: string): Promise<void> {
    this.metas.delete(stem);
    this.files.delete(stem);
  }
}

/** A server as docs/protocol.md has it. */
class FakeServer {
  readonly stems = new Map<string, { bytes: Uint8Array; complete: boolean }>();
  readonly log: string[] = [];
  down = false;
  /** Answers that come before the right ones. */
  readonly odd: Response[] = [];
  corrupt = false;

  async request(url: string, init: RequestInit): Promise<Response> {
    if (this.down) throw new TypeError("no network");
    const odd = this.odd.shift();
    if (odd !== undefined) return odd;
    const [, take, stem, complete] = /takes\/(\w+)\/stems\/(\w+)(\/complete)?$/.exec(url) ?? [];
    expect(take).toBe(OF.take.id);
    expect(new Headers(init.headers).get("Authorization")).toBe(`Bearer ${OF.take.key}`);
    const has = this.stems.get(stem ?? "");
    this.log.push(`${init.method}${complete ?? ""}`);
    if (init.method === "HEAD") {
      if (has === undefined) return new Response(null, { status: 404 });
      return answer(200, has.bytes.byteLength, { "Upload-Complete": has.complete ? "?1" : "?0" });
    }
    const bytes = has?.bytes ?? new Uint8Array(0);
    if (init.method === "PATCH") {
      const at = Number(new Headers(init.headers).get("Upload-Offset"));
      if (at !== bytes.byteLength || has?.complete === true) return answer(409, bytes.byteLength);
      const body = init.body as Uint8Array;
      const grown = new Uint8Array(at + body.byteLength);
      grown.set(bytes);
      grown.set(body, at);
      if (this.corrupt) grown[at] = (grown[at] ?? 0) ^ 1;
      this.stems.set(stem ?? "", { bytes: grown, complete: false });
      return answer(204, grown.byteLength);
    }
    const claim = JSON.parse(init.body as string) as { length: number; sha256: string };
    if (claim.length !== bytes.byteLength) return answer(409, bytes.byteLength);
    if (claim.sha256 !== createHash("sha256").update(bytes).digest("hex")) {
      this.stems.set(stem ?? "", { bytes: new Uint8Array(0), complete: false });
      return answer(409, 0);
    }
    this.stems.set(stem ?? "", { bytes, complete: true });
    return new Response(null, { status: 204 });
  }

  get only() {
    expect(this.stems.size).toBe(1);
    return [...this.stems.values()][0];
  }
}

function answer(status: number, offset: number, more: Record<string, string> = {}): Response {
  const body = status === 204 ? null : "";
  return new Response(body, { status, headers: { "Upload-Offset": String(offset), ...more } });
}

let disk: FakeDisk;
let server: FakeServer;
let nowMs: number;
let told: StemsState;
let stems: number;

beforeEach(() => {
  [disk, server, nowMs, stems] = [new FakeDisk(), new FakeServer(), 1_790_000_000_000, 0];
  told = { stems: [], problem: null };
});

/** A page that is opened. */
function page(world: Partial<World> = {}) {
  const desk = new Desk({
    mount: async () => disk,
    module: async () => new StemModule(wasm),
    request: (url, init) => server.request(url, init),
    nowMs: () => nowMs,
    sleep: async () => {
      disk.patience -= 1;
      if (disk.patience === 0) disk.taken.clear();
    },
    randomId: () => {
      stems += 1;
      return String(stems).padStart(32, "0");
    },
    tell: (state) => {
      told = state;
    },
    ...world,
  });
  const ring = inputRing();
  const writer = new InputWriter(ring, 1);
  let frame = 48_000;
  return {
    desk,
    /** Begins to record. */
    async record(): Promise<void> {
      await desk.handle({ type: "begin", of: OF });
      await desk.handle({ type: "open", ring, channels: 1 });
    },
    /** Plays for a while; the desk looks around ten times a second. */
    async play(seconds: number): Promise<void> {
      const endFrame = frame + seconds * 48_000;
      while (frame < endFrame) {
        const noise = Float32Array.from({ length: QUANTUM }, (_, n) => Math.sin((frame + n) * 0.7) / 3);
        writer.push(frame, [noise], QUANTUM, false);
        frame += QUANTUM;
        if (frame % 4_800 < QUANTUM) {
          const reading = { frame, roomMs: nowMs, precisionMs: 0.1, boundMs: 5, steps: 0 };
          await desk.handle({ type: "reading", reading });
          await wait(desk, 0.1);
        }
      }
    },
    wait: (seconds: number) => wait(desk, seconds),
  };
}

async function wait(desk: Desk, seconds: number): Promise<void> {
  for (let ms = 0; ms < 1000 * seconds; ms += 100) {
    nowMs += 100;
    desk.tick();
    await vi.waitFor(() => expect((desk as unknown as { sending: boolean }).sending).toBe(false));
  }
}

it("what is played is recorded, arrives while it is, and is gone here once it was checked", async () => {
  const ann = page();
  await ann.record();
  await ann.play(3);
  expect(told.stems).toMatchObject([{ take: OF.take.id, title: "Blue", seconds: 3, state: "recording" }]);
  expect(told.stems[0]?.sentBytes).toBeGreaterThan(50_000);
  expect(server.only?.complete).toBe(false);
  await ann.desk.handle({ type: "end" });
  await ann.wait(2);
  const stem = server.only;
  expect(stem?.complete).toBe(true);
  expect(new TextDecoder().decode(stem?.bytes.subarray(0, 8))).toBe("vjamstem");
  // 24 bits of a steady sine at a third of full scale: more than a little, less than without FLAC.
  expect(stem?.bytes.byteLength).toBeGreaterThan(50_000);
  expect(stem?.bytes.byteLength).toBeLessThan(3 * 48_000 * 3);
  expect([disk.files.size, disk.metas.size]).toEqual([0, 0]);
  expect(told).toEqual({ stems: [], problem: null });
});

it("goes on after a reload, with the same stem, which is not called whole before", async () => {
  const before = page();
  await before.record();
  await before.play(1);
  disk.taken.clear();
  // The page was loaded anew: nothing was ended.
  const after = page();
  await after.wait(3);
  expect(server.only?.complete).toBe(false);
  await after.record();
  await after.play(1);
  await after.desk.handle({ type: "end" });
  await after.wait(2);
  expect(server.only?.complete).toBe(true);
  expect(stems).toBe(1);
  expect(disk.files.size).toBe(0);
});

it("what nobody goes on with is whole once its take is over, or after a while", async () => {
  for (const over of [true, false]) {
    [disk, server] = [new FakeDisk(), new FakeServer()];
    const before = page();
    await before.record();
    await before.play(0.5);
    disk.taken.clear();
    const after = page();
    await after.wait(1);
    expect(server.only?.complete).toBe(false);
    if (over) await after.desk.handle({ type: "over", take: OF.take.id });
    else nowMs += 16 * 60_000;
    await after.wait(2);
    expect(server.only?.complete).toBe(true);
  }
});

it("another page that has the file open is left alone", async () => {
  const first = page();
  await first.record();
  await first.play(0.5);
  const second = page();
  await second.wait(1);
  expect(told.stems).toEqual([]);
  await first.play(0.2);
  expect(told.stems).toHaveLength(1);
});

it("goes on with a stem that the page before lets go of a moment later", async () => {
  const before = page();
  await before.record();
  await before.play(0.5);
  const after = page();
  disk.patience = 3;
  await after.record();
  await after.play(0.5);
  expect(stems).toBe(1);
  // Whoever never lets go is another tab.
  disk.patience = Number.POSITIVE_INFINITY;
  const other = page();
  await other.record();
  expect(stems).toBe(2);
});

it("sends what another tab has left, once it is gone", async () => {
  const before = page();
  await before.record();
  await before.play(0.5);
  const after = page();
  await after.wait(1);
  expect(told.stems).toEqual([]);
  disk.taken.clear();
  await after.desk.handle({ type: "over", take: OF.take.id });
  await after.wait(8);
  expect(server.only?.complete).toBe(true);
  expect(disk.files.size).toBe(0);
});

it("waits for a server that is gone, and goes on where it was", async () => {
  const ann = page();
  await ann.record();
  await ann.play(1);
  server.down = true;
  await ann.play(1);
  await ann.desk.handle({ type: "end" });
  await ann.wait(1);
  expect(told.stems).toMatchObject([{ state: "waiting", text: "the server does not answer" }]);
  server.down = false;
  await ann.wait(30);
  expect(server.only?.complete).toBe(true);
  expect(disk.files.size).toBe(0);
});

it("sends again what arrived as something else, and gives up where that goes on", async () => {
  const ann = page();
  await ann.record();
  await ann.play(0.5);
  await ann.desk.handle({ type: "end" });
  server.corrupt = true;
  await ann.wait(0.1);
  server.corrupt = false;
  await ann.wait(3);
  expect(server.only?.complete).toBe(true);
  expect(server.log.filter((request) => request === "POST/complete")).toHaveLength(2);
  const second = page();
  await second.record();
  await second.play(0.5);
  await second.desk.handle({ type: "end" });
  server.corrupt = true;
  await second.wait(10);
  expect(told.stems).toMatchObject([{ state: "refused" }]);
  expect(disk.files.size).toBe(1);
});

it("says why the server takes nothing, and keeps the file", async () => {
  const ann = page();
  await ann.record();
  await ann.play(0.2);
  await ann.desk.handle({ type: "end" });
  server.odd.push(new Response("this key does not open this take", { status: 403 }));
  await ann.wait(0.2);
  expect(told.stems).toMatchObject([{ state: "refused", text: "this key does not open this take" }]);
  expect(disk.files.size).toBe(1);
  await ann.wait(70);
  expect(server.only?.complete).toBe(true);
});

it("a checksum that the server has yet to compute is asked for again", async () => {
  const ann = page();
  await ann.record();
  await ann.play(0.2);
  await ann.desk.handle({ type: "end" });
  const request = server.request.bind(server);
  let asked = 0;
  server.request = async (url, init) => {
    if (!url.endsWith("/complete")) return await request(url, init);
    asked += 1;
    return asked < 3 ? new Response("{}", { status: 202 }) : await request(url, init);
  };
  await ann.wait(12);
  expect(asked).toBe(3);
  expect(disk.files.size).toBe(0);
});

it("a disk that is full ends the recording and is told; what is there is sent", async () => {
  const ann = page();
  await ann.record();
  await ann.play(1);
  const bytesMax = (told.stems[0]?.bytes ?? 0) + 30_000;
  disk.bytesMax = bytesMax;
  await ann.play(1);
  expect(told.problem).toContain("no space left");
  await ann.wait(3);
  expect(server.only?.complete).toBe(true);
  expect(server.only?.bytes.byteLength).toBeLessThanOrEqual(bytesMax);
  disk.bytesMax = Number.POSITIVE_INFINITY;
  await ann.record();
  await ann.play(0.2);
  expect(told.problem).toBeNull();
  expect(told.stems).toHaveLength(1);
});

it("a browser that keeps no files records nothing and says so", async () => {
  const ann = page({ mount: () => Promise.reject(new DOMException("", "SecurityError")) });
  await ann.record();
  await ann.play(0.2);
  expect(told.problem).toContain("you are not recorded");
  expect(server.log).toEqual([]);
});

it("two runs of one stem have two numbers, whatever becomes of the page in between", async () => {
  const ann = page();
  await ann.record();
  await ann.play(0.3);
  await ann.desk.handle({ type: "interrupted" });
  await ann.play(0.3);
  const metas = [...disk.metas.values()].map((text) => JSON.parse(text) as StemMeta);
  expect(metas.map(({ runs }) => runs)).toEqual([2]);
  disk.taken.clear();
  const after = page();
  await after.record();
  await after.play(0.3);
  expect((await disk.list()).map(({ runs, channels, name }) => [runs, channels, name])).toEqual([[3, 1, "Zoë"]]);
});
