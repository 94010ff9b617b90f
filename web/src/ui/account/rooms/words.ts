// What visibility is called, and what it means.

import type { Visibility } from "../../../protocol/social";

export const VISIBILITIES: Record<Visibility, string> = { unlisted: "Unlisted", public: "Public", private: "Private" };

export const MEANINGS: Record<Visibility, string> = {
  unlisted: "Whoever has the link comes in.",
  public: "Everybody comes in, and the first page lists the room.",
  private: "Whoever has the password or an invite comes in.",
};

/** Where the page of a room is. */
export const pageOf = (name: string) => `/account/rooms/${name}`;

export const date = (at: number) => new Date(at).toLocaleDateString(undefined, { dateStyle: "medium" });
