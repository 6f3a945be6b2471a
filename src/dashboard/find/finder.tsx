import type { ComponentType } from 'preact';
import { useLayoutEffect, useState } from 'preact/hooks';
import { go } from '../location.js';
import { preference } from '../shell/preferences.js';
import { createButton, letters } from './keys.js';

interface OpenProps {
  onClose(): void;
}

type Opened = 'palette' | 'help';

const loaders: Readonly<Record<Opened, () => Promise<ComponentType<OpenProps>>>> = {
  palette: async () => (await import('./palette.js')).Palette,
  help: async () => (await import('./shortcut-help.js')).ShortcutHelp,
};

/** The button that finds things, and the keys of the page. What they open is loaded when it is first opened. */
export function Finder() {
  const [opened, setOpened] = useState<{ what: Opened; Content: ComponentType<OpenProps> }>();
  const open = async (what: Opened) => setOpened({ what, Content: await loaders[what]() });
  useKeys(open);
  const close = () => setOpened(undefined);
  return (
    <>
      <button type="button" class="find-button" title="Ctrl K" onClick={() => void open('palette')}>
        Find
      </button>
      {opened && <opened.Content onClose={close} />}
    </>
  );
}

/** A second letter counts for so long after `g`. */
const chordMs = 1_500;

function useKeys(open: (what: Opened) => Promise<void>): void {
  useLayoutEffect(() => {
    let chordUntil = 0;
    const onKey = (event: KeyboardEvent) => {
      const { key, metaKey, ctrlKey, altKey } = event;
      if ((metaKey || ctrlKey) && !altKey && key.toLowerCase() === 'k') {
        event.preventDefault();
        if (!document.querySelector('dialog[open]')) void open('palette');
        return;
      }
      // Single letters are off while one types, and for who wants none (WCAG 2.1.4).
      if (metaKey || ctrlKey || altKey || isTyping(event.target) || document.querySelector('dialog[open]')) return;
      if (preference('shortcuts') === 'off') return;
      const view = event.timeStamp < chordUntil ? letters[key] : undefined;
      chordUntil = key === 'g' ? event.timeStamp + chordMs : 0;
      const done = view === undefined ? press(key, open) : (go(`/${view}`) ?? true);
      if (done) event.preventDefault();
    };
    addEventListener('keydown', onKey);
    return () => removeEventListener('keydown', onKey);
  }, []);
}

const isTyping = (target: EventTarget | null): boolean =>
  target instanceof HTMLElement && (target.isContentEditable || target.matches('input, textarea, select'));

/** Does what a key stands for; false for a key that stands for nothing. */
function press(key: string, open: (what: Opened) => Promise<void>): boolean {
  if (key === '?') void open('help');
  else if (key === '/') {
    const field = document.querySelector<HTMLInputElement>('main input[type=search]');
    if (field) field.focus();
    else void open('palette');
  } else if (key === 'c') document.querySelector<HTMLButtonElement>(createButton)?.click();
  else if (key === 'j' || key === 'k') moveFocus(key === 'j' ? 1 : -1);
  else return false;
  return true;
}

/** To the next or the last of the things that a view lists. */
function moveFocus(by: 1 | -1): void {
  const rows = [
    ...document.querySelectorAll<HTMLElement>('main :is(a.title, a.card, a.node, .told a.name:first-of-type)'),
  ];
  const at = rows.indexOf(document.activeElement as HTMLElement);
  const next = rows[at < 0 ? (by === 1 ? 0 : rows.length - 1) : at + by];
  next?.focus();
  next?.scrollIntoView({ block: 'nearest' });
}
