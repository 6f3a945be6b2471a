import { useState } from 'preact/hooks';
import { filter } from '../location.js';
import { moment, zoneOffset } from './moment.js';
import { type Range, rangeIn, showRange } from './range.js';

interface Window {
  minutes: number;
  words: string;
}

interface RangePickerProps {
  query: URLSearchParams;
  windows: readonly Window[];
  /** Of them, the one that the address does not name. */
  usual: number;
}

/** Chooses how far back to look, or from when to when; the address keeps it. */
export function RangePicker({ query, windows, usual }: RangePickerProps) {
  const range = rangeIn(query);
  const minutes = Number(query.get('window') ?? usual);
  return (
    <>
      <fieldset class="tabs" aria-label="Window">
        {windows.map(({ minutes: one, words }) => (
          <button
            key={one}
            type="button"
            aria-pressed={!range && one === minutes}
            onClick={() => filter({ window: one === usual ? '' : String(one), from: '', to: '' })}
          >
            {words}
          </button>
        ))}
      </fieldset>
      <OwnRange key={`${range?.from} ${range?.to}`} range={range} minutes={minutes} />
    </>
  );
}

function OwnRange({ range, minutes }: { range: Range | undefined; minutes: number }) {
  const [problem, setProblem] = useState('');
  const now = Date.now();
  const { from, to } = range ?? { from: now - minutes * 60_000, to: now };
  return (
    <details class="own-range">
      <summary>{range ? `${moment(range.from)} to ${moment(range.to)}` : 'Custom range'}</summary>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          const data = new FormData(event.currentTarget);
          const chosen = { from: fromField(data.get('from')), to: fromField(data.get('to')) };
          if (chosen.from < chosen.to) showRange(chosen);
          else setProblem('The beginning has to be before the end.');
        }}
      >
        <label>
          From <input type="datetime-local" name="from" required value={toField(from)} />
        </label>
        <label>
          To <input type="datetime-local" name="to" required value={toField(to)} />
        </label>
        <button type="submit">Show</button>
        {range && (
          <button type="button" onClick={() => showRange(undefined)}>
            The last {minutes % 60 === 0 ? `${minutes / 60} h` : `${minutes} min`}
          </button>
        )}
        {problem && (
          <p class="bad" role="alert">
            {problem}
          </p>
        )}
      </form>
    </details>
  );
}

/** The fields know no zone: they show the time of the clock on the wall. */
const toField = (at: number): string => new Date(at + zoneOffset(at)).toISOString().slice(0, 16);

function fromField(value: FormDataEntryValue | null): number {
  const wall = Date.parse(`${value}Z`);
  return wall - zoneOffset(wall);
}
