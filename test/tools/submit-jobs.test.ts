import { expect, it } from 'vitest';
import { contextOf, runTool } from '../../src/tools/call/run-tool.js';
import { findTool } from '../../src/tools/index.js';
import { session } from '../core/jobs/queue.js';
import { testRuntime } from '../support/test-runtime.js';

const job = { type: 'generic', payload: {}, run_at: '2099-01-01T00:00:00Z' };

it.each([
  [
    'an unknown argument',
    { ...job, foo: 1 },
    /^Unknown argument "jobs\[1\]\.foo" of submit_jobs \(got 1\)\. jobs\[1\] takes: type, /,
  ],
  ['a wrong value', { ...job, max_attempts: 'many' }, /^jobs\[1\]\.max_attempts: expected .*\(got "many"\)/],
  ['a missing one', { payload: {} }, /^jobs\[1\]\.type is missing/],
])('of several jobs, %s is named with its place, and nothing is submitted', async (_, wrong, message) => {
  const runtime = await testRuntime();
  const submitting = runTool(findTool('submit_jobs'), { jobs: [job, wrong] }, contextOf(runtime, session));
  await expect(submitting).rejects.toMatchObject({ code: 'invalid', message: expect.stringMatching(message) });
  expect(await runtime.jobs.list({ limit: 10 })).toEqual([]);
});
