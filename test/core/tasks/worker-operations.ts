import fc from 'fast-check';
import type { Actor } from '../../../src/core/actor.js';
import * as m from './board-model.js';
import { type Operation, onTask, requireClaim, shown, slotNumber, tokenOf, who, worker } from './operation.js';

export const claimSlot = fc.record({ who, worker: fc.option(worker, { nil: undefined }) }).map((parts): Operation => {
  const sessionOf = (model: m.Model) =>
    model.sessions.findLast((session) => session.holder === parts.who.holder)?.id ?? null;
  return {
    toString: () => `claim slot ${JSON.stringify(parts)}`,
    onModel(model) {
      m.lapseSlots(model);
      m.sweepSessions(model);
      const held = parts.worker && model.slots.find((slot) => slot.worker === parts.worker);
      const holder = m.holderOf(parts.who, parts.worker);
      if (held) {
        if (held.holder !== holder) m.refuse('conflict');
        held.sessionId = sessionOf(model);
        return m.lengthen(model, held, m.leaseMs(parts.who));
      }
      const slot = [1, 2, 3].find((free) => !model.slots.some((other) => other.slot === free)) ?? m.refuse('conflict');
      model.slots.push({
        slot,
        worker: parts.worker ?? `worker-${slot}`,
        isNamed: parts.worker !== undefined,
        holder,
        sessionId: sessionOf(model),
        task: null,
        leaseTick: model.tick + m.leaseMs(parts.who),
      });
    },
    onBoard: ({ board, model }) =>
      board.slots.claim(parts.worker, { ...parts.who, sessionId: sessionOf(model) ?? undefined }),
  };
});

const isForeign = (slot: m.ModelSlot, actor: Actor): boolean =>
  slot.holder !== actor.holder && !slot.holder.startsWith('loose:');

export const releaseSlot = fc.record({ slot: slotNumber, who, isForced: fc.boolean() }).map(
  ({ slot: number, who: actor, isForced }): Operation => ({
    toString: () => `release slot ${number} ${actor.holder} ${isForced}`,
    onModel(model) {
      const slot = model.slots.find((held) => held.slot === number) ?? m.refuse('not_found');
      if (!isForced && isForeign(slot, actor)) m.refuse('conflict');
      const task = slot.task === null ? undefined : m.taskOf(model, slot.task);
      if (task?.status === 'in_progress' && task.slot === number) m.rejoin(model, task, task.attempts - 1);
      m.dropSlot(model, slot);
    },
    onBoard: ({ board }) => board.slots.release(number, actor, isForced),
  }),
);

export const claimForWorker = onTask(
  'claim for worker',
  fc.record({ who, worker, slot: slotNumber }),
  (model, task, { who: actor, worker: name, slot: number }) => {
    m.lapseTasks(model);
    const slot = model.slots.find((held) => held.slot === number) ?? m.refuse('not_found');
    if (isForeign(slot, actor) || slot.task !== null) m.refuse('conflict');
    if (slot.worker !== name) {
      if (slot.isNamed || model.slots.some((other) => other.worker === name)) m.refuse('conflict');
      Object.assign(slot, { worker: name, isNamed: true });
    }
    m.lengthen(model, slot, m.leaseMs(actor));
    if (!m.isReady(model, task)) m.refuse(task.status === 'in_progress' ? 'already_claimed' : 'conflict');
    m.take(model, task, { actor, worker: name, slot: number });
    slot.task = task.id;
  },
  (board, id, { who: actor, worker: name, slot }) => board.workers.claim({ task: id, workerId: name, slot }, actor),
);

export const report = onTask(
  'report',
  fc.record({ who, worker, status: fc.constantFrom('completed' as const, 'failed' as const), shown }),
  (model, task, { who: actor, worker: name, status, shown: offset }) => {
    const token = tokenOf(model, task.id, offset);
    if (token !== undefined && token !== task.token) m.refuse('stale_claim');
    const isOwn = actor.holder !== null && actor.holder === task.claimedBy;
    const isHolder = token !== undefined || isOwn || task.claimedBy === `loose:${name}`;
    if (task.status !== 'in_progress' || task.worker !== name || !isHolder) m.refuse('stale_claim');
    requireClaim(model, task, true);
    m.finish(model, task, status);
  },
  (board, id, { who: actor, worker: workerId, status, shown: offset }, model) =>
    board.workers.report({ task: id, workerId, status, claimToken: tokenOf(model, id, offset) }, actor),
);

export const release = onTask(
  'give back',
  fc.record({ who, shown }),
  (model, task, { who: actor, shown: offset }) => {
    const token = tokenOf(model, task.id, offset);
    if (token !== undefined && token !== task.token) m.refuse('stale_claim');
    if (task.status !== 'in_progress') m.refuse('conflict');
    requireClaim(model, task, token !== undefined || (actor.holder !== null && actor.holder === task.claimedBy));
    m.rejoin(model, task, task.attempts - 1);
  },
  (board, id, { who: actor, shown: offset }, model) => board.workers.release(id, tokenOf(model, id, offset), actor),
);

export const heartbeat = onTask(
  'heartbeat',
  fc.record({ who, shown }),
  (model, task, { who: actor, shown: offset }) => {
    const token = tokenOf(model, task.id, offset);
    if (task.status !== 'in_progress' || (token !== undefined && token !== task.token)) m.refuse('stale_claim');
    requireClaim(model, task, token !== undefined || (actor.holder !== null && actor.holder === task.claimedBy));
    m.lengthen(model, task, m.leaseMs(actor));
    const slot = model.slots.find((held) => held.slot === task.slot);
    if (slot) m.lengthen(model, slot, m.leaseMs(actor));
  },
  (board, id, { who: actor, shown: offset }, model) =>
    board.workers.heartbeat({ task: id, claimToken: tokenOf(model, id, offset) }, actor),
);

export const reset = onTask(
  'reset',
  fc.constant(undefined),
  (model, task) => {
    if (task.status === 'failed' || task.status === 'cancelled') m.reopen(model, task);
    else if (task.status !== 'in_progress') m.refuse('conflict');
    else if (!m.isAbandoned(model, task)) m.refuse('already_claimed');
    else m.rejoin(model, task, 0);
  },
  (board, id) => board.workers.reset(id, { holder: null, project: '' }),
);
