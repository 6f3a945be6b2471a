import type { Need, NeedKind } from '../../http/page/attention.js';

/** What each kind of need is called: one of them, and several. */
export const needWords: Readonly<Record<NeedKind, { one: string; many: string }>> = {
  message: { one: 'Message to you', many: 'Messages to you' },
  approval: { one: 'Step that waits for you', many: 'Steps that wait for you' },
  dead_job: { one: 'Dead job', many: 'Dead jobs' },
  failed_job: { one: 'Failed job', many: 'Failed jobs' },
  failed_relay: { one: 'Failed relay', many: 'Failed relays' },
  failed_schedule: { one: 'Failed schedule', many: 'Failed schedules' },
  failed_task: { one: 'Failed task', many: 'Failed tasks' },
  failed_webhook: { one: 'Failing webhook', many: 'Failing webhooks' },
  held_breaker: { one: 'Breaker held open', many: 'Breakers held open' },
  spent_budget: { one: 'Budget spent', many: 'Budgets spent' },
  overdue_task: { one: 'Overdue task', many: 'Overdue tasks' },
  stale_claim: { one: 'Abandoned claim', many: 'Abandoned claims' },
  unread_answer: { one: 'Unread answer', many: 'Unread answers' },
};

const addresses: Readonly<Record<NeedKind, string>> = {
  message: '/messages',
  approval: '/relays/',
  dead_job: '/jobs/',
  failed_job: '/jobs/',
  failed_relay: '/relays/',
  failed_schedule: '/schedules',
  failed_task: '/board/task/',
  failed_webhook: '/settings',
  held_breaker: '/breakers/',
  spent_budget: '/goals/',
  overdue_task: '/board/task/',
  stale_claim: '/board/task/',
  unread_answer: '/jobs/',
};

/** Where a need is looked into. */
export function addressOfNeed({ kind, id }: Pick<Need, 'kind' | 'id'>): string {
  const start = addresses[kind];
  return start.endsWith('/') ? `${start}${encodeURIComponent(id)}` : start;
}
