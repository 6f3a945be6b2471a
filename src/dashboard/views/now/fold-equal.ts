import type { ToldEvent } from '../../../http/page/activity/activity.js';
import type { Names } from '../../../http/page/names.js';

/** A change, which may stand for so many that read the same. */
export type FoldedEvent = ToldEvent & { times?: number };

/** Neighbours that read the same become one: the newest, which says how many times. */
export function foldEqual(events: readonly ToldEvent[], names: Names): FoldedEvent[] {
  const wordsOf = ({ tone, sentence }: ToldEvent) =>
    JSON.stringify([
      tone,
      ...sentence.map((part) => (typeof part === 'string' ? part : (names[part.of]?.name ?? part.of))),
    ]);
  const folded: FoldedEvent[] = [];
  let lastWords: string | undefined;
  for (const event of events) {
    const words = wordsOf(event);
    const newest = folded.at(-1);
    if (newest && words === lastWords) newest.times = (newest.times ?? 1) + 1;
    else folded.push({ ...event });
    lastWords = words;
  }
  return folded;
}
