// How somebody is, in a word or two: there, away, or playing, and where if they let it be seen.

import type { Standing } from "../../../account/chats/live";
import { roomPath } from "../../../session/link";

export function StandingTag({ standing: { state, jamming = false, room } }: { standing: Standing }) {
  if (!jamming) {
    return (
      <span class="tag" data-presence={state}>
        {state}
      </span>
    );
  }
  return (
    <span class="tag" data-presence="jamming">
      jamming
      {room !== undefined && (
        <>
          {" "}
          in <a href={roomPath(room)}>{room}</a>
        </>
      )}
    </span>
  );
}
