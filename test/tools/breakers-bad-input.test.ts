import { expect, it } from 'vitest';
import { connectServer } from '../support/mcp-client.js';
import { tempDir } from '../support/temp-dir.js';

const failure = { agent_id: 'a', failure_type: 'timeout', error_message: 'No answer in 60 s' };

/** Calls that are refused, and what the refusal says. */
const refused: [tool: string, args: Record<string, unknown>, message: RegExp][] = [
  ['circuit_breaker_status', {}, /agent_id is missing: expected text/],
  ['circuit_breaker_status', { agent_id: '  ' }, /agent_id: Too small/],
  ['circuit_breaker_acquire', { agent_id: 'x'.repeat(201) }, /agent_id: Too big/],
  ['circuit_breaker_acquire', { agent_id: 'a', call_seconds: 0 }, /call_seconds: Too small.*\(got 0\)/],
  ['circuit_breaker_configure', { agent_id: 'a', failure_threshold: 0 }, /failure_threshold: Too small.*\(got 0\)/],
  [
    'circuit_breaker_configure',
    { agent_id: 'a', failure_threshold: 2.5 },
    /failure_threshold: expected whole number, 1 to 10000 \(got 2.5\)/,
  ],
  ['circuit_breaker_configure', { agent_id: 'a', window_seconds: 0 }, /window_seconds: Too small/],
  ['circuit_breaker_configure', { agent_id: 'a', cooldown_seconds: -1 }, /cooldown_seconds: Too small.*\(got -1\)/],
  ['circuit_breaker_configure', { agent_id: 'a', cooldown_seconds: 86_401 }, /cooldown_seconds: Too big/],
  ['circuit_breaker_configure', { agent_id: 'a', failure_rate_threshold: 1.1 }, /failure_rate_threshold: Too big/],
  ['circuit_breaker_configure', { agent_id: 'a', cooldown_factor: 0.5 }, /cooldown_factor: Too small/],
  [
    'circuit_breaker_configure',
    { agent_id: 'a', failure_weights: { timeout: -1 } },
    /failure_weights.timeout: Too small/,
  ],
  [
    'circuit_breaker_configure',
    { agent_id: 'a', failure_weights: { slow: 1 } },
    /Unknown argument "failure_weights.slow".*failure_weights takes: timeout/,
  ],
  ['circuit_breaker_configure', { agent_id: 'a', fallback_agent: 'a' }, /a cannot stand in for itself/],
  [
    'circuit_breaker_record_failure',
    { ...failure, failure_type: 'bad_luck' },
    /failure_type: expected .*timeout.*bad_luck/,
  ],
  ['circuit_breaker_record_failure', { ...failure, retry_after_seconds: -1 }, /retry_after_seconds: Too small/],
  [
    'circuit_breaker_record_success',
    { agent_id: 'a', permit: 'nobody/1' },
    /The permit nobody\/1 of the breaker a is not valid/,
  ],
  ['circuit_breaker_events', { agent_id: 'a' }, /No breaker has the id "a"/],
  ['circuit_breaker_events', { agent_id: 'a', limit: 0 }, /limit: Too small/],
  ['circuit_breaker_list', { cursor: 'nobody' }, /"nobody" is not a cursor/],
];

it('what is wrong is named with what may be, and nothing is written', async () => {
  const server = await connectServer({ home: tempDir() });
  for (const [tool, args, message] of refused) {
    const reply = await server.call(tool, args);
    const call = `${tool} ${JSON.stringify(args)}`;
    expect(reply.isError, call).toBe(true);
    expect(reply.data.message, call).toMatch(message);
    expect(reply.data.hint, call).toBeTruthy();
    expect(await server.ok('circuit_breaker_list'), call).toMatchObject({ total_breakers: 0 });
  }
});

it('an agent that nobody has used yet has a closed breaker, and looking at it makes none', async () => {
  const server = await connectServer({ home: tempDir() });
  expect(await server.ok('circuit_breaker_status', { agent_id: 'nobody' })).toMatchObject({
    state: 'CLOSED',
    can_execute: true,
    created_at: null,
    recent_failures: [],
    config: { failure_threshold: 5, fallback_agent: 'generalist' },
  });
  expect(await server.ok('circuit_breaker_list')).toMatchObject({ total_breakers: 0, breakers: {} });
});

it('words and spaces are read as they are meant', async () => {
  const server = await connectServer({ home: tempDir() });
  await server.ok('circuit_breaker_record_failure', { ...failure, agent_id: ' a ', failure_type: 'TIMEOUT' });
  expect(await server.ok('circuit_breaker_status', { agent_id: 'a' })).toMatchObject({ total_failures: 1 });
});
