// A recording: how it looks, how it sounds, and what was said of it. The browser's own player plays it;
// the waveform and the comments tell it where.

import { useEffect, useRef, useState } from "preact/hooks";

import { ProblemError } from "../../../account/client";
import type { FilePeaks, StoredFile } from "../../../protocol/social";
import { sentence } from "../../format";
import { Section } from "../section";
import { contentOf } from "./actions";
import { Comments } from "./comments";
import { findPeaks } from "./peaks";
import { Waveform } from "./waveform_view";

interface Props {
  file: StoredFile;
  /** The account of whoever looks. */
  me: string;
  /** More is known of it. */
  onFile: (file: StoredFile) => void;
}

export function Recording({ file, me, onFile }: Props) {
  const audio = useRef<HTMLAudioElement>(null);
  const [position, setPosition] = useState(0);
  const [heard, setHeard] = useState(0);
  const [unplayable, setUnplayable] = useState(false);
  const [marks, setMarks] = useState<readonly number[]>([]);
  const { peaks, words } = usePeaks(file, onFile);
  const duration = file.duration_ms ?? heard;

  const seek = (to: number) => {
    if (audio.current === null) return;
    audio.current.currentTime = to / 1000;
    setPosition(to);
  };
  const toggle = () => {
    if (audio.current?.paused === false) audio.current.pause();
    // The player itself says that it cannot.
    else void audio.current?.play().catch(() => {});
  };
  return (
    <>
      <Section title="Listen">
        <Waveform
          peaks={peaks}
          position_ms={position}
          duration_ms={duration}
          marks_ms={marks}
          onSeek={seek}
          onToggle={toggle}
        />
        <p class="help" role="status">
          {words}
        </p>
        <audio
          class="player"
          controls
          preload="metadata"
          src={contentOf(file.id)}
          aria-label={file.name}
          ref={audio}
          onTimeUpdate={(event) => setPosition(event.currentTarget.currentTime * 1000)}
          onSeeking={(event) => setPosition(event.currentTarget.currentTime * 1000)}
          onDurationChange={(event) => {
            const seconds = event.currentTarget.duration;
            setHeard(Number.isFinite(seconds) ? seconds * 1000 : 0);
          }}
          onError={() => setUnplayable(true)}
          onLoadedMetadata={() => setUnplayable(false)}
        />
        <p class="field-problem" role="alert">
          {unplayable && "This browser cannot play the recording now. Download it, or try again with a connection."}
        </p>
      </Section>
      <Comments file={file} me={me} position_ms={position} onSeek={seek} onMarks={setMarks} />
    </>
  );
}

/** How it looks, and what is to be said of that. */
function usePeaks(file: StoredFile, onFile: (file: StoredFile) => void): { peaks: FilePeaks | null; words: string } {
  const [peaks, setPeaks] = useState<FilePeaks | null>(null);
  const [words, setWords] = useState(file.analysis === "waiting" ? WAITING : "");
  useEffect(() => {
    let here = true;
    let timer: ReturnType<typeof setTimeout> | undefined;
    let wake = () => {};
    const wait = (ms: number) =>
      new Promise<boolean>((resolve) => {
        wake = () => resolve(here);
        timer = setTimeout(wake, ms);
      });
    const find = async () => {
      try {
        const found = await findPeaks(file, wait);
        if (!here) return;
        if (found === null) return setWords(LATE);
        if (found.file !== file) onFile(found.file);
        setPeaks(found.peaks);
        setWords(found.peaks === null ? BLANK : HINT);
      } catch (error) {
        if (!(error instanceof ProblemError)) throw error;
        if (here) setWords(sentence(error.message));
      }
    };
    void find();
    return () => {
      here = false;
      clearTimeout(timer);
      wake();
    };
    // Once for each file: what is found is of the same one.
  }, [file.id]);
  return { peaks, words };
}

const HINT = "Click to move, or use the arrow keys.";
const WAITING = "The waveform is on its way. The recording can be played already.";
const BLANK = "Of this recording no waveform can be drawn. It can be played all the same.";
const LATE = "The waveform takes long. Load this page anew later.";
