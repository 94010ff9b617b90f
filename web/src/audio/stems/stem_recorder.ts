// The page's half of recording oneself: starts the stem worker when there is something to record, or something
// left of an earlier visit to send, and passes on what it says.
//
// One for the whole page, which lives longer than a visit to a room.

import { type Signal, signal } from "@preact/signals";

import {
  type InputSink,
  NO_STEMS,
  type StemOf,
  type StemPort,
  type StemsState,
} from "../../session/stem_seam";
import type { FromStems, ToStems } from "./messages";

export class StemRecorder implements StemPort {
  readonly state: Signal<StemsState> = signal(NO_STEMS);
  private worker: Worker | null = null;
  private playing = false;

  /** Sends what an earlier visit left, if there is anything. */
  async resume(): Promise<void> {
    try {
      const root = await navigator.storage.getDirectory();
      const folder = await root.getDirectoryHandle("stems");
      for await (const _name of folder.keys()) {
        this.open();
        return;
      }
    } catch {
      // Nothing was ever recorded here, or this browser keeps no files.
    }
  }

  begin(of: StemOf): InputSink {
    this.tell({ type: "begin", of });
    return {
      open: (ring, channels) => this.tell({ type: "open", ring, channels }),
      reading: (reading) => this.tell({ type: "reading", reading }),
      interrupted: () => this.tell({ type: "interrupted" }),
    };
  }

  end(): void {
    if (this.worker !== null) this.tell({ type: "end" });
  }

  over(take: string): void {
    if (this.worker !== null) this.tell({ type: "over", take });
  }

  setPlaying(playing: boolean): void {
    this.playing = playing;
    if (this.worker !== null) this.tell({ type: "playing", playing });
  }

  noteUplink(lostShare: number): void {
    if (this.worker !== null) this.tell({ type: "uplink", lostShare });
  }

  private open(): Worker {
    if (this.worker !== null) return this.worker;
    const worker = new Worker(new URL("./stem_worker.ts", import.meta.url), { type: "module" });
    worker.onmessage = ({ data }: MessageEvent<FromStems>) => {
      this.state.value = data.state;
    };
    worker.onerror = ({ message }) => {
      const problem = `You are not recorded: ${message}. Reload the page.`;
      this.state.value = { ...this.state.value, problem };
    };
    this.worker = worker;
    this.tell({ type: "playing", playing: this.playing });
    return worker;
  }

  private tell(message: ToStems): void {
    this.open().postMessage(message);
  }
}

/** The one of this page. */
export const stemRecorder = new StemRecorder();
