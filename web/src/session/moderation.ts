// What the owner and the moderators of a room may do about others, asked of the server like anything else:
// what comes of it is told to everybody.

import type { ClientMessage, Participant, ParticipantId } from "../protocol";

export class Moderation {
  /** `ask` gives false where the server refused, which the session tells, or was not there. */
  constructor(private readonly ask: (message: ClientMessage) => Promise<boolean>) {}

  /** Has nobody hear somebody, or everybody hear them again. */
  silence(participant: ParticipantId, on: boolean): Promise<boolean> {
    return this.ask({ type: "silence", participant, on });
  }

  /** Takes somebody out of the room. */
  remove(participant: ParticipantId): Promise<boolean> {
    return this.ask({ type: "remove", participant });
  }
}

/** Whether one may silence and remove another; the server judges by the same rule. */
export function mayModerate(me: Participant | undefined, other: Participant): boolean {
  if (me === undefined || me.id === other.id) return false;
  if (me.role === "owner") return other.role !== "owner";
  return me.role === "moderator" && other.role === "guest";
}

/** Whether one has a say in who is in the room. */
export function isModerating(participant: Participant | undefined): boolean {
  return participant?.role === "owner" || participant?.role === "moderator";
}
