import { describe, expect, it } from 'vitest';
import { type ConnectedServer, connectServer } from '../support/mcp-client.js';
import { tempDir } from '../support/temp-dir.js';

const failure = (agent_id: string) => ({ agent_id, failure_type: 'timeout', error_message: 'No answer in 60 s' });

async function fail(server: ConnectedServer, agent_id: string, times: number) {
  let last: Awaited<ReturnType<ConnectedServer['ok']>>;
  for (let count = 0; count < times; count++)
    last = await server.ok('circuit_breaker_record_failure', failure(agent_id));
  return last;
}

/** A server with a breaker that is half open at once when it has failed, as it has no cooldown. */
async function withHalfOpen(agent_id: string, more = {}): Promise<ConnectedServer> {
  const server = await connectServer({ home: tempDir() });
  await server.ok('circuit_breaker_configure', { agent_id, failure_threshold: 1, cooldown_seconds: 0, ...more });
  await fail(server, agent_id, 1);
  return server;
}

describe('the tools of the earlier server', () => {
  it('take its parameters and give its keys, from the first failure to the recovery', async () => {
    const server = await connectServer({ home: tempDir() });
    const agent_id = 'researcher';
    const configured = await server.ok('circuit_breaker_configure', {
      agent_id,
      failure_threshold: 2,
      window_seconds: 60,
      cooldown_seconds: 300,
      fallback_agent: 'generalist',
    });
    expect(configured).toMatchObject({
      success: true,
      agent_id,
      config: {
        failure_threshold: 2,
        window_seconds: 60,
        cooldown_seconds: 300,
        fallback_agent: 'generalist',
        half_open_max_calls: 3,
        success_threshold: 2,
      },
    });

    expect(await server.ok('circuit_breaker_record_failure', failure(agent_id))).toEqual({
      success: true,
      agent_id,
      failure_recorded: true,
      old_state: 'CLOSED',
      new_state: 'CLOSED',
      tripped: false,
    });
    expect(await fail(server, agent_id, 1)).toMatchObject({ old_state: 'CLOSED', new_state: 'OPEN', tripped: true });

    const status = await server.ok('circuit_breaker_status', { agent_id });
    expect(status).toMatchObject({
      agent_id,
      state: 'OPEN',
      failure_count: 2,
      success_count: 0,
      half_open_calls: 0,
      total_failures: 2,
      total_successes: 0,
      trip_count: 1,
      can_execute: false,
      last_success_time: null,
      reason: 'timeout: No answer in 60 s',
      config: configured.config,
    });
    expect(status.time_until_trial).toBeGreaterThan(200);
    expect(status.time_until_trial).toBeLessThanOrEqual(300);
    expect(Date.parse(status.cooldown_until) - Date.parse(status.last_failure_time)).toBe(300_000);
    expect(status.recent_failures).toHaveLength(2);
    expect(status.recent_failures[1]).toEqual({
      failure_id: expect.stringMatching(/^[0-9a-f]{12}$/),
      agent_id,
      failure_type: 'timeout',
      error_message: 'No answer in 60 s',
      timestamp: status.last_failure_time,
      context: {},
    });

    const list = await server.ok('circuit_breaker_list');
    expect(list).toMatchObject({ total_breakers: 1, open_circuits: [agent_id], half_open_circuits: [] });
    expect(list.breakers).toEqual({
      researcher: {
        state: 'OPEN',
        can_execute: false,
        failure_count: 2,
        trip_count: 1,
        cooldown_until: status.cooldown_until,
        reason: 'timeout: No answer in 60 s',
      },
    });
    const { recent_failures: _, ...whole } = status;
    const full = await server.ok('circuit_breaker_list', { fields: 'full' });
    expect(full.breakers.researcher).toEqual({ ...whole, time_until_trial: expect.any(Number) });

    expect(await server.ok('circuit_breaker_reset', { agent_id })).toEqual({
      success: true,
      agent_id,
      action: 'reset',
      old_state: 'OPEN',
      new_state: 'CLOSED',
    });
    const tripped = await server.ok('circuit_breaker_trip', { agent_id });
    expect(tripped).toEqual({
      success: true,
      agent_id,
      action: 'trip',
      old_state: 'CLOSED',
      new_state: 'OPEN',
      reason: 'manual intervention',
      cooldown_until: expect.any(String),
    });

    const { event_count, events } = await server.ok('circuit_breaker_events', { agent_id });
    expect(event_count).toBe(4);
    expect(events.map((event: Record<string, string>) => [event.event_type, event.from_state, event.to_state])).toEqual(
      [
        ['manual_trip', 'CLOSED', 'OPEN'],
        ['manual_reset', 'OPEN', 'CLOSED'],
        ['failure_trip', 'CLOSED', 'OPEN'],
        ['configured', 'CLOSED', 'CLOSED'],
      ],
    );
    expect(events[3].reason).toBe('failure_threshold 5 -> 2');
    expect((await server.ok('circuit_breaker_events', { agent_id, limit: 1 })).events).toEqual([events[0]]);
  });

  it('recover a half-open breaker by successes, without permits too', async () => {
    const server = await withHalfOpen('researcher', { cooldown_seconds: 0 });
    const agent_id = 'researcher';
    expect(await server.ok('circuit_breaker_record_success', { agent_id })).toEqual({
      success: true,
      agent_id,
      success_recorded: true,
      old_state: 'HALF_OPEN',
      new_state: 'HALF_OPEN',
      recovered: false,
    });
    expect(await server.ok('circuit_breaker_status', { agent_id })).toMatchObject({ success_count: 1 });
    expect(await server.ok('circuit_breaker_record_success', { agent_id })).toMatchObject({
      old_state: 'HALF_OPEN',
      new_state: 'CLOSED',
      recovered: true,
    });
  });
});

