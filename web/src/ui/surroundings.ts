// The real world for a session: this page's server, and this browser's sound.

import { JamAudio } from "../audio/jam_audio";
import { stemRecorder } from "../audio/stems/stem_recorder";
import type { AudioOptions } from "../session/audio_seam";
import type { SocketLike } from "../session/signalling";
import type { Surroundings } from "../session/visit";
import type { Choice } from "./join";
import type { Query } from "./query";

export function browserSurroundings(choice: Choice, query: Query): Surroundings {
  // The input of the level check serves once; opened again, the device is asked for by its id.
  let { stream } = choice;
  return {
    stems: stemRecorder,
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

export function socketUrl(page: { protocol: string; host: string }): string {
  return `${page.protocol === "https:" ? "wss:" : "ws:"}//${page.host}/api/v1/ws`;
}
