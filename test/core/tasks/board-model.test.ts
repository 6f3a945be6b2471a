import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { ErrorCode } from '../../../src/base/errors.js';
import { RuntimeError } from '../../../src/base/errors.js';
import type { Processes } from '../../../src/core/ports.js';
import { isOnPostgres } from '../../support/postgres.js';
import { type Board, openBoard } from './board.js';
import { emptyModel, type Model, Refused, readyLine, tellTime, unfinished } from './board-model.js';
import { conversations, type Operation, type World } from './operation.js';
import { operation, tangledBoard } from './operation-sequences.js';
import { resume } from './session-operations.js';

const seed = 20_261_120;

/** One process a session, alive until it is killed. */
function stagedProcesses() {
  const living = new Set<number>();
  let pid = 0;
  const identity = { hostId: 'h', bootId: 'boot-1', pidNamespace: '', startTime: '1' };
  return {
    living,
    nextPid: () => ++pid,
    processes: {
      self: () => ({ ...identity, pid }),
      liveness: (other) => (living.has(other.pid) ? 'alive' : 'dead'),
    } satisfies Processes,
    restart() {
      living.clear();
      pid = 0;
    },
  };
}

test('the board does what a simple model of it does, in any sequence of operations', async () => {
  await compareWithModel(fc.array(operation, { minLength: 1, maxLength: 60, size: 'max' }), 900);
});

test('counters fit the dependencies, and these the states of the tasks they lead to, on any graph', async () => {
  await compareWithModel(tangledBoard, 500);
});

/** Does each sequence to a board and to a model of it, and compares them after every step. */
async function compareWithModel(sequences: fc.Arbitrary<Operation[]>, numRuns: number): Promise<void> {
  const { processes, living, nextPid, restart } = stagedProcesses();
  const board = await openBoard({ processes, env: { AGENT_RUNTIME_WORKER_SLOTS: '3' } });
  const property = fc.asyncProperty(sequences, async (operations) => {
    await wipe(board);
    restart();
    let model = emptyModel(board.clock.now(), board.clock.tick());
    const world: World = { board, model, current: new Map(), living, nextPid };
    const done: string[] = [];
    for (const step of [...conversations.map(resume), ...operations]) {
      model = await doBoth(step, model, world, done);
      expect(await boardAsIs(board), done.join('\n')).toEqual(asBoard(model));
      expect(await brokenPromises(board), done.join('\n')).toEqual([]);
    }
  });
  await fc.assert(property, { seed, numRuns, interruptAfterTimeLimit: 10_000, markInterruptAsFailure: false });
}

/** Does a step to the model and to the board, which must agree on whether it can be done. */
async function doBoth(step: Operation, model: Model, world: World, done: string[]): Promise<Model> {
  const next = structuredClone(model);
  let refusal: ErrorCode | undefined;
  try {
    step.onModel(next);
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    refusal = error.code;
  }
  const after = refusal === undefined ? next : structuredClone(model);
  world.model = after;
  let answer: ErrorCode | undefined;
  try {
    await step.onBoard(world);
  } catch (error) {
    if (!(error instanceof RuntimeError)) throw new Error(`${done.join('\n')}\n${step}`, { cause: error });
    answer = error.code;
  }
  done.push(refusal === undefined ? `${step}` : `${step} -> ${refusal}`);
  expect(answer, done.join('\n')).toBe(refusal);
  tellTime(after);
  return after;
}

async function wipe(board: Board): Promise<void> {
  await board.db.transaction(async (sql) => {
    for (const table of ['worker_slots', 'sessions', 'task_dependencies', 'events'])
      await sql.run(`delete from ${table}`);
    await sql.run('update tasks set stopped_by = null');
    await sql.run('delete from tasks');
    await sql.run(
      isOnPostgres ? 'alter table tasks alter column id restart' : "delete from sqlite_sequence where name = 'tasks'",
    );
  });
}

/** The part of the board that the model has too. */
async function boardAsIs(board: Board) {
  const line = await board.tasks.ready({}, { limit: 1_000 });
  const tasks = await board.db.all(
    `select id, status, priority, attempts, claim_token as token, unfinished_dependencies as unfinished,
       stopped_by is not null as "isStopped",
       case when status = 'in_progress' then claimed_by end as "claimedBy",
       case when status = 'in_progress' then worker_id end as worker, worker_slot as slot,
       case when status = 'in_progress' then lease_expires_tick end as "leaseTick"
     from tasks order by id`,
  );
  const slots = await board.db.all(
    'select slot, worker_id as worker, holder, task_id as task, lease_expires_tick as "leaseTick" from worker_slots order by slot',
  );
  return { line: line.map((task) => task.id), tasks: tasks.map(withoutStaleCounts), slots };
}

/** How many dependencies are unfinished matters while a task waits. */
function withoutStaleCounts(task: unknown) {
  const row = task as { status: string; unfinished: number };
  return { ...row, unfinished: row.status === 'pending' ? row.unfinished : 0 };
}

function asBoard(model: Model) {
  return {
    line: readyLine(model).map((task) => task.id),
    tasks: model.tasks.map((task) => {
      const isClaimed = task.status === 'in_progress';
      return {
        id: task.id,
        status: task.status,
        priority: task.priority,
        attempts: task.attempts,
        token: task.token,
        unfinished: task.status === 'pending' ? unfinished(model, task).length : 0,
        isStopped: Number(task.isStopped),
        claimedBy: isClaimed ? task.claimedBy : null,
        worker: isClaimed ? task.worker : null,
        slot: task.slot,
        leaseTick: isClaimed ? task.leaseTick : null,
      };
    }),
    slots: [...model.slots]
      .sort((a, b) => a.slot - b.slot)
      .map(({ slot, worker, holder, task, leaseTick }) => ({ slot, worker, holder, task, leaseTick })),
  };
}

/** The invariants of the rows after every transaction: returns a sentence about each row that violates one. */
function brokenPromises(board: Board): Promise<unknown[]> {
  return board.db.all(
    `select 'the counters of a task differ from its edges' as broken, t.id from tasks t
     where unfinished_dependencies <> (select count(*) from task_dependencies where task_id = t.id and state <> 'satisfied')
       or failed_dependencies <> (select count(*) from task_dependencies where task_id = t.id and state = 'failed')
     union all
     select 'an edge of a waiting task is not in the state of its dependency', t.id
     from task_dependencies e join tasks t on t.id = e.task_id join tasks d on d.id = e.depends_on
     where (t.status = 'pending' or t.stopped_by is not null) and e.state <> case
       when d.status = 'completed' or d.is_skipped = 1 then 'satisfied'
       when d.status not in ('failed', 'cancelled') then 'waiting'
       when t.on_dependency_failure = 'run' then 'satisfied' else 'failed' end
     union all
     select 'a task that its policy stops is open', id from tasks
     where status = 'pending' and failed_dependencies > 0 and on_dependency_failure in ('skip', 'cancel')
     union all
     select 'a task was stopped by one that has not failed', id from tasks where stopped_by is not null
       and not exists (select 1 from task_dependencies where task_id = tasks.id and depends_on = stopped_by and state = 'failed')
     union all
     select 'the counts of tasks differ from the rows', goal_id from (
       select goal_id, state, project, count from task_counts
       union all select goal_id, state, project, -count from counted_tasks) as differences
     group by goal_id, state, project having sum(count) <> 0
     union all
     select 'a slot is at work on a task that is not claimed from it', slot from worker_slots s where task_id is not null
       and not exists (select 1 from tasks where id = s.task_id and status = 'in_progress' and worker_slot = s.slot)`,
  );
}
