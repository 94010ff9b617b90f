import { createHash } from "node:crypto";

import { describe, expect, it } from "vitest";

import type { StoredFile, Upload } from "../protocol/social";
import { ProblemError, type Code } from "./client";
import { Canceled, HASHED_BYTES_MAX, PART_BYTES_MAX, type UploadServer, upload } from "./upload";
import { Uploads } from "./uploads";

const ID = "0199f0c0-0000-7000-8000-000000000001";
const MIB = 1024 * 1024;
/** By which a file is known. */
const KNOWN = 4096;

/** A server that keeps what it is sent, and a clock that waits for nobody. */
class FakeServer implements UploadServer {
  readonly asked: string[] = [];
  readonly parts: number[] = [];
  bytes = Buffer.alloc(0);
  now = 0;
  /** How long each part takes. */
  part_ms = 0;
  /** What goes wrong with the next ones that are asked for a thing. */
  readonly wrong: Partial<Record<"begin" | "here" | "send" | "complete", (Code | "unanswered" | null)[]>> = {};
  /** Called before a part is taken. */
  onSend: (signal: AbortSignal) => Promise<void> | void = () => {};
  size = 0;
  /** Bytes of the part that comes. */
  part = 0;

  async begin(name: string, size: number): Promise<Upload> {
    this.#ask("begin", `${name} ${size}`);
    this.size = size;
    this.bytes = Buffer.alloc(0);
    return this.#upload();
  }

  async here(): Promise<Upload> {
    this.#ask("here");
    return this.#upload();
  }

  async send(_id: string, offset: number, part: Blob, signal: AbortSignal): Promise<Upload> {
    const wrong = this.#ask("send", String(offset));
    this.part = part.size;
    await this.onSend(signal);
    if (offset !== this.bytes.length) throw new ProblemError("wrong_offset", "another part");
    this.now += this.part_ms;
    this.parts.push(part.size);
    this.bytes = Buffer.concat([this.bytes, Buffer.from(await part.arrayBuffer())]);
    if (wrong === "unanswered") throw new ProblemError("unreachable", "cut off");
    return this.#upload();
  }

  async complete(_id: string, sha256: string | null): Promise<StoredFile> {
    this.#ask("complete", sha256 ?? "unhashed");
    return { id: ID, name: "take.wav", size: this.size } as StoredFile;
  }

  async cancel(): Promise<void> {
    this.asked.push("cancel");
  }

  #ask(what: "begin" | "here" | "send" | "complete", how = ""): string | null {
    this.asked.push(`${what} ${how}`.trim());
    const wrong = this.wrong[what]?.shift() ?? null;
    if (wrong !== null && wrong !== "unanswered") throw new ProblemError(wrong, `${wrong}, it said`);
    return wrong;
  }

  #upload(): Upload {
    return { id: ID, name: "", size: this.size, offset: this.bytes.length, expires_at: 0 };
  }
}

function setUp() {
  const server = new FakeServer();
  const waits: number[] = [];
  const world = {
    server,
    now: () => server.now,
    wait: async (ms: number): Promise<void> => void waits.push(ms),
    hash: async (file: Blob) => createHash("sha256").update(Buffer.from(await file.arrayBuffer())).digest("hex"),
  };
  const aborter = new AbortController();
  const stages: string[] = [];
  const send = (file: File) =>
    upload(file, world, aborter.signal, (stage, sent) => {
      const line = `${stage} ${sent / MIB}`;
      if (stages.at(-1) !== line) stages.push(line);
    });
  return { server, world, waits, aborter, stages, send };
}

function recording(bytes: number, name = "take.wav"): File {
  return new File([Buffer.alloc(bytes).map((_, i) => (i * 7 + (i >> 10)) % 251)], name);
}

async function failure(doing: Promise<unknown>): Promise<Error> {
  return doing.then(
    () => new Error("it went well"),
    (error: unknown) => error as Error,
  );
}

