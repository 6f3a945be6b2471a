import { addressRule } from '../../../src/base/public-address.js';
import type { NewWebhook } from '../../../src/core/event-targets/event-targets.js';
import { createLeasedTargets, type TargetLease } from '../../../src/core/event-targets/leased-targets.js';
import { type NewEvent, recordEvent } from '../../../src/core/events/events.js';
import { takeWebhookTurn } from '../../../src/services/event-delivery/webhook-turn.js';
import { newWebhookSecret } from '../../../src/webhooks/sign.js';
import { eventually } from '../../support/eventually.js';
import { type MovingClock, movingClock } from '../../support/moving-clock.js';
import { isOnPostgres } from '../../support/postgres.js';
import { type TestRuntimeOptions, testRuntime } from '../../support/test-runtime.js';

export const nobody = { holder: null, project: '' };
export const secret = newWebhookSecret();

/** An event is read when all transactions before its own have ended, those of other tests' databases too. */
const heldBack = 'select 1 from events where tx >= pg_snapshot_xmin(pg_current_snapshot()) limit 1';

interface HookedOptions extends TestRuntimeOptions {
  clock?: MovingClock;
  /** Whether it waits until every event can be read; it does unless told. */
  isPatient?: boolean;
}

/** A runtime with a clock of its own, whose webhooks are delivered to when the test says so. */
export async function hooked({ isPatient = true, ...options }: HookedOptions = {}) {
  const clock = options.clock ?? movingClock();
  const runtime = await testRuntime({ ...options, clock });
  const { db, eventTargets } = runtime;
  const targets = createLeasedTargets({ db, clock });
  const needs = { db, clock, targets, rule: addressRule(['127.0.0.1']), random: () => 0 };
  const allReadable = async () => {
    if (isOnPostgres) await eventually('no event is held back', async () => !(await db.get(heldBack)));
  };
  return Object.assign(runtime, {
    clock,
    targets,
    async add(url: string, more: Partial<NewWebhook> = {}) {
      await allReadable();
      const usual = { name: 'hook', url, secret, events: ['task.*', 'job.*'], project: null, goalId: null };
      return eventTargets.add({ ...usual, ...more }, nobody);
    },
    record: (event: Omit<NewEvent, 'at'>) =>
      db.transaction((sql) => recordEvent(sql, { at: clock.now(), ...event } as NewEvent)),
    note: (subjectId: string) =>
      db.transaction((sql) =>
        recordEvent(sql, { at: clock.now(), subject: 'task', subjectId, type: 'note', actor: nobody }),
      ),
    /** Sends what is due, as a process that serves the webhook does, and gives the lease back; false if it was lost. */
    async deliver(name = 'hook', isOurs: (lease: TargetLease) => boolean = () => true): Promise<boolean> {
      if (isPatient) await allReadable();
      const { id } = await eventTargets.find(name);
      const lease = await targets.take(id);
      if (!lease) return false;
      let cursorId: number | undefined;
      while (isOurs(lease)) {
        const target = await targets.held(lease);
        if (!target) return false;
        const turn = await takeWebhookTurn(target, cursorId ?? target.cursorId, {
          ...needs,
          isOurs: () => isOurs(lease),
          signal: new AbortController().signal,
        });
        if (turn.report && !(await targets.settle(lease, turn.report))) return false;
        cursorId = turn.cursorId;
        if (!turn.isMore) break;
      }
      await targets.renew(lease, cursorId);
      await targets.release(lease);
      return true;
    },
  });
}
