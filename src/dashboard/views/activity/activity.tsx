import { useEffect, useRef, useState } from 'preact/hooks';
import type { ActivityPage, ToldEvent } from '../../../http/page/activity/activity.js';
import type { Names } from '../../../http/page/names.js';
import type { BoardChoices } from '../../../http/page/tasks.js';
import { type Arguments, read } from '../../api.js';
import { filter, type ViewProps } from '../../location.js';
import { learn } from '../../names.js';
import { Choice } from '../../ui/choice.js';
import { act } from '../../ui/notices.js';
import { Empty, Shown } from '../../ui/shown.js';
import { ToldEvents } from '../../ui/told.js';
import { useRead } from '../../use-read.js';
import { kinds, subjectsOf } from './kinds.js';

/** All changes as sentences, newest first; older ones come when the end of the list is seen. */
export function Activity({ query }: ViewProps) {
  const args = argumentsOf(query);
  const reading = useRead<ActivityPage>('page/activity', args, { subjects: subjectsOf(args.kind), keepsLast: true });
  const { events, more } = useAll(args, reading.data);
  return (
    <>
      <Filters query={query} />
      <Shown reading={{ ...reading, data: reading.data ?? (events.length > 0 ? events : undefined) }}>
        {() =>
          events.length === 0 && !more ? (
            <Nothing query={query} />
          ) : (
            <>
              <ToldEvents events={events} isOfGoal={query.has('goal')} />
              {more && <Older key={events.at(-1)?.id} more={more} />}
            </>
          )
        }
      </Shown>
    </>
  );
}

type Given = Arguments & { kind?: string };

function argumentsOf(query: URLSearchParams): Given {
  // The address had `subject` for the kind before.
  const kind = query.get('kind') ?? query.get('subject') ?? '';
  const [id, actor, goal, text] = ['id', 'actor', 'goal', 'text'].map((name) => query.get(name) ?? '');
  return {
    ...(kinds.some(({ value }) => value === kind) ? { kind, ...(id ? { subject_id: id } : {}) } : {}),
    ...(actor ? { actor } : {}),
    ...(/^\d{1,12}$/.test(goal ?? '') ? { goal_id: Number(goal) } : {}),
    ...(text ? { text } : {}),
  };
}

interface Kept {
  key: string;
  events: readonly ToldEvent[];
  cursor: string | undefined;
}

/** What was read last, so that whoever comes back finds the place in it. */
let last: Kept | undefined;

/** The first page, which is read again with each change, and the pages after it as far as they were asked for. */
function useAll(args: Arguments, page: ActivityPage | undefined) {
  const key = JSON.stringify(args);
  const [, draw] = useState(0);
  const kept = useRef<Kept>(last?.key === key ? last : { key, events: [], cursor: undefined });
  const seen = useRef<ActivityPage | undefined>(undefined);
  // Until the page for other filters is there, the list stays as it is.
  if (page && page !== seen.current) {
    seen.current = page;
    kept.current = kept.current.key === key ? { key, ...joined(kept.current, page) } : { key, ...partsOf(page) };
    last = kept.current;
  }
  const { events, cursor } = kept.current;
  const more = async () => {
    const next = await read<ActivityPage>('page/activity', { ...args, cursor });
    learn(next.names);
    if (kept.current.key !== key) return;
    kept.current = { key, events: [...kept.current.events, ...next.events], cursor: next.next_cursor };
    last = kept.current;
    draw((round) => round + 1);
  };
  return { events, more: cursor === undefined || kept.current.key !== key ? undefined : more };
}

const partsOf = ({ events, next_cursor: cursor }: ActivityPage): Pick<Kept, 'events' | 'cursor'> => ({
  events,
  cursor,
});

/** The newest page on top of what is there; alone, if more has happened in between than it holds. */
function joined({ events, cursor }: Kept, page: ActivityPage): Pick<Kept, 'events' | 'cursor'> {
  const oldest = page.events.at(-1)?.id ?? 0;
  const meets = events.some(({ id }) => id >= oldest);
  if (!meets) return partsOf(page);
  return { events: [...page.events, ...events.filter(({ id }) => id < oldest)], cursor };
}

function Filters({ query }: { query: URLSearchParams }) {
  const choices = useRead<BoardChoices>('page/board_choices');
  const actors = useRead<{ actors: string[]; names: Names }>('page/actors');
  const goals = choices.data?.goals.map(({ id, name }) => ({ value: String(id), words: name }));
  const people = actors.data?.actors.map((actor) => ({
    value: actor,
    words: actors.data?.names[actor]?.name ?? actor,
  }));
  return (
    <form class="filters" onSubmit={(event) => event.preventDefault()}>
      <input
        type="search"
        aria-label="Text"
        placeholder="Search"
        value={query.get('text') ?? ''}
        onInput={(event) => filter({ text: event.currentTarget.value })}
      />
      <Choice name="kind" any="Everything" query={query} choices={kinds} />
      <Choice name="actor" any="Anyone" query={query} choices={people ?? []} />
      <Choice name="goal" any="Any goal" query={query} choices={goals ?? []} />
      {query.has('id') && (
        <button type="button" onClick={() => filter({ id: '' })}>
          Not only {query.get('id')}
        </button>
      )}
    </form>
  );
}

function Nothing({ query }: { query: URLSearchParams }) {
  return query.size > 0 ? (
    <Empty what="Nothing that has happened passes these filters." />
  ) : (
    <Empty what="Nothing has happened yet." command="agent-runtime tool create_goal --arg name=..." />
  );
}

/** The end of the list: reads on when it is seen. The button is for who cannot scroll, and after a failure. */
function Older({ more }: { more(): Promise<void> }) {
  const button = useRef<HTMLButtonElement>(null);
  const next = () => void act(more, undefined);
  useEffect(() => {
    const watcher = new IntersectionObserver(
      (entries) => {
        if (!entries.some(({ isIntersecting }) => isIntersecting)) return;
        watcher.disconnect();
        next();
      },
      { rootMargin: '400px' },
    );
    if (button.current) watcher.observe(button.current);
    return () => watcher.disconnect();
  }, []);
  return (
    <button ref={button} type="button" class="more" onClick={next}>
      Show older
    </button>
  );
}
