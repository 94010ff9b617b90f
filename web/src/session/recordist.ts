// Decides when one's own sound is recorded: while a take runs, for a musician whose sound our engine handles and
// who has not said no. Told of every change of the session; what it asks for twice it asks for once.

import type { Take } from "../protocol";
import type { AudioPort } from "./audio_seam";
import { runningTake } from "./conductor";
import type { SessionState } from "./state";
import type { InputSink, StemPort } from "./stem_seam";
import type { Visit } from "./visit";

export interface Studio {
  state(): SessionState;
  audio(): AudioPort | null;
  nowUs(): number | null;
}

export class Recordist {
  private take: Take | null = null;
  private sink: InputSink | null = null;
  private audio: AudioPort | null = null;
  private ending: ReturnType<typeof setTimeout> | null = null;
  private readonly over = new Set<string>();

  constructor(
    private readonly visit: Visit,
    private readonly stems: StemPort,
    private readonly studio: Studio,
  ) {
    stems.setPlaying(true);
  }

  /** Looks at what changed. */
  update(): void {
    const { shared, recordMe, phase } = this.studio.state();
    this.tellOver(shared.takes);
    const running = runningTake(shared);
    const wanted = this.mayRecord() && recordMe && phase.name !== "closed" ? running : undefined;
    if (this.take !== null && this.take.id !== wanted?.id) this.endAfter(this.take);
    if (wanted !== undefined && this.take?.id !== wanted.id) this.begin(wanted);
    this.connect();
  }

  /** The visit is over; what was recorded is sent all the same. */
  close(): void {
    this.end();
    this.stems.setPlaying(false);
  }

  /** The page goes, and with it whoever records: nothing is ended, so that the next page goes on. */
  abandon(): void {
    if (this.ending !== null) clearTimeout(this.ending);
    this.ending = this.take = this.sink = null;
  }

  private mayRecord(): boolean {
    const engine = this.studio.audio()?.engine.mode === "engine";
    // While the sound is opened anew it is not known how.
    return this.visit.part === "musician" && (engine || this.studio.audio() === null);
  }

  private begin(take: Take): void {
    this.end();
    this.take = take;
    const { room } = this.studio.state();
    this.sink = this.stems.begin({ take, room, name: this.visit.name, label: "mic" });
  }

  /** A sound that was opened anew hands its input over, too. */
  private connect(): void {
    const audio = this.take === null ? null : this.studio.audio();
    if (audio === this.audio) return;
    this.audio?.record(null);
    this.audio = audio;
    if (this.sink !== null) audio?.record(this.sink);
  }

  /** Until the take ends, which everybody is told a little before or after. */
  private endAfter(take: Take): void {
    if (this.ending !== null) return;
    const told = this.studio.state().shared.takes.find(({ id }) => id === take.id);
    const nowUs = this.studio.nowUs();
    const stopUs = told?.stop_us;
    if (stopUs === undefined || nowUs === null || stopUs + TAIL_US <= nowUs) {
      this.end();
      return;
    }
    this.ending = setTimeout(() => this.end(), Math.min(ENDING_MS_MAX, (stopUs + TAIL_US - nowUs) / 1000));
  }

  private end(): void {
    if (this.ending !== null) clearTimeout(this.ending);
    this.ending = null;
    if (this.take === null) return;
    this.take = null;
    this.sink = null;
    this.connect();
    this.stems.end();
  }

  /** What an earlier visit recorded of a take that is over is all there is. */
  private tellOver(takes: Take[]): void {
    for (const { id, stop_us } of takes) {
      if (stop_us === undefined || this.over.has(id)) continue;
      this.over.add(id);
      this.stems.over(id);
    }
  }
}

/** What was played at the last moment is on its way from the microphone for a while. */
const TAIL_US = 500_000;
/** A take that ends in an hour has a clock that is wrong. */
const ENDING_MS_MAX = 10_000;
