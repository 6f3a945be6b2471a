import { spawn } from 'node:child_process';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { createInterface } from 'node:readline';
import { build } from 'esbuild';
import { systemClock } from '../../src/base/clock.js';
import { silentLog } from '../../src/base/log.js';
import { createTaskBoard } from '../../src/core/tasks/tasks.js';
import { openPostgres } from '../../src/store/postgres/open.js';
import type { Database } from '../../src/store/sql.js';
import { postgresBinaries, startPostgres } from '../support/postgres-server.js';
import { atDistance } from './distant-server.js';
import type { Figure } from './protocol.js';

const processes = 8;
const tasks = 20_000;
const secondsOfRun = 5;
/** Between hosts of one place it is a third of a millisecond to one. */
const distanceMs = 1;
const actor = { holder: 'session:bench', project: '' };

/** Eight processes that claim and complete tasks of one PostgreSQL database, which runs on the same machine, and then as if elsewhere. */
export async function measurePostgres(): Promise<Figure[]> {
  const binaries = postgresBinaries();
  if (binaries === undefined) return [];
  const server = await startPostgres(binaries, { isSafe: true });
  const worker = `node_modules/.cache/postgres-worker-${process.pid}.mjs`;
  try {
    const form = { bundle: true, platform: 'node', format: 'esm', packages: 'external' } as const;
    await build({
      ...form,
      define: { __VERSION__: '"bench"' },
      entryPoints: ['test/bench/postgres-worker.ts'],
      outfile: worker,
    });
    const url = (name: string, port = server.port) => `postgres://agrt@127.0.0.1:${port}/${name}`;
    const beside = await claimRate(url('beside'), url('beside'), worker, '');
    const alone = await claimRate(url('alone'), url('alone'), worker, 'alone');
    const line = await atDistance(server.port, distanceMs);
    const besideAway = await claimRate(url('beside_away'), url('beside_away', line.port), worker, '');
    const aloneAway = await claimRate(url('alone_away'), url('alone_away', line.port), worker, 'alone');
    line.close();
    const readMs = await medianOfReads(url('beside'));
    const what = `claim and complete a task on PostgreSQL, ${processes} processes, against one lock for all`;
    return [
      rates(what, beside, alone, '>= 300/s and >= 3'),
      rates(`${what}; over a network that takes ${distanceMs} ms each way`, besideAway, aloneAway, '>= 3'),
      {
        what: 'CPU of that for each task: in PostgreSQL, in the clients, and how much of the cores in all',
        ours: shownCpu(beside),
        reference: shownCpu(alone),
        ratio: undefined,
        aim: '',
      },
      {
        what: 'get_task on PostgreSQL, p50',
        ours: `${readMs.toFixed(2)} ms`,
        reference: '',
        ratio: undefined,
        aim: '<= 1 ms',
      },
    ];
  } finally {
    rmSync(worker, { force: true });
    await server.stop();
  }
}

function rates(what: string, ours: Rate, reference: Rate, aim: string): Figure {
  const shown = ({ perSecond }: Rate) => `${Math.round(perSecond).toLocaleString('en')}/s`;
  return { what, ours: shown(ours), reference: shown(reference), ratio: ours.perSecond / reference.perSecond, aim };
}

interface Rate {
  perSecond: number;
  /** Of each task, in milliseconds. */
  serverCpuMs: number;
  clientCpuMs: number;
}

function shownCpu({ perSecond, serverCpuMs, clientCpuMs }: Rate): string {
  const share = ((serverCpuMs + clientCpuMs) * perSecond) / 1000 / availableParallelism();
  return `${serverCpuMs.toFixed(2)} + ${clientCpuMs.toFixed(2)} ms, ${Math.round(share * 100)} %`;
}

/**
 * Throws if a task was done twice, or is done and not so in the database.
 *
 * @param workersUrl how the workers get there
 */
async function claimRate(url: string, workersUrl: string, worker: string, mode: string): Promise<Rate> {
  const db = await openPostgres({ url, log: silentLog });
  const board = createTaskBoard({ db, clock: systemClock() });
  for (let made = 0; made < tasks; made += 1_000) {
    await board.create(
      Array.from({ length: 1_000 }, (_, index) => ({ title: `Task ${made + index}`, priority: 1 + (index % 10) })),
      actor,
    );
  }
  await db.run('analyze tasks');
  const children = Array.from({ length: processes }, () =>
    spawn(process.execPath, [worker, workersUrl, String(secondsOfRun), mode], { stdio: ['pipe', 'pipe', 'inherit'] }),
  );
  const lines = children.map((child) => createInterface({ input: child.stdout })[Symbol.asyncIterator]());
  for (const line of lines) await line.next();
  const serverBefore = await serverCpuMs(db);
  const startedAt = performance.now();
  for (const child of children) child.stdin.write('go\n');
  const done: number[] = [];
  let clientCpuMs = 0;
  let measured = 0;
  for (const line of lines) {
    const report = JSON.parse((await line.next()).value as string) as {
      done: number[];
      measured: number;
      cpuMs: number;
    };
    done.push(...report.done);
    measured += report.measured;
    clientCpuMs += report.cpuMs;
  }
  const seconds = (performance.now() - startedAt) / 1000;
  const serverMs = (await serverCpuMs(db)) - serverBefore;
  for (const child of children) child.stdin.write('end\n');
  const row = await db.get<{ count: number }>("select count(*) as count from tasks where status = 'completed'");
  db.close();
  if (new Set(done).size !== done.length) throw new Error('A task was done twice.');
  if (row?.count !== done.length) throw new Error(`${done.length} were done, and ${row?.count} are completed.`);
  return {
    perSecond: measured / seconds,
    serverCpuMs: serverMs / measured,
    clientCpuMs: clientCpuMs / measured,
  };
}

/** What all processes of the server that are alive have used, where the system tells (`man 5 proc`). */
async function serverCpuMs(db: Database): Promise<number> {
  const rows = await db.all<{ pid: number }>('select pid from pg_stat_activity');
  const msOfTick = 10;
  const ticks = rows.map(({ pid }) => {
    const path = `/proc/${pid}/stat`;
    const fields = existsSync(path) ? readFileSync(path, 'utf8').split(') ')[1]?.split(' ') : undefined;
    return Number(fields?.[11] ?? 0) + Number(fields?.[12] ?? 0);
  });
  return ticks.reduce((sum, count) => sum + count, 0) * msOfTick;
}

async function medianOfReads(url: string): Promise<number> {
  const db = await openPostgres({ url, log: silentLog });
  const board = createTaskBoard({ db, clock: systemClock() });
  const times: number[] = [];
  for (let read = 0; read < 2_000; read++) {
    const startedAt = performance.now();
    await board.get(1 + ((read * 7) % tasks));
    times.push(performance.now() - startedAt);
  }
  db.close();
  return times.sort((a, b) => a - b)[times.length / 2] ?? 0;
}
