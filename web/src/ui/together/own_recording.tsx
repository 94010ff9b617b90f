// One's own recording: whether one wants it, and how far what was recorded is on its way to the server.

import { rememberRecordMe } from "../../session/preferences";
import type { LocalStem, StemsState } from "../../session/stem_seam";
import { clockTime, sentence } from "../format";
import type { TogetherProps } from "./bar";

export function OwnRecording({ session, state }: TogetherProps) {
  if (session.part === "listener") return null;
  const { problem, stems } = session.stems.value;
  return (
    <>
      <label class="check">
        <input
          type="checkbox"
          checked={state.recordMe}
          onChange={({ currentTarget }) => {
            session.setRecordMe(currentTarget.checked);
            rememberRecordMe(currentTarget.checked);
          }}
        />
        Record me, too
      </label>
      {problem !== null && <p class="help problem-line">{problem}</p>}
      <Stems stems={stems} />
    </>
  );
}

/** Everything that is not at the server yet. */
export function Stems({ stems }: Pick<StemsState, "stems">) {
  if (stems.length === 0) return null;
  return (
    <ul class="own-stems" aria-label="Your recordings on this machine">
      {stems.map((stem, index) => (
        <li key={index} class="help">
          {stemWords(stem)}
        </li>
      ))}
    </ul>
  );
}

export function stemWords({ title, seconds, bytes, sentBytes, state, text }: LocalStem): string {
  const yours = `Your recording of ${title}`;
  const share = bytes === 0 ? 0 : Math.floor((100 * Math.min(sentBytes, bytes)) / bytes);
  switch (state) {
    case "recording":
      return `${yours}: ${clockTime(seconds)}, ${share} % sent.`;
    case "sending":
      return `${yours} is on its way: ${share} % sent. Keep this page open until it is there.`;
    case "waiting":
      return `${yours} waits here: ${sentence(text)} It is tried again by itself.`;
    case "refused":
      return `${yours} stays here, and is not sent: ${sentence(text)}`;
  }
}
