import { useLayoutEffect, useState } from 'preact/hooks';
import type { Names, ShownName } from '../http/page/names.js';
import { read } from './api.js';
import { onChange } from './live.js';

/** The names that the server has told so far, by reference. */
const known = new Map<string, ShownName>();
/** Those that are on the page, and who draws them. */
const shown = new Map<string, Set<(name: ShownName) => void>>();
const wanted = new Set<string>();
const mostAtOnce = 100;

/** Keeps names that came with an answer. */
export function learn(names: Names): void {
  for (const [reference, name] of Object.entries(names)) {
    const last = known.get(reference);
    if (last?.name === name.name) continue;
    known.set(reference, name);
    for (const draw of shown.get(reference) ?? []) draw(name);
  }
}

/** Asks for a name together with all others that are missing in this moment. */
function ask(reference: string): void {
  if (wanted.size === 0) queueMicrotask(fetchWanted);
  wanted.add(reference);
}

function fetchWanted(): void {
  const references = [...wanted];
  wanted.clear();
  for (let from = 0; from < references.length; from += mostAtOnce) {
    const some = references.slice(from, from + mostAtOnce);
    // Without an answer the ids stay, which name the same things.
    read<{ names: Names }>('page/names', { references: some }).then(
      ({ names }) => learn(names),
      () => {},
    );
  }
}

// Names change: a title is edited, a session takes a slot for a worker.
onChange(({ subject, subject_id, type, actor }) => {
  const reference = subject === 'slot' ? actor : type === 'edited' ? `${subject}:${subject_id}` : null;
  if (reference === null || !known.has(reference)) return;
  if (shown.has(reference)) ask(reference);
  else known.delete(reference);
});

/** The name of a thing (`task:8`, `job:ID`) or of a caller (the holder of a claim, the actor of a change). */
export function useName(reference: string): ShownName {
  const [, setName] = useState<ShownName>();
  useLayoutEffect(() => {
    const own = byItself(reference);
    if (own) return;
    const drawing = shown.get(reference) ?? new Set();
    shown.set(reference, drawing.add(setName));
    if (!known.has(reference)) ask(reference);
    return () => {
      drawing.delete(setName);
      if (drawing.size === 0) shown.delete(reference);
    };
  }, [reference]);
  return nameOf(reference);
}

/** Addresses of messages that are no worker. */
const everybody: ReadonlySet<string> = new Set(['user', 'all']);

/** The names that are known by now, for what happens on a click. */
export const nameOf = (reference: string): ShownName =>
  known.get(reference) ?? byItself(reference) ?? { kind: 'other', id: reference, name: shortened(reference) };

/** Workers and persons are their own names. */
function byItself(reference: string): ShownName | undefined {
  const [, kind, id = ''] = /^([a-z]+):(.+)$/s.exec(reference) ?? [];
  if (kind === undefined)
    return { kind: everybody.has(reference) ? 'other' : 'worker', id: reference, name: reference };
  if (kind === 'loose') return { kind: 'worker', id, name: id };
  return kind === 'user' ? { kind: 'person', id, name: id } : undefined;
}

/** What stands for a name until it is there: `job 3f2c9a1e`. */
const shortened = (reference: string): string => reference.replace(/^([a-z]+):(.{1,8}).*$/s, '$1 $2');
