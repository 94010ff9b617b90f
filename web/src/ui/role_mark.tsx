// A small mark beside the name of whoever has a say in the room.

import type { RoomRole } from "../protocol";

export function RoleMark({ role }: { role: RoomRole | undefined }) {
  if (role !== "owner" && role !== "moderator") return null;
  return (
    <span class="role" title={TITLES[role]}>
      {role}
    </span>
  );
}

const TITLES = { owner: "The room is theirs", moderator: "May silence and remove guests" };
