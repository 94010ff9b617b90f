// GIFs: found in the composer, shown in messages. GIPHY is asked for nothing before whoever looks agreed to
// that; until then a message shows that there is one.

import { signal } from "@preact/signals";
import { useEffect, useRef, useState } from "preact/hooks";

import { call } from "../../../account/client";
import { type Gif, GiphyError, findGifs, gifById } from "../../../account/chats/giphy";
import { who } from "../../../account/who";
import type { GifsBody, Giphy, MessageGif } from "../../../protocol/social";
import { useAttempts } from "../files/attempt";

/** How it stands with GIFs for whoever is signed in; null until that is asked. */
const gifs = signal<GifsBody | null>(null);
let asking: Promise<void> | null = null;
who.subscribe(() => {
  gifs.value = null;
  asking = null;
});

/** Asks once for all messages of the page. */
function useGifs(): GifsBody | null {
  useEffect(() => {
    if (gifs.peek() !== null) return;
    asking ??= call("GET /api/v1/social/account/gifs")
      .then((answer) => void (gifs.value = answer))
      // Shown as not agreed; the next message asks again.
      .catch(() => void (asking = null));
  }, []);
  return gifs.value;
}

/** Whether the composer offers GIFs. */
export function useGifsOffered(): boolean {
  return useGifs()?.available === true;
}

/** What is asked before GIPHY is. */
function Consent() {
  const { problem, busy, attempt } = useAttempts();
  const agree = () =>
    attempt(async () => {
      gifs.value = await call("PUT /api/v1/social/account/gifs", { body: { agreed: true } });
    });
  return (
    <div class="gif-consent">
      <p>
        GIFs come from GIPHY, a company in the USA. Your browser asks it by itself: GIPHY then sees your network
        address and what you look for. You can take this back at any time.
      </p>
      <p class="field-problem" role="alert">
        {problem}
      </p>
      <button type="button" class="button small" disabled={busy} onClick={() => void agree()}>
        Show GIFs from GIPHY
      </button>
    </div>
  );
}

/** Finds one for the next message. */
export function GifSearch({ onChosen }: { onChosen: (gif: MessageGif) => void }) {
  const state = useGifs();
  if (state?.available !== true) return null;
  if (state.giphy == null) return <Consent />;
  return <Finder giphy={state.giphy} onChosen={onChosen} />;
}

function Finder({ giphy, onChosen }: { giphy: Giphy; onChosen: (gif: MessageGif) => void }) {
  const [words, setWords] = useState("");
  const [found, setFound] = useState<readonly Gif[] | null>(null);
  const [problem, setProblem] = useState("");
  const withdrawing = useAttempts();
  const asked = useRef("");
  const input = useRef<HTMLInputElement>(null);

  const look = async (q: string) => {
    asked.current = q;
    setProblem("");
    try {
      const all = await findGifs(giphy, q);
      if (asked.current === q) setFound(all);
    } catch (error) {
      if (!(error instanceof GiphyError)) throw error;
      if (asked.current === q) setProblem(error.message);
    }
  };
  useEffect(() => {
    input.current?.focus();
    void look("");
  }, []);
  const withdraw = () =>
    withdrawing.attempt(async () => {
      gifs.value = await call("PUT /api/v1/social/account/gifs", { body: { agreed: false } });
    });

  return (
    // Not a form: it stands in the one of the message.
    <div class="gif-finder" role="group" aria-label="GIFs">
      <label for="gif-words">Search GIPHY</label>
      <div class="inline">
        <input
          id="gif-words"
          ref={input}
          type="text"
          autoComplete="off"
          maxLength={50}
          value={words}
          aria-describedby="gif-problem"
          onInput={(event) => setWords(event.currentTarget.value)}
          onKeyDown={(event) => {
            if (event.key !== "Enter") return;
            event.preventDefault();
            void look(words);
          }}
        />
        <button type="button" class="button" onClick={() => void look(words)}>
          Search
        </button>
      </div>
      <p id="gif-problem" class="field-problem" role="alert">
        {problem || withdrawing.problem}
      </p>
      <p role="status" class="help">
        {found === null ? (problem === "" ? "Loading…" : "") : found.length === 0 ? "Nothing was found." : `${found.length} GIFs.`}
      </p>
      <ul class="gif-found" aria-label="GIFs that were found">
        {(found ?? []).map((gif) => (
          <li key={gif.id}>
            <button type="button" aria-label={`Send ${gif.title}`} onClick={() => onChosen({ provider: "giphy", id: gif.id })}>
              <Moving gif={gif} alt="" />
            </button>
          </li>
        ))}
      </ul>
      <p class="gif-by">
        <strong>Powered By GIPHY</strong>
        <button type="button" class="button small" disabled={withdrawing.busy} onClick={() => void withdraw()}>
          Ask GIPHY no more
        </button>
      </p>
    </div>
  );
}

/** The GIF of a message. */
export function MessageGifView({ gif }: { gif: MessageGif }) {
  const state = useGifs();
  const [asking, setAsking] = useState(false);
  if (state?.giphy != null && gif.provider === "giphy") return <Shown giphy={state.giphy} id={gif.id} />;
  if (asking) return <Consent />;
  return (
    <div class="gif-placeholder">
      <p>A GIF from GIPHY.</p>
      {state?.available === true && (
        <button type="button" class="button small" onClick={() => setAsking(true)}>
          Show it
        </button>
      )}
    </div>
  );
}

function Shown({ giphy, id }: { giphy: Giphy; id: string }) {
  const [gif, setGif] = useState<Gif | null>(null);
  const [problem, setProblem] = useState("");
  useEffect(() => {
    let here = true;
    gifById(giphy, id)
      .then((found) => {
        if (!here) return;
        setGif(found);
        setProblem(found === null ? "This GIF is not there any more." : "");
      })
      .catch((error: unknown) => {
        if (!(error instanceof GiphyError)) throw error;
        if (here) setProblem(error.message);
      });
    return () => {
      here = false;
    };
  }, [id, giphy.api]);
  if (gif === null) return <p class="message-gone">{problem === "" ? "A GIF is on its way…" : problem}</p>;
  return (
    <figure class="gif">
      <Moving gif={gif} alt={gif.title} />
      <figcaption>Powered By GIPHY</figcaption>
    </figure>
  );
}

/** The page is isolated: a picture of somebody else's comes only where they let any page read it. */
function Moving({ gif, alt }: { gif: Gif; alt: string }) {
  const { url, width, height } = gif;
  return <img src={url} alt={alt} width={width} height={height} crossOrigin="anonymous" referrerPolicy="no-referrer" loading="lazy" />;
}
