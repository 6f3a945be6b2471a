import { RuntimeError } from '../../base/errors.js';
import { newShortId } from '../../base/ids.js';
import type { CommandContext } from '../define-command.js';
import { settingOf } from '../with-runtime.js';
import { startHealthServer } from './health-server.js';

/** The options of `worker`, as they were typed. */
export interface WorkerOptions {
  types: string[];
  provides: string[];
  concurrency: number | undefined;
  processes: number | undefined;
  port: number | undefined;
  host: string;
  drainTimeout: number;
}

/** Works the queue until a signal ends it. */
export async function runWorker(options: WorkerOptions, { flags, output }: CommandContext): Promise<void> {
  const { config: given, log } = settingOf(flags);
  if (given.isReadOnly) {
    throw new RuntimeError('invalid', 'A worker writes, and this runtime is read-only.', 'Leave out --read-only.');
  }
  const [types, provides] = [wordsOf(options.types), wordsOf(options.provides)];
  const worker = {
    id: newShortId(),
    ...(types.length === 0 ? {} : { types }),
    provides,
    calls: options.concurrency ?? given.maxModelCalls,
    processes: options.processes ?? options.concurrency ?? given.maxRunningJobs,
  };
  const config = { ...given, worker, maxModelCalls: worker.calls, maxRunningJobs: worker.processes };
  const { openRuntime } = await import('../../runtime.js');
  const runtime = await openRuntime({ config, log });
  // Heard from now on, so that one that comes while it starts ends it in order.
  const { asked, hurry } = untilAsked();
  let state = 'running';
  try {
    const server =
      options.port === undefined
        ? undefined
        : await startHealthServer({
            host: options.host,
            port: options.port,
            log,
            async health() {
              await runtime.db.get('select 1');
              return { worker: worker.id, state };
            },
            metrics: () => runtime.metrics.prometheus(),
            isGoodToken: async (token) => (await runtime.access.verify(token)) !== undefined,
          });
    try {
      const life = runtime.startWorker(server?.url ?? null);
      await life.start();
      runtime.maintenance.start();
      await runtime.maintenance.runOnce();
      for (const line of greeting(
        worker,
        config.dbUrl === undefined ? config.dbPath : runtime.db.location,
        server?.url,
      ))
        output.say(line);
      await asked;
      state = 'draining';
      output.say('Takes no more jobs; those at work go on to their end. A second signal hands them back to the queue.');
      const handedBack = await life.stop(options.drainTimeout * 1000, hurry);
      if (handedBack > 0) output.say(`Handed back to the queue: ${handedBack} ${handedBack === 1 ? 'job' : 'jobs'}.`);
      output.say('The worker has ended.');
    } finally {
      server?.close();
    }
  } finally {
    runtime.close();
  }
}

const wordsOf = (given: readonly string[]): string[] =>
  [...new Set(given.flatMap((words) => words.split(',')).map((word) => word.trim()))].filter((word) => word !== '');

function greeting(
  {
    id,
    types,
    provides,
    calls,
    processes,
  }: { id: string; types?: string[]; provides: string[]; calls: number; processes: number },
  database: string,
  url: string | undefined,
): string[] {
  return [
    `Worker ${id} works the queue of ${database}: ${types ? types.join(', ') : 'jobs of every type'}, ` +
      `up to ${calls} model calls and ${processes} other jobs at once.`,
    ...(provides.length === 0 ? [] : [`It has ${provides.join(', ')}, for jobs that require it.`]),
    'It fires schedules, and keeps the runtime in order.',
    ...(url === undefined ? [] : [`${url}/healthz and ${url}/metrics answer.`]),
    'Ctrl-C or SIGTERM lets it finish what it has begun.',
  ];
}

/** `asked` resolves with the first signal; `hurry` is aborted by the second one. */
function untilAsked(): { asked: Promise<void>; hurry: AbortSignal } {
  const hurrying = new AbortController();
  const asked = new Promise<void>((resolve) => {
    let count = 0;
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
      process.on(signal, () => {
        count++;
        if (count > 1) hurrying.abort();
        resolve();
      });
    }
  });
  return { asked, hurry: hurrying.signal };
}
