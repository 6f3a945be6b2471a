import fc from 'fast-check';
import { failurePolicies, taskStatuses } from '../../../src/core/tasks/task.js';
import * as m from './board-model.js';
import {
  type Operation,
  onTask,
  pick,
  place,
  requireClaim,
  seconds,
  shown,
  tokenOf,
  who,
  worker,
} from './operation.js';

/** A new task that depends on up to `most` others. */
export const createAfter = (most: number) =>
  fc
    .record({
      priority: fc.integer({ min: 4, max: 6 }),
      dependencies: fc.array(place, { maxLength: most }),
      policy: fc.constantFrom(...failurePolicies),
      maxAttempts: fc.integer({ min: 1, max: 3 }),
      inMs: fc.constantFrom(undefined, undefined, 20_000, -1),
      dueInMs: fc.constantFrom(undefined, 30_000, -1),
    })
    .map((parts): Operation => {
      let dependencies: number[] = [];
      return {
        toString: () => `create ${JSON.stringify({ ...parts, dependencies })}`,
        onModel(model) {
          dependencies = model.tasks.length === 0 ? [] : parts.dependencies.map((at) => pick(model, at));
          const notBefore = parts.inMs === undefined ? 0 : model.now + parts.inMs;
          const deadlineAt = parts.dueInMs === undefined ? Number.POSITIVE_INFINITY : model.now + parts.dueInMs;
          model.tasks.push({
            id: model.tasks.length + 1,
            status: 'pending',
            priority: parts.priority,
            dependencies: [...new Set(dependencies)],
            policy: parts.policy,
            maxAttempts: parts.maxAttempts,
            attempts: 0,
            token: 0,
            claimedBy: null,
            worker: null,
            slot: null,
            leaseTick: 0,
            isStopped: false,
            isHeld: notBefore > model.now,
            notBefore,
            isOverdue: deadlineAt <= model.now,
            deadlineAt,
          });
          m.settle(model);
        },
        onBoard: ({ board, model }) =>
          board.add(`Task ${model.tasks.length}`, {
            priority: parts.priority,
            dependencies,
            onDependencyFailure: parts.policy,
            maxAttempts: parts.maxAttempts,
            notBefore: parts.inMs === undefined ? undefined : board.clock.now() + parts.inMs,
            deadlineAt: parts.dueInMs === undefined ? undefined : board.clock.now() + parts.dueInMs,
          }),
      };
    });

export const claimNext = fc.record({ who, worker: fc.option(worker, { nil: undefined }), seconds }).map(
  (parts): Operation => ({
    toString: () => `claim next ${JSON.stringify(parts)}`,
    onModel(model) {
      if (m.readyLine(model).length === 0) m.lapseTasks(model);
      const [first] = m.readyLine(model);
      if (first) m.take(model, first, { actor: parts.who, ...definedOnly(parts) });
    },
    onBoard: ({ board }) =>
      board.tasks.claimNext({}, { workerId: parts.worker, leaseSeconds: parts.seconds }, parts.who),
  }),
);

function definedOnly({ worker, seconds }: { worker: string | undefined; seconds: number | undefined }) {
  return { ...(worker === undefined ? {} : { worker }), ...(seconds === undefined ? {} : { seconds }) };
}

export const updateStatus = onTask(
  'update',
  fc.record({ status: fc.constantFrom(...taskStatuses), who, shown }),
  (model, task, { status, who: actor, shown: offset }) => {
    const token = tokenOf(model, task.id, offset);
    const isOwn = actor.holder !== null && actor.holder === task.claimedBy;
    if (task.status === 'in_progress' && token === undefined && m.hasLapsed(model, task)) {
      if (!isOwn || status === 'in_progress') m.takeBack(model, task);
    }
    const isOwnStill = actor.holder !== null && actor.holder === task.claimedBy;
    if (token !== undefined && token !== task.token) m.refuse('stale_claim');
    if (task.status === 'in_progress') {
      if (status !== 'cancelled') requireClaim(model, task, token !== undefined || isOwnStill);
      if (status === 'in_progress') m.lengthen(model, task, m.leaseMs(actor));
      else if (status === 'pending') m.rejoin(model, task, task.attempts - 1);
      else m.finish(model, task, status);
    } else if (task.status === status) {
      const isDone = status === 'completed' || status === 'failed';
      const isAnothers = task.claimedBy !== null && token === undefined && !isOwnStill && actor.holder !== null;
      if (isDone && isAnothers) m.refuse('conflict');
    } else if (task.status === 'pending') {
      if (token !== undefined) m.refuse('stale_claim');
      if (status === 'cancelled') return m.finish(model, task, status);
      if (!m.isReady(model, task)) m.refuse('conflict');
      m.take(model, task, { actor });
      if (status !== 'in_progress') m.finish(model, task, status);
    } else if (status !== 'pending') m.refuse('conflict');
    else m.reopen(model, task);
  },
  (board, id, { status, who: actor, shown: offset }, model) =>
    board.tasks.updateStatus({ task: id, status, claimToken: tokenOf(model, id, offset) }, actor),
);

export const editDependencies = onTask(
  'edit dependencies',
  fc.array(place, { maxLength: 3 }),
  (model, task, places) => {
    const dependencies = [...new Set(places.map((at) => pick(model, at)))];
    if (task.status !== 'pending') m.refuse('conflict');
    if (m.waitsForItself(model, task.id, dependencies)) m.refuse('dependency_cycle');
    task.dependencies = dependencies;
    m.settle(model);
  },
  (board, id, places, model) =>
    board.tasks.edit(id, { dependencies: places.map((at) => pick(model, at)) }, { holder: null, project: '' }),
);

export const editTask = onTask(
  'edit',
  fc.record({ policy: fc.constantFrom(...failurePolicies), priority: fc.integer({ min: 4, max: 6 }) }),
  (model, task, { policy, priority }) => {
    Object.assign(task, { policy, priority });
    m.settle(model);
  },
  (board, id, { policy, priority }) =>
    board.tasks.edit(id, { onDependencyFailure: policy, priority }, { holder: null, project: '' }),
);
