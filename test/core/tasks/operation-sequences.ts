import fc from 'fast-check';
import { conversations, type Operation } from './operation.js';
import { beat, kill, pass, resume, stepClock, sweep } from './session-operations.js';
import { claimNext, createAfter, editDependencies, editTask, updateStatus } from './task-operations.js';
import { claimForWorker, claimSlot, heartbeat, release, releaseSlot, report, reset } from './worker-operations.js';

/** Every operation of a session on the board, weighted by how often it happens. */
export const operation: fc.Arbitrary<Operation> = fc.oneof(
  { weight: 6, arbitrary: createAfter(3) },
  { weight: 6, arbitrary: claimNext },
  { weight: 10, arbitrary: updateStatus },
  { weight: 3, arbitrary: editDependencies },
  { weight: 3, arbitrary: editTask },
  { weight: 3, arbitrary: claimSlot },
  { weight: 1, arbitrary: releaseSlot },
  { weight: 5, arbitrary: claimForWorker },
  { weight: 4, arbitrary: report },
  { weight: 1, arbitrary: release },
  { weight: 2, arbitrary: heartbeat },
  { weight: 3, arbitrary: reset },
  { weight: 2, arbitrary: sweep },
  { weight: 3, arbitrary: pass },
  { weight: 1, arbitrary: stepClock },
  { weight: 2, arbitrary: beat },
  { weight: 1, arbitrary: kill },
  { weight: 1, arbitrary: fc.constantFrom(...conversations).map(resume) },
);

/** A graph of tasks that depend on many others, and then whatever ends, opens and rewires them. */
export const tangledBoard: fc.Arbitrary<Operation[]> = fc
  .record({
    tasks: fc.array(createAfter(5), { minLength: 5, maxLength: 25, size: 'max' }),
    turns: fc.array(
      fc.oneof(
        { weight: 6, arbitrary: updateStatus },
        { weight: 1, arbitrary: editDependencies },
        { weight: 2, arbitrary: editTask },
        { weight: 3, arbitrary: reset },
        { weight: 1, arbitrary: claimNext },
        { weight: 1, arbitrary: pass },
        { weight: 1, arbitrary: sweep },
      ),
      { maxLength: 40, size: 'max' },
    ),
  })
  .map(({ tasks, turns }) => [...tasks, ...turns]);
