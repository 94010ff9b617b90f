// How a recording looks, drawn on a canvas, and where it is. To a keyboard and to whoever listens it is
// a slider.

import { useEffect, useRef } from "preact/hooks";

import type { FilePeaks } from "../../../protocol/social";
import { clockTime } from "../../format";
import { columns, keySeek } from "./waveform";

interface Props {
  /** Null while nobody knows how it looks. */
  peaks: FilePeaks | null;
  position_ms: number;
  /** 0 while it is not known: then there is nowhere to go. */
  duration_ms: number;
  /** Moments that something was said of. */
  marks_ms: readonly number[];
  onSeek: (position_ms: number) => void;
  /** The space bar: plays or pauses, as everywhere. */
  onToggle: () => void;
}

export function Waveform({ peaks, position_ms, duration_ms, marks_ms, onSeek, onToggle }: Props) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const redraw = useRef(() => {});
  redraw.current = () => {
    if (canvas.current !== null) draw(canvas.current, { peaks, position_ms, duration_ms, marks_ms });
  };
  useEffect(() => redraw.current(), [peaks, position_ms, duration_ms, marks_ms]);

  // The width of the window, and day and night.
  useEffect(() => {
    const again = () => redraw.current();
    const night = globalThis.matchMedia?.("(prefers-color-scheme: dark)");
    night?.addEventListener?.("change", again);
    addEventListener("resize", again);
    return () => {
      night?.removeEventListener?.("change", again);
      removeEventListener("resize", again);
    };
  }, []);

  const seekTo = (event: PointerEvent & { currentTarget: HTMLCanvasElement }) => {
    const { left, width } = event.currentTarget.getBoundingClientRect();
    if (duration_ms === 0 || width === 0) return;
    const share = Math.min(1, Math.max(0, (event.clientX - left) / width));
    onSeek(Math.round(share * duration_ms));
  };
  return (
    <canvas
      class="waveform"
      ref={canvas}
      role="slider"
      tabIndex={0}
      aria-label="Position in the recording"
      aria-valuemin={0}
      aria-valuemax={Math.round(duration_ms / 1000)}
      aria-valuenow={Math.round(position_ms / 1000)}
      aria-valuetext={`${clockTime(position_ms / 1000)} of ${clockTime(duration_ms / 1000)}`}
      aria-disabled={duration_ms === 0}
      onPointerDown={(event) => {
        if (event.button !== 0) return;
        event.currentTarget.setPointerCapture?.(event.pointerId);
        seekTo(event);
      }}
      onPointerMove={(event) => {
        if ((event.buttons & 1) === 1) seekTo(event);
      }}
      onKeyDown={(event) => {
        if (event.altKey || event.ctrlKey || event.metaKey) return;
        if (event.key === " ") {
          event.preventDefault();
          onToggle();
          return;
        }
        const to = keySeek(event.key, position_ms, duration_ms);
        if (to === null) return;
        event.preventDefault();
        if (duration_ms !== 0) onSeek(to);
      }}
    />
  );
}

type Picture = Pick<Props, "peaks" | "position_ms" | "duration_ms" | "marks_ms">;

function draw(canvas: HTMLCanvasElement, { peaks, position_ms, duration_ms, marks_ms }: Picture): void {
  const context = canvas.getContext("2d");
  if (context === null) return;
  const scale = globalThis.devicePixelRatio || 1;
  const [width, height] = [canvas.clientWidth, canvas.clientHeight];
  canvas.width = Math.round(width * scale);
  canvas.height = Math.round(height * scale);
  context.scale(scale, scale);
  const style = getComputedStyle(canvas);
  const color = (name: string) => style.getPropertyValue(name).trim();

  const middle = height / 2;
  const share = duration_ms === 0 ? 0 : position_ms / duration_ms;
  const bars = peaks === null ? [] : columns(peaks, Math.max(1, Math.floor(width / BAR_PX)));
  const [played, rest] = [color("--accent"), color("--control-line")];
  context.fillStyle = rest;
  context.fillRect(0, middle - 0.5, width, 1);
  bars.forEach(([low, high], i) => {
    context.fillStyle = i * BAR_PX < share * width ? played : rest;
    const top = middle - high * (middle - MARK_PX);
    const bottom = middle - low * (middle - MARK_PX);
    context.fillRect(i * BAR_PX, top, BAR_PX - 1, Math.max(1, bottom - top));
  });
  if (duration_ms === 0) return;
  context.fillStyle = color("--warn-strong");
  for (const mark of marks_ms) context.fillRect((mark / duration_ms) * width - 1.5, height - MARK_PX, 3, MARK_PX);
  context.fillStyle = color("--text");
  context.fillRect(Math.min(width - 2, share * width), 0, 2, height);
}

/** A bar and the gap after it. */
const BAR_PX = 3;
const MARK_PX = 6;
