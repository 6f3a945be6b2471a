import type { Page } from '../../../tools/call/page.js';
import type { ShownBriefPipeline, ShownPipeline } from '../../../tools/shapes/relay.js';
import type { ViewProps } from '../../location.js';
import { filter, Link } from '../../location.js';
import { short } from '../../ui/format.js';
import { Empty, Pages, RawJson, Shown } from '../../ui/shown.js';
import { Status } from '../../ui/state.js';
import { Time } from '../../ui/time.js';
import { useRead } from '../../use-read.js';
import { NewRelay } from './new-relay.js';
import { Relay, StepBar } from './relay.js';

const relayStatuses: readonly string[] = [
  'pending',
  'in_progress',
  'completed',
  'failed',
  'cancelled',
] satisfies ShownPipeline['status'][];
const firstCommand =
  "agent-runtime tool create_relay_pipeline --arg name='First' --arg goal='Explain leap years' --arg preset=quick";

/** The relays, or one of them in full. */
export function Relays({ rest, query }: ViewProps) {
  return rest === '' ? <AllRelays query={query} /> : <Relay id={rest} />;
}

function AllRelays({ query }: { query: URLSearchParams }) {
  const [status, before] = [query.get('status') ?? '', query.get('before') ?? ''];
  const args = {
    limit: 50,
    ...(relayStatuses.includes(status) ? { status } : {}),
    ...(before ? { cursor: before } : {}),
  };
  const reading = useRead<Page<'pipelines', ShownBriefPipeline>>('list_relay_pipelines', args, {
    subjects: ['relay', 'runtime'],
    keepsLast: true,
  });
  return (
    <>
      <div class="toolbar">
        <fieldset class="tabs" aria-label="Status">
          {['', ...relayStatuses].map((one) => (
            <button
              key={one}
              type="button"
              aria-pressed={status === one}
              onClick={() => filter({ status: one, before: '' })}
            >
              {one === '' ? 'All' : `${one.charAt(0).toUpperCase()}${one.slice(1).replace('_', ' ')}`}
            </button>
          ))}
        </fieldset>
        <NewRelay />
      </div>
      <Shown reading={reading}>
        {(read) => (
          <>
            {read.pipelines.length === 0 && status === '' && (
              <Empty
                what="No relays yet. In a relay agents hand a baton to each other, through gates."
                command={firstCommand}
              />
            )}
            {read.pipelines.length === 0 && status !== '' && (
              <div class="empty">
                <p>No relay is {status.replace('_', ' ')}.</p>
                <Link to="/relays">Show all</Link>
              </div>
            )}
            <ul class="relays">
              {read.pipelines.map((relay) => (
                <li key={relay.pipeline_id}>
                  <RelayCard relay={relay} />
                </li>
              ))}
            </ul>
            <Pages path="/relays" query={query} next={read.next_cursor} />
            <RawJson value={read} />
          </>
        )}
      </Shown>
    </>
  );
}

function RelayCard({ relay }: { relay: ShownBriefPipeline }) {
  const { pipeline_id, name, goal, status, current_step, total_steps, tokens_used, created_at } = relay;
  return (
    <Link to={`/relays/${encodeURIComponent(pipeline_id)}`} class="card relay-card">
      <span class="relay-name">
        <span class="card-title">{name}</span>
        <Status word={status} />
      </span>
      <span class="relay-goal">{goal}</span>
      <StepBar done={current_step} total={total_steps} status={status} />
      <span class="facts">
        <span class="fact">
          {Math.min(current_step, total_steps)} of {total_steps} steps passed
        </span>
        {tokens_used > 0 && <span class="fact">{short(tokens_used)} tokens</span>}
        <span class="fact">
          created <Time at={created_at} />
        </span>
      </span>
    </Link>
  );
}
