import { hideSecrets, readConfig } from './base/config.js';
import { createLog } from './base/log.js';
import { createRedactor } from './base/redact.js';
import { runToEnd } from './runner/run-to-end.js';
import { openRuntime } from './runtime.js';

/** Entry of the detached child: claims queued jobs and runs them until none is left, then exits. */
async function main(runnerId: string): Promise<void> {
  const config = readConfig();
  hideSecrets(config);
  const log = createLog({ level: config.logLevel, redact: createRedactor(config.secrets) });
  const runtime = await openRuntime({ config, log });
  const drain = runtime.startDrain(runnerId);
  await runToEnd({
    runnerId,
    drain,
    dispatcher: { fill: runtime.dispatcher.fill, sweep: runtime.sweepQueue },
    log,
    close: () => runtime.close(),
  });
}

await main(process.argv[2] ?? '');