describe("an upload", () => {
  it("sends a file in parts that grow with the line, never above the most, and its hash", async () => {
    const { server, stages, send } = setUp();
    const file = recording(20 * MIB + 5);
    expect((await send(file)).id).toBe(ID);
    expect(server.parts).toEqual([KNOWN, MIB, 2 * MIB, 4 * MIB, PART_BYTES_MAX, 5 * MIB + 5 - KNOWN]);
    expect(server.bytes.equals(Buffer.from(await file.arrayBuffer()))).toBe(true);
    expect(server.asked.at(-1)).toBe(`complete ${createHash("sha256").update(server.bytes).digest("hex")}`);
    expect(stages.slice(0, 3)).toEqual(["sending 0", `sending ${KNOWN / MIB}`, `sending ${KNOWN / MIB + 1}`]);
    expect(stages.at(-1)).toMatch(/^finishing/);
  });

  it("sends smaller parts on a slow line", async () => {
    const { server, send } = setUp();
    server.part_ms = 60_000;
    await send(recording(3 * MIB));
    expect(server.parts.slice(0, 6)).toEqual([KNOWN, MIB, MIB / 2, MIB / 4, MIB / 8, MIB / 8]);
  });

  it("has no hash where the file is large", async () => {
    const { server, send } = setUp();
    await send(new File([Buffer.alloc(HASHED_BYTES_MAX)], "long.wav"));
    expect(server.asked.at(-1)).toBe("complete unhashed");
  });

  it("goes on where the server is, after a connection that broke", async () => {
    const { server, waits, stages, send } = setUp();
    server.wrong.send = [null, "unreachable"];
    server.wrong.here = ["unreachable", "unreachable"];
    await send(recording(MIB));
    expect(server.asked.filter((each) => !each.startsWith("complete"))).toEqual([
      `begin take.wav ${MIB}`, "send 0", `send ${KNOWN}`, "here", "here", "here", `send ${KNOWN}`, `send ${KNOWN + MIB / 2}`,
    ]);
    expect(waits).toEqual([1000, 2000, 4000]);
    expect(stages.slice(1, 4).map((each) => each.split(" ")[0])).toEqual(["sending", "broken", "sending"]);
  });

  it("does not send again what had come, though nobody said so", async () => {
    const { server, send } = setUp();
    server.wrong.send = [null, "unanswered"];
    await send(recording(KNOWN + MIB + 10));
    expect(server.asked.slice(2, 5)).toEqual([`send ${KNOWN}`, "here", `send ${KNOWN + MIB}`]);
    expect(server.parts).toEqual([KNOWN, MIB, 10]);
  });

  it("asks at once where another part is wanted", async () => {
    const { server, waits, send } = setUp();
    server.wrong.send = ["wrong_offset"];
    await send(recording(10));
    expect([server.asked[2], waits]).toEqual(["here", []]);
  });

  it("is begun and completed also where that takes several attempts", async () => {
    const { server, stages, send } = setUp();
    server.wrong.begin = ["unreachable"];
    server.wrong.complete = ["unreachable", "busy"];
    expect((await send(recording(10))).id).toBe(ID);
    expect(server.asked.filter((each) => each.startsWith("complete"))).toHaveLength(3);
    expect(stages.map((each) => each.split(" ")[0])).toEqual(["broken", "sending", "sending", "finishing", "broken", "finishing"]);
  });

  it("outlasts any tunnel, and no server that fails for ever", async () => {
    const { server, waits, send } = setUp();
    server.wrong.here = Array<Code>(40).fill("unreachable");
    server.wrong.send = ["unreachable"];
    await send(recording(10));
    expect(Math.max(...waits)).toBe(30_000);
    server.wrong.send = Array<Code>(40).fill("internal");
    expect(await failure(send(recording(10)))).toMatchObject({ code: "internal" });
    expect(server.asked.at(-1)).toBe("cancel");
  });

  it("sends smaller parts through something that takes no large ones, and ends where it takes none", async () => {
    const { server, send } = setUp();
    let most = MIB / 2;
    server.onSend = () => {
      if (most < server.part) throw new ProblemError("unreachable", "the proxy hung up");
    };
    await send(recording(2 * MIB));
    expect(server.parts.slice(0, 4)).toEqual([KNOWN, MIB / 2, MIB / 2, MIB / 2]);
    most = KNOWN;
    expect(await failure(send(recording(2 * MIB)))).toMatchObject({ code: "unreachable" });
    expect(server.asked.at(-1)).toBe("cancel");
  });

  it("ends where the server refuses, and gives up what it sent", async () => {
    for (const code of ["kind_not_allowed", "not_found", "not_signed_in"] as const) {
      const { server, waits, send } = setUp();
      server.wrong.send = [null, code];
      expect(await failure(send(recording(2 * MIB)))).toMatchObject({ code, message: `${code}, it said` });
      expect([server.asked.at(-1), waits]).toEqual(["cancel", []]);
    }
    for (const code of ["quota_exceeded", "too_large", "too_many_uploads"] as const) {
      const { server, send } = setUp();
      server.wrong.begin = [code];
      expect(await failure(send(recording(2 * MIB)))).toMatchObject({ code });
      expect(server.asked).toHaveLength(1);
    }
  });

  it("ends where the file was changed meanwhile", async () => {
    const { server, send } = setUp();
    const file = recording(10);
    file.slice = () => ({ arrayBuffer: () => Promise.reject(new DOMException("gone", "NotReadableError")) }) as unknown as Blob;
    expect((await failure(send(file))).message).toContain("cannot be read any more");
    expect(server.asked.at(-1)).toBe("cancel");
  });

  it("is broken off in the middle of a part, and while it waits", async () => {
    const inPart = setUp();
    inPart.server.onSend = (signal) =>
      new Promise((_, reject) => {
        signal.addEventListener("abort", () => reject(new ProblemError("unreachable", "aborted")));
        inPart.aborter.abort();
      });
    expect(await failure(inPart.send(recording(10)))).toBeInstanceOf(Canceled);
    expect(inPart.server.asked.slice(1)).toEqual(["send 0", "cancel"]);

    const waiting = setUp();
    waiting.server.wrong.send = ["unreachable"];
    waiting.world.wait = async () => waiting.aborter.abort();
    expect(await failure(waiting.send(recording(10)))).toBeInstanceOf(Canceled);
    expect(waiting.server.asked.slice(1)).toEqual(["send 0", "cancel"]);
  });
});

