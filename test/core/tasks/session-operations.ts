import fc from 'fast-check';
import { nameSession } from '../../../src/core/coordination/sessions.js';
import * as m from './board-model.js';
import { conversations, minute, type Operation } from './operation.js';

export const sweep: fc.Arbitrary<Operation> = fc.constant({
  toString: () => 'sweep',
  onModel(model) {
    m.sweepSessions(model);
    m.lapseSlots(model);
    m.lapseTasks(model);
  },
  async onBoard({ board }) {
    await board.sessions.sweep();
    await board.slots.lapse();
    await board.tasks.lapse();
  },
});

export const pass = fc.constantFrom(1_000, 10_000, minute, 15 * minute).map(
  (ms): Operation => ({
    toString: () => `${ms} ms pass`,
    onModel(model) {
      model.now += ms;
      model.tick += ms;
    },
    onBoard: async ({ board }) => board.clock.pass(ms),
  }),
);

export const stepClock = fc.constantFrom(120 * minute, -120 * minute).map(
  (ms): Operation => ({
    toString: () => `the wall clock is stepped by ${ms} ms`,
    onModel(model) {
      model.now += ms;
    },
    onBoard: async ({ board }) => board.clock.stepWallClock(ms),
  }),
);

export const beat = fc.constantFrom(...conversations).map(
  (name): Operation => ({
    toString: () => `${name} beats`,
    onModel: (model) => {
      const session = model.sessions.findLast((one) => one.holder === `claude:${name}`);
      if (session?.isAlive) m.renewHoldings(model, session.holder);
    },
    async onBoard({ board, current, model }) {
      const session = current.get(name);
      if (session && model.sessions.find((one) => one.id === session.id)?.isAlive)
        await board.sessions.heartbeat(session);
    },
  }),
);

/** The process of a conversation is killed; it may be resumed in another. */
export const kill = fc.constantFrom(...conversations).map(
  (name): Operation => ({
    toString: () => `${name} is killed`,
    onModel(model) {
      for (const session of model.sessions) if (session.holder === `claude:${name}`) session.isAlive = false;
    },
    async onBoard({ model, living }) {
      for (const session of model.sessions) if (!session.isAlive) living.delete(session.pid);
    },
  }),
);

/** A conversation begins or is resumed in another process. */
export function resume(name: string): Operation {
  const info = { clientSessionId: name, project: '' };
  let session = nameSession(info);
  return {
    toString: () => `${name} begins`,
    onModel(model) {
      session = nameSession(info);
      const pid = model.sessions.length + 1;
      model.sessions.push({ id: session.id, holder: session.holder, pid, isAlive: true, isEnded: false });
      m.renewHoldings(model, session.holder);
    },
    async onBoard({ board, current, living, nextPid }) {
      living.add(nextPid());
      await board.sessions.begin(session, info);
      current.set(name, session);
    },
  };
}
