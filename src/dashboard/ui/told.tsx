import { useState } from 'preact/hooks';
import type { ToldEvent } from '../../http/page/activity/activity.js';
import { Name } from './name.js';
import { Time } from './time.js';

type Sentenced = Pick<ToldEvent, 'sentence' | 'tone' | 'goal'>;

/** A change as a sentence with links. */
export function Told({ event: { sentence, tone, goal }, isOfGoal = false }: { event: Sentenced; isOfGoal?: boolean }) {
  return (
    <span class={`told ${tone}`}>
      {sentence.map((part, place) => (typeof part === 'string' ? part : <Name key={place} of={part.of} />))}
      {goal && !isOfGoal && (
        <span class="quiet">
          {' '}
          (goal <Name of={goal} />)
        </span>
      )}
    </span>
  );
}

/** A change, which may stand for so many that read the same. */
type ListedEvent = ToldEvent & { times?: number };

interface ToldEventsProps {
  events: readonly ListedEvent[];
  /** Whether all are of one goal, which need not be named then. */
  isOfGoal?: boolean;
}

/** Changes as sentences with their times, newest first; what else the records say is folded. */
export function ToldEvents({ events, isOfGoal = false }: ToldEventsProps) {
  return (
    <ol class="told-events">
      {events.map((event) => (
        <Row key={event.id} event={event} isOfGoal={isOfGoal} />
      ))}
    </ol>
  );
}

function Row({ event, isOfGoal }: { event: ListedEvent; isOfGoal: boolean }) {
  const [isOpen, setOpen] = useState(false);
  return (
    <li>
      <details onToggle={({ currentTarget }) => setOpen(currentTarget.open)}>
        <summary aria-label="Details" />
        {isOpen && <Details event={event} />}
      </details>
      <Told event={event} isOfGoal={isOfGoal} />
      <span class="quiet">
        {event.times && `${event.times} times, `}
        <Time at={event.at} />
      </span>
    </li>
  );
}

/** What the record says beyond the sentence, by name and value. */
function Details({ event: { id, at, subject, subject_id, type, actor, data = {} } }: { event: ToldEvent }) {
  const rows = { event: `${id}, ${subject} ${type}`, id: subject_id, by: actor, at, ...data };
  return (
    <dl>
      {Object.entries(rows).map(
        ([name, value]) =>
          value !== undefined &&
          value !== null && (
            <div key={name}>
              <dt>{name === 'l_score' ? 'l-score' : name.replaceAll('_', ' ')}</dt>
              <dd>{shownValue(name, value)}</dd>
            </div>
          ),
      )}
    </dl>
  );
}

/** Programs count the steps of a relay from 0, people from 1. */
const shownValue = (name: string, value: unknown): string =>
  typeof value === 'string' ? value : JSON.stringify(name === 'step' && typeof value === 'number' ? value + 1 : value);
