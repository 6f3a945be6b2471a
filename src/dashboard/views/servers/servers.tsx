import type { ShownToolProcess, ToolProcesses } from '../../../http/page/tool-processes.js';
import type { Page } from '../../../tools/call/page.js';
import type { ShownToolServer } from '../../../tools/shapes/tool-server.js';
import { useMayWrite, write } from '../../api.js';
import { usePollInterval } from '../../live.js';
import { Link } from '../../location.js';
import { ActionForm, DialogButton } from '../../ui/dialog.js';
import { number, percent } from '../../ui/format.js';
import { Name } from '../../ui/name.js';
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
  const processes = useRead<ToolProcesses>('page/tool_processes', {}, { subjects: ['server', 'session'], everyMs });
  const running = processes.data?.processes ?? [];
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
              Processes, calls, latency, errors and breakers are those of all sessions; calls and what they took within
              the last hour.
            </p>
          )}
          {read.servers.map((server) => (
            <ServerCard
              key={server.server}
              server={server}
              processes={running.filter((process) => process.server === server.server)}
            />
          ))}
          <RawJson value={read} />
        </>
      )}
    </Shown>
  );
}

interface ServerCardProps {
  server: ShownToolServer;
  /** Its processes in all sessions. */
  processes: readonly ShownToolProcess[];
}

function ServerCard({ server, processes }: ServerCardProps) {
  // What this dashboard has not started itself has no state here; it may run in every session.
  const isUsedHere = server.instances.some(({ state }) => state !== 'idle' && state !== 'stopped');
  return (
    <section class="server">
      <header>
        <h2>{server.server}</h2>
        <Status word={!isUsedHere && processes.length > 0 ? 'up' : server.health} />
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
        <Runs processes={processes} />
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
              {isUsedHere && <th>State here</th>}
              <th>Breaker</th>
              {isUsedHere && <th class="number">In flight here</th>}
              <th class="number">Calls</th>
              <th class="number">p50</th>
              <th class="number">p95</th>
              <th class="number">Errors</th>
              {isUsedHere && <th class="number">Restarts here</th>}
            </tr>
          </thead>
          <tbody>
            {server.instances.map((instance) => (
              <InstanceRow key={instance.id} instance={instance} isUsedHere={isUsedHere} />
            ))}
          </tbody>
        </table>
      )}
      {isReachable(server) && <ServerTools server={server.server} />}
    </section>
  );
}

const isReachable = ({ health }: ShownToolServer): boolean => health !== 'off';

/** In how many processes it runs, and whose these are. */
function Runs({ processes }: { processes: readonly ShownToolProcess[] }) {
  if (processes.length === 0) return null;
  const owners = new Map<string, { holder: string | null; pid: number; count: number }>();
  for (const { holder, owner_pid } of processes) {
    const key = holder ?? String(owner_pid);
    owners.set(key, { holder, pid: owner_pid, count: (owners.get(key)?.count ?? 0) + 1 });
  }
  return (
    <span class="fact">
      {processes.length === 1 ? '1 process' : `${number(processes.length)} processes`} of{' '}
      {[...owners].map(([key, { holder, pid, count }], index) => (
        <span key={key}>
          {index > 0 && ', '}
          {holder === null ? `process ${pid}` : <Name of={holder} />}
          {count > 1 && ` (${count})`}
        </span>
      ))}
    </span>
  );
}

interface InstanceRowProps {
  instance: ShownToolServer['instances'][number];
  /** Whether this dashboard has started some of the server itself. */
  isUsedHere: boolean;
}

function InstanceRow({ instance, isUsedHere }: InstanceRowProps) {
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
      {isUsedHere && (
        <td data-name="State here">
          <Status word={state} />
        </td>
      )}
      <td data-name="Breaker">
        <Link to={`/breakers/${encodeURIComponent(`server:${id}`)}`} class="plain">
          <Status word={breaker} />
        </Link>
      </td>
      {isUsedHere && (
        <td class="number" data-name="In flight here">
          {in_flight}
        </td>
      )}
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
      {isUsedHere && (
        <td class="number" data-name="Restarts here">
          {restarts}
        </td>
      )}
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
