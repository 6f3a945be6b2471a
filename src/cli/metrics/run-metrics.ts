import { RuntimeError } from '../../base/errors.js';
import { showMetrics } from '../../tools/shapes/metrics.js';
import type { GlobalFlags } from '../global-flags.js';
import { parseAge } from '../keep/run-purge.js';
import type { Output } from '../output.js';
import { settingOf, withRuntime } from '../with-runtime.js';
import { metricsTable } from './metrics-table.js';

export interface MetricsWishes {
  window: string;
  prometheus?: boolean;
}

export async function runMetrics(wishes: MetricsWishes, flags: GlobalFlags, output: Output): Promise<void> {
  if (wishes.prometheus && flags.isJson) {
    throw new RuntimeError('invalid', '--json and --prometheus are two forms of the same.', 'Give one of them.');
  }
  const windowMs = parseAge(wishes.window);
  if (windowMs === 0) throw new RuntimeError('invalid', 'A window of no length holds nothing.', 'Give 1m or more.');
  await withRuntime(settingOf(flags), async ({ metrics }) => {
    if (wishes.prometheus) return output.write(await metrics.prometheus());
    const shown = showMetrics(await metrics.summary(windowMs));
    if (flags.isJson) output.printJson(shown);
    else output.quote(metricsTable(shown, wishes.window, output.paint));
  });
}
