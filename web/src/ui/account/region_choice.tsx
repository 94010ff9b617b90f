// Where an account is kept: chosen once, for good.

import type { Region } from "../../protocol/social";

interface RegionProps {
  region: Region | null;
  problem: string;
  onChoose: (region: Region) => void;
}

export function RegionChoice({ region, problem, onChoose }: RegionProps) {
  return (
    <fieldset class="field choices" aria-describedby="region-problem region-help">
      <legend class="label">Where your account is kept</legend>
      {REGIONS.map(([word, name], i) => (
        <label class="choice" key={word}>
          <input
            type="radio"
            name="region"
            value={word}
            checked={region === word}
            aria-invalid={i === 0 && problem !== "" ? true : undefined}
            onChange={() => onChoose(word)}
          />
          {name}
        </label>
      ))}
      <p id="region-problem" class="field-problem">
        {problem}
      </p>
      <p id="region-help" class="help">
        It stays there. You can play with everybody, wherever theirs is.
      </p>
    </fieldset>
  );
}

const REGIONS: [Region, string][] = [
  ["eu", "European Union"],
  ["us", "United States"],
];
