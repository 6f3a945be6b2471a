import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** A server under measurement, spoken to line by line so that the client costs the same for all. */
export interface MeasuredServer {
  /** From spawn to the answer to `initialize`. */
  startMs: number;
  call(tool: string, args: Record<string, unknown>): Promise<Record<string, unknown>>;
  request(method: string, params: unknown): Promise<{ result: Record<string, unknown> }>;
  rssMb(): number;
  pid: number;
  stop(): Promise<void>;
}

interface Reply {
  id?: number;
  result: Record<string, unknown>;
}

export async function startMeasured(script: string, env: Record<string, string>): Promise<MeasuredServer> {
  const startedAt = performance.now();
  const child = spawn(process.execPath, [script], {
    env: { PATH: process.env.PATH ?? '', ...env },
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const request = speaker(child);
  await request('initialize', {
    protocolVersion: '2025-11-25',
    capabilities: {},
    clientInfo: { name: 'bench', version: '1' },
  });
  const startMs = performance.now() - startedAt;
  child.stdin?.write(`${JSON.stringify({ jsonrpc: '2.0', method: 'notifications/initialized' })}\n`);
  return {
    startMs,
    pid: child.pid ?? 0,
    request,
    async call(name, args) {
      const { result } = await request('tools/call', { name, arguments: args });
      if (result.isError) throw new Error(`${name}: ${JSON.stringify(result.content)}`);
      return (result.structuredContent ?? {}) as Record<string, unknown>;
    },
    rssMb: () => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8'))?.[1]) / 1024,
    async stop() {
      const ended = new Promise((resolve) => child.once('exit', resolve));
      child.stdin?.end();
      // The bare server does not notice the end of its input.
      child.kill('SIGTERM');
      await ended;
    },
  };
}

function speaker(child: ChildProcess) {
  const waiting = new Map<number, (reply: Reply) => void>();
  let rest = '';
  let lastId = 0;
  child.stdout?.on('data', (data: Buffer) => {
    const lines = (rest + data.toString()).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) {
      const reply = JSON.parse(line) as Reply;
      if (reply.id !== undefined) waiting.get(reply.id)?.(reply);
    }
  });
  return (method: string, params: unknown): Promise<Reply> => {
    const id = ++lastId;
    return new Promise((resolve) => {
      waiting.set(id, resolve);
      child.stdin?.write(`${JSON.stringify({ jsonrpc: '2.0', id, method, params })}\n`);
    });
  };
}

/** A call to time, with a number of its own each time. */
export type Call = (index: number) => Promise<unknown>;

/**
 * Times several calls in turns, so that whatever else the machine does meanwhile meets all of them alike; long turns,
 * because the operating system takes some hundred calls to settle where the two processes run.
 * Milliseconds by name, after calls that warm up.
 */
export async function timeInTurns(
  calls: Readonly<Record<string, Call>>,
  count: number,
): Promise<Record<string, number[]>> {
  const times: Record<string, number[]> = Object.fromEntries(Object.keys(calls).map((name) => [name, []]));
  const turn = 1_000;
  for (let first = -count / 2; first < count; first += turn) {
    for (const [name, call] of Object.entries(calls)) {
      for (let index = first; index < first + turn; index++) {
        const startedAt = performance.now();
        await call(index + count);
        if (index >= 0) times[name]?.push(performance.now() - startedAt);
      }
    }
  }
  return times;
}
