// The real world for a session: this page's server, and this browser's sound.

import { who } from "../account/who";
import { JamAudio } from "../audio/jam_audio";
import { stemRecorder } from "../audio/stems/stem_recorder";
import type { RoomId } from "../protocol";
import type { AudioOptions } from "../session/audio_seam";
import { inviteTo } from "../session/link";
import type { SocketLike } from "../session/signalling";
import type { Surroundings } from "../session/visit";
import { UNREACHABLE } from "../session/words";
import type { Choice } from "./join";
import type { Query } from "./query";

type AskPass = Surroundings["askPass"];

export function browserSurroundings(choice: Choice, query: Query, askPass?: AskPass): Surroundings {
  // The input of the level check serves once; opened again, the device is asked for by its id.
  let { stream } = choice;
  return {
    stems: stemRecorder,
    ...(askPass === undefined ? {} : { askPass }),
    openSocket: () => new WebSocket(socketUrl(location)) as SocketLike,
    openAudio: (deviceId, failure) => {
      const options: AudioOptions = { deviceId, uplink: query.uplink };
      if (choice.part === "listener") options.silent = true;
      else if (stream !== null) options.stream = stream;
      if (query.engine !== null) options.force = query.engine;
      if (failure !== null) options.failure = failure;
      stream = null;
      return JamAudio.open(options);
    },
  };
}

/**
 * Asks for a pass with whatever there is: the password that was typed, else the invite of the link, else the
 * account. Guests without any of them have no use for one, and wait for nothing.
 */
export function passInto(room: RoomId, password: string): AskPass {
  const invite = inviteTo(room);
  const proof = password !== "" ? { password } : invite !== null ? { invite } : {};
  if (who.peek() === null && Object.keys(proof).length === 0) return undefined;
  return async (coming) => {
    const loaded = await import("../account/pass").catch(() => null);
    if (loaded !== null) return await loaded.askPass(room, proof, coming);
    // Without it one may still play wherever nobody needs a pass; the server says where not.
    return coming === "first" ? { pass: null } : { problem: UNREACHABLE };
  };
}

export function socketUrl(page: { protocol: string; host: string }): string {
  return `${page.protocol === "https:" ? "wss:" : "ws:"}//${page.host}/api/v1/ws`;
}
