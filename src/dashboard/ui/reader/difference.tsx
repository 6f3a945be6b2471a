import { diffLines } from 'diff';
import { useMemo } from 'preact/hooks';
import { number } from '../format.js';

export interface DifferenceProps {
  title: string;
  before: string;
  after: string;
}

/** Texts that differ more are not worth the time: they are two texts. */
const bounds = { timeout: 500, maxEditLength: 5_000 };
/** Equal lines that are shown around what is different. */
const around = 3;
const mostLines = 3_000;

/** What is different between two texts, line by line; a sign before each line says the same as its colour. */
export function Difference({ title, before, after }: DifferenceProps) {
  const lines = useMemo(() => linesOf(before, after), [before, after]);
  return (
    <section>
      <h3>{title}</h3>
      {lines === undefined && <p class="quiet">The two have too little in common to compare them.</p>}
      {lines?.length === 0 && <p class="quiet">No difference.</p>}
      {lines && lines.length > 0 && (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: scrolling with the keyboard needs focus.
        <pre class="code patch difference" tabIndex={0}>
          {lines.slice(0, mostLines).map(({ kind, text }, index) => (
            <span key={index} class={kind}>
              {`${signs[kind]}${text}\n`}
            </span>
          ))}
          {lines.length > mostLines && `… ${number(lines.length - mostLines)} lines more`}
        </pre>
      )}
    </section>
  );
}

type Kind = 'added' | 'removed' | 'same' | 'hunk';

const signs: Readonly<Record<Kind, string>> = { added: '+ ', removed: '- ', same: '  ', hunk: '' };

function linesOf(before: string, after: string): { kind: Kind; text: string }[] | undefined {
  if (before === after) return [];
  // The last line is one like the others, also without a line break.
  const [from, to] = [before, after].map((text) => (text === '' ? '' : `${text}\n`)) as [string, string];
  const changes = diffLines(from, to, bounds);
  return changes?.flatMap(({ value, added, removed }, index) => {
    const texts = value.replace(/\n$/, '').split('\n');
    const kind: Kind = added ? 'added' : removed ? 'removed' : 'same';
    const all = texts.map((text) => ({ kind, text }));
    const [isFirst, isLast] = [index === 0, index === changes.length - 1];
    const left = all.length - (isFirst ? 0 : around) - (isLast ? 0 : around);
    if (kind !== 'same' || left < 2) return all;
    return [
      ...all.slice(0, isFirst ? 0 : around),
      { kind: 'hunk' as const, text: `… ${number(left)} equal lines` },
      ...(isLast ? [] : all.slice(-around)),
    ];
  });
}
