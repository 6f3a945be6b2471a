import type { ComponentChildren } from 'preact';
import { Time } from './time.js';

/** One of the particulars of a thing: what it is called, and what it is. */
export function Particular({ name, children }: { name: string; children: ComponentChildren }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}

/** A time among the particulars; nothing when there is none. */
export function When({ name, at }: { name: string; at: string | null | undefined }) {
  if (!at) return null;
  return (
    <Particular name={name}>
      <Time at={at} />
    </Particular>
  );
}

interface PassageProps {
  title: string;
  text: string | null | undefined;
  isBad?: boolean;
}

/** A longer text under its title; nothing when there is none. */
export function Passage({ title, text, isBad = false }: PassageProps) {
  if (!text) return null;
  return (
    <section>
      <h3>{title}</h3>
      <pre class={isBad ? 'passage bad' : 'passage'}>{text}</pre>
    </section>
  );
}
