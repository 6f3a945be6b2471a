import type { SearchResult } from '../../../http/page/search.js';
import { filter, Link, queryText, type ViewProps } from '../../location.js';
import { shownCount } from '../../ui/format.js';
import { Name } from '../../ui/name.js';
import { Empty, Shown } from '../../ui/shown.js';
import { Status } from '../../ui/state.js';
import { Time } from '../../ui/time.js';
import { useRead } from '../../use-read.js';

const titles: Readonly<Record<string, string>> = {
  task: 'Tasks',
  goal: 'Goals',
  job: 'Jobs',
  relay: 'Relays',
  message: 'Messages',
  breaker: 'Breakers',
};

/** Everything that has the words of the address in its texts, by kind. */
export function Search({ query }: ViewProps) {
  const words = (query.get('q') ?? '').trim();
  const kind = query.get('kind') ?? '';
  const args = { query: words.slice(0, 200), ...(titles[kind] ? { kind, limit: 100 } : {}) };
  const reading = useRead<SearchResult>('page/search', args, { isWanted: words !== '', keepsLast: true });
  return (
    <>
      <form class="filters" onSubmit={(event) => event.preventDefault()}>
        <input
          type="search"
          aria-label="Search everything"
          placeholder="Words in any order, or #8"
          value={query.get('q') ?? ''}
          onInput={({ currentTarget }) => filter({ q: currentTarget.value })}
        />
        {titles[kind] && (
          <button type="button" onClick={() => filter({ kind: '' })}>
            All kinds
          </button>
        )}
      </form>
      {words === '' ? (
        <Empty what="Type words of a task, goal, job, answer, error, relay, message or breaker, or a task's number as #8." />
      ) : (
        <Shown reading={reading}>{(result) => <Groups result={result} query={query} />}</Shown>
      )}
    </>
  );
}

function Groups({ result: { groups }, query }: { result: SearchResult; query: URLSearchParams }) {
  const filled = groups.filter(({ total }) => total > 0);
  if (filled.length === 0) return <Empty what="Nothing has all of these words." />;
  return (
    <>
      {filled.map(({ kind, total, more, found }) => (
        <section key={kind} aria-labelledby={`found-${kind}`}>
          <h2 id={`found-${kind}`}>
            {titles[kind]}{' '}
            <b>
              {shownCount(total)}
              {more && '+'}
            </b>
          </h2>
          <ol class="found-list">
            {found.map(({ of, status, at, snippet }) => (
              <li key={of}>
                {status && <Status word={status} />} {kind === 'task' && `#${of.slice('task:'.length)} `}
                <Name of={of} />{' '}
                <span class="quiet">
                  <Time at={at} />
                </span>
                {snippet && <div class="quiet small">{snippet}</div>}
              </li>
            ))}
          </ol>
          {total > found.length && !query.has('kind') && (
            <Link to={`/search${queryText(query, { kind })}`} class="more">
              {more ? 'More' : `${shownCount(total - found.length)} more`}
            </Link>
          )}
        </section>
      ))}
    </>
  );
}
