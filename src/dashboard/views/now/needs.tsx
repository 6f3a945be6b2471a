import { useState } from 'preact/hooks';
import type { Attention, Need } from '../../../http/page/attention.js';
import { Link } from '../../location.js';
import { addressOfNeed, needWords } from '../../shell/need-words.js';
import { number, shownCount } from '../../ui/format.js';
import { Name } from '../../ui/name.js';
import { Time } from '../../ui/time.js';
import { AcknowledgeAll, NeedActions } from './need-actions.js';

/** What needs a person, by kind, the most pressing first. */
export function Needs({ kinds }: Attention) {
  if (kinds.length === 0) return <p class="all-well">Nothing needs you.</p>;
  return (
    <>
      {kinds.map((group) => (
        <Group key={group.kind} {...group} />
      ))}
    </>
  );
}

/** So many of a kind are shown until more are asked for. */
const few = 5;
const mostCounted = 1_000;

function Group({ kind, count, needs }: Attention['kinds'][number]) {
  const [isWhole, setWhole] = useState(false);
  const shown = isWhole ? needs : needs.slice(0, few);
  const words = needWords[kind];
  const all = count >= mostCounted ? `${shownCount(mostCounted)} or more` : shownCount(count);
  return (
    <section class="need-group">
      <h3>
        {count === 1 ? words.one : words.many} <b>{all}</b>
        {count > 1 && <AcknowledgeAll kind={kind} />}
      </h3>
      <ul class="needs">
        {shown.map((need) => (
          <Row key={need.id} need={need} />
        ))}
      </ul>
      {needs.length > shown.length && (
        <button type="button" class="small-button" onClick={() => setWhole(true)}>
          Show {count > needs.length ? `the newest ${needs.length}` : `all ${count}`}
        </button>
      )}
    </section>
  );
}

function Row({ need }: { need: Need }) {
  const { kind, name, since, detail, who, goal_id, spent, cap, spent_usd, cap_usd } = need;
  return (
    <li class={`need of-${kind}`}>
      <div class="need-text">
        <Link to={addressOfNeed(need)} class="title">
          {name}
        </Link>
        {detail && <div class={kind === 'message' ? 'detail' : 'detail error-line'}>{detail}</div>}
        <div class="facts quiet">
          <Time at={since} />
          {who && <Name of={who} />}
          {goal_id !== undefined && kind !== 'spent_budget' && <Name of={`goal:${goal_id}`} />}
          {spent !== undefined && cap !== undefined && (
            <span>
              {shownCount(spent)} of {shownCount(cap)} tokens
            </span>
          )}
          {spent_usd !== undefined && cap_usd !== undefined && (
            <span>
              ${number(spent_usd)} of ${number(cap_usd)}
            </span>
          )}
        </div>
      </div>
      <NeedActions need={need} />
    </li>
  );
}
