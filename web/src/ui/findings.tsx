// What costs the room delay or sound, whose it is, and what to do about it, in the server's words: the same
// sentences for everybody. Nothing where there is nothing, and of many the worst one, with the others behind it.

import { useRef } from "preact/hooks";

import type { Finding } from "../protocol";
import type { SessionState } from "../session/state";

type Props = { state: Pick<SessionState, "findings" | "me"> };

export function Findings({ state: { findings, me } }: Props) {
  const spoken = useSpoken(findings);
  const [worst, ...others] = findings;
  return (
    <>
      <p class="sr-only" role="status">
        {spoken}
      </p>
      {worst !== undefined && (
        <section class="card findings" aria-label="What holds the room back">
          <ul>
            <Line finding={worst} me={me} />
          </ul>
          {0 < others.length && (
            <details>
              <summary>and {others.length} more</summary>
              <ul>
                {others.map((finding) => (
                  <Line key={keyOf(finding)} finding={finding} me={me} />
                ))}
              </ul>
            </details>
          )}
        </section>
      )}
    </>
  );
}

function Line({ finding, me }: { finding: Finding; me: SessionState["me"] }) {
  const { about, code, severity, text } = finding;
  return (
    <li class={severity} data-code={code}>
      {about !== undefined && about === me && <strong>You: </strong>}
      <span dir="auto">{marked(text)}</span>
    </li>
  );
}

/** What is to be typed stands between backticks, and a number stays beside its unit. */
function marked(text: string) {
  const parts = text.replace(/(\d) (ms|%)/g, "$1\u00a0$2").split("`");
  return parts.map((part, at) => (at % 2 === 1 && at < parts.length - 1 ? <code>{part}</code> : part));
}

/** A screen reader hears what is new once: numbers that change within a sentence are not read again. */
function useSpoken(findings: Finding[]): string {
  const before = useRef<{ keys: string[]; spoken: string }>({ keys: [], spoken: "" });
  const keys = findings.map(keyOf).sort();
  const known = before.current.keys;
  if (keys.join() !== known.join()) {
    const news = findings.filter((finding) => !known.includes(keyOf(finding)));
    before.current = { keys, spoken: news.map(({ text }) => text).join(" ") };
  }
  return before.current.spoken;
}

function keyOf({ code, about }: Finding): string {
  return `${code} ${about ?? "all"}`;
}
