// A row of bars for a glance, and the same numbers as a table for everybody. What surprises: the bars are
// for eyes only; a screen reader reads the table, and so may anybody.

interface Props {
  /** What is shown. */
  title: string;
  /** What a column of the table is called that holds the numbers, and what a row is. */
  of: string;
  per: string;
  rows: readonly Row[];
}

export interface Row {
  name: string;
  value: number;
  /** The value as it is read. */
  text: string;
}

export function Chart({ title, of, per, rows }: Props) {
  const most = Math.max(1, ...rows.map(({ value }) => value));
  const step = WIDTH / Math.max(1, rows.length);
  return (
    <figure class="chart">
      <figcaption>{title}</figcaption>
      <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" aria-hidden="true">
        {rows.map(({ name, value }, i) => {
          // What is more than nothing can be seen.
          const high = value === 0 ? 0 : Math.max(1, (HEIGHT * value) / most);
          return <rect key={name} x={i * step + step / 10} y={HEIGHT - high} width={step * 0.8} height={high} />;
        })}
      </svg>
      <p class="chart-ends tag" aria-hidden="true">
        <span>{rows.at(0)?.name}</span>
        <span>{rows.at(-1)?.name}</span>
      </p>
      <details>
        <summary>
          The numbers<span class="sr-only">: {title}</span>
        </summary>
        <Table title={title} of={of} per={per} rows={rows} />
      </details>
    </figure>
  );
}

/** The same where each row is of a kind of its own: names beside their bars. */
export function Bars({ title, of, per, rows }: Props) {
  const most = Math.max(1, ...rows.map(({ value }) => value));
  return (
    <table class="bars">
      <caption>{title}</caption>
      <thead>
        <tr>
          <th scope="col">{per}</th>
          <th scope="col" class="number">
            {of}
          </th>
          <td />
        </tr>
      </thead>
      <tbody>
        {rows.map(({ name, value, text }) => (
          <tr key={name}>
            <th scope="row">{name}</th>
            <td class="number">{text}</td>
            <td class="bar" aria-hidden="true">
              <svg viewBox={`0 0 ${WIDTH} 8`} preserveAspectRatio="none">
                <rect x={0} y={0} width={(WIDTH * value) / most} height={8} />
              </svg>
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function Table({ title, of, per, rows }: Props) {
  return (
    <table>
      <caption class="sr-only">{title}</caption>
      <thead>
        <tr>
          <th scope="col">{per}</th>
          <th scope="col" class="number">
            {of}
          </th>
        </tr>
      </thead>
      <tbody>
        {rows.map(({ name, text }) => (
          <tr key={name}>
            <th scope="row">{name}</th>
            <td class="number">{text}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

const WIDTH = 600;
const HEIGHT = 120;
