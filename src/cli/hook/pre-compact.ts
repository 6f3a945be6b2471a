import { closeSync, existsSync, fstatSync, openSync, readSync } from 'node:fs';
import { isObject } from '../../base/json.js';
import { cut } from '../../base/text.js';
import { readOverview } from '../../core/overview/overview.js';
import type { CommandContext } from '../define-command.js';
import { hasDatabase, withRuntime } from '../with-runtime.js';
import { answerHook, type HookInput } from './hook-input.js';

/**
 * Notes on each task that the conversation holds what it said last, before a compaction takes that from its context.
 * Whoever goes on with the task finds it by get_task.
 */
export function runPreCompact(_: unknown, context: CommandContext): Promise<void> {
  return answerHook(context, async ({ setting, actor, input }) => {
    if (!hasDatabase(setting.config)) return;
    await withRuntime(setting, async (runtime) => {
      const { ownClaims } = await readOverview(runtime, actor);
      if (ownClaims.length === 0) return;
      const note = noteOf(input);
      // The server of the conversation renews its claims; without one they keep the longer lease that they have.
      const hasHeartbeat = actor.holder !== null && (await runtime.sessions.isAlive(actor.holder));
      for (const { id, claimToken } of ownClaims) {
        await runtime.tasks.updateStatus(
          { task: id, status: 'in_progress', claimToken, note },
          { ...actor, hasHeartbeat },
        );
      }
    });
  });
}

const longestWords = 600;

function noteOf({ trigger, transcript_path }: HookInput): string {
  const words = typeof transcript_path === 'string' ? lastWords(transcript_path) : undefined;
  const lead = `The conversation was compacted${trigger === 'manual' ? ' by hand' : ''} here.`;
  return words === undefined ? lead : `${lead} It had last said: ${cut(words, longestWords)}`;
}

/** The newest text of the model in a transcript, which is JSON lines; undefined if there is none near its end. */
export function lastWords(transcript: string): string | undefined {
  if (!existsSync(transcript)) return undefined;
  for (const line of readEnd(transcript).split('\n').toReversed()) {
    const text = textOf(line);
    if (text) return text;
  }
  return undefined;
}

const endBytes = 1_000_000;

/** Transcripts grow to hundreds of megabytes. */
function readEnd(file: string): string {
  const fd = openSync(file, 'r');
  try {
    const { size } = fstatSync(fd);
    const end = Buffer.alloc(Math.min(size, endBytes));
    readSync(fd, end, 0, end.length, size - end.length);
    return end.toString('utf8');
  } finally {
    closeSync(fd);
  }
}

function textOf(line: string): string | undefined {
  // Most lines are results of tools; only those of the model are parsed.
  if (!line.includes('"assistant"')) return undefined;
  try {
    const entry: unknown = JSON.parse(line);
    if (!isObject(entry) || entry.type !== 'assistant' || !isObject(entry.message)) return undefined;
    const { content } = entry.message;
    const parts = Array.isArray(content) ? content : [];
    return parts
      .flatMap((part) => (isObject(part) && part.type === 'text' && typeof part.text === 'string' ? [part.text] : []))
      .join('\n')
      .trim();
  } catch {
    return undefined;
  }
}
