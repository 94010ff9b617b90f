// The takes of a room: how it is with their stems, and where they can be had.

import { useEffect, useState } from "preact/hooks";

import type { Take } from "../../protocol";
import {
  type StemStatus,
  type TakeStatus,
  type Told,
  askForTake,
  downloadPath,
  isUnderWay,
  prepareDownload,
} from "../../session/takes";
import { clockTime, megabytes, sentence } from "../format";

/** Newest first. */
export function Takes({ takes }: { takes: Take[] }) {
  if (takes.length === 0) return <p class="help">No takes yet.</p>;
  return (
    <ul class="takes" aria-label="Takes">
      {[...takes].reverse().map((take) => (
        <TakeItem key={take.id} take={take} />
      ))}
    </ul>
  );
}

function TakeItem({ take }: { take: Take }) {
  const [told, ask] = useTold(take);
  const status = told !== null && "status" in told ? told.status : null;
  const us = take.stop_us === undefined ? null : take.stop_us - take.start_us;
  return (
    <li>
      <div class="take-head">
        <h3>{take.title}</h3>
        <span class="tag">
          {us === null ? "being recorded" : clockTime(us / 1e6)}, by {take.started_by}
        </span>
      </div>
      {told === null && <p class="help">Asking the server…</p>}
      {told !== null && "text" in told && <p class="help">{sentence(told.text)}</p>}
      {status !== null && (
        <>
          <p class="help">{stemsWords(status)}</p>
          {status.problems.map((problem) => (
            <p key={problem} class="help problem-line">
              {sentence(problem)}
            </p>
          ))}
          {us !== null && <Download take={take} status={status} onAsked={ask} />}
        </>
      )}
    </li>
  );
}

interface DownloadProps {
  take: Take;
  status: TakeStatus;
  /** Something was asked of the server. */
  onAsked: () => void;
}

function Download({ take, status, onAsked }: DownloadProps) {
  const prepare = async () => {
    await prepareDownload(take);
    onAsked();
  };
  const { export: made } = status;
  switch (made.state) {
    case "preparing":
      return (
        <p class="help">
          Preparing the download: {made.percent} %.{" "}
          <progress value={made.percent} max={100} aria-label={`Preparing ${take.title}`} />
        </p>
      );
    case "ready":
      return (
        <p class="take-link">
          <a class="button small" href={downloadPath(take)} download rel="noreferrer">
            <span>
              Download<span class="sr-only"> {take.title}</span> ({megabytes(made.bytes)})
            </span>
          </a>
          {!made.newest && (
            <button type="button" class="button small" onClick={() => void prepare()}>
              Prepare anew: more has come<span class="sr-only"> of {take.title}</span>
            </button>
          )}
        </p>
      );
    case "failed":
    case "waiting":
      // Nothing has come, or everything is about to be made by itself.
      if (status.stems.every((stem) => stem.bytes === 0)) return null;
      return (
        <p class="take-link">
          <button type="button" class="button small" onClick={() => void prepare()}>
            Prepare the download<span class="sr-only"> of {take.title}</span>
          </button>
        </p>
      );
  }
}

/** What the server tells, asked again while something is under way. */
function useTold(take: Take): [Told | null, () => void] {
  const [told, setTold] = useState<Told | null>(null);
  const [asked, setAsked] = useState(0);
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | null = null;
    let over = false;
    const ask = async () => {
      const answer = await askForTake(take);
      if (over) return;
      setTold(answer);
      // A download that is wanted waits its turn.
      const again = "text" in answer || isUnderWay(answer.status) || answer.status.export.state === "waiting";
      if (again) timer = setTimeout(() => void ask(), ASK_MS);
    };
    void ask();
    return () => {
      over = true;
      if (timer !== null) clearTimeout(timer);
    };
  }, [take.id, take.stop_us, asked]);
  return [told, () => setAsked((count) => count + 1)];
}

/** Who is there, and whose sound is still on its way. */
export function stemsWords({ stems }: Pick<TakeStatus, "stems">): string {
  if (stems.length === 0) return "No stem has come yet.";
  const names = (state: StemStatus["state"]) =>
    stems.filter((stem) => stem.state === state).map(({ name }) => (name === "" ? "a stem" : name));
  const parts = [
    ["complete", names("complete")],
    ["arriving", names("arriving")],
    ["missing", names("missing")],
    ["damaged", names("damaged")],
  ] as const;
  const words = parts.filter(([, who]) => 0 < who.length).map(([how, who]) => `${who.join(", ")} ${how}`);
  return `Stems: ${words.join("; ")}.`;
}

const ASK_MS = 2_000;
