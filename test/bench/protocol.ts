import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { keepApart, letGo } from './pin.js';
import { type Call, type MeasuredServer, startMeasured, timeInTurns } from './server-process.js';
import { median } from './statistics.js';

export interface Figure {
  what: string;
  ours: string;
  /** What it is compared with, in the same run. */
  reference: string;
  ratio: number | undefined;
  aim: string;
}

const bare = 'test/bench/bare-server.mjs';
const bareBoard = 'test/bench/bare-board.mjs';
const ours = 'dist/main.js';
const starts = 15;
const calls = 3_000;

/** Start, calls and memory against the bare SDK server, turn by turn on one machine. */
export async function measureProtocol(): Promise<Figure[]> {
  const startOurs: number[] = [];
  const startBare: number[] = [];
  for (let turn = 0; turn < starts; turn++) {
    startBare.push(await startOnce(bare));
    startOurs.push(await startOnce(ours));
  }
  const figures = [ratioOf('spawn to `initialize` answered', median(startOurs), median(startBare), '0.6', 'ms')];

  await withHome(async (home) => {
    await fillBoard(home, 100);
    const reference = await startMeasured(bare, {});
    const server = await startMeasured(ours, { HOME: home });
    const board = await startMeasured(bareBoard, { HOME: home });
    for (const { pid } of [reference, server, board]) keepApart(pid);
    const echo: Call = (index) =>
      reference.request('tools/call', { name: 'echo', arguments: { text: `text ${index}` } });
    const times = await timeInTurns({ echo, ...callsOf(server), ...prefixed('least', callsOf(board)) }, calls);
    // As many calls to the one as to the other, since a heap grows with them.
    for (let index = 0; index < 2.5 * calls; index++) await echo(index);
    const base = median(times.echo ?? []);
    for (const [name, aim] of Object.entries(aims)) {
      figures.push(ratioOf(`${name} p50 against echo`, median(times[name] ?? []), base, aim, 'ms'));
    }
    // What the SDK and SQLite themselves take of that.
    for (const name of Object.keys(aims)) {
      const least = median(times[`least ${name}`] ?? []);
      figures.push(ratioOf(`${name} p50 of the least server with a board, against echo`, least, base, '', 'ms'));
      figures.push(
        ratioOf(`${name} p50 against the least server with a board`, median(times[name] ?? []), least, '', 'ms'),
      );
    }
    figures.push(ratioOf('memory (RSS) after as many calls', server.rssMb(), reference.rssMb(), '1.3', 'MB'));
    const list = await server.request('tools/list', {});
    const tools = list.result.tools as unknown[];
    figures.push({
      what: '`tools/list`',
      ours: `${(JSON.stringify(tools).length / 1000).toFixed(1)} kB, ${tools.length} tools`,
      reference: '',
      ratio: undefined,
      aim: '',
    });
    await server.stop();
    await reference.stop();
    await board.stop();
    letGo();
  });
  return figures;
}

/** The same calls on a small and on a large board, in turns. */
export async function measureBoards(): Promise<Figure[]> {
  return withHome((small) =>
    withHome(async (large) => {
      await fillBoard(small, 100);
      await fillBoard(large, 100_000);
      const servers = [await startMeasured(ours, { HOME: small }), await startMeasured(ours, { HOME: large })] as const;
      for (const { pid } of servers) keepApart(pid);
      const calls = { ...prefixed('small', callsOf(servers[0])), ...prefixed('large', callsOf(servers[1])) };
      const times = await timeInTurns(calls, 2_000);
      for (const server of servers) await server.stop();
      letGo();
      return Object.keys(aims).map((name) =>
        ratioOf(
          `${name} p50, board of 100,000 against 100`,
          median(times[`large ${name}`] ?? []),
          median(times[`small ${name}`] ?? []),
          '1.3',
          'ms',
        ),
      );
    }),
  );
}

const aims = { get_task: '1.3', create_task: '2.0', claim_next_task: '2.0' };

function callsOf(server: MeasuredServer): Record<keyof typeof aims, Call> {
  return {
    get_task: (index) => server.call('get_task', { task_id: 1 + (index % 100) }),
    create_task: (index) => server.call('create_task', { title: `New task ${index}`, priority: 5 }),
    claim_next_task: () => server.call('claim_next_task', {}),
  };
}

function prefixed(prefix: string, calls: Record<string, Call>): Record<string, Call> {
  return Object.fromEntries(Object.entries(calls).map(([name, call]) => [`${prefix} ${name}`, call]));
}

/** Chains of ten, each task waiting for the one before it, and enough ready ones for every claim that is timed. */
async function fillBoard(home: string, size: number): Promise<void> {
  const server = await startMeasured(ours, { HOME: home });
  const batch = Math.min(size, 1_000);
  for (let first = 0; first < size; first += batch) {
    const goal = await server.call('create_goal', { name: `Goal ${first}`, description: 'A goal' });
    const tasks = Array.from({ length: batch }, (_, index) => ({
      title: `Task ${first + index}`,
      key: `t-${first + index}`,
      goal_id: goal.id,
      priority: 1 + (index % 4),
      ...(index % 10 === 0 ? {} : { dependencies: [`t-${first + index - 1}`] }),
    }));
    await server.call('create_tasks', { tasks });
  }
  for (let first = 0; first < 2_000; first += 1_000) {
    const tasks = Array.from({ length: 1_000 }, (_, index) => ({ title: `Ready ${first + index}`, priority: 9 }));
    await server.call('create_tasks', { tasks });
  }
  await server.stop();
}

async function startOnce(script: string): Promise<number> {
  return withHome(async (home) => {
    const server = await startMeasured(script, { HOME: home });
    await server.stop();
    return server.startMs;
  });
}

export async function withHome<Result>(body: (home: string) => Promise<Result>): Promise<Result> {
  const home = mkdtempSync(join(tmpdir(), 'agent-runtime-bench-'));
  try {
    return await body(home);
  } finally {
    rmSync(home, { recursive: true, force: true, maxRetries: 5 });
  }
}

export function ratioOf(what: string, ours: number, reference: number, aim: string, unit: string): Figure {
  const shown = (value: number) => `${value < 10 ? value.toFixed(2) : value.toFixed(0)} ${unit}`;
  return { what, ours: shown(ours), reference: shown(reference), ratio: ours / reference, aim: aim && `<= ${aim}` };
}
