import type { ShownBreaker, ShownBreakerList } from '../../../tools/shapes/breaker.js';
import { useMayWrite } from '../../api.js';
import { usePollInterval } from '../../live.js';
import type { ViewProps } from '../../location.js';
import { Link } from '../../location.js';
import { DialogButton } from '../../ui/dialog.js';
import { number } from '../../ui/format.js';
import { Empty, Pages, RawJson, Shown } from '../../ui/shown.js';
import { Status } from '../../ui/state.js';
import { useRead } from '../../use-read.js';
import { BreakerActions, BreakerSheet } from './breaker-sheet.js';
import { NewBreaker } from './configure.js';
import { Countdown } from './countdown.js';

/** The list with `fields: 'full'`. */
type FullList = Omit<ShownBreakerList, 'breakers'> & { breakers: Record<string, ShownBreaker> };

/** Successful calls are counted without a recorded change. */
const pollMs = 5_000;
const firstCommand = 'agent-runtime tool circuit_breaker_configure --arg agent_id=researcher --arg failure_threshold=3';

/** All breakers, open ones first, or one of them in full. */
export function Breakers({ rest, query }: ViewProps) {
  return rest === '' ? <AllBreakers query={query} /> : <BreakerSheet id={rest} />;
}

function AllBreakers({ query }: { query: URLSearchParams }) {
  const before = query.get('before') ?? '';
  const args = { fields: 'full', limit: 50, ...(before ? { cursor: before } : {}) };
  const reading = useRead<FullList>('circuit_breaker_list', args, {
    subjects: ['breaker', 'runtime'],
    keepsLast: true,
    everyMs: usePollInterval(pollMs, true),
  });
  return (
    <Shown reading={reading}>
      {(read) => {
        const breakers = Object.entries(read.breakers).map(([id, breaker]) => ({ ...breaker, agent_id: id }));
        breakers.sort((a, b) => rank(a) - rank(b));
        if (breakers.length === 0) {
          return (
            <>
              <NewBreakerButton />
              <Empty
                what="No breaker has been used yet. They keep work from agents, models and servers that fail."
                command={firstCommand}
              />
            </>
          );
        }
        return (
          <>
            <NewBreakerButton />
            <p class="quiet breakers-sum">
              {number(read.total_breakers)} in all, {read.open_circuits.length} open, {read.half_open_circuits.length}{' '}
              half open
            </p>
            <ul class="breakers">
              {breakers.map((breaker) => (
                <li key={breaker.agent_id}>
                  <BreakerCard breaker={breaker} />
                </li>
              ))}
            </ul>
            <Pages path="/breakers" query={query} next={read.next_cursor} />
            <RawJson value={read} />
          </>
        );
      }}
    </Shown>
  );
}

function NewBreakerButton() {
  if (!useMayWrite()) return null;
  return (
    <div class="toolbar">
      <DialogButton label="New breaker" title="New breaker">
        {(close) => <NewBreaker onClose={close} />}
      </DialogButton>
    </div>
  );
}

const rank = ({ state }: ShownBreaker): number => ({ OPEN: 0, HALF_OPEN: 1, CLOSED: 2 })[state];

function BreakerCard({ breaker }: { breaker: ShownBreaker }) {
  const { agent_id, failure_count, config, total_failures, total_successes, reason, state } = breaker;
  return (
    <div class={`card breaker ${state.toLowerCase()}`}>
      <div class="breaker-head">
        <Link to={`/breakers/${encodeURIComponent(agent_id)}`} class="title">
          {agent_id}
        </Link>
        <Status word={state} />
      </div>
      <Countdown breaker={breaker} />
      {reason && state === 'OPEN' && <p class="bad">{reason}</p>}
      <div class="facts">
        <span class="fact">
          {failure_count} of {config.failure_threshold} failures in {config.window_seconds} s
        </span>
        <span class="fact">
          {number(total_successes)} ok, {number(total_failures)} failed
        </span>
        {config.fallback_agent && <span class="fact">fallback: {config.fallback_agent}</span>}
      </div>
      <BreakerActions breaker={breaker} />
    </div>
  );
}
