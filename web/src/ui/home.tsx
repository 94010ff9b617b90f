// The first page: start a room, or go to one.

import { useState } from "preact/hooks";

import { cryptoRandom, parseRoom, randomRoom, roomPath } from "../session/link";
import { Brand } from "./brand";
import { Footer } from "./footer";
import { PublicRooms } from "./later";
import { navigate } from "./route";
import { WhoLink } from "./who_link";

export function Home() {
  const [text, setText] = useState("");
  const [problem, setProblem] = useState("");

  const go = (event: Event) => {
    event.preventDefault();
    const target = parseRoom(text, location.origin);
    switch (target.kind) {
      case "room":
        navigate(roomPath(target.room, target.invite));
        return;
      case "elsewhere":
        location.assign(target.href);
        return;
      case "invalid":
        setProblem(target.problem);
        document.getElementById("room-link")?.focus();
    }
  };

  return (
    <div class="page">
      <header class="site">
        <Brand />
        <WhoLink />
      </header>
      <main class="narrow home">
        <h1>Play together, wherever you are.</h1>
        <p class="lead">
          Open a room, send its link to your band, and play. No account, nothing to install.
        </p>
        <button
          type="button"
          class="button primary large"
          onClick={() => navigate(roomPath(randomRoom(cryptoRandom)))}
        >
          Start a room
        </button>
        <form class="card" onSubmit={go} noValidate>
          <label for="room-link">Have a link or a room's name?</label>
          <div class="inline">
            <input
              id="room-link"
              type="text"
              autoComplete="off"
              autoCapitalize="none"
              spellcheck={false}
              placeholder="blue-note"
              value={text}
              aria-invalid={problem !== ""}
              aria-describedby="room-link-problem"
              onInput={(event) => {
                setText(event.currentTarget.value);
                setProblem("");
              }}
            />
            <button type="submit" class="button">
              Go to the room
            </button>
          </div>
          <p id="room-link-problem" class="field-problem" role="alert">
            {problem}
          </p>
        </form>
        <h2>Before you play</h2>
        <ul class="hints">
          <li>
            <strong>Wear headphones.</strong> Loudspeakers send the others back to themselves.
          </li>
          <li>
            <strong>Use a cable.</strong> Wi-Fi adds delay and drops notes; an Ethernet cable does
            not.
          </li>
          <li>
            <strong>Avoid Bluetooth.</strong> Its headphones alone are later than everything else
            together.
          </li>
        </ul>
        <PublicRooms />
      </main>
      <Footer />
    </div>
  );
}
