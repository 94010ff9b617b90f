// Chooses the page: home, a room, an account's, or nothing there.

import { useEffect } from "preact/hooks";

import { roomOfPath } from "../session/link";
import { Home } from "./home";
import { AccountPage } from "./later";
import { followed, path } from "./route";
import { Visit } from "./visit";

export function App() {
  const here = path.value;
  const room = roomOfPath(here);
  const title = room === null ? "vjam: play music together" : `${room} · vjam`;
  useEffect(() => {
    document.title = title;
  }, [title, here]);

  if (here === "/") return <Home />;
  // Another room is another visit: nothing of the old one may stay.
  if (room !== null) return <Visit room={room} key={room} />;
  // Its pages say themselves which of them is there, and are as many visits.
  if (/^\/(account|privacy)(\/|$)/.test(here)) return <AccountPage path={here} nowhere={<Nowhere />} key={here} />;
  return <Nowhere />;
}

function Nowhere() {
  return (
    <main class="narrow">
      <h1>There is no such page</h1>
      <p>A room's link looks like {location.origin}/r/blue-note.</p>
      <p>
        <a class="button primary" href="/" onClick={followed}>
          Start or find a room
        </a>
      </p>
    </main>
  );
}
