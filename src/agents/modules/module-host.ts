import { type ChildProcess, spawn } from 'node:child_process';
import { dirname } from 'node:path';
import type { Json, JsonObject } from '../../base/json.js';

/** What a host is asked about its module, over the channel to the process that started it. */
export type ModuleQuestion = { ask: 'describe' } | { ask: 'check'; type: string; payload: Json };

/** What it answers; `failed` when the module could not be imported. */
export type ModuleAnswer =
  | { kind: 'described'; agents: DescribedAgent[] }
  | { kind: 'checked'; problem: string | undefined }
  | { kind: 'failed'; reason: string };

/** An agent without its code. */
export interface DescribedAgent {
  type: string;
  description: string;
  concurrency: number | undefined;
  timeoutSeconds: number | undefined;
  /** What its payload takes, as JSON schema, where its schema can tell. */
  schema: JsonObject | undefined;
}

export interface ModuleHostNeeds {
  /** The bundled agent-host. */
  entry: string;
  /** All that the child gets of the environment. */
  env: Readonly<Record<string, string>>;
}

/** A process that has a module loaded, to be asked about it. */
export interface ModuleHost {
  /** Never rejects: a module that does not answer is an answer. */
  ask(question: ModuleQuestion): Promise<ModuleAnswer>;
  /** Ends the process; synchronous. The next question starts another. */
  close(): void;
}

/** How long a module may take to be imported, or a payload to be checked. */
const answerMs = 10_000;

/** A host that nobody asks is ended, so that the next one sees what has changed in the module's own imports. */
const idleMs = 30_000;

const heapMb = 512;

/** Enough of what the module printed to see why it ended. */
const stderrLimit = 2_000;

export function createModuleHost(path: string, { entry, env }: ModuleHostNeeds): ModuleHost {
  let running: ReturnType<typeof start> | undefined;
  let idle: NodeJS.Timeout | undefined;

  function start() {
    const waiting = new Map<number, (answer: ModuleAnswer) => void>();
    let asked = 0;
    let printed = '';
    // What it prints to stdout is nobody's: this process's own stdout may be a protocol.
    const child = spawn(process.execPath, [`--max-old-space-size=${heapMb}`, entry, path], {
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
      cwd: dirname(path),
      env: { ...env },
      windowsHide: true,
    });
    child.stderr?.setEncoding('utf8').on('data', (piece: string) => {
      printed = (printed + piece).slice(-stderrLimit);
    });
    child.on('message', ({ id, answer }: { id: number; answer: ModuleAnswer }) => settle(id, answer));
    child.on('error', (error) => fail(`It cannot be looked at: ${error.message}`));
    child.on('close', (code, signal) => fail(explainEnd(code, signal, printed)));
    letGo(child);

    function settle(id: number, answer: ModuleAnswer): void {
      waiting.get(id)?.(answer);
      waiting.delete(id);
    }

    function fail(reason: string): void {
      if (running === host) running = undefined;
      for (const id of [...waiting.keys()]) settle(id, { kind: 'failed', reason });
    }

    const host = {
      ask(question: ModuleQuestion): Promise<ModuleAnswer> {
        const id = ++asked;
        return new Promise((resolve) => {
          // It also keeps this process alive while there is something to wait for.
          const timer = setTimeout(() => {
            fail(`It did not answer within ${answerMs / 1000} s: something in it hangs.`);
            child.kill('SIGKILL');
          }, answerMs);
          waiting.set(id, (answer) => {
            clearTimeout(timer);
            resolve(answer);
          });
          child.send({ id, question }, (error) => {
            if (error) settle(id, { kind: 'failed', reason: `It cannot be asked: ${error.message}` });
          });
        });
      },
      end(): void {
        fail('It was closed.');
        child.kill('SIGKILL');
      },
    };
    return host;
  }

  function close(): void {
    clearTimeout(idle);
    running?.end();
    running = undefined;
  }

  return {
    async ask(question) {
      clearTimeout(idle);
      running ??= start();
      const answer = await running.ask(question);
      clearTimeout(idle);
      // A process in which the import has failed keeps to that, even when what was wrong is mended.
      if (answer.kind === 'failed') close();
      else idle = setTimeout(close, idleMs).unref();
      return answer;
    },
    close,
  };
}

/** It must not keep this process alive when nobody waits for an answer. */
function letGo(child: ChildProcess): void {
  child.unref();
  child.channel?.unref();
  (child.stderr as { unref?(): void } | null)?.unref?.();
}

function explainEnd(code: number | null, signal: string | null, printed: string): string {
  const how = signal === null ? `with exit code ${code}` : `by ${signal}`;
  const words = printed.trim() === '' ? '' : ` It printed: ${JSON.stringify(printed.trim().slice(-500))}`;
  return `It ended its process ${how} while it was loaded.${words}`;
}
