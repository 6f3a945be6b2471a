import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';
import { lazy } from './lazy.js';
import type { DifferenceProps } from './reader/difference.js';
import type { ReaderProps } from './reader/reader.js';

const useReader = lazy<ReaderProps>(async () => (await import('./reader/reader.js')).Reader);
const useDifference = lazy<DifferenceProps>(async () => (await import('./reader/difference.js')).Difference);

interface PassageProps extends Omit<ReaderProps, 'text'> {
  text: string | null | undefined;
}

/** A longer text under its title, shown as what it is: Markdown, JSON, output of a terminal. Nothing is drawn without one. */
export function Passage({ text, title, ...rest }: PassageProps) {
  const Loaded = useReader();
  if (!text) return null;
  if (Loaded) return <Loaded text={text} title={title} {...rest} />;
  return (
    <section>
      {title && <h3>{title}</h3>}
      <pre class={rest.isBad ? 'passage bad' : 'passage'}>{text.slice(0, 20_000)}</pre>
    </section>
  );
}

/** What is drawn only while it is unfolded. */
export function Folded({ title, children }: { title: ComponentChildren; children: () => ComponentChildren }) {
  const [isOpen, setOpen] = useState(false);
  return (
    <details class="folded" onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>{title}</summary>
      {isOpen && children()}
    </details>
  );
}

/** What is different between two texts, line by line. */
export function Compared(props: DifferenceProps) {
  const Loaded = useDifference();
  return Loaded ? <Loaded {...props} /> : null;
}
