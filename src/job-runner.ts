import { type Config, hideSecrets, readConfig } from './base/config.js';
import { createLog } from './base/log.js';
import { createRedactor } from './base/redact.js';
import { runnerMark } from './runner/descendants.js';
import { runToEnd } from './runner/run-to-end.js';
import { openRuntime } from './runtime.js';

/** Entry of the detached child: claims queued jobs and runs them until none is left, then exits. */
async function main(runnerId: string): Promise<void> {
  const config = withMark(readConfig());
  hideSecrets(config);
  const log = createLog({ level: config.logLevel, redact: createRedactor(config.secrets) });
  const runtime = await openRuntime({ config, log });
  const drain = runtime.startDrain(runnerId);
  await runToEnd({ runnerId, drain, dispatcher: runtime.dispatcher, log, close: () => runtime.close() });
}

/**
 * The settings with an environment of their own, because what is hidden from this process's is still needed for the
 * runners that it starts; and with the mark, which the user's own agent CLI is to pass on, so that it can be found if
 * this process is killed.
 */
function withMark(config: Config): Config {
  const { claudeCode } = config.providers;
  const passEnv = [...(claudeCode.passEnv ?? []), runnerMark];
  const providers = { ...config.providers, claudeCode: { ...claudeCode, passEnv } };
  return { ...config, env: { ...config.env }, providers };
}

await main(process.argv[2] ?? '');
