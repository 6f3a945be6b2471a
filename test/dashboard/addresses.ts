import { readFileSync } from 'node:fs';
import type { Page } from 'playwright-core';
import type { SampleIds } from './sample-home.js';

/** The addresses of a page whose home is the sample: every view, and one of each kind of thing. */
export function addressesOf(ids: SampleIds): { name: string; path: string }[] {
  const things: Record<string, string> = {
    'board-list': '/board?view=list',
    task: `/board/task/${ids.task}`,
    goal: `/goals/${ids.goal}`,
    'workers-day': '/workers?window=1440',
    'jobs-failed': '/jobs?status=failed',
    job: `/jobs/${ids.job}`,
    'job-failed': `/jobs/${ids.failedJob}`,
    'job-retried': `/jobs/${ids.retriedJob}`,
    relay: `/relays/${ids.relay}`,
    'relay-failed': `/relays/${ids.failedRelay}`,
    breaker: '/breakers/tool%3Asearch',
    'metrics-day': '/trends?window=1440',
    nowhere: '/nosuch',
  };
  return [
    ...viewNames().map((name) => ({ name, path: `/${name}` })),
    ...Object.entries(things).map(([name, path]) => ({ name, path })),
  ];
}

/** As the navigation has them. The list itself needs a browser. */
function viewNames(): string[] {
  const list = readFileSync('src/dashboard/views/index.ts', 'utf8');
  return [...list.matchAll(/\{ name: '([\w-]+)'/g)].flatMap(([, name]) => name ?? []);
}

/** Resolves when the view has what it reads. */
export const untilRead = (page: Page): Promise<void> =>
  page.locator('main:has(> :nth-child(2)):not(:has(.skeleton))').waitFor();
