import { setTimeout as sleep } from 'node:timers/promises';
import type { PipelineDetail } from '../../core/relay/read-pipeline.js';
import type { ToolContext } from './define-tool.js';

const pollMs = 250;
const progressMs = 5_000;

/** Looks until nothing works on the relay, the time is over, or the caller has gone; reports every 5 s. */
export async function waitForRelay(
  id: string,
  timeoutMs: number,
  { runtime, signal, progress }: ToolContext,
): Promise<PipelineDetail> {
  const startedAt = performance.now();
  let reportedAt = startedAt;
  for (;;) {
    const detail = await runtime.relays.get(id);
    const now = performance.now();
    if (!detail.run?.isRunning || signal.aborted || now - startedAt >= timeoutMs) return detail;
    if (now - reportedAt >= progressMs) {
      reportedAt = now;
      progress(detail.run.doing ?? `${detail.progressPercent} % done`);
    }
    await sleep(Math.min(pollMs, timeoutMs - (now - startedAt)));
  }
}
