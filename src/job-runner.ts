import { hideSecrets, readConfig } from './base/config.js';
import { createLog } from './base/log.js';
import { createRedactor } from './base/redact.js';
import { openRuntime } from './runtime.js';

/** Entry of the detached child: claims queued jobs and runs them until none is left, then exits. */
async function main(runnerId: string): Promise<void> {
  const config = readConfig();
  hideSecrets(config);
  const log = createLog({ level: config.logLevel, redact: createRedactor(config.secrets) });
  const runtime = await openRuntime({ config, log });
  const drain = runtime.startDrain(runnerId);

  process.on('SIGTERM', drain.onTerminate);
  process.on('SIGINT', drain.onTerminate);
  process.on('uncaughtException', drain.onUncaught);
  process.on('unhandledRejection', drain.onUncaught);

  try {
    const { isStuck } = await drain.done;
    // Code of an agent that does not stop, and whatever it started, ends with the group; the rest of the queue is
    // given to a new runner first.
    if (isStuck) await runtime.dispatcher.sweep({ holder: null, project: '' });
    runtime.close();
    if (isStuck) process.kill(-process.pid, 'SIGKILL');
    process.exit(0);
  } catch (error) {
    log.error('the runner ends with an error', { error });
    runtime.close();
    process.exit(1);
  }
}

await main(process.argv[2] ?? '');
