// One visit to a room: the join screen, the room, and the end.

import { useComputed, useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";

import type { RoomId } from "../protocol";
import { inviteTo } from "../session/link";
import { loadPreferences } from "../session/preferences";
import { Session } from "../session/session";
import { accompanied } from "./beside";
import { exposeSession } from "./debug";
import { Join, type Choice } from "./join";
import { Ended } from "./ended";
import { parseQuery } from "./query";
import { Room } from "./room";
import { browserSurroundings, passInto } from "./surroundings";

export function Visit({ room }: { room: RoomId }) {
  const session = useSignal<Session | null>(null);
  const choice = useRef<Choice | null>(null);
  const query = useRef(parseQuery(location.search));
  const state = useComputed(() => session.value?.state.value ?? null).value;

  const join = (chosen: Choice) => {
    choice.current = chosen;
    const { name, deviceId, part } = chosen;
    const { name: _name, deviceId: _deviceId, ...habits } = loadPreferences();
    const visit = { room, name, deviceId, part, habits };
    const next = new Session(visit, browserSurroundings(chosen, query.current, passInto(room, chosen.password)));
    session.value = next;
    exposeSession(next);
    void next.start();
  };

  useEffect(() => {
    // Kept for whoever signs in first.
    inviteTo(room);
    // A closed tab leaves at once instead of keeping its seat for a while.
    const gone = () => session.peek()?.leave("goes");
    addEventListener("pagehide", gone);
    const online = () => session.peek()?.tryNow();
    addEventListener("online", online);
    return () => {
      removeEventListener("pagehide", gone);
      removeEventListener("online", online);
      session.peek()?.leave();
      exposeSession(null);
    };
  }, []);

  const wasIn = state !== null && state.me !== null;
  useEffect(() => {
    if (session.value !== null && wasIn) return accompanied(session.value);
  }, [session.value, wasIn]);
  if (session.value !== null && state !== null && wasIn) {
    if (state.phase.name !== "closed") return <Room session={session.value} state={state} />;
    return (
      <Ended
        room={room}
        problem={state.phase.problem}
        stems={session.value.stems.value.stems}
        takes={state.shared.takes}
        onJoin={() => {
          // The input was closed with the session: the one chosen last is opened anew.
          const deviceId = session.value?.inputDeviceId ?? "";
          if (choice.current !== null) join({ ...choice.current, deviceId, stream: null });
        }}
      />
    );
  }
  return (
    <Join
      room={room}
      query={query.current}
      problem={state?.phase.name === "closed" ? state.phase.problem : null}
      busy={state?.phase.name === "joining" || state?.phase.name === "away"}
      onJoin={join}
    />
  );
}
