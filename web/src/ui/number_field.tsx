// A field for a number. What is being typed stays as it is until it is done: a room is rendered again about once a
// second, which would put the old number back in the middle of the new one.

import { useState } from "preact/hooks";

interface Props {
  id?: string;
  label?: string;
  value: number;
  min: number;
  max: number;
  /** With this step arrows change it at once. */
  step: number;
  onChange: (value: number) => void;
}

export function NumberField({ id, label, value, min, max, step, onChange }: Props) {
  const [typed, setTyped] = useState<string | null>(null);
  const done = (field: HTMLInputElement, number: number) => {
    const within = Number.isFinite(number) ? Math.min(max, Math.max(min, number)) : value;
    // Rendered again is only what changed.
    field.value = String(within);
    setTyped(null);
    if (within !== value) onChange(within);
  };
  return (
    <input
      id={id}
      aria-label={label}
      type="number"
      inputMode="decimal"
      min={min}
      max={max}
      step="any"
      value={typed ?? value}
      onInput={({ currentTarget }) => setTyped(currentTarget.value)}
      onChange={({ currentTarget }) => done(currentTarget, currentTarget.valueAsNumber)}
      onBlur={() => setTyped(null)}
      onKeyDown={(event) => {
        const direction = { ArrowUp: 1, ArrowDown: -1 }[event.key];
        if (direction === undefined) return;
        event.preventDefault();
        const from = event.currentTarget.valueAsNumber;
        done(event.currentTarget, (Number.isFinite(from) ? from : value) + direction * step);
      }}
    />
  );
}
