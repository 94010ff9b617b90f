// How one asks to be let in: with the seat that one had, else with a pass where there is something to get one
// with, else with nothing, like most. What surprises: a pass is asked for while the socket is being opened,
// since it counts for a minute only; and who needs none waits for nothing, not even for a turn of the loop.

import { type Capabilities, type ClientMessage, VERSION } from "../protocol";
import type { Coming, PassAnswer, Surroundings, Visit } from "./visit";
import type { Problem } from "./words";

export interface Answer {
  /** What to say to the server. */
  join(message: ClientMessage): void;
  /** There is no pass: the server would refuse. */
  refused(problem: Problem): void;
}

export class Entrance {
  private asked: Promise<PassAnswer> | null = null;
  private coming: Coming = "first";

  constructor(
    private readonly visit: Visit,
    private readonly askPass: Surroundings["askPass"],
  ) {}

  /** A socket is being opened. */
  approach(seat: string | null): void {
    if (seat !== null) this.coming = "back";
    this.asked = seat === null ? this.ask() : null;
  }

  /** The socket is open, or the seat on it turned out to be gone. A pass serves once. */
  enter(seat: string | null, capabilities: Capabilities, answer: Answer): void {
    const asked = this.asked ?? (seat === null ? this.ask() : null);
    this.asked = null;
    const join = (pass: string | null) =>
      answer.join({
        type: "join",
        version: VERSION,
        room: this.visit.room,
        name: this.visit.name,
        capabilities,
        ...(seat === null ? {} : { seat }),
        ...(pass === null ? {} : { pass }),
      });
    if (asked === null) return join(null);
    void asked.then((came) => ("problem" in came ? answer.refused(came.problem) : join(came.pass)));
  }

  private ask(): Promise<PassAnswer> | null {
    return this.askPass?.(this.coming) ?? null;
  }
}
