// Says what went wrong in a musician's words: what happened, and what to do about it. Codes are for
// programs; nobody should have to read one.

import type { ByeReason, ErrorCode } from "../protocol";

export interface Problem {
  /** For programs and tests. */
  code: string;
  /** What happened. */
  title: string;
  /** What to do. */
  advice: string;
  /** Whether trying again without changing anything is pointless. */
  final: boolean;
}

export function problemOfError(code: ErrorCode, text: string): Problem {
  const say = (title: string, advice: string, final = false): Problem => ({
    code,
    title,
    advice,
    final,
  });
  switch (code) {
    case "version":
      return say(
        "This page is older or newer than the server.",
        "Reload the page to get the version that fits.",
        true,
      );
    case "bad_name":
      return say("That name cannot be used.", `${text}. Choose another and join again.`);
    case "room_full":
      return say("The room is full.", "Wait until somebody leaves, or start another room.");
    case "server_full":
      return say("The server is full.", "Try again in a few minutes.");
    case "too_fast":
      return say("That was too much at once.", "Wait a second, then go on.");
    case "bad_text":
      return say("The message was not sent.", `${text}.`);
    case "bad_ticket":
      return say("The server did not accept the sound connection.", "Leave the room and join again.");
    case "bad_description":
      return say(
        "The server and this browser could not agree on how to send sound.",
        `Try another browser, or Chrome or Firefox in their newest version. (${text})`,
      );
    case "too_many":
      return say("That is more than this room allows.", `${text}.`);
    case "seat_gone":
      return say("Your place in the room was given up.", "Join again.");
    case "media_refused":
      return say(
        "The server could not set up the sound.",
        `Leave the room and join again in a moment. (${text})`,
      );
    case "link_closed":
      return say("The sound connection ended.", "Leave the room and join again.");
    case "over_rate":
      return say(
        "Part of your sound was not passed on.",
        `Reload the page. If it happens again, please report it. (${text})`,
      );
    case "not_leading":
      return say("Somebody else leads.", `${text}.`);
    case "bad_click":
      return say("The click stays as it is.", `${text}.`);
    case "bad_take":
      return say("That take cannot be had.", `${text}.`);
    case "pass_wanted":
      return PRIVATE;
    case "bad_pass":
      return say("The server did not let you in.", "That took too long. Join again.");
    case "banned":
      return BANNED;
    case "removed":
      return say("You were taken out of this room.", "You may come back ten minutes after that.", true);
    case "not_allowed":
      return say("That is not yours to do.", `${text}.`);
    case "no_such_participant":
      return say("They are not here any more.", "Nothing was done.");
    case "try_again":
      return say("The server cannot look this room up at the moment.", "Try again in a minute.");
    case "no_such_track":
    case "bad_track":
      return say("Your sound could not be published.", `Leave the room and join again. (${text})`);
    case "malformed":
    case "too_large":
    case "out_of_order":
      return say(
        "The server did not understand this page.",
        `Reload the page. If it happens again, please report it. (${text})`,
      );
    default:
      code satisfies never;
      return say("The server refused.", text);
  }
}

export function problemOfBye(reason: ByeReason, text: string): Problem {
  const say = (title: string, advice: string): Problem => ({
    code: reason,
    title,
    advice,
    final: true,
  });
  switch (reason) {
    case "replaced":
      return say(
        "You joined from another tab or device.",
        "Go on there, or join again here.",
      );
    case "removed":
      return say(
        "You were taken out of the room.",
        `${text.charAt(0).toUpperCase()}${text.slice(1)}. You cannot come back for ten minutes at least.`,
      );
    case "misbehaved":
      return say("The server ended the connection.", `Reload the page and join again. (${text})`);
    case "timed_out":
      return say("The connection went silent.", "Check your network and join again.");
    case "server_closing":
      return say("The server is shutting down.", "Come back in a little while.");
    case "left":
      return say("You left the room.", "Join again whenever you like.");
    case "refused":
      return say("The server refused the connection.", `Try again in a few minutes. (${text})`);
    default:
      reason satisfies never;
      return say("The server ended the connection.", text);
  }
}

/** Why the microphone or the sound could not be opened. */
export function problemOfMedia(error: unknown): Problem {
  const name = error instanceof Error ? error.name : "";
  const say = (title: string, advice: string, final = false): Problem => ({
    code: name === "" ? "media" : name,
    title,
    advice,
    final,
  });
  switch (name) {
    case "NotAllowedError":
    case "SecurityError":
      return say(
        "The browser may not use your microphone.",
        "Allow the microphone for this page (the icon beside the address), then try again.",
      );
    case "NotFoundError":
      return say(
        "No microphone or audio interface was found.",
        "Plug one in and try again, or join to listen only.",
      );
    case "OverconstrainedError":
      return say(
        "The chosen input is not there any more.",
        "Choose another input and try again.",
      );
    case "NotReadableError":
    case "AbortError":
      return say(
        "The input is in use or did not start.",
        "Close other programs that use it, or choose another input.",
      );
    default: {
      const text = error instanceof Error ? error.message : String(error);
      return say("The sound could not be started.", `Reload the page and try again. (${text})`);
    }
  }
}

/** What of the page's surroundings makes playing impossible, if anything. */
export function problemOfSurroundings(surroundings: {
  secure: boolean;
  microphone: boolean;
  webrtc: boolean;
}): Problem | null {
  if (!surroundings.secure) {
    return {
      code: "insecure",
      title: "This page was not opened over a secure connection.",
      advice:
        "Browsers give a page the microphone only over https:// or from this computer itself. " +
        "Ask whoever runs the server for an https:// link.",
      final: true,
    };
  }
  if (!surroundings.microphone || !surroundings.webrtc) {
    return {
      code: "unsupported",
      title: "This browser cannot send or receive live sound.",
      advice: "Use a current Chrome, Edge, Firefox or Safari.",
      final: true,
    };
  }
  return null;
}

export const UNREACHABLE: Problem = {
  code: "unreachable",
  title: "The server does not answer.",
  advice: "Check your network, then try again.",
  final: false,
};

/** The room is private, and nothing was shown that opens it. */
export const PRIVATE: Problem = {
  code: "room_private",
  title: "This room is private.",
  advice: "Enter its password, or open the link with the invite that you were sent. If the room is yours, sign in first.",
  final: true,
};

export const BANNED: Problem = {
  code: "banned",
  title: "You are banned from this room.",
  advice: "Only its owner and its moderators can change that. Other rooms are open to you.",
  final: true,
};

export const CHAT_LOST: Problem = {
  code: "not_sent",
  title: "The message was not sent.",
  advice: "You are not connected at the moment. Send it again once you are back.",
  final: false,
};

export const ROOM_UNREACHED: Problem = {
  code: "not_sent",
  title: "The room was not told.",
  advice: "You are not connected at the moment. Try again once you are back.",
  final: false,
};

export const ENGINE_STOPPED: Problem = {
  code: "engine_stopped",
  title: "The low-delay engine stopped.",
  advice: "You play on with the browser's own sound, about 50 ms later. Reload to try again.",
  final: false,
};

export const INPUT_REPLACED: Problem = {
  code: "input_replaced",
  title: "Your input is gone.",
  advice: "The system's default took its place. Plug yours in again and choose it, or go on.",
  final: false,
};

export const INPUT_GONE: Problem = {
  code: "input_gone",
  title: "Your input is gone, and nobody hears you.",
  advice: "Plug it in again and choose it, or choose another one.",
  final: false,
};
