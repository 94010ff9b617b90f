// Bans an account from a room. It is loaded when somebody does so in the middle of a jam.

import type { RoomId } from "../protocol";
import { sentence } from "../ui/format";
import { ProblemError, call } from "./client";

/** Gives what went wrong, as a sentence; an empty text for nothing. */
export async function banAccount(room: RoomId, account: string): Promise<string> {
  try {
    await call("POST /api/v1/social/rooms/{room}/bans", { path: { room }, body: { account } });
    return "";
  } catch (error) {
    if (!(error instanceof ProblemError)) throw error;
    return sentence(error.message);
  }
}
