import { copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '../../src/base/clock.js';
import { silentLog } from '../../src/base/log.js';
import { createTaskBoard } from '../../src/core/tasks/tasks.js';
import type { Database, Sql, Value } from '../../src/store/sql.js';
import { toSqlite } from '../../src/store/sqlite/dialect.js';
import { loadDriver } from '../../src/store/sqlite/driver.js';
import { openDatabase } from '../../src/store/sqlite/open.js';

/** Tasks claimed and completed per second: through the domain, and by the very same statements without it. */
export interface ClaimRate {
  tasks: number;
  oursPerSecond: number;
  barePerSecond: number;
  /** Ours over bare: 1 would be a domain that costs nothing. */
  ratio: number;
}

/**
 * Claims and completes a board of `tasks`, half of them with a dependency, one transaction each, in this process. The
 * statements of one run are recorded and then played back on a copy of the same board by prepared statements of the bare
 * driver, so that both do the same work on the same rows. The rounds alternate and the best of each counts,
 * as a busy machine can only make either slower.
 */
export async function measureClaimRate({ tasks = 2_000, rounds = 5 } = {}): Promise<ClaimRate> {
  const directory = mkdtempSync(join(tmpdir(), 'agent-runtime-claims-'));
  try {
    const board = join(directory, 'board.db');
    await fillBoard(board, tasks);
    const statements = await recordStatements(copyOf(board, 'recorded'), tasks);
    const ours: number[] = [];
    const bare: number[] = [];
    for (let round = 0; round < rounds; round++) {
      ours.push(await secondsOfDomain(copyOf(board, `ours-${round}`), tasks));
      bare.push(await secondsOfStatements(copyOf(board, `bare-${round}`), statements));
    }
    const oursPerSecond = tasks / Math.min(...ours);
    const barePerSecond = tasks / Math.min(...bare);
    return { tasks, oursPerSecond, barePerSecond, ratio: oursPerSecond / barePerSecond };
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

const actor = { holder: 'session:bench', project: '' };

const open = (file: string): Promise<Database> =>
  openDatabase({ file, backupDir: join(file, '..', 'backups'), log: silentLog, now: Date.now });

async function fillBoard(file: string, tasks: number): Promise<void> {
  const db = await open(file);
  const board = createTaskBoard({ db, clock: systemClock() });
  for (let made = 0; made < tasks; made += 500) {
    const batch = Array.from({ length: Math.min(500, tasks - made) }, (_, index) => ({
      title: `Task ${made + index}`,
      key: `task-${made + index}`,
      priority: 1 + ((made + index) % 10),
      dependencies: (made + index) % 2 === 1 ? [`task-${made + index - 1}`] : [],
    }));
    await board.create(batch, actor);
  }
  db.close();
}

/** The database is closed and its log is empty, so that the file is all there is. */
function copyOf(file: string, name: string): string {
  const copy = join(file, '..', `${name}.db`);
  copyFileSync(file, copy);
  return copy;
}

async function workThrough(db: Database, tasks: number): Promise<void> {
  const board = createTaskBoard({ db, clock: systemClock() });
  for (let done = 0; done < tasks; done++) {
    const task = await board.claimNext({}, {}, actor);
    if (!task) throw new Error(`No task is ready after ${done} of ${tasks}.`);
    const end = { task: task.id, status: 'completed', result: 'done', claimToken: task.claimToken } as const;
    await board.updateStatus(end, actor);
  }
}

async function secondsOfDomain(file: string, tasks: number): Promise<number> {
  const db = await open(file);
  const startedAt = performance.now();
  await workThrough(db, tasks);
  const seconds = (performance.now() - startedAt) / 1000;
  db.close();
  return seconds;
}

interface Played {
  text: string;
  values: readonly Value[];
  method: 'all' | 'get' | 'run';
}

async function recordStatements(file: string, tasks: number): Promise<Played[]> {
  const db = await open(file);
  const played: Played[] = [];
  const recording = (sql: Sql): Sql => ({
    all: (text, ...values) => {
      played.push({ text, values, method: 'all' });
      return sql.all(text, ...values);
    },
    get: (text, ...values) => {
      played.push({ text, values, method: 'get' });
      return sql.get(text, ...values);
    },
    run: (text, ...values) => {
      played.push({ text, values, method: 'run' });
      return sql.run(text, ...values);
    },
    send: (text, ...values) => {
      played.push({ text, values, method: 'run' });
      return sql.send(text, ...values);
    },
    alone: sql.alone,
  });
  const recorded: Database = {
    ...db,
    ...recording(db),
    async transaction(body, options) {
      played.push({ text: 'begin immediate', values: [], method: 'run' });
      const result = await db.transaction((sql) => body(recording(sql)), options);
      played.push({ text: 'commit', values: [], method: 'run' });
      return result;
    },
  };
  await workThrough(recorded, tasks);
  db.close();
  return played;
}

async function secondsOfStatements(file: string, statements: readonly Played[]): Promise<number> {
  const driver = await loadDriver();
  const connection = driver.connect(file);
  connection.pragma('journal_mode = wal');
  connection.pragma('synchronous = normal');
  connection.pragma('foreign_keys = on');
  const texts = [...new Set(statements.map(({ text }) => text))];
  const prepared = new Map(texts.map((text) => [text, connection.prepare<unknown[]>(toSqlite(text))]));
  const steps = statements.flatMap(({ text, values, method }) => {
    const statement = prepared.get(text);
    return statement ? [{ statement, values, method }] : [];
  });
  const startedAt = performance.now();
  for (const { statement, values, method } of steps) statement[method](...values);
  const seconds = (performance.now() - startedAt) / 1000;
  connection.close();
  return seconds;
}
