import fc from 'fast-check';
import type { Actor } from '../../../src/core/actor.js';
import type { Session } from '../../../src/core/coordination/sessions.js';
import type { Board } from './board.js';
import * as m from './board-model.js';

/** One operation, on the model and on the board. Both may refuse it, with the same code. */
export interface Operation {
  toString(): string;
  onModel(model: m.Model): void;
  onBoard(world: World): Promise<unknown>;
}

/** The board under test, and what its processes are. */
export interface World {
  board: Board;
  /** The model as it is after the operation. */
  model: m.Model;
  current: Map<string, Session>;
  living: Set<number>;
  nextPid(): number;
}

export const conversations = ['a', 'b', 'c'];
export const minute = 60_000;

export interface Who extends Actor {
  conversation: string | undefined;
}

export const who: fc.Arbitrary<Who> = fc.constantFrom(...conversations, undefined).map((conversation) => ({
  conversation,
  holder: conversation === undefined ? null : `claude:${conversation}`,
  project: '',
}));

export const place = fc.nat(30);
export const worker = fc.constantFrom('w1', 'w2', 'w3');
export const slotNumber = fc.integer({ min: 1, max: 5 });
export const seconds = fc.constantFrom(undefined, 5, 90);

/** Which token a caller shows: none, the latest, or the one before that. */
export const shown = fc.constantFrom(undefined, undefined, 0, -1);

/** The task that a number stands for; 0 while there is none. */
export const pick = (model: m.Model, at: number): number =>
  model.tasks.length === 0 ? 0 : 1 + (at % model.tasks.length);

export function tokenOf(model: m.Model, id: number, offset: number | undefined): number | undefined {
  const task = model.tasks[id - 1];
  return offset === undefined || !task ? undefined : Math.max(1, task.token + offset);
}

/** An operation on a task, which is chosen when its turn comes. */
export function onTask<Parts>(
  name: string,
  parts: fc.Arbitrary<Parts>,
  onModel: (model: m.Model, task: m.ModelTask, parts: Parts) => void,
  onBoard: (board: Board, id: number, parts: Parts, model: m.Model) => Promise<unknown>,
): fc.Arbitrary<Operation> {
  return fc.record({ at: place, parts }).map(({ at, parts }) => {
    let id = 0;
    let before: m.Model;
    return {
      toString: () => `${name} ${id} ${JSON.stringify(parts)}`,
      onModel(model) {
        id = pick(model, at);
        before = structuredClone(model);
        if (id > 0) onModel(model, m.taskOf(model, id), parts);
      },
      onBoard: async ({ board }) => (id > 0 ? onBoard(board, id, parts, before) : undefined),
    };
  });
}

export function requireClaim(model: m.Model, task: m.ModelTask, isHolder: boolean): void {
  if (!isHolder) m.refuse('already_claimed');
  if (m.hasLapsed(model, task)) m.refuse('stale_claim');
}
