// Asks the room for what everybody shares: who leads, the click, the playing mode, takes.
//
// Whatever is asked comes back as the room's state, from the server, like anybody else's wish; nothing is
// shown before. Moments are the room's clock's, so that nothing can be asked before it is known.

import {
  type ClickSegment,
  type ClientMessage,
  type ParticipantId,
  type PlayingMode,
  type RoomState,
  TAKE_TITLE_CHARS_MAX,
  type Take,
} from "../protocol";
import { type ClickSettings, begin, change, nextBar } from "./click";

/** What a conductor needs of its session. */
export interface Orchestra {
  shared(): RoomState;
  /** Microseconds of the room's clock; null while it is not known. */
  nowUs(): number | null;
  /** False where the server refused, which the session tells, or was not there. */
  ask(message: ClientMessage): Promise<boolean>;
}

export class Conductor {
  private changing: ReturnType<typeof setTimeout> | null = null;

  constructor(private readonly orchestra: Orchestra) {}

  /** Whether moments can be named yet. */
  get ready(): boolean {
    return this.orchestra.nowUs() !== null;
  }

  /** Takes the lead, or gives it up. */
  lead(leading: boolean): Promise<boolean> {
    return this.orchestra.ask({ type: "lead", leading });
  }

  /** Has a click begin in a moment. */
  async startClick(settings: ClickSettings, countInBars: number): Promise<boolean> {
    const nowUs = this.orchestra.nowUs();
    if (nowUs === null) return false;
    return await this.click(begin(settings, nowUs, countInBars));
  }

  async stopClick(): Promise<boolean> {
    this.forgetChange();
    return await this.click([]);
  }

  /**
   * Has the click go on like this from the next bar on, once nothing else was wanted for a moment: the server
   * takes four changes a second, and a tempo is found in many small steps.
   */
  changeClick(settings: ClickSettings): void {
    this.forgetChange();
    this.changing = setTimeout(() => {
      const nowUs = this.orchestra.nowUs();
      const { click } = this.orchestra.shared();
      // Somebody may have ended it meanwhile.
      if (nowUs !== null && 0 < click.length) void this.click(change(settings, click, nowUs));
    }, CHANGE_AFTER_MS);
  }

  setMode(mode: PlayingMode): Promise<boolean> {
    return this.orchestra.ask({ type: "mode", mode });
  }

  /**
   * Begins a take: with the next bar of a click that runs, at the beginning of a click that is to begin with it,
   * else in a moment. Bars that are counted in belong to the take, so that no early first note is cut off.
   */
  async startTake(title: string, countIn: { settings: ClickSettings; bars: number } | null): Promise<boolean> {
    const nowUs = this.orchestra.nowUs();
    if (nowUs === null) return false;
    let { click } = this.orchestra.shared();
    if (click.length === 0 && countIn !== null) {
      click = begin(countIn.settings, nowUs, countIn.bars);
      if (!(await this.click(click))) return false;
    }
    const heardByUs = nowUs + TAKE_US;
    const startUs = nextBar(click, heardByUs)?.atUs ?? heardByUs;
    return await this.orchestra.ask({ type: "start_take", title: fit(title), start_us: startUs });
  }

  /** Ends the take that is being recorded. */
  async stopTake(): Promise<boolean> {
    const take = runningTake(this.orchestra.shared());
    const nowUs = this.orchestra.nowUs();
    if (take === undefined || nowUs === null) return false;
    return await this.orchestra.ask({ type: "stop_take", stop_us: Math.max(nowUs, take.start_us) });
  }

  /** Marks this moment of the take. */
  async markTake(text: string): Promise<boolean> {
    const nowUs = this.orchestra.nowUs();
    if (nowUs === null) return false;
    return await this.orchestra.ask({ type: "mark_take", at_us: nowUs, text: fit(text) });
  }

  /** Nothing that waits is asked any more. */
  close(): void {
    this.forgetChange();
  }

  private click(segments: ClickSegment[]): Promise<boolean> {
    return this.orchestra.ask({ type: "click", segments });
  }

  private forgetChange(): void {
    if (this.changing !== null) clearTimeout(this.changing);
    this.changing = null;
  }
}

/** Whether somebody may set click and mode. */
export function mayLead({ leader }: RoomState, me: ParticipantId | null): boolean {
  return leader === undefined || leader === me;
}

/** The take that is being recorded. */
export function runningTake({ takes }: RoomState): Take | undefined {
  return takes.find((take) => take.stop_us === undefined);
}

function fit(text: string): string {
  return [...text.trim()].slice(0, TAKE_TITLE_CHARS_MAX).join("");
}

const CHANGE_AFTER_MS = 300;
/** What the word of a take may take to everybody. */
const TAKE_US = 500_000;
