import type { EventSubject, EventType } from '../../../core/events/event-types.js';
import {
  actorOf,
  becauseOf,
  does,
  happens,
  type Maker,
  type Sentence,
  sentence,
  stepOf,
  type ToldEvent,
  taskOf,
  thingOf,
  told,
} from './sentence.js';

type Makers = { [Subject in EventSubject]: Readonly<Record<EventType<Subject>, Maker>> };

/**
 * What has happened, as a sentence for people. A kind that an earlier version of the program has recorded and this one
 * does not know is told by its name.
 */
export function sentenceOf(event: ToldEvent & { type: string }): Sentence {
  const makers: Readonly<Record<string, Maker>> = sentences[event.subject as EventSubject] ?? {};
  const maker = Object.hasOwn(makers, event.type) ? makers[event.type] : undefined;
  if (maker) return maker(event);
  return sentence(
    'calm',
    thingOf(event),
    `: ${event.type.replaceAll('_', ' ')}`,
    event.actor ? [' by ', actorOf(event)] : undefined,
  );
}

const fields: { more: (data: ToldEvent['data']) => ReturnType<typeof told> } = {
  more: ({ fields: names }) =>
    told(
      ': ',
      Array.isArray(names)
        ? names.map((name) =>
            String(name)
              .replaceAll(/([A-Z])/g, ' $1')
              .toLowerCase(),
          )
        : undefined,
    ),
};
const error = (data: ToldEvent['data']) => told(': ', data.error ?? data.message ?? data.code);

const acknowledgements = {
  acknowledged: does('acknowledged'),
  acknowledgement_undone: does('marked', { more: () => ' as not seen' }),
};

const worktreeMoves = {
  worktree_made: happens('got a worktree', { more: ({ branch }) => told(' on branch ', branch) }),
  worktree_kept: happens('left its worktree to be looked at', {
    tone: 'warn',
    more: ({ branch }) => told(' on branch ', branch),
  }),
  worktree_merged: does('merged the worktree of', {
    tone: 'good',
    more: ({ branch }) => told(' from branch ', branch),
  }),
  worktree_discarded: does('discarded the worktree of', { more: ({ kept_as: kept }) => told(', kept as ', kept) }),
  worktree_removed: happens('has no worktree any more'),
};

const slotName = ({ subjectId, data }: ToldEvent) => [`worker slot ${subjectId}`, told(' of ', data.worker_id)];

const workerOf = ({ subjectId, data }: ToldEvent) => [
  'Worker process ',
  told('', data.name ?? data.worker ?? subjectId),
  told(' on ', data.host),
];

const place = (root: string) => root.split(/[\\/]/).findLast((part) => part !== '') ?? root;