describe("several uploads", () => {
  const turn = () => new Promise((resolve) => setTimeout(resolve, 20));
  const stages = (uploads: Uploads) => uploads.entries.value.map(({ name, stage }) => `${name} ${stage}`);

  it("go one after the other, and one that fails stops none", async () => {
    const { server, world } = setUp();
    const uploads = new Uploads(world);
    server.wrong.send = [null, "kind_not_allowed"];
    uploads.add([recording(10, "a"), recording(10, "b"), recording(10, "c")]);
    expect(stages(uploads)).toEqual(["a sending", "b queued", "c queued"]);
    await turn();
    expect(stages(uploads)).toEqual(["a done", "b failed", "c done"]);
    expect(uploads.entries.value[1]?.problem).toBe("kind_not_allowed, it said");
    expect(uploads.arrived.value?.id).toBe(ID);
    uploads.again(2);
    await turn();
    expect(stages(uploads)).toEqual(["a done", "b done", "c done"]);
    uploads.tidy();
    expect(uploads.entries.value).toEqual([]);
  });

  it("are canceled one by one, whether they wait or not", async () => {
    const { server, world } = setUp();
    const uploads = new Uploads(world);
    server.onSend = (signal) =>
      new Promise((_, reject) => {
        signal.addEventListener("abort", () => reject(new ProblemError("unreachable", "aborted")));
      });
    uploads.add([recording(10, "a"), recording(10, "b"), recording(10, "c")]);
    uploads.cancel(2);
    await turn();
    expect(stages(uploads)).toEqual(["a sending", "b canceled", "c queued"]);
    server.onSend = () => {};
    uploads.cancel(1);
    await turn();
    expect(stages(uploads)).toEqual(["a canceled", "b canceled", "c done"]);
    expect(server.asked.filter((each) => each.startsWith("begin"))).toHaveLength(2);
    expect(server.asked).toContain("cancel");
    uploads.clear();
    expect(uploads.entries.value).toEqual([]);
  });
});
