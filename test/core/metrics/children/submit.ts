// Submits and cancels COUNT jobs on the database in HOME, without starting anything.

import { silentLog } from '../../../../src/base/log.js';
import { readConfig } from '../../../../src/config.js';
import { openRuntime } from '../../../../src/runtime.js';
import { jobStoreOf } from '../../../support/job-store.js';

const [home = '', count = '0'] = process.argv.slice(2);
const runtime = await openRuntime({ config: readConfig({}, { ...process.env, HOME: home }), log: silentLog });
const store = jobStoreOf(runtime);
const actor = { holder: null, project: '' };
for (let job = 0; job < Number(count); job++) {
  const submitted = await store.submit({ type: 'generic', payload: {} }, actor);
  await store.cancel(submitted.job.id, actor);
  runtime.metrics.countToolCall('get_task', 'ok');
}
// What is left at a close is written only if no other process is writing then.
await runtime.metrics.flush();
runtime.close();
