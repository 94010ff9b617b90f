// What a page that died while it wrote leaves behind. The private file system is made up, since a real one
// cannot be told where to stop; together.test.js has the real one.

import { expect, it } from "vitest";

import { OriginDisk, type StemMeta } from "./disk";

/** A file system that stops after so many more bytes, as one whose page is gone does. */
class Files {
  readonly files = new Map<string, Uint8Array>();
  bytesLeft = Number.POSITIVE_INFINITY;

  folder(path: string): FileSystemDirectoryHandle {
    const folder = {
      getDirectoryHandle: async (name: string) => this.folder(`${path}/${name}`),
      getFileHandle: async (name: string, options?: { create: boolean }) => {
        const file = `${path}/${name}`;
        if (options?.create !== true && !this.files.has(file)) throw new DOMException("none", "NotFoundError");
        return {
          getFile: async () => ({ text: async () => new TextDecoder().decode(this.files.get(file)) }),
          createSyncAccessHandle: async () => ({
            truncate: () => this.write(file, new Uint8Array(0)),
            write: (bytes: Uint8Array) => this.write(file, bytes),
            flush: () => undefined,
            close: () => undefined,
          }),
        };
      },
    };
    return folder as unknown as FileSystemDirectoryHandle;
  }

  private write(file: string, bytes: Uint8Array): number {
    if (this.bytesLeft === 0) throw new Error("the page is gone");
    const taken = bytes.slice(0, this.bytesLeft);
    this.bytesLeft -= taken.byteLength;
    this.files.set(file, taken);
    return taken.byteLength;
  }
}

function meta(runs: number): StemMeta {
  return { stem: "a", title: "Blue", runs } as StemMeta;
}

it("keeps the old meta or has the new one, wherever the page died", async () => {
  const length = JSON.stringify(meta(1)).length;
  for (let bytes = 1; bytes < 2 * length; bytes++) {
    const files = new Files();
    const disk = OriginDisk.over({
      ...files.folder("stems"),
      keys: async function* () {
        yield "a";
      },
    } as unknown as FileSystemDirectoryHandle);
    await disk.save(meta(1));
    files.bytesLeft = bytes;
    await expect(disk.save(meta(2))).rejects.toThrow();
    const [left] = await disk.list();
    expect(left, `after ${bytes} bytes`).toEqual(meta(bytes < length ? 1 : 2));
  }
});
