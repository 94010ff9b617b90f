// Gets a pass into a room from the server. It is loaded by those alone who have something to get one with: an
// account, the room's password, or an invite.

import type { RoomId } from "../protocol";
import type { Coming, PassAnswer } from "../session/visit";
import { BANNED, PRIVATE, type Problem } from "../session/words";
import { sentence } from "../ui/format";
import { type Code, ProblemError, call } from "./client";

/** What opens the door; nothing but the account, if there is one, where both are left out. */
export interface Proof {
  password?: string;
  invite?: string;
}

export async function askPass(room: RoomId, proof: Proof, coming: Coming = "first"): Promise<PassAnswer> {
  try {
    const { pass } = await call("POST /api/v1/social/rooms/{room}/pass", { path: { room }, body: proof });
    return { pass };
  } catch (error) {
    if (!(error instanceof ProblemError)) throw error;
    // Nobody owns it: whoever has its link comes in.
    if (error.code === "not_found") return { pass: null };
    const problem = problemOf(error.code, error.message);
    // Without what gives passes one has no role, but may play where nobody needs a pass. Whoever had a role comes
    // back with it, or waits until the server can tell: a private room would refuse its owner for good.
    const isShown = proof.password !== undefined || proof.invite !== undefined;
    const isWaitedFor = coming === "back" && TRANSIENT.has(error.code);
    return isShown || isWaitedFor || problem.final ? { problem } : { pass: null };
  }
}

/** After a while the answer may be another. A server without accounts (`unavailable`) has none to wait for. */
const TRANSIENT: ReadonlySet<Code> = new Set<Code>(["unreachable", "unreadable", "too_many_requests", "busy", "internal"]);

function problemOf(code: Code, text: string): Problem {
  switch (code) {
    case "room_private":
      return { ...PRIVATE, advice: sentence(text) };
    case "banned":
      return BANNED;
    case "wrong_password":
      return { code, title: "That is not the room's password.", advice: "Look at it again: capital letters count.", final: true };
    case "wrong_invite":
      return {
        code,
        title: "This invite does not count any more.",
        advice: "Ask whoever sent it for another one, or enter the room's password.",
        final: true,
      };
    default:
      return { code, title: "You could not be let in.", advice: sentence(text), final: false };
  }
}
