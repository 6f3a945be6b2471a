import type { ComponentChildren } from 'preact';
import { useEffect, useId, useRef, useState } from 'preact/hooks';
import type { SearchResult } from '../../http/page/search.js';
import { useMayWrite } from '../api.js';
import { go } from '../location.js';
import { nameOf } from '../names.js';
import { setPreference } from '../shell/preferences.js';
import { addressOf, Name } from '../ui/name.js';
import { notify } from '../ui/notices.js';
import { useRead } from '../use-read.js';
import { views } from '../views/index.js';
import { createButton } from './keys.js';
import { forgetView, savedViews, saveView } from './saved-views.js';

interface Item {
  id: string;
  /** What it is, beside its words. */
  kind: string;
  words: ComponentChildren;
  run(): void;
  /** Deletes it for good. */
  forget?(): void;
}

/** The types of the elements know this role with a list of the browser's own alone. */
const combobox: object = { role: 'combobox', 'aria-expanded': 'true' };

/** Finds a view, an action, a saved view or anything by its texts, and goes there. */
export function Palette({ onClose }: { onClose(): void }) {
  const dialog = useRef<HTMLDialogElement>(null);
  const [text, setText] = useState('');
  const [chosen, setChosen] = useState(0);
  const id = useId();
  useEffect(() => dialog.current?.showModal(), []);
  const items = [...useCommands(text), ...useFound(text), ...saving(text.trim())];
  const at = Math.min(chosen, items.length - 1);
  useEffect(() => document.getElementById(`${id}-${at}`)?.scrollIntoView({ block: 'nearest' }), [at]);
  const run = (item: Item | undefined) => {
    if (!item) return;
    dialog.current?.close();
    item.run();
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const by = event.key === 'ArrowDown' ? 1 : event.key === 'ArrowUp' ? -1 : 0;
    if (by === 0 && event.key !== 'Enter') return;
    event.preventDefault();
    if (by === 0) run(items[at]);
    else setChosen((at + by + items.length) % Math.max(1, items.length));
  };
  return (
    <dialog ref={dialog} class="palette" aria-label="Find" onClose={onClose}>
      <input
        type="text"
        {...combobox}
        aria-label="Find"
        aria-controls={id}
        aria-activedescendant={items.length > 0 ? `${id}-${at}` : undefined}
        placeholder="A view, an action, words of a task, job or goal, #8"
        value={text}
        onInput={({ currentTarget }) => {
          setText(currentTarget.value);
          setChosen(0);
        }}
        onKeyDown={onKeyDown}
      />
      <div role="listbox" id={id} aria-label="Found">
        {items.map((item, place) => (
          // biome-ignore lint/a11y/useKeyWithClickEvents: the field has the keys of the list.
          <div
            key={item.id}
            id={`${id}-${place}`}
            role="option"
            tabIndex={-1}
            aria-selected={place === at}
            onClick={() => run(item)}
          >
            <span class="quiet">{item.kind}</span> <span class="palette-words">{item.words}</span>
            {item.forget && (
              <button
                type="button"
                tabIndex={-1}
                aria-label="Delete this saved view"
                onClick={(event) => {
                  event.stopPropagation();
                  item.forget?.();
                  setChosen(0);
                  setText('');
                }}
              >
                ×
              </button>
            )}
          </div>
        ))}
      </div>
      {items.length === 0 && <p class="quiet">Nothing has these words.</p>}
    </dialog>
  );
}

/** Views, actions and saved views with all the words that were typed. */
function useCommands(text: string): Item[] {
  const mayWrite = useMayWrite();
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  const fits = (named: string) => words.every((word) => named.toLowerCase().includes(word));
  const items: (Item & { words: string })[] = [
    ...savedViews().map(({ name, address }) => ({
      id: `saved ${name}`,
      kind: 'Saved view',
      words: name,
      run: () => go(address),
      forget: () => forgetView(name),
    })),
    ...views.flatMap(({ name, title, isHidden }) =>
      isHidden ? [] : [{ id: name, kind: 'View', words: title, run: () => go(`/${name}`) }],
    ),
    ...(mayWrite ? creations : []).map(([view, named]) => ({
      id: `new ${view}`,
      kind: 'Action',
      words: named,
      run: () => create(view),
    })),
    ...['light', 'dark', ''].map((theme) => ({
      id: `theme ${theme}`,
      kind: 'Action',
      words: `Theme: ${theme || 'as the system'}`,
      run: () => setPreference('theme', theme),
    })),
  ];
  return items.filter(({ words: named }) => fits(named));
}

/** The way to keep the present address, with its filters, under what was typed. */
function saving(name: string): Item[] {
  if (name === '') return [];
  return [
    {
      id: 'save',
      kind: 'Action',
      words: `Save this view as “${name}”`,
      run() {
        saveView({ name, address: `${location.pathname}${location.search}` });
        notify(`“${name}” is saved in this browser. Ctrl K finds it.`);
      },
    },
  ];
}

const creations = [
  ['board', 'New task'],
  ['goals', 'New goal'],
  ['jobs', 'New job'],
  ['messages', 'New message'],
] as const;

const longestLoadMs = 5_000;

/** Goes to a view, and opens its form as soon as it is drawn. */
function create(view: string): void {
  go(`/${view}`);
  const giveUpAt = performance.now() + longestLoadMs;
  const press = () => {
    const button = document.querySelector<HTMLButtonElement>(createButton);
    if (button) button.click();
    else if (performance.now() < giveUpAt) requestAnimationFrame(press);
  };
  requestAnimationFrame(press);
}

/** What has the words in its texts, and the way to all of it. */
function useFound(text: string): Item[] {
  const settled = useSettled(text.trim());
  const isWanted = settled.length > 1;
  const args = { query: settled.slice(0, 200), limit: 4 };
  const { data } = useRead<SearchResult>('page/search', args, { isWanted, keepsLast: true });
  if (!isWanted || !data) return [];
  const found = data.groups.flatMap(({ kind, found }) =>
    found.map(({ of }) => ({
      id: of,
      kind: kind.charAt(0).toUpperCase() + kind.slice(1),
      words: (
        <>
          {kind === 'task' && `#${of.slice('task:'.length)} `}
          <Name of={of} isLinked={false} />
        </>
      ),
      run: () => go(addressOf(nameOf(of)) ?? `/search?q=${encodeURIComponent(settled)}`),
    })),
  );
  const all = {
    id: 'all',
    kind: 'Search',
    words: `All that has “${settled}”`,
    run: () => go(`/search?q=${encodeURIComponent(settled)}`),
  };
  return [...found, all];
}

const settleMs = 150;

/** A text once it has not changed for a moment. */
function useSettled(text: string): string {
  const [settled, setSettled] = useState(text);
  useEffect(() => {
    const timer = setTimeout(() => setSettled(text), settleMs);
    return () => clearTimeout(timer);
  }, [text]);
  return settled;
}