describe('asking before a call', () => {
  it('names who may work instead, having asked that breaker too, and how long to wait otherwise', async () => {
    const server = await connectServer({ home: tempDir() });
    expect(await server.ok('circuit_breaker_acquire', { agent_id: 'researcher' })).toEqual({
      agent_id: 'researcher',
      allowed: true,
      state: 'CLOSED',
    });
    await server.ok('circuit_breaker_configure', { agent_id: 'researcher', fallback_agent: 'analyzer' });
    await fail(server, 'researcher', 5);
    await fail(server, 'analyzer', 5);
    const asked = await server.ok('circuit_breaker_acquire', { agent_id: 'researcher' });
    expect(asked).toMatchObject({ allowed: false, state: 'OPEN', fallback_agent: 'generalist' });
    expect(asked.asked).toEqual(['researcher', 'analyzer', 'generalist']);
    expect(asked.retry_after_seconds).toBeGreaterThan(100);
    await server.ok('circuit_breaker_configure', { agent_id: 'analyzer', fallback_agent: '' });
    const nobody = await server.ok('circuit_breaker_acquire', { agent_id: 'researcher' });
    expect(nobody).not.toHaveProperty('fallback_agent');
    expect(nobody.asked).toEqual(['researcher', 'analyzer']);
  });

  it('lets a counted number of probes through over all sessions, each with a permit that counts once', async () => {
    const agent_id = 'researcher';
    const home = tempDir();
    const [here, there] = await Promise.all([connectServer({ home }), connectServer({ home })]);
    const rules = { failure_threshold: 1, cooldown_seconds: 0, half_open_max_calls: 2, fallback_agent: '' };
    await here.ok('circuit_breaker_configure', { agent_id, ...rules });
    await fail(there, agent_id, 1);
    const replies = await Promise.all(
      [here, there, here, there].map((server) => server.ok('circuit_breaker_acquire', { agent_id })),
    );
    const permits = replies.flatMap(({ permit }) => permit ?? []);
    expect(permits).toHaveLength(2);
    expect(replies.filter(({ allowed }) => !allowed)).toEqual(
      Array(2).fill({ agent_id, allowed: false, state: 'HALF_OPEN', retry_after_seconds: 5 }),
    );

    const [first, second] = permits;
    await there.ok('circuit_breaker_record_success', { agent_id, permit: first });
    const again = await here.call('circuit_breaker_record_success', { agent_id, permit: first });
    expect(again.data).toMatchObject({ code: 'conflict', hint: expect.stringContaining('Nothing was recorded') });
    expect(again.data.message).toContain(first);
    expect(await here.ok('circuit_breaker_status', { agent_id })).toMatchObject({
      state: 'HALF_OPEN',
      success_count: 1,
      total_successes: 1,
      half_open_calls: 1,
    });
    expect(await here.ok('circuit_breaker_record_success', { agent_id, permit: second })).toMatchObject({
      recovered: true,
    });
  });

  it('a permit of another breaker, or of nobody, records nothing', async () => {
    const server = await withHalfOpen('researcher');
    const { permit } = await server.ok('circuit_breaker_acquire', { agent_id: 'researcher' });
    for (const spent of [permit, 'session:x/0123456789ab']) {
      const reply = await server.call('circuit_breaker_record_failure', { ...failure('analyzer'), permit: spent });
      expect(reply.data.code).toBe('conflict');
    }
    expect(await server.ok('circuit_breaker_list')).toMatchObject({ total_breakers: 1 });
    expect(await server.ok('circuit_breaker_status', { agent_id: 'researcher' })).toMatchObject({ half_open_calls: 1 });
  });

  it('a probe that nobody reports on is free again when its call must be over', async () => {
    const server = await withHalfOpen('researcher', { half_open_max_calls: 1, fallback_agent: '' });
    const lost = await server.ok('circuit_breaker_acquire', { agent_id: 'researcher', call_seconds: 5 });
    expect(lost.allowed).toBe(true);
    expect((await server.ok('circuit_breaker_acquire', { agent_id: 'researcher' })).allowed).toBe(false);
    await expect
      .poll(async () => (await server.ok('circuit_breaker_acquire', { agent_id: 'researcher' })).allowed)
      .toBe(true);
    const late = await server.call('circuit_breaker_record_success', { agent_id: 'researcher', permit: lost.permit });
    expect(late.data.code).toBe('conflict');
  });
});

