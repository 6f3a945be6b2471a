import pg from 'pg';
import { expect, onTestFinished, test } from 'vitest';
import { nameSession } from '../../../src/core/coordination/sessions.js';
import { writeLock } from '../../../src/store/postgres/transaction.js';
import { newPostgresUrl, postgresPort } from '../../support/postgres.js';
import { testRuntime } from '../../support/test-runtime.js';

test.runIf(postgresPort)(
  'heartbeats, tasks, breakers, messages and sums of calls wait for nobody who writes other rows',
  async () => {
    const url = newPostgresUrl();
    const { tasks, sessions, metrics, goals, breakers, messages } = await testRuntime({
      env: { AGENT_RUNTIME_DB_URL: url },
    });
    const session = nameSession({ project: '' });
    const goal = await goals.create({ name: 'Goal', description: '' }, session);
    await tasks.create([{ title: 'One' }, { title: 'Two' }], session);

    // Another process in the middle of a transaction beside others.
    const other = new pg.Client(url);
    await other.connect();
    onTestFinished(() => other.end());
    await other.query('begin');
    await other.query(`select pg_advisory_xact_lock_shared(${writeLock})`);

    await sessions.begin(session, { project: '' });
    const task = await tasks.claimNext({}, {}, session);
    await sessions.heartbeat(session);
    await tasks.updateStatus({ task: task?.id ?? 0, status: 'completed', claimToken: task?.claimToken }, session);
    await tasks.create([{ title: 'Three', goalId: goal.id }], session);
    await breakers.acquire('llm:anthropic');
    await breakers.recordFailure('llm:anthropic', { type: 'timeout', message: 'Nothing came.' });
    await breakers.recordSuccess('llm:anthropic');
    await messages.send({ to: 'all', subject: 'Done', body: 'One is done.' }, session);
    metrics.countToolCall('get_task', 'ok');
    await metrics.flush();
    const { rows } = await other.query("select status from tasks where title = 'One'");
    expect(rows).toEqual([{ status: 'completed' }]);
  },
);
