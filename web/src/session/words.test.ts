import { describe, expect, it } from "vitest";

import type { ByeReason, ErrorCode, ServerEnvelope } from "../protocol";
import { SERVER_SAMPLES } from "../protocol/samples";
import { type Problem, problemOfBye, problemOfError, problemOfMedia, problemOfSurroundings } from "./words";

const samples = SERVER_SAMPLES as ServerEnvelope[];
const codes = samples.flatMap((m): ErrorCode[] => (m.type === "error" ? [m.code] : []));
const reasons = samples.flatMap((m): ByeReason[] => (m.type === "bye" ? [m.reason] : []));

function media(name: string): Problem {
  return problemOfMedia(new DOMException("technical text", name));
}

describe("every refusal and every ending", () => {
  it.each(codes)("%s says what happened and what to do, without its code", (code) => {
    const { title, advice } = problemOfError(code, "what the server said");
    expect(title).toMatch(/^[A-Z].*\.$/);
    expect(advice.length).toBeGreaterThan(10);
    if (code.includes("_")) expect(title + advice).not.toContain(code);
  });

  it.each(reasons)("%s says what happened and what to do", (reason) => {
    const { title, advice } = problemOfBye(reason, "what the server said");
    expect(title).toMatch(/\.$/);
    expect(advice.length).toBeGreaterThan(10);
  });

  it("survives a code that only a newer server knows", () => {
    const problem = problemOfError("moon_phase" as ErrorCode, "come back at new moon");
    expect(problem.advice).toContain("come back at new moon");
  });
});

describe("the microphone", () => {
  it.each([
    ["NotAllowedError", "Allow the microphone"],
    ["NotFoundError", "Plug one in"],
    ["NotReadableError", "Close other programs"],
    ["OverconstrainedError", "Choose another input"],
  ])("%s leads to “%s”", (name, advice) => {
    expect(media(name).advice).toContain(advice);
  });

  it("names what it does not know", () => {
    expect(problemOfMedia(new Error("the worklet exploded")).advice).toContain("worklet exploded");
  });
});

describe("the page's surroundings", () => {
  it("are fine on a secure page of a current browser", () => {
    expect(problemOfSurroundings({ secure: true, microphone: true, webrtc: true })).toBeNull();
  });

  it("blame the address before the browser", () => {
    const problem = problemOfSurroundings({ secure: false, microphone: false, webrtc: true });
    expect(problem?.code).toBe("insecure");
    expect(problem?.advice).toContain("https://");
  });

  it("name browsers that work", () => {
    const problem = problemOfSurroundings({ secure: true, microphone: true, webrtc: false });
    expect(problem?.advice).toContain("Firefox");
  });
});
