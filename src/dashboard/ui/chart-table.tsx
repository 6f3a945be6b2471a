import { type Line, thin } from './drawing.js';

const mostRows = 120;

interface ChartTableProps {
  title: string;
  lines: readonly Line[];
  axis: string;
  showX(x: number): string;
  showY(y: number): string;
}

/** The values of a chart. */
export function ChartTable({ title, lines, axis, showX, showY }: ChartTableProps) {
  const xs = [...new Set(lines.flatMap(({ points }) => points.map(({ x }) => x)))].sort((a, b) => a - b);
  const values = lines.map(({ points }) => new Map(points.map(({ x, y }) => [x, y])));
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: scrolling with the keyboard needs focus.
    <section class="scroll" tabIndex={0} aria-label={`${title} as a table`}>
      <table>
        <thead>
          <tr>
            <th>{axis}</th>
            {lines.map(({ name }) => (
              <th key={name}>{name}</th>
            ))}
          </tr>
        </thead>
        <tbody>
          {thin(xs, mostRows).map((x) => (
            <tr key={x}>
              <td>{showX(x)}</td>
              {values.map((known, index) => {
                const y = known.get(x);
                return <td key={lines[index]?.name}>{y === undefined ? '–' : showY(y)}</td>;
              })}
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}
