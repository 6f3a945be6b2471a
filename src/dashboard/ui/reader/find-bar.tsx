import { useEffect, useLayoutEffect, useState } from 'preact/hooks';
import { number } from '../format.js';
import { findIn, markFound, unmarkFound } from './find.js';

interface FindProps {
  pane: { current: HTMLElement | null };
  text: string;
  onClose(): void;
}

/** Looks for a word within a text: Enter goes on, Shift+Enter back, Escape ends it. */
export function Find({ pane, text, onClose }: FindProps) {
  const [word, setWord] = useState('');
  const [ranges, setRanges] = useState<Range[]>([]);
  const [current, setCurrent] = useState(0);
  useEffect(() => {
    setRanges(pane.current ? findIn(pane.current, word) : []);
    setCurrent(0);
  }, [word, text]);
  useLayoutEffect(() => {
    if (pane.current) markFound(ranges, current, pane.current);
  }, [ranges, current]);
  useLayoutEffect(() => unmarkFound, []);
  const go = (by: number) => ranges.length > 0 && setCurrent((current + by + ranges.length) % ranges.length);
  return (
    <search class="tools find">
      <input
        type="search"
        aria-label="Find in this text"
        placeholder="Find"
        value={word}
        ref={(input) => void (word === '' && input?.focus())}
        onInput={(event) => setWord(event.currentTarget.value)}
        onKeyDown={(event) => {
          if (event.key === 'Enter') go(event.shiftKey ? -1 : 1);
          if (event.key === 'Escape') onClose();
        }}
      />
      <span class="quiet small" role="status">
        {word !== '' && (ranges.length === 0 ? 'not found' : `${number(current + 1)} of ${number(ranges.length)}`)}
      </span>
      <button type="button" onClick={() => go(-1)}>
        Previous
      </button>
      <button type="button" onClick={() => go(1)}>
        Next
      </button>
    </search>
  );
}
