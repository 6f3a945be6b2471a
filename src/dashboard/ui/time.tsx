import type { ComponentChildren } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { moment, wholeMoment } from './moment.js';

/** A relative time such as `3 min ago` or `in 2 h`; its title has the exact one, and a click or a tap shows that instead. */
export function Time({ at }: { at: string | null | undefined }) {
  // Drawn again at the interval, and by the clock of that moment: `at` may be newer than the last interval.
  useNow(at ? 15_000 : undefined);
  const [isExact, setExact] = useState(false);
  if (!at) return <span class="quiet">–</span>;
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: whoever hears the page has the exact time as its title.
    <time dateTime={at} title={wholeMoment(at)} onClick={() => setExact(!isExact)}>
      {isExact ? moment(at) : relative(new Date(at).getTime() - Date.now())}
    </time>
  );
}

const units: readonly [unit: string, ms: number][] = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['min', 60_000],
  ['s', 1_000],
];

function relative(ms: number): string {
  const size = Math.abs(ms);
  if (size < 1_500) return 'now';
  const [unit, length] = units.find(([, unitMs]) => size >= unitMs) ?? ['s', 1_000];
  const words = `${Math.round(size / length)} ${unit}`;
  return ms < 0 ? `${words} ago` : `in ${words}`;
}

/** The current time, updated at an interval; without one it does not change. */
export function useNow(everyMs: number | undefined): number {
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    if (everyMs === undefined) return;
    const timer = setInterval(() => setNow(Date.now()), everyMs);
    return () => clearInterval(timer);
  }, [everyMs]);
  return now;
}

/** One named value of a detail list. */
export function Particular({ name, children }: { name: string; children: ComponentChildren }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}

/** A time in a detail list; nothing is drawn without one. */
export function When({ name, at }: { name: string; at: string | null | undefined }) {
  if (!at) return null;
  return (
    <Particular name={name}>
      <Time at={at} />
      <div class="quiet small">{moment(at)}</div>
    </Particular>
  );
}
