import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { startAnthropicServer } from '../fixtures/models/anthropic-server.js';
import type { RecordedRequest } from '../fixtures/models/scripted-server.js';
import { copyDist, mainOf } from '../support/dist-copy.js';
import { freePort } from '../support/free-port.js';
import { endProcessesOf } from '../support/processes-of.js';
import { type Engine, type EngineName, startEngine } from './engine.js';

/** A home with everything that users need in it; nothing there reaches beyond this machine. */
export interface World {
  home: string;
  main: string;
  engine: Pick<Engine, 'rows'>;
  /** For a server of one's own, or for a thin client of the HTTP server. */
  envOf(user: string, isThin: boolean): Record<string, string>;
  /** What the fake vendor was asked. */
  requests: readonly RecordedRequest[];
  /** The calls that the tool server carried out, as it wrote them down: `odd add MARK`. */
  toolCalls(): string[];
  /** Each ends a service for good, as its service manager would. */
  stopHttp(): Promise<void>;
  stopWorker(): Promise<void>;
  /** The SQLite file with all that was written, when all processes have ended. */
  toFile(): Promise<string>;
  /** Ends every process; removes the home unless it is wanted for a look. */
  close(isKept: boolean): Promise<void>;
}

export async function makeWorld(engineName: EngineName): Promise<World> {
  const home = mkdtempSync(join(tmpdir(), 'agent-runtime-chaos-'));
  const dist = copyDist('chaos-dist');
  for (const entry of ['main.js', 'job-runner.js', 'server-keeper.js']) loadClockFirst(dist.path, entry);
  const main = mainOf(dist.path);
  const model = await startAnthropicServer({ reply });
  const calls = join(home, 'tool-calls');
  writeConfig(home, calls);
  const port = await freePort();
  const engine = await startEngine(engineName, home);
  const base = {
    ...engine.env,
    HOME: home,
    PATH: '/usr/bin:/bin',
    ANTHROPIC_API_KEY: 'sk-ant-test-key-0001',
    ANTHROPIC_BASE_URL: model.url,
    AGENT_RUNTIME_MAX_RUNNING_JOBS: '6',
    AGENT_RUNTIME_LOG_LEVEL: 'warn',
  };
  const http = keep([main, 'serve', '--http', '--port', String(port)], base);
  const worker = keep([main, 'worker', '--drain-timeout', '5'], base);
  return {
    home,
    main,
    engine,
    envOf: (user, isThin) => ({
      ...base,
      CLAUDE_CODE_SESSION_ID: user,
      ...(isThin ? { AGENT_RUNTIME_URL: `http://127.0.0.1:${port}` } : {}),
    }),
    requests: model.requests,
    toolCalls: () => (existsSync(calls) ? readFileSync(calls, 'utf8').trim().split('\n') : []),
    stopHttp: http.stop,
    stopWorker: worker.stop,
    toFile: () => engine.toFile(main, base),
    async close(isKept) {
      await Promise.all([http.stop(), worker.stop()]);
      await endProcessesOf(home);
      await engine.stop();
      await model.close();
      dist.remove();
      if (!isKept) rmSync(home, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
    },
  };
}

/** Puts the program behind a file that loads clock-groups.mjs before it, so that runners have it too. */
function loadClockFirst(dist: string, entry: string): void {
  renameSync(join(dist, entry), join(dist, `real-${entry}`));
  const clock = pathToFileURL(resolve('test/chaos/clock-groups.mjs')).href;
  writeFileSync(join(dist, entry), `import '${clock}';\nawait import('./real-${entry}');\n`);
}

function writeConfig(home: string, calls: string): void {
  mkdirSync(join(home, '.claude'), { recursive: true });
  const odd = {
    command: process.execPath,
    args: [resolve('test/fixtures/servers/odd-server.mjs')],
    env: { CALLS_FILE: calls },
    instances: 2,
  };
  const kept = { ...odd, shared: true, idle: 5_000 };
  writeFileSync(join(home, '.claude', 'agent_runtime.json'), JSON.stringify({ mcpServers: { odd, kept } }));
}

/** As a judge it is content. Prompts of jobs have their answers in them. */
const reply = ({ prompt }: RecordedRequest): string =>
  prompt.startsWith('Judge the output') ? '{"quality_score": 0.9, "l_score": 0.8, "reason": "Good."}' : 'Done.';

/** Starts a service, and starts it again whenever it ends. */
function keep(args: readonly string[], env: Record<string, string>): { stop(): Promise<void> } {
  let isStopping = false;
  let child: ChildProcess | undefined;
  const kept = (async () => {
    while (!isStopping) {
      child = spawn(process.execPath, args, { env, stdio: 'ignore' });
      await new Promise((ended) => child?.once('exit', ended));
      await sleep(200);
    }
  })();
  return {
    async stop() {
      isStopping = true;
      child?.kill('SIGTERM');
      await kept;
    },
  };
}
