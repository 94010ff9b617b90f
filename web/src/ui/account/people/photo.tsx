// A person's photo, and how a person stands in a list.

import type { PersonBody } from "../../../protocol/social";
import { followed } from "../../route";

interface PhotoProps {
  username: string;
  /** What changes when the photo does; null for none. */
  photo: string | null | undefined;
  large?: boolean;
}

/** The photo, or the first letter of the name where there is none to see. */
export function Photo({ username, photo, large = false }: PhotoProps) {
  const classes = large ? "photo large" : "photo";
  if (photo === null || photo === undefined) {
    return (
      <span class={`${classes} letter`} aria-hidden="true">
        {username.charAt(0).toUpperCase()}
      </span>
    );
  }
  const size = large ? 512 : 128;
  // Beside a name a photo says nothing to whoever cannot see it. `of` lets another photo have another
  // address, since a browser shows one address one picture until the page is left.
  return (
    <img
      class={classes}
      src={`/api/v1/social/people/${encodeURIComponent(username)}/photo?size=${size}&of=${encodeURIComponent(photo)}`}
      alt={large ? `Photo of ${username}` : ""}
      width={size}
      height={size}
      loading="lazy"
    />
  );
}

/** Where somebody's page is. */
export const pageOf = (username: string) => `/account/people/${encodeURIComponent(username)}`;

/** Photo, name and what they are up to, or else what they play. */
export function PersonLine({ person }: { person: PersonBody }) {
  const { username, photo, status, instruments } = person;
  const line = status || instruments?.join(", ");
  return (
    <span class="person-line">
      <Photo username={username} photo={photo} />
      <span>
        <a class="name" href={pageOf(username)} onClick={followed}>
          {username}
        </a>
        {line !== undefined && line !== "" && <span class="tag">{line}</span>}
      </span>
    </span>
  );
}
