// The musician's input before joining: permission, devices, and a level to look at. Once joined,
// the open input is handed over, so that the browser asks only once.

import { openMicrophone, stopTracks } from "../audio/microphone";

export interface InputDevice {
  id: string;
  label: string;
}

/** Whether the browser would open an input without asking. */
export async function inputIsPermitted(): Promise<boolean> {
  try {
    const status = await navigator.permissions.query({ name: "microphone" as PermissionName });
    return status.state === "granted";
  } catch {
    return false;
  }
}

/** Tells of the inputs now and whenever one is plugged in or out, until the returned function is
    called. */
export function watchInputDevices(changed: (devices: InputDevice[]) => void): () => void {
  let watching = true;
  const look = async () => {
    const devices = await inputDevices();
    if (watching) changed(devices);
  };
  const tell = () => void look();
  tell();
  navigator.mediaDevices.addEventListener("devicechange", tell);
  return () => {
    watching = false;
    navigator.mediaDevices.removeEventListener("devicechange", tell);
  };
}

/** Inputs that can be chosen; empty labels (no permission yet) are left out. */
export async function inputDevices(): Promise<InputDevice[]> {
  const devices = await navigator.mediaDevices.enumerateDevices();
  return devices
    .filter((device) => device.kind === "audioinput" && device.label !== "")
    .map((device) => ({ id: device.deviceId, label: device.label }));
}

/** An open input with its level. */
export class InputCheck {
  private readonly samples: Float32Array<ArrayBuffer>;

  private constructor(
    private readonly stream: MediaStream,
    private readonly context: AudioContext,
    private readonly analyser: AnalyserNode,
  ) {
    this.samples = new Float32Array(analyser.fftSize);
  }

  static async open(deviceId: string): Promise<InputCheck> {
    const stream = await openMicrophone(CHANNELS, deviceId);
    const context = new AudioContext();
    const analyser = new AnalyserNode(context, { fftSize: 2048 });
    context.createMediaStreamSource(stream).connect(analyser);
    return new InputCheck(stream, context, analyser);
  }

  /** The device that is really open. */
  get deviceId(): string {
    return this.stream.getAudioTracks()[0]?.getSettings().deviceId ?? "";
  }

  /** Peak of the last 40 ms in dBFS, or null while the browser holds sound back until a click. */
  levelDb(): number | null {
    if (this.context.state !== "running") return null;
    this.analyser.getFloatTimeDomainData(this.samples);
    let peak = 0;
    for (const sample of this.samples) peak = Math.max(peak, Math.abs(sample));
    return 20 * Math.log10(Math.max(peak, 1e-6));
  }

  /** Continues after a click where the browser wanted one. */
  resume(): void {
    void this.context.resume();
  }

  /** What the browser says that the input takes; 0 where it says nothing. */
  get latencyMs(): number {
    const { latency } = (this.stream.getAudioTracks()[0]?.getSettings() ?? {}) as { latency?: number };
    return (latency ?? 0) * 1000;
  }

  /** The input as one more source, for as long as this is open. */
  source(context: AudioContext): AudioNode {
    return context.createMediaStreamSource(this.stream);
  }

  /** Gives the open input away; the level stops. */
  handOver(): MediaStream {
    void this.context.close();
    return this.stream;
  }

  close(): void {
    stopTracks(this.stream);
    void this.context.close();
  }
}

const CHANNELS = 1;
