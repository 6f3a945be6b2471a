import { join } from 'node:path';
import { hideSecrets } from './base/environment.js';
import { openLog } from './base/log.js';
import { readConfig } from './config.js';
import { custom } from './llm/custom.js';
import { settingsOf } from './llm/provider.js';
import { crashReportFile, dropEmptyReport } from './runner/crash-report.js';
import { runMainLoop } from './runner/main-loop.js';
import { startWatchdog } from './runner/watchdog.js';
import { openRuntime } from './runtime.js';

/** Entry of the detached child: claims queued jobs and runs them until none is left, then exits. */
export async function runJobs(runnerId: string): Promise<void> {
  const config = readConfig();
  const modules = settingsOf(custom, config);
  hideSecrets(config, custom.passedOn?.(modules));
  // On Node 20 it takes 50 ms, which only those who have modules of their own should pay.
  if (config.agents.length > 0 || Object.keys(modules).length > 0) {
    (await import('./agents/modules/hook-modules.js')).hookModules();
  }
  const log = openLog(config);
  // As much again beside the heap: typed arrays, and what libraries hold.
  const limitMb = 2 * config.runnerHeapMb + 256;
  const report = crashReportFile(join(config.dataDir, 'logs'), runnerId);
  const watchdog = startWatchdog({ limitMb, file: report });
  const runtime = await openRuntime({ config, log });
  const drain = runtime.startDrain(runnerId, watchdog);
  await runMainLoop({
    runnerId,
    drain,
    jobs: { fill: runtime.jobs.fill, sweep: (actor) => runtime.maintenance.sweepQueue(actor) },
    log,
    close() {
      runtime.close();
      dropEmptyReport(report);
    },
  });
}
