import { createHash } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { messageOf, RuntimeError } from '../../base/errors.js';
import { type Json, type JsonObject, toJsonText } from '../../base/json.js';
import type { Agent, AgentContext, Artifact } from '../define-agent.js';
import { LeftTimers } from '../left-timers.js';
import { ownStack } from '../own-stack.js';
import { checkPayload } from '../payload-schema.js';
import type { TrialRequest, TriedEvent, TriedOutcome } from './module-process.js';

const quietMs = 1_000;

export interface TrialNeeds {
  tell(event: TriedEvent): void;
  signal: AbortSignal;
}

/**
 * Runs an agent once in this process, as a runner would run its job, without a database: what it says goes to `tell`, and
 * its files into the directory of the request. Never rejects.
 */
export async function tryAgent(agent: Agent, request: TrialRequest, needs: TrialNeeds): Promise<TriedOutcome> {
  const kept: Kept = { artifacts: [], partial: undefined };
  const timers = new LeftTimers();
  const uncaught = new Promise<TriedOutcome>((resolve) => {
    const fail = (error: unknown) => resolve(failed(error, 'Uncaught error: '));
    process.on('uncaughtException', fail);
    process.on('unhandledRejection', fail);
  });
  const stopped = new Promise<TriedOutcome>((resolve) => {
    needs.signal.addEventListener('abort', () => setTimeout(() => resolve(stoppedBy(needs.signal)), stopGraceMs));
  });
  const context = contextOf(request, kept, needs);
  const work = async (): Promise<TriedOutcome> => {
    try {
      const checked = await checkPayload(agent.payload, request.payload);
      if ('problem' in checked)
        throw new RuntimeError('invalid', `The payload is not what it takes. ${checked.problem}`);
      const job = { id: 'trial', type: agent.type, payload: checked.value, metadata: {}, attempt: 1, isLastTry: true };
      const result = await timers.run(async () => agent.execute(job, context));
      if (!(await timers.areGone(quietMs))) {
        context.warn('The agent returned while timers of it were still running: what they do is lost.');
      }
      return completed(result);
    } catch (error) {
      return needs.signal.aborted ? stoppedBy(needs.signal) : failed(error);
    }
  };
  const outcome = await Promise.race([work(), uncaught, stopped]);
  return { result: kept.partial, ...outcome, artifacts: kept.artifacts };
}

/** As in a runner. */
const stopGraceMs = 6_000;

/** What a run has left so far. */
interface Kept {
  artifacts: Artifact[];
  partial: Json | undefined;
}

function contextOf({ directory }: TrialRequest, kept: Kept, { tell, signal }: TrialNeeds): AgentContext {
  const { artifacts } = kept;
  return {
    signal,
    dataDir: directory,
    progress: (fraction, message) => tell({ kind: 'progress', fraction, message }),
    log: (level, message, fields?: JsonObject) => tell({ kind: 'log', level, message, fields }),
    output: (text) => tell({ kind: 'output', text }),
    restartOutput: () => tell({ kind: 'restart' }),
    usage: () => {},
    usageSoFar: () => {},
    warn: (message) => tell({ kind: 'warn', message }),
    partial(result) {
      const text = toJsonText(result);
      if ('problem' in text) tell({ kind: 'warn', message: `A partial result was left out: its ${text.problem}.` });
      else kept.partial = JSON.parse(text.text) as Json;
    },
    async saveArtifact(name, data) {
      if (!/^[^/\\]+$/.test(name) || /^\.+$/.test(name)) {
        throw new RuntimeError('invalid', `${JSON.stringify(name)} is not a plain file name.`);
      }
      const path = join(directory, name);
      const bytes = Buffer.from(data as string);
      await mkdir(directory, { recursive: true });
      await writeFile(path, bytes);
      const saved = { name, path, sizeBytes: bytes.length, sha256: createHash('sha256').update(bytes).digest('hex') };
      artifacts.splice(0, artifacts.length, ...artifacts.filter((one) => one.name !== name), saved);
      return saved;
    },
    artifacts: async () => [...artifacts],
    dependencies: async () => [],
  };
}

function completed(result: unknown): TriedOutcome {
  const text = toJsonText(result);
  if ('problem' in text) return { status: 'failed', code: 'invalid_output', message: `The agent's ${text.problem}.` };
  return { status: 'completed', result: JSON.parse(text.text) as Json };
}

function failed(error: unknown, prefix = ''): TriedOutcome {
  const isWorded = error instanceof Error && 'code' in error && typeof error.code === 'string';
  const name = error instanceof Error && !isWorded && error.name !== 'Error' ? `${error.name}: ` : '';
  const code = isWorded ? String(error.code) : 'internal';
  return { status: 'failed', code, message: `${prefix}${name}${messageOf(error)}`, stack: ownStack(error) };
}

function stoppedBy({ reason }: AbortSignal): TriedOutcome {
  const message = reason === 'timeout' ? 'It took longer than its time limit.' : 'It was stopped.';
  return { status: 'failed', code: String(reason), message };
}
