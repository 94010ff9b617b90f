// What costs the room delay or sound, whose it is, and what to do about it, in the server's words: the same
// sentences for everybody. Nothing where there is nothing.

import { useRef } from "preact/hooks";

import type { Finding } from "../protocol";
import type { SessionState } from "../session/state";

export function Findings({ state }: { state: Pick<SessionState, "findings" | "me"> }) {
  const { findings, me } = state;
  const spoken = useSpoken(findings);
  return (
    <>
      <p class="sr-only" role="status">
        {spoken}
      </p>
      {0 < findings.length && (
        <section class="card findings" aria-labelledby="findings-title">
          <h2 id="findings-title">What holds you back</h2>
          <ul>
            {findings.map((finding) => (
              <li key={keyOf(finding)} class={finding.severity} data-code={finding.code}>
                {finding.about !== undefined && finding.about === me && <span class="tag">You</span>}{" "}
                <span dir="auto">{finding.text}</span>
              </li>
            ))}
          </ul>
        </section>
      )}
    </>
  );
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
