// How the app is used, of everybody together.

import { useEffect, useState } from "preact/hooks";

import { call } from "../../../account/client";
import type { UsageDay } from "../../../protocol/social";
import { useActing } from "../people/acting";
import { Waiting } from "../people/gate";
import { Section } from "../section";
import { Bars, Chart } from "./chart";
import { everyDay, featureRows, firstOf, lengthRows, peopleRows, sessionsOf } from "./figures";

export function UsageFigures({ now = Date.now }: { now?: () => number }) {
  const [span, setSpan] = useState(30);
  const [days, setDays] = useState<UsageDay[] | null>(null);
  const { problem, attempt } = useActing();
  const load = (length: number) =>
    attempt(async () => {
      const since = firstOf(length, now());
      const known = await call("GET /api/v1/social/admin/usage", { query: { since } });
      setDays(everyDay(known, length, now()));
      setSpan(length);
    });
  useEffect(() => void load(span), []);

  return (
    <Section title="Usage">
      <p class="help">
        Of whoever did not object, under names that nobody can tell any more the day after. Days are those of UTC.
      </p>
      <div class="inline" role="group" aria-label="How far back">
        {SPANS.map((length) => (
          <button
            key={length}
            type="button"
            class="button small"
            aria-pressed={span === length}
            onClick={() => void load(length)}
          >
            {length} days
          </button>
        ))}
      </div>
      {days === null || problem !== "" ? (
        <Waiting problem={problem} onAgain={() => void load(span)} />
      ) : (
        <Figures days={days} />
      )}
    </Section>
  );
}

function Figures({ days }: { days: UsageDay[] }) {
  const { count, minutes } = sessionsOf(days);
  const features = featureRows(days);
  return (
    <>
      <p>{sessionsText(count, minutes)}</p>
      <Chart title="People on each day" per="Day" of="People" rows={peopleRows(days)} />
      {0 < count && <Bars title="How long sessions took" per="Length" of="Sessions" rows={lengthRows(days)} />}
      {features.length === 0 ? (
        <p class="help">No feature was counted.</p>
      ) : (
        <Bars title="What was used" per="Feature" of="Times" rows={features} />
      )}
    </>
  );
}

function sessionsText(count: number, minutes: number): string {
  if (count === 0) return "No session was counted.";
  const each = Math.round(minutes / count);
  const took = each === 1 ? "a minute" : `${each} minutes`;
  return count === 1 ? `One session, of ${took}.` : `${count} sessions, ${took} each on average.`;
}

const SPANS = [7, 30, 90];
