// When the frames of a running context are captured and heard: what the browser says of its output, what is measured
// or said of its input, and the room's clock, put together.

import type { RoomClockStats } from "../session/audio_seam";
import { outputDelayMs } from "./audio_context";
import { ContextClock, type ContextRoomTimes } from "./context_clock";
import type { EngineInput } from "./engine_input";

export class ContextDates {
  private readonly clock = new ContextClock();
  private measuredInputMs: number | null = null;
  private still = false;

  constructor(
    private readonly context: AudioContext,
    private readonly input: EngineInput,
  ) {}

  /** The context does not run: what is known of its frames holds no longer. */
  stoodStill(): void {
    this.still = true;
    this.clock.clear();
  }

  /** Asks the browser what it plays at the moment; whether the context had stood still until then. */
  note(): boolean {
    const { context, still } = this;
    this.still = false;
    if (still) this.input.interrupted();
    // Firefox has no getOutputTimestamp in some contexts.
    const timestamp = context.getOutputTimestamp?.();
    if (timestamp !== undefined) this.clock.note(timestamp, performance.timeOrigin);
    return still;
  }

  /** Another device has another delay. */
  anotherInput(): void {
    this.measuredInputMs = null;
  }

  /** From the microphone to the context, as measured or else as the browser says. */
  inputMs(): number {
    return this.measuredInputMs ?? this.input.saidDelayMs();
  }

  /** Where the present moment of the context lies; null before the browser has said a word. */
  now(roomClock: RoomClockStats): ContextRoomTimes | null {
    const contextMs = this.context.currentTime * 1000;
    const outputMs = outputDelayMs(this.context);
    const computed = this.clock.computedMs(contextMs, outputMs);
    const captured = this.input.capturedMs(contextMs);
    if (computed !== null && captured !== null) {
      this.measuredInputMs = computed - captured;
      this.input.measured(this.measuredInputMs);
    }
    return this.clock.at(contextMs, roomClock, { outputMs, inputMs: this.inputMs() });
  }
}
