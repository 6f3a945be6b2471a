import { setTimeout as sleep } from 'node:timers/promises';
import { hasEnded, type Job } from '../../core/jobs/job.js';
import type { Query, Received } from '../../core/messages/messages.js';
import type { PipelineDetail } from '../../core/relay/relays.js';
import type { ToolContext } from './define-tool.js';

const progressMs = 5_000;

interface Poll<State> {
  everyMs: number;
  timeoutMs: number;
  read(): Promise<State>;
  isOver(state: State): boolean;
  /** What the client is shown of a wait that goes on. */
  describe(state: State): string;
}

/** Reads again and again until the wait is over, the time is up, or the caller has gone; reports progress every 5 s. */
async function poll<State>(
  { everyMs, timeoutMs, read, isOver, describe }: Poll<State>,
  { signal, progress }: ToolContext,
): Promise<State> {
  const startedAt = performance.now();
  let reportedAt = startedAt;
  for (;;) {
    const state = await read();
    const now = performance.now();
    if (isOver(state) || signal.aborted || now - startedAt >= timeoutMs) return state;
    if (now - reportedAt >= progressMs) {
      reportedAt = now;
      progress(describe(state));
    }
    await sleep(Math.min(everyMs, timeoutMs - (now - startedAt)));
  }
}

/** Waits until any or all of the jobs have ended, `timeoutMs` at most. `isDone` says whether they have. */
export async function waitForJobs(
  ids: readonly string[],
  mode: 'any' | 'all',
  timeoutMs: number,
  context: ToolContext,
): Promise<{ isDone: boolean; jobs: Job[] }> {
  const { jobs } = context.runtime;
  const isDone = (ended: number) => (mode === 'all' ? ended === ids.length : ended > 0);
  const ended = await poll(
    {
      everyMs: 100,
      timeoutMs,
      read: async () => (await Promise.all(ids.map((id) => jobs.status(id)))).filter(hasEnded).length,
      isOver: isDone,
      describe: (count) => `${count} of ${ids.length} done`,
    },
    context,
  );
  return { isDone: isDone(ended), jobs: await Promise.all(ids.map((id) => jobs.get(id))) };
}

/** Waits until no job works on the relay any more, `timeoutMs` at most. */
export function waitForRelay(id: string, timeoutMs: number, context: ToolContext): Promise<PipelineDetail> {
  return poll(
    {
      everyMs: 250,
      timeoutMs,
      read: () => context.runtime.relays.get(id),
      isOver: ({ run }) => !run?.isRunning,
      describe: ({ run, progressPercent }) => run?.doing ?? `${progressPercent} % done`,
    },
    context,
  );
}

/**
 * Reads messages as soon as there are any, after `timeoutMs` at the latest. Nothing is marked as read for a caller that has
 * gone in the meantime.
 */
export async function waitForMessages(query: Query, timeoutMs: number, context: ToolContext): Promise<Received> {
  const { runtime, actor, signal } = context;
  const waiting = await poll(
    {
      everyMs: 250,
      timeoutMs,
      read: () => runtime.messages.receive({ ...query, isPeek: true }, actor),
      isOver: ({ messages }) => messages.length > 0,
      describe: () => 'no message yet',
    },
    context,
  );
  return query.isPeek || waiting.messages.length === 0 || signal.aborted
    ? waiting
    : runtime.messages.receive(query, actor);
}
