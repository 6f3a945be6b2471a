import { hideSecrets } from './base/environment.js';
import { openLog } from './base/log.js';
import { readConfig } from './config.js';
import { openRuntime } from './runtime.js';

/** Entry of the detached child that keeps the tool servers which sessions share; ends when no session is left. */
export async function keepServers(socket: string): Promise<void> {
  const config = readConfig();
  hideSecrets(config);
  const log = openLog(config);
  const runtime = await openRuntime({ config, log });
  const keeper = await runtime.startKeeper(socket);
  // Undefined if there is one already: of those that start at once, one is enough.
  if (keeper) {
    for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, () => keeper.close());
    for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {});
    await keeper.done;
  }
  runtime.close();
  process.exit();
}
