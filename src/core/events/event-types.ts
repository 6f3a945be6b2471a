/** A person has seen that it needs one, or wants to be shown it again. */
const acknowledgements = ['acknowledged', 'acknowledgement_undone'] as const;

/**
 * Every kind of event that the program records, by what it is about; types are in the past tense. `recordEvent` takes no
 * other. A kind that was once released stays.
 */
export const eventTypes = {
  goal: [
    'created',
    'edited',
    'completed',
    'cancelled',
    'reopened',
    'run_started',
    'run_paused',
    'run_resumed',
    'run_ended',
    ...acknowledgements,
  ],
  task: [
    'created',
    'edited',
    'claimed',
    'released',
    'lapsed',
    'completed',
    'failed',
    'cancelled',
    'skipped',
    'reopened',
    'decomposed',
    'verified',
    'note',
    'worktree_made',
    'worktree_kept',
    'worktree_merged',
    'worktree_discarded',
    'worktree_removed',
    ...acknowledgements,
  ],
  session: ['started', 'ended', 'lost'],
  slot: ['claimed', 'released', 'lapsed'],
  message: ['sent', 'read', ...acknowledgements],
  path: ['reserved', 'released', 'lapsed'],
  job: [
    'submitted',
    'started',
    'completed',
    'failed',
    'cancelled',
    'died',
    'retrying',
    'postponed',
    'requeued',
    'cancel_requested',
    'worktree_made',
    'worktree_kept',
    'worktree_merged',
    'worktree_discarded',
    'worktree_removed',
    ...acknowledgements,
  ],
  runner: ['lost', 'worker_started', 'worker_ended', 'worker_lost'],
  breaker: [
    'call_failed',
    'failure_trip',
    'recovery',
    'half_open',
    'manual_trip',
    'manual_reset',
    'configured',
    ...acknowledgements,
  ],
  relay: [
    'created',
    'baton_handed_over',
    'baton_waiting',
    'approval_asked',
    'step_approved',
    'step_passed',
    'step_sent_back',
    'step_failed',
    'retried',
    'budget_changed',
    'restarted',
    'completed',
    'cancelled',
    'run_started',
    'run_ended',
    ...acknowledgements,
  ],
  server: ['tools_changed', 'tools_accepted', 'scaled', 'given_up'],
  tool: ['routed'],
  schedule: ['created', 'edited', 'paused', 'resumed', 'deleted', 'fired', 'skipped', 'failed', ...acknowledgements],
  runtime: [
    'template_saved',
    'template_deleted',
    'purged',
    'cleared',
    'token_created',
    'token_revoked',
    'browser_signed_in',
    'browser_revoked',
    'webhook_added',
    'webhook_removed',
    'webhook_disabled',
    'webhook_enabled',
    'events_lost',
    ...acknowledgements,
  ],
} as const satisfies Record<string, readonly string[]>;

export type Acknowledgement = (typeof acknowledgements)[number];

export type EventSubject = keyof typeof eventTypes;
export type EventType<Subject extends EventSubject = EventSubject> = (typeof eventTypes)[Subject][number];

/** What an event is about, and its type. */
export type EventKind = {
  [Subject in EventSubject]: { subject: Subject; type: EventType<Subject> };
}[EventSubject];

export const eventSubjects = Object.keys(eventTypes) as [EventSubject, ...EventSubject[]];

/** Every kind of event as patterns name it, such as `task.completed`. */
export const eventKinds: readonly string[] = eventSubjects.flatMap((subject) =>
  eventTypes[subject].map((type) => `${subject}.${type}`),
);
