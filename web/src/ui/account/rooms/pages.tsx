// Chooses among the pages of rooms: those that are one's own, and one room.

import "../../style/people.css";
import "../../style/rooms.css";
import { Gate } from "../people/gate";
import { RoomPage } from "./room";
import { Rooms } from "./rooms";

/** The page of a path; null where there is none. */
export function roomsPage(path: string) {
  const found = /^\/account\/rooms(?:\/([\w-]+))?\/?$/.exec(path);
  if (found === null) return null;
  const name = found[1];
  if (name === undefined) return <Gate title="Your rooms">{() => <Rooms />}</Gate>;
  return (
    <Gate title={name} key={name}>
      {(account) => <RoomPage name={name} account={account} />}
    </Gate>
  );
}