const sentences: Makers = {
  goal: {
    created: does('created'),
    edited: does('changed', fields),
    completed: does('completed', { tone: 'good' }),
    cancelled: does('cancelled'),
    reopened: does('reopened'),
    run_started: does('started a run of', { tone: 'active' }),
    run_paused: does('paused the run of', { tone: 'warn' }),
    run_resumed: does('resumed the run of', { tone: 'active' }),
    run_ended: ({ subjectId, data }) =>
      sentence(
        data.status === 'completed' ? 'good' : data.status === 'failed' ? 'bad' : 'calm',
        ['The run of goal ', { of: `goal:${subjectId}` }],
        ` ${data.status === 'completed' ? 'is complete' : data.status === 'failed' ? 'failed' : `ended as ${data.status ?? 'it stood'}`}`,
      ),
    ...acknowledgements,
  },
  task: {
    created: does('created'),
    edited: does('changed', fields),
    claimed: (event) => {
      const { worker_id: worker, attempt } = event.data;
      const isNamed = typeof worker === 'string' && event.actor !== `loose:${worker}`;
      return sentence(
        'active',
        actorOf(event, typeof worker === 'string' ? worker : 'someone'),
        ' began ',
        thingOf(event),
        isNamed && event.actor?.startsWith('user:') ? [' for ', { of: `loose:${worker}` }] : undefined,
        typeof attempt === 'number' && attempt > 1 ? `, attempt ${attempt}` : undefined,
      );
    },
    released: does('released'),
    lapsed: (event) =>
      sentence(
        'warn',
        thingOf(event),
        ' is on the board again: the claim of ',
        holderIn(event.data.held_by),
        ' lapsed',
      ),
    completed: does('completed', { tone: 'good' }),
    failed: (event) =>
      sentence(
        'bad',
        event.actor === null ? undefined : [actorOf(event), ' reported that '],
        thingOf(event),
        ' failed',
        error(event.data),
      ),
    cancelled: does('cancelled', { more: becauseOf('task') }),
    skipped: happens('was skipped', { more: becauseOf('task') }),
    reopened: does('reopened', { more: becauseOf('task') }),
    decomposed: does('split', {
      more: ({ subtasks }) => (Array.isArray(subtasks) ? ` into ${subtasks.length} tasks` : undefined),
    }),
    verified: (event) =>
      sentence(
        event.data.passed === false ? 'bad' : 'good',
        ['The result of ', thingOf(event)],
        event.data.passed === false ? ' did not meet its criteria' : ' meets its criteria',
        told(', score ', event.data.score),
      ),
    note: (event) => sentence('calm', actorOf(event), ' noted on ', thingOf(event), told(': “', event.data.note, '”')),
    ...worktreeMoves,
    ...acknowledgements,
  },
  session: {
    started: (event) => sentence('active', actorOf(event, 'A session'), ' connected'),
    ended: (event) => sentence('calm', actorOf(event, 'A session'), ' disconnected'),
    lost: (event) => sentence('warn', actorOf(event, 'A session'), ' was lost: its process is gone'),
  },
  slot: {
    claimed: (event) =>
      sentence('active', actorOf(event), ` took worker slot ${event.subjectId}`, told(' for ', event.data.worker_id)),
    released: (event) => sentence('calm', actorOf(event), ' released ', slotName(event)),
    lapsed: (event) =>
      sentence(
        'warn',
        ['Worker slot ', event.subjectId, told(' of ', event.data.worker_id)],
        ' was freed: its lease expired',
      ),
  },
  message: {
    sent: (event) =>
      sentence(
        'calm',
        typeof event.data.from === 'string' ? { of: event.data.from } : actorOf(event),
        typeof event.data.to === 'string' ? [' wrote to ', { of: event.data.to }] : ' wrote',
        [': ', { of: `message:${event.subjectId}` }],
      ),
    read: (event) =>
      sentence(
        'calm',
        typeof event.data.by === 'string' ? { of: event.data.by } : actorOf(event),
        ' read ',
        thingOf(event),
      ),
    ...acknowledgements,
  },
  path: {
    reserved: (event) =>
      sentence(
        'active',
        actorOf(event),
        [' reserved', told(' ', event.data.globs)],
        ` in ${place(event.subjectId)}`,
        event.data.task === undefined ? undefined : [' for ', taskOf(event.data.task)],
      ),
    released: (event) =>
      sentence('calm', actorOf(event), [' released', told(' ', event.data.globs)], ` in ${place(event.subjectId)}`),
    lapsed: (event) =>
      sentence(
        'warn',
        ['The reservation', told(' of ', event.data.glob)],
        ` in ${place(event.subjectId)} by `,
        holderIn(event.data.held_by),
        ' lapsed',
      ),
  },
  job: {
    submitted: does('submitted'),
    started: happens('started', {
      tone: 'active',
      more: ({ attempt }) => (typeof attempt === 'number' && attempt > 1 ? `, attempt ${attempt}` : undefined),
    }),
    completed: happens('completed', { tone: 'good' }),
    failed: happens('failed', { tone: 'bad', more: error }),
    cancelled: does('cancelled', { more: becauseOf('job') }),
    died: happens('is dead: its process was lost too often', { tone: 'bad' }),
    retrying: happens('failed and will be tried again', { tone: 'warn', more: error }),
    postponed: happens('waits for another try', { tone: 'warn', more: error }),
    requeued: does('put', { more: () => ' back into the queue' }),
    cancel_requested: does('asked to cancel'),
    ...worktreeMoves,
    ...acknowledgements,
  },
  runner: {
    worker_started: (event) => sentence('active', workerOf(event), ' began to run jobs'),
    worker_ended: (event) => sentence('calm', workerOf(event), ' ended'),
    worker_lost: (event) => sentence('warn', workerOf(event), ' was lost'),
    lost: ({ data }) => sentence('warn', 'A process that runs jobs was lost', told(': ', data.reason)),
  },
  breaker: {
    call_failed: happens('counted a failed call', {
      tone: 'warn',
      more: error,
    }),
    failure_trip: happens('opened', { tone: 'bad', more: ({ reason }) => told(': ', reason) }),
    recovery: happens('closed again', { tone: 'good' }),
    half_open: happens('lets calls through as a trial', { tone: 'warn' }),
    manual_trip: does('opened', { tone: 'bad', more: ({ reason }) => told(': ', reason) }),
    manual_reset: does('closed', { tone: 'good' }),
    configured: does('configured', { more: ({ reason }) => told(': ', reason) }),
    ...acknowledgements,
  },
  relay: {
    budget_changed: does('changed the budget of', {
      more: ({ budget }) => told(' to ', budget, ' tokens'),
    }),
    created: does('created'),
    baton_handed_over: (event) =>
      sentence(
        'active',
        [`${stepOf(event.data)} of `, thingOf(event)],
        told(' went to ', event.data.agent),
        told(' in place of ', event.data.in_place_of),
      ),
    baton_waiting: (event) =>
      sentence('warn', [`${stepOf(event.data)} of `, thingOf(event)], ' waits', told(': ', event.data.note)),
    step_passed: (event) =>
      sentence(
        'good',
        [`${stepOf(event.data)} of `, thingOf(event)],
        ' passed',
        told(' with quality ', event.data.quality),
      ),
    approval_asked: (event) =>
      sentence('warn', [`${stepOf(event.data)} of `, thingOf(event)], ' passed its gates and waits for a person'),
    step_approved: (event) =>
      sentence('good', [actorOf(event, 'It'), ` approved ${stepOf(event.data)} of `, thingOf(event)]),
    step_sent_back: (event) =>
      sentence(
        'warn',
        [actorOf(event, 'It'), ` sent back ${stepOf(event.data)} of `, thingOf(event)],
        told(': ', event.data.feedback),
      ),
    step_failed: (event) =>
      sentence(
        'bad',
        [`${stepOf(event.data)} of `, thingOf(event)],
        ' failed',
        told(': ', event.data.reason ?? event.data.failure),
      ),
    retried: (event) =>
      sentence(
        'warn',
        [actorOf(event, 'It'), ` retried ${stepOf(event.data)} of `, thingOf(event)],
        told(': ', event.data.feedback),
      ),
    restarted: (event) =>
      sentence('warn', [actorOf(event, 'It'), ` restarted ${stepOf(event.data)} of `, thingOf(event)]),
    completed: happens('is complete', { tone: 'good' }),
    cancelled: does('cancelled'),
    run_started: does('started a run of', { tone: 'active' }),
    run_ended: (event) =>
      sentence('calm', ['The run of ', thingOf(event)], ' ended', told(': the relay is ', event.data.relay)),
    ...acknowledgements,
  },
  server: {
    tools_changed: happens('offers other tools than before', {
      tone: 'warn',
      more: ({ added, removed, changed }) => [
        told('; new: ', added),
        told('; gone: ', removed),
        told('; changed: ', changed),
      ],
    }),
    tools_accepted: does('accepted the tools of', { more: ({ tools }) => told(': ', tools) }),
    scaled: does('scaled', { more: ({ instances }) => told(' to ', instances, ' instances') }),
    given_up: happens('was given up', { tone: 'bad', more: ({ why }) => told(': ', why) }),
  },
  tool: {
    routed: does('set the route of', { more: ({ prefer }) => told(': prefers ', prefer) }),
  },
  schedule: {
    created: does('created'),
    edited: does('changed'),
    paused: does('paused', { tone: 'warn' }),
    resumed: does('resumed'),
    deleted: does('deleted'),
    fired: happens('fired', { tone: 'active' }),
    skipped: happens('was skipped', { tone: 'warn', more: ({ why }) => told(': ', why) }),
    failed: happens('failed', { tone: 'bad', more: error }),
    ...acknowledgements,
  },
  runtime: {
    template_saved: (event) => sentence('calm', actorOf(event), ` saved the ${event.subjectId}`),
    template_deleted: (event) => sentence('calm', actorOf(event), ` deleted the ${event.subjectId}`),
    purged: (event) =>
      sentence(
        'calm',
        actorOf(event, 'The daily purge'),
        ' deleted what had ended',
        told(' before ', dayOf(event.data.before)),
      ),
    cleared: (event) => sentence('warn', actorOf(event), ' deleted all tasks', told(': ', event.data.tasks)),
    token_created: (event) =>
      sentence(
        'calm',
        actorOf(event),
        ` created token ${event.data.name ?? ''}`.trimEnd(),
        event.data.read_only === true ? ', which may only read' : undefined,
      ),
    token_revoked: (event) => sentence('calm', actorOf(event), ` revoked token ${event.data.name ?? ''}`.trimEnd()),
    browser_signed_in: (event) => sentence('calm', actorOf(event, 'A browser'), ' signed in'),
    browser_revoked: (event) =>
      sentence('calm', actorOf(event), [' signed out a browser', told(' of ', event.data.name)]),
    webhook_added: (event) => sentence('calm', actorOf(event), ` added webhook ${event.data.name ?? ''}`.trimEnd()),
    webhook_removed: (event) => sentence('calm', actorOf(event), ` removed webhook ${event.data.name ?? ''}`.trimEnd()),
    webhook_enabled: (event) => sentence('calm', actorOf(event), ` enabled webhook ${event.data.name ?? ''}`.trimEnd()),
    webhook_disabled: (event) =>
      sentence('bad', `Webhook ${event.data.name ?? ''}`.trimEnd(), ' was disabled', told(': ', event.data.why)),
    events_lost: (event) =>
      sentence('bad', `${event.data.kind === 'sink' ? 'Sink' : 'Webhook'} ${event.data.name ?? ''}`.trimEnd(), [
        ' had not got events that were deleted',
        told(': ', event.data.events),
      ]),
    ...acknowledgements,
  },
};

const dayOf = (ms: unknown): string | undefined =>
  typeof ms === 'number' ? new Date(ms).toISOString().slice(0, 10) : undefined;

/** A holder as data have it: `session:ID (worker ada)`. */
function holderIn(text: unknown) {
  if (typeof text !== 'string') return 'its worker';
  const [, holder = text, worker] = /^(\S+) \(worker (.+)\)$/s.exec(text) ?? [];
  return { of: worker === undefined ? holder : `loose:${worker}` };
}