describe('a breaker that is tripped with hold', () => {
  it('stays open until it is reset, and everybody can see it', async () => {
    const server = await connectServer({ home: tempDir() });
    const agent_id = 'llm:anthropic';
    const reason = 'The invoice is not paid';
    await server.ok('circuit_breaker_configure', { agent_id, cooldown_seconds: 0 });
    expect(await server.ok('circuit_breaker_trip', { agent_id, reason, hold: true })).toMatchObject({
      new_state: 'OPEN',
      reason,
      cooldown_until: null,
      held: true,
    });
    expect(await server.ok('circuit_breaker_acquire', { agent_id })).toEqual({
      agent_id,
      allowed: false,
      state: 'OPEN',
    });
    expect(await server.ok('circuit_breaker_status', { agent_id })).toMatchObject({
      held: true,
      reason,
      time_until_trial: null,
    });
    const { all } = await server.ok('runtime_status');
    expect(all.open_breakers).toEqual([{ id: agent_id, state: 'OPEN', held: true }]);
    await server.ok('circuit_breaker_reset', { agent_id });
    expect(await server.ok('circuit_breaker_acquire', { agent_id })).toMatchObject({ allowed: true });
    expect((await server.ok('runtime_status')).all).not.toHaveProperty('open_breakers');
  });
});

it('runtime_status calls a breaker half open once its cooldown is over', async () => {
  const server = await withHalfOpen('researcher');
  expect((await server.ok('runtime_status')).all.open_breakers).toEqual([{ id: 'researcher', state: 'HALF_OPEN' }]);
});

