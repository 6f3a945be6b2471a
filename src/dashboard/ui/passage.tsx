import type { ComponentChildren, ComponentType } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import type { ReaderProps } from './reader/reader.js';

let loading: Promise<ComponentType<ReaderProps>> | undefined;
let Reader: ComponentType<ReaderProps> | undefined;

/** The reader, as soon as its code is here; it is loaded with the first text that is shown. */
function useReader(): ComponentType<ReaderProps> | undefined {
  const [, setLoaded] = useState(Reader !== undefined);
  useEffect(() => {
    if (Reader) return;
    loading ??= import('./reader/reader.js').then((module) => module.Reader);
    loading.then(
      (loaded) => {
        Reader = loaded;
        setLoaded(true);
      },
      () => {
        loading = undefined;
      },
    );
  }, []);
  return Reader;
}

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
