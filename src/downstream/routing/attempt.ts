import { messageOf, RuntimeError } from '../../base/errors.js';
import type { JsonObject } from '../../base/json.js';
import type { FailureType } from '../../core/breakers/machine.js';
import { CallFailure, type CallFailureKind } from '../connection/call-failure.js';
import type { Connection } from '../connection/connection.js';
import type { ToolAnswer } from '../connection/tool-description.js';
import type { NativeTool } from '../native/define-native-tool.js';
import type { Gate } from '../pool/gate.js';
import type { CallLog, CallSource } from './call-log.js';
import type { Candidate } from './resolve.js';

/** One try at one source, as the caller is told of it. */
export interface Attempt {
  source: CallSource;
  instance: string;
  ms: number;
  /** Why there was no answer, in our words. */
  error?: string;
}

/** How a try ended; it never rejects. */
export interface Tried {
  candidate: Candidate;
  attempt: Attempt;
  answer?: ToolAnswer;
  failure?: CallFailure;
}

export interface TryOptions {
  args: JsonObject;
  timeoutMs: number;
  signal: AbortSignal;
  /** Filled with the connections that have been tried. */
  avoid: Set<Connection>;
  onProgress?: ((message: string) => void) | undefined;
}

export interface AttemptNeeds {
  gate: Gate;
  calls: CallLog;
  runNative(tool: NativeTool, args: JsonObject, signal: AbortSignal): Promise<JsonObject>;
}

export type TryCandidate = ReturnType<typeof createAttempts>;

export function createAttempts({ gate, calls, runNative }: AttemptNeeds) {
  /** Asks one candidate once, past its tool's breaker, and counts what came of it. */
  return async (candidate: Candidate, options: TryOptions): Promise<Tried> => {
    const startedAt = performance.now();
    const attempt: Attempt = { source: candidate.source, instance: instanceOf(candidate), ms: 0 };
    const breaker = `tool:${candidate.source === 'native' ? 'native.' : ''}${candidate.name}`;
    const tried: Tried = { candidate, attempt };
    try {
      tried.answer = await ask(breaker);
    } catch (error) {
      tried.failure =
        error instanceof CallFailure ? error : new CallFailure('malformed', 'it failed', { cause: error });
      attempt.error = tried.failure.message;
    }
    attempt.ms = Math.round((performance.now() - startedAt) * 100) / 100;
    if (tried.failure?.kind !== 'cancelled') {
      const outcome = tried.failure ? 'failed' : tried.answer?.isError ? 'error' : 'ok';
      calls.note({ tool: candidate.name, outcome, ...attempt });
    }
    return tried;

    async function ask(id: string): Promise<ToolAnswer> {
      const leave = await gate.admit(id, options.timeoutMs);
      if (!leave) throw new CallFailure('circuit_open', 'the circuit breaker of this tool is open');
      try {
        const answer = await send();
        await gate.succeeded(id, leave);
        return answer;
      } catch (error) {
        const kind = error instanceof CallFailure ? error.kind : 'malformed';
        const type = toolFaults[kind];
        if (type) await gate.failed(id, leave, { type, message: attempt.error ?? messageOf(error) });
        else await gate.forget(leave);
        throw error;
      }
    }

    async function send(): Promise<ToolAnswer> {
      if (candidate.source === 'native') return askNative(candidate.tool, options);
      return candidate.pool.call({
        ...options,
        tool: candidate.tool.name,
        onChosen(instance, connection) {
          attempt.instance = instance;
          if (connection) options.avoid.add(connection);
        },
      });
    }
  };

  async function askNative(tool: NativeTool, { args, timeoutMs, signal }: TryOptions): Promise<ToolAnswer> {
    const timeout = AbortSignal.timeout(timeoutMs);
    try {
      return { structuredContent: await runNative(tool, args, AbortSignal.any([signal, timeout])) };
    } catch (error) {
      if (signal.aborted) throw new CallFailure('cancelled', 'cancelled by its caller', { cause: error });
      if (timeout.aborted) throw new CallFailure('timeout', `no answer within ${timeoutMs} ms`, { cause: error });
      if (!(error instanceof RuntimeError)) throw error;
      throw new CallFailure(nativeKinds[error.code] ?? 'server_error', error.message, { cause: error });
    }
  }
}

/** Failures that say something of the tool, its server being otherwise well or not; a lost process says nothing. */
const toolFaults: Readonly<Partial<Record<CallFailureKind, FailureType>>> = {
  timeout: 'timeout',
  server_error: 'exception',
  malformed: 'invalid_output',
};

const nativeKinds: Readonly<Partial<Record<RuntimeError['code'], CallFailureKind>>> = {
  invalid: 'wrong_call',
  not_found: 'wrong_call',
  not_configured: 'rejected',
  rate_limited: 'rejected',
  timeout: 'timeout',
  cancelled: 'cancelled',
};

export function instanceOf(candidate: Candidate): string {
  return candidate.source === 'native' ? 'native' : candidate.pool.server;
}
