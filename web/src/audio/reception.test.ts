import { expect, it } from "vitest";
import { Reception } from "./reception";

const counts = (ssrc: number, received: number, lost: number, gaps: number) => ({ ssrc, received, lost, gaps });

it("tells what was lost since it was last asked, and nothing of what was not", () => {
  const reception = new Reception();
  expect(reception.take([counts(1, 700, 50, 20), counts(2, 750, 0, 0)])).toEqual([]);
  expect(reception.take([counts(1, 1400, 60, 28), counts(2, 1500, 0, 0)])).toEqual([
    { ssrc: 1, expected_packets: 710, lost_packets: 10, gaps: 8 },
  ]);
  expect(reception.take([counts(1, 2150, 60, 28), counts(3, 10, 5, 1)])).toEqual([]);
});

it("is not confused by an engine that counts anew or packets that came late", () => {
  const reception = new Reception();
  reception.take([counts(1, 700, 50, 20)]);
  expect(reception.take([counts(1, 760, 40, 21)])).toEqual([]);
  expect(reception.take([counts(1, 5, 45, 2)])).toEqual([{ ssrc: 1, expected_packets: 5, lost_packets: 5, gaps: 0 }]);
});
