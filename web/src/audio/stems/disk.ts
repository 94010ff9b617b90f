// Where stems lie until the server has them: the origin's private file system, a folder for each. A stem's file
// belongs to the one page that has it open; another one finds it taken.

import type { StemDescription } from "./stem_module";

/** What is known of a stem beside its file. */
export interface StemMeta extends StemDescription {
  key: string;
  title: string;
  room: string;
  /** Runs that were begun, and frames that were recorded in those that ended. */
  runs: number;
  frames: number;
  /** Nothing will be recorded any more. */
  ended: boolean;
  /** When it was recorded last, in milliseconds since 1970. */
  recordedMs: number;
}

/** A file that one has to oneself. */
export interface StemFile {
  size(): number;
  /** Reads into all of `into`, or up to the end; gives how many bytes. */
  read(into: Uint8Array<ArrayBuffer>, at: number): number;
  write(bytes: Uint8Array<ArrayBuffer>, at: number): void;
  flush(): void;
  close(): void;
}

export interface Disk {
  /** Stems that are there, whoever has them open. */
  list(): Promise<StemMeta[]>;
  /** Null where another page has it open. */
  open(stem: string): Promise<StemFile | null>;
  save(meta: StemMeta): Promise<void>;
  remove(stem: string): Promise<void>;
}

/** What the DOM library's types lack outside of workers. */
interface SyncHandle {
  getSize(): number;
  read(into: Uint8Array, options: { at: number }): number;
  write(bytes: Uint8Array, options: { at: number }): number;
  truncate(bytes: number): void;
  flush(): void;
  close(): void;
}
interface SyncFileHandle extends FileSystemFileHandle {
  createSyncAccessHandle(): Promise<SyncHandle>;
}

const FOLDER = "stems";
const STEM = "stem";
/** Written one after the other, so that whenever the page dies one of them is whole. */
const METAS = ["meta.json", "meta-2.json"];

export class OriginDisk implements Disk {
  private constructor(private readonly folder: FileSystemDirectoryHandle) {}

  static async mount(): Promise<OriginDisk> {
    const root = await navigator.storage.getDirectory();
    return OriginDisk.over(await root.getDirectoryHandle(FOLDER, { create: true }));
  }

  /** With a folder of their own for the stems. */
  static over(folder: FileSystemDirectoryHandle): OriginDisk {
    return new OriginDisk(folder);
  }

  async list(): Promise<StemMeta[]> {
    const metas: StemMeta[] = [];
    for await (const name of this.folder.keys()) {
      const meta = await this.readMeta(name);
      // A folder whose beginning was interrupted holds nothing.
      if (meta !== null) metas.push(meta);
    }
    return metas;
  }

  async open(stem: string): Promise<StemFile | null> {
    try {
      return new OriginFile(await this.handle(stem, STEM));
    } catch (error) {
      if (error instanceof DOMException && error.name === "NoModificationAllowedError") return null;
      throw error;
    }
  }

  async save(meta: StemMeta): Promise<void> {
    const bytes = new TextEncoder().encode(JSON.stringify(meta));
    for (const name of METAS) {
      const handle = await this.handle(meta.stem, name);
      try {
        handle.truncate(0);
        const written = handle.write(bytes, { at: 0 });
        handle.flush();
        // On a full disk the other one stays as it was.
        if (written < bytes.byteLength) throw fullDisk();
      } finally {
        handle.close();
      }
    }
  }

  async remove(stem: string): Promise<void> {
    await this.folder.removeEntry(stem, { recursive: true });
  }

  private async handle(stem: string, name: string): Promise<SyncHandle> {
    const folder = await this.folder.getDirectoryHandle(stem, { create: true });
    const file = await folder.getFileHandle(name, { create: true });
    return await (file as SyncFileHandle).createSyncAccessHandle();
  }

  private async readMeta(stem: string): Promise<StemMeta | null> {
    for (const name of METAS) {
      try {
        const folder = await this.folder.getDirectoryHandle(stem);
        const file = await (await folder.getFileHandle(name)).getFile();
        return JSON.parse(await file.text()) as StemMeta;
      } catch {
        // Not there, or not whole: the other one may be.
      }
    }
    return null;
  }
}

function fullDisk(): DOMException {
  return new DOMException("the disk is full", "QuotaExceededError");
}

class OriginFile implements StemFile {
  constructor(private readonly handle: SyncHandle) {}

  size(): number {
    return this.handle.getSize();
  }

  read(into: Uint8Array<ArrayBuffer>, at: number): number {
    return this.handle.read(into, { at });
  }

  write(bytes: Uint8Array<ArrayBuffer>, at: number): void {
    // A full disk takes a part of it, or throws.
    const written = this.handle.write(bytes, { at });
    if (written < bytes.byteLength) throw fullDisk();
  }

  flush(): void {
    this.handle.flush();
  }

  close(): void {
    this.handle.close();
  }
}
