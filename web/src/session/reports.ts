// What is told once a second while one is in a room: which streams lose packets, so that their publishers
// repeat what is lost, and how one hears the others.

import type { ClientMessage } from "../protocol";
import type { AudioPort } from "./audio_seam";
import { Hearing } from "./hearing";
import type { SessionState } from "./state";

export interface Reporter {
  state(): SessionState;
  audio(): AudioPort | null;
  send(message: ClientMessage): void;
}

export class Reports {
  private readonly hearing = new Hearing();
  private timer: ReturnType<typeof setInterval> | null = null;

  constructor(private readonly reporter: Reporter) {}

  start(): void {
    this.timer ??= setInterval(() => this.report(), REPORT_MS);
  }

  stop(): void {
    if (this.timer !== null) clearInterval(this.timer);
    this.timer = null;
  }

  private report(): void {
    const audio = this.reporter.audio();
    const { participants, streams, phase } = this.reporter.state();
    // What was lost meanwhile is not told later.
    const lossy = audio?.reception() ?? [];
    if (audio === null || phase.name !== "in") return;
    if (0 < lossy.length) this.reporter.send({ type: "reception", streams: lossy });
    const told = this.hearing.report(performance.now(), participants.length, streams, audio.stats());
    if (told !== null) this.reporter.send(told);
  }
}

const REPORT_MS = 1_000;
