import type { Page } from '../../../tools/call/page.js';
import type { ShownToolServer } from '../../../tools/shapes/tool-server.js';
import { useMayWrite, write } from '../../api.js';
import { usePollInterval } from '../../live.js';
import { Link } from '../../location.js';
import { ActionForm, DialogButton } from '../../ui/dialog.js';
import { number, percent } from '../../ui/format.js';
import { Empty, RawJson, Shown } from '../../ui/shown.js';
import { Status } from '../../ui/state.js';
import { Time } from '../../ui/time.js';
import { useRead } from '../../use-read.js';
import { ServerTools } from './tools.js';

/** Calls change latencies and calls in flight without a recorded change. */
const pollMs = 5_000;

/** The pools of MCP servers that the config file names. */
export function Servers() {
  const everyMs = usePollInterval(pollMs, true);
  const reading = useRead<Page<'servers', ShownToolServer>>(
    'list_tool_servers',
    {},
    { subjects: ['server', 'breaker'], everyMs },
  );
  return (
    <Shown reading={reading}>
      {(read) => (
        <>
          {read.servers.length === 0 ? (
            <Empty
              what="No other MCP servers are set up. Those that the config file names are pooled and shown here."
              command="agent-runtime servers import .mcp.json"
            />
          ) : (
            <p class="quiet servers-note">
              State and restarts are those of this dashboard's own instances; latency, errors and breakers are of all
              sessions within the last hour.
            </p>
          )}
          {read.servers.map((server) => (
            <ServerCard key={server.server} server={server} />
          ))}
          <RawJson value={read} />
        </>
      )}
    </Shown>
  );
}

function ServerCard({ server }: { server: ShownToolServer }) {
  return (
    <section class="server">
      <header>
        <h2>{server.server}</h2>
        <Status word={server.health} />
        {server.health !== 'off' && <Scale server={server} />}
      </header>
      {server.runs !== '' && <code class="path">{server.runs}</code>}
      {server.problem && <span class="error-line">{server.problem}</span>}
      {server.expose_problems?.map((problem) => (
        <span key={problem} class="error-line">
          {problem}
        </span>
      ))}
      <div class="facts">
        {server.tools !== undefined && <span class="fact">{number(server.tools)} tools</span>}
        {server.listed_at && (
          <span class="fact">
            listed <Time at={server.listed_at} />
          </span>
        )}
        {server.exposed !== undefined && <span class="fact">{number(server.exposed)} listed as ours</span>}
        {server.backups && <span class="fact">else {server.backups.join(', ')}</span>}
      </div>
      {server.health === 'off' ? (
        <p class="quiet">
          {server.problem
            ? 'Left out of the config file until its entry is corrected.'
            : 'Switched off in the config file.'}
        </p>
      ) : server.instances.length === 0 ? (
        <p class="quiet">Scaled to none: its calls go to backups and the cache.</p>
      ) : (
        <table class="instances">
          <thead>
            <tr>
              <th>Instance</th>
              <th>State</th>
              <th>Breaker</th>
              <th class="number">In flight</th>
              <th class="number">Calls</th>
              <th class="number">p50</th>
              <th class="number">p95</th>
              <th class="number">Errors</th>
              <th class="number">Restarts</th>
            </tr>
          </thead>
          <tbody>
            {server.instances.map((instance) => (
              <InstanceRow key={instance.id} instance={instance} />
            ))}
          </tbody>
        </table>
      )}
      {isReachable(server) && <ServerTools server={server.server} />}
    </section>
  );
}

const isReachable = ({ health }: ShownToolServer): boolean => health !== 'off';

function InstanceRow({ instance }: { instance: ShownToolServer['instances'][number] }) {
  const { id, state, breaker, in_flight, calls, p50_ms, p95_ms, error_rate, restarts, last_failure, said, pid } =
    instance;
  const ms = (value: number | undefined) => (value === undefined ? '–' : `${number(Math.round(value * 10) / 10)} ms`);
  return (
    <tr>
      <td>
        <strong>{id}</strong> {pid !== undefined && <span class="fact">pid {pid}</span>}
        {last_failure && <span class="error-line">{last_failure}</span>}
        {said && <span class="error-line">{said}</span>}
      </td>
      <td data-name="State">
        <Status word={state} />
      </td>
      <td data-name="Breaker">
        <Link to={`/breakers/${encodeURIComponent(`server:${id}`)}`} class="plain">
          <Status word={breaker} />
        </Link>
      </td>
      <td class="number" data-name="In flight">
        {in_flight}
      </td>
      <td class="number" data-name="Calls">
        {number(calls ?? 0)}
      </td>
      <td class="number" data-name="p50">
        {ms(p50_ms)}
      </td>
      <td class="number" data-name="p95">
        {ms(p95_ms)}
      </td>
      <td class={`number${(error_rate ?? 0) > 0 ? ' bad' : ''}`} data-name="Errors">
        {error_rate === undefined ? '–' : percent(error_rate)}
      </td>
      <td class="number" data-name="Restarts">
        {restarts}
      </td>
    </tr>
  );
}

/** Sets the number of instances a session keeps. What they run is set in the config file alone. */
function Scale({ server }: { server: ShownToolServer }) {
  const mayWrite = useMayWrite();
  if (!mayWrite) return null;
  const scale = async (form: FormData) => {
    const instances = Number(form.get('instances'));
    await write('scale_tool_server', { server: server.server, instances });
    return `${server.server} has ${instances} ${instances === 1 ? 'instance' : 'instances'} in each session.`;
  };
  return (
    <DialogButton label="Scale" name={`Scale ${server.server}`} title={`Scale ${server.server}`}>
      {(close) => (
        <ActionForm label="Scale" onSubmit={scale} onClose={close}>
          <p>How many instances every session keeps from now on. With none, its calls go to backups and the cache.</p>
          <label>
            Instances
            <input
              name="instances"
              type="number"
              min={0}
              max={8}
              required
              defaultValue={String(server.instances.length)}
            />
          </label>
        </ActionForm>
      )}
    </DialogButton>
  );
}
