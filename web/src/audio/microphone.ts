// Opens the input: raw, as wide as asked, and as early as the browser gives it.
//
// Echo cancellation, noise suppression and automatic gain are for speech: they cost 10 ms and more
// and turn a guitar into something else.

/** What the DOM library's types do not know yet. */
interface AudioConstraints extends MediaTrackConstraints {
  latency?: ConstrainDouble;
}

export async function openMicrophone(
  channels: number,
  deviceId: string | undefined,
): Promise<MediaStream> {
  const audio: AudioConstraints = {
    echoCancellation: false,
    noiseSuppression: false,
    autoGainControl: false,
    channelCount: { ideal: channels },
    sampleRate: { ideal: 48_000 },
    latency: { ideal: 0 },
  };
  if (deviceId !== undefined && deviceId !== "") audio.deviceId = { exact: deviceId };
  return await navigator.mediaDevices.getUserMedia({ audio });
}

export function stopTracks(stream: MediaStream): void {
  for (const track of stream.getTracks()) track.stop();
}
