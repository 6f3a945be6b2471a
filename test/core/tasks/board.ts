import type { Actor } from '../../../src/core/actor.js';
import type { Event } from '../../../src/core/events/events.js';
import { listEvents } from '../../../src/core/events/events.js';
import type { NewTask } from '../../../src/core/tasks/create-tasks.js';
import type { TaskWithDependencies } from '../../../src/core/tasks/list-tasks.js';
import type { TaskRow, TaskStatus } from '../../../src/core/tasks/task.js';
import type { ClaimedTask } from '../../../src/core/tasks/tasks.js';
import type { Runtime } from '../../../src/runtime.js';
import { type MovingClock, movingClock } from '../../support/moving-clock.js';
import { type TestRuntimeOptions, testRuntime } from '../../support/test-runtime.js';

/** Two sessions of no project, and a caller without one. */
export const alice: Actor = { holder: 'session:alice', project: '' };
export const bob: Actor = { holder: 'session:bob', project: '' };
export const shell: Actor = { holder: null, project: '' };

export type Board = Runtime & {
  home: string;
  clock: MovingClock;
  /** Creates one task. */
  add(title: string, more?: Omit<NewTask, 'title'>, actor?: Actor): Promise<TaskWithDependencies>;
  /** Claims the next task, which must be there. */
  take(actor: Actor, leaseSeconds?: number): Promise<ClaimedTask>;
  claim(id: number, actor: Actor): Promise<TaskWithDependencies>;
  end(id: number, status: TaskStatus, actor?: Actor): Promise<TaskWithDependencies>;
  /** Everything that is stored of a task. */
  row(id: number): Promise<TaskRow>;
  statusOf(...ids: number[]): Promise<TaskStatus[]>;
  /** The types of the events of a thing, oldest first. */
  history(subject: Event['subject'], id: number | string): Promise<string[]>;
};

/** A runtime on a database file of its own, with a clock that moves when told. */
export async function openBoard(options: Omit<TestRuntimeOptions, 'clock'> = {}): Promise<Board> {
  const clock = movingClock();
  const runtime = await testRuntime({ ...options, clock });
  const { tasks, db } = runtime;

  async function row(id: number): Promise<TaskRow> {
    const found = await db.get<TaskRow>('select * from tasks where id = ?', id);
    if (!found) throw new Error(`No row has id ${id}.`);
    return found;
  }

  return Object.assign(runtime, {
    clock,
    row,

    async add(title: string, more: Omit<NewTask, 'title'> = {}, actor = alice) {
      const [task] = await tasks.create([{ title, ...more }], actor);
      if (!task) throw new Error('Nothing was created.');
      return task;
    },

    async take(actor: Actor, leaseSeconds?: number) {
      const task = await tasks.claimNext({}, { leaseSeconds }, actor);
      if (!task) throw new Error('Nothing is ready.');
      return task;
    },

    claim: (id: number, actor: Actor) => tasks.updateStatus({ task: id, status: 'in_progress' }, actor),

    end: (id: number, status: TaskStatus, actor = alice) => tasks.updateStatus({ task: id, status }, actor),

    async statusOf(...ids: number[]) {
      return Promise.all(ids.map(async (id) => (await row(id)).status));
    },

    async history(subject: Event['subject'], id: number | string) {
      const events = await listEvents(db, { subject, subjectId: String(id), limit: 1_000 });
      return events.map((event) => event.type).reverse();
    },
  });
}