describe('rules beyond those of the earlier server', () => {
  it('a failure rate opens it', async () => {
    const server = await connectServer({ home: tempDir() });
    const agent_id = 'a';
    const rules = { failure_threshold: 1_000, failure_rate_threshold: 0.5, minimum_calls: 4 };
    await server.ok('circuit_breaker_configure', { agent_id, ...rules });
    for (let count = 0; count < 2; count++) await server.ok('circuit_breaker_record_success', { agent_id });
    expect(await fail(server, agent_id, 1)).toMatchObject({ tripped: false });
    expect(await fail(server, agent_id, 1)).toMatchObject({ tripped: true });
    const off = await server.ok('circuit_breaker_configure', { agent_id, failure_rate_threshold: 0 });
    expect(off.config).toMatchObject({ failure_rate_threshold: null, minimum_calls: 4, failure_threshold: 1_000 });
  });

  it('a limited rate keeps it open as long as was asked for, and weights and growing cooldowns are kept', async () => {
    const server = await connectServer({ home: tempDir() });
    const agent_id = 'a';
    const { config } = await server.ok('circuit_breaker_configure', {
      agent_id,
      cooldown_seconds: 1,
      cooldown_factor: 2,
      max_cooldown_seconds: 60,
      failure_weights: { rate_limited: 5, quality_failure: 0 },
    });
    expect(config).toMatchObject({
      cooldown_factor: 2,
      max_cooldown_seconds: 60,
      failure_weights: { rate_limited: 5, quality_failure: 0 },
    });
    await server.ok('circuit_breaker_record_failure', {
      agent_id,
      failure_type: 'rate_limited',
      error_message: '429',
      retry_after_seconds: 3_600,
    });
    const status = await server.ok('circuit_breaker_status', { agent_id });
    expect(status.state).toBe('OPEN');
    expect(status.time_until_trial).toBeGreaterThan(3_500);
  });
});

it('jobs of a type whose breaker is open wait for it, and run when it lets them', async () => {
  const server = await connectServer({ home: tempDir() });
  const agent_id = 'job:generic';
  await server.ok('circuit_breaker_configure', { agent_id, cooldown_seconds: 10, success_threshold: 1 });
  await server.ok('circuit_breaker_trip', { agent_id, reason: 'a test' });
  const { job_id } = await server.ok('submit_job', { type: 'generic', payload: { note: 'x' } });
  await server.ok('wait_for_tasks', { task_ids: [job_id], timeout_seconds: 60 });
  expect(await server.ok('get_job_status', { job_id })).toMatchObject({ status: 'completed' });
  const { events } = await server.ok('get_events', { subject: 'job', subject_id: job_id });
  expect(events.map((event: { type: string }) => event.type)).toEqual([
    'completed',
    'postponed',
    'started',
    'submitted',
  ]);
  expect(await server.ok('circuit_breaker_status', { agent_id })).toMatchObject({
    state: 'CLOSED',
    half_open_calls: 0,
  });
});

it('many breakers are listed in pages', async () => {
  const server = await connectServer({ home: tempDir() });
  const ids = Array.from({ length: 60 }, (_, index) => `agent-${String(index).padStart(2, '0')}`);
  for (const agent_id of ids) await server.ok('circuit_breaker_trip', { agent_id, reason: 'x'.repeat(300) });
  const seen: string[] = [];
  let cursor: string | undefined;
  do {
    const reply = await server.call('circuit_breaker_list', cursor ? { cursor } : {});
    expect(Object.keys(reply.data.breakers).length).toBeLessThanOrEqual(20);
    expect(reply.data.open_circuits).toEqual(ids);
    seen.push(...Object.keys(reply.data.breakers));
    cursor = reply.data.next_cursor;
  } while (cursor);
  expect(seen).toEqual(ids);
});

it('a server that only reads offers only what reads', async () => {
  const server = await connectServer({ home: tempDir(), env: { AGENT_RUNTIME_READ_ONLY: '1' } });
  const { tools } = await server.client.listTools();
  expect(tools.map(({ name }) => name).filter((name) => name.startsWith('circuit_'))).toEqual([
    'circuit_breaker_status',
    'circuit_breaker_list',
    'circuit_breaker_events',
  ]);
  expect((await server.call('circuit_breaker_status', { agent_id: 'a' })).data.state).toBe('CLOSED');
});

it('the toolset can be chosen by its name', async () => {
  const server = await connectServer({ home: tempDir(), env: { AGENT_RUNTIME_TOOLSETS: 'breakers' } });
  const { tools } = await server.client.listTools();
  expect(tools.map(({ name }) => name)).toHaveLength(9);
});
