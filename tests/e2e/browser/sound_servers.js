// Sound servers of a test's own, without a sound card: PulseAudio for a browser, JACK for `vjam join`. Both lead what
// is played straight back in, as a microphone beside a loudspeaker would.

import { execFile } from "node:child_process";
import { mkdir, mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { promisify } from "node:util";

import { eventually, Process } from "./harness.js";

const run = promisify(execFile);

/** What one JACK period lasts; the way from an output of the server to an input takes one. */
const PERIOD_FRAMES = 128;
export const JACK_LOOP_MS = PERIOD_FRAMES / 48;

/** A PulseAudio whose only microphone hears its only loudspeaker. Gives the environment that programs find it with. */
export async function startPulse(undo) {
  // A socket's path has 108 bytes at most.
  const home = await mkdtemp(path.join(tmpdir(), "pulse-"));
  const socket = path.join(home, "socket");
  const env = {
    HOME: home,
    XDG_RUNTIME_DIR: home,
    PULSE_RUNTIME_PATH: home,
    PULSE_COOKIE: path.join(home, "cookie"),
    PULSE_SERVER: `unix:${socket}`,
  };
  await mkdir(path.join(home, ".config/pulse"), { recursive: true });
  await writeFile(path.join(home, ".config/pulse/daemon.conf"), "default-sample-rate = 48000\n");
  const modules = [
    `module-native-protocol-unix auth-anonymous=1 socket=${socket}`,
    "module-null-sink sink_name=loudspeaker rate=48000 channels=2",
    // Chromium leaves out what is called the monitor of a sink.
    "module-remap-source master=loudspeaker.monitor source_name=microphone rate=48000",
  ].flatMap((module) => ["--load", module]);
  const options = ["-n", "--daemonize=no", "--use-pid-file=no", "--exit-idle-time=-1"];
  const server = new Process("pulseaudio (Debian package pulseaudio)", "pulseaudio", [...options, ...modules], env);
  undo.add(() => server.stop());
  const control = (...args) => run("pactl", args, { env: { ...process.env, ...env } });
  await eventually("PulseAudio", async () => {
    await control("set-default-source", "microphone");
    await control("set-default-sink", "loudspeaker");
    return true;
  });
  return env;
}

/**
 * A JACK server with the dummy driver and shared memory of its own. `command` gives what runs a program where it is
 * found: the program, its arguments, the environment.
 */
export async function startJack(undo) {
  const env = {
    JACK_DEFAULT_SERVER: "vjam-browser-tests",
    JACK_NO_START_SERVER: "1",
    JACK_NO_AUDIO_RESERVATION: "1",
  };
  const root = process.getuid() === 0;
  const driver = ["-n", env.JACK_DEFAULT_SERVER, "-r", "-d", "dummy", "-C2", "-P2", "-r48000", `-p${PERIOD_FRAMES}`];
  const script = 'mount -t tmpfs tmpfs /dev/shm && exec jackd "$@"';
  const apart = root ? ["--mount"] : ["--mount", "--map-root-user"];
  const server = new Process("jackd", "unshare", [...apart, "sh", "-c", script, "jackd", ...driver], env);
  undo.add(() => server.stop());
  const join = root ? ["--mount"] : ["--user", "--preserve-credentials", "--mount"];
  const command = (program, args) => ["nsenter", [`--target=${server.pid}`, ...join, "--", program, ...args], env];
  const tool = async (program, ...args) => {
    const [found, all, variables] = command(program, args);
    return (await run(found, all, { env: { ...process.env, ...variables } })).stdout;
  };
  await eventually("JACK", () => tool("jack_lsp"));
  return { command, connect: (from, to) => tool("jack_connect", from, to) };
}
