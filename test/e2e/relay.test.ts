import { expect, it, onTestFinished } from 'vitest';
import { startAnthropicServer } from '../fixtures/models/anthropic-server.js';
import { eventually } from '../support/eventually.js';
import { connectServer } from '../support/mcp-client.js';
import { tempDir } from '../support/temp-dir.js';

it('the example of the relay race protocol, call for call, has the shapes that it promises', async () => {
  const server = await connectServer({ home: tempDir() });
  const pipeline = await server.ok('create_relay_pipeline', {
    name: 'Research Analysis',
    goal: 'Analyze competitor pricing strategies',
    agent_types: ['researcher', 'analyzer', 'synthesizer', 'validator'],
    token_budget: 100000,
  });
  expect(pipeline).toMatchObject({
    success: true,
    pipeline_id: expect.any(String),
    name: 'Research Analysis',
    goal: 'Analyze competitor pricing strategies',
    agent_count: 4,
    agents: ['researcher', 'analyzer', 'synthesizer', 'validator'],
    token_budget: 100_000,
  });
  const { pipeline_id } = pipeline;
  const advance = (more: object = {}) =>
    server.ok('advance_relay', {
      pipeline_id,
      quality_score: 0.85,
      l_score: 0.9,
      output_entity_id: 123,
      tokens_used: 5000,
      output_summary: 'Found 5 competitors with detailed pricing data',
      ...more,
    });
  const first = await server.ok('get_relay_baton', { pipeline_id });
  expect(first).toMatchObject({ success: true, baton: { sequence_position: 1 }, prompt: expect.any(String) });

  expect(await advance()).toMatchObject({
    success: true,
    next_step: 2,
    total_steps: 4,
    next_baton: {
      pipeline_id,
      sequence_position: 2,
      total_agents: 4,
      input_key: `relay_${pipeline_id}_step0_researcher`,
      input_summary: 'Found 5 competitors with detailed pricing data',
      input_entity_id: 123,
      output_key: `relay_${pipeline_id}_step1_analyzer`,
      expected_output_type: 'analysis',
      quality_threshold: 0.7,
      l_score_threshold: 0.3,
      max_output_tokens: 5000,
      remaining_budget: 95_000,
      tokens_used: 0,
      source_chain: [123],
      l_score_chain: [0.9],
      derivation_method: 'inference',
      retry_count: 0,
      max_retries: 3,
      fallback_agent: null,
      passed_at: null,
    },
  });
  // A gate that is not passed is an answer, not an error.
  expect(await advance({ quality_score: 0.2 })).toMatchObject({
    success: false,
    status: 'quality_gate_failed',
    quality_score: 0.2,
    l_score: 0.9,
    step_index: 1,
    retries_left: 3,
  });
  const none = await server.call('get_relay_baton', { pipeline_id });
  expect([none.isError, none.data.code]).toEqual([true, 'conflict']);
  expect(none.data.message).toContain('No active baton found');
  expect(await server.ok('retry_relay_step', { pipeline_id, step_index: 1 })).toMatchObject({
    success: true,
    baton: { retry_count: 1 },
    retry_count: 1,
  });
  await advance();
  await advance();
  expect(await advance()).toEqual({
    success: true,
    status: 'pipeline_completed',
    message: 'All steps completed successfully',
  });

  const status = await server.ok('get_relay_status', { pipeline_id });
  expect(status).toMatchObject({
    success: true,
    pipeline_id,
    status: 'completed',
    quality_scores: [0.85, 0.85, 0.85, 0.85],
    l_scores: [0.9, 0.9, 0.9, 0.9],
    average_quality: 0.85,
    average_l_score: 0.9,
    progress_percent: 100,
    tokens_used: 25_000,
    final_entity_id: 123,
  });
  expect(status.results.length + (status.results_left_out ?? 0)).toBe(5);
  expect(JSON.stringify(status).length).toBeLessThan(1_500);
  const whole = await server.ok('get_relay_status', { pipeline_id, fields: 'full' });
  expect(whole.results).toHaveLength(5);
  expect(Object.keys(whole.agents[0])).toEqual(
    expect.arrayContaining([
      'agent_id',
      'agent_type',
      'task_template',
      'expected_output_type',
      'max_tokens',
      'quality_threshold',
      'fallback_agent',
      'capabilities',
    ]),
  );
  // Not the raw columns beside the parsed ones.
  expect(Object.keys(whole).filter((key) => key.endsWith('_json'))).toEqual([]);
  const list = await server.ok('list_relay_pipelines', { status: 'COMPLETED' });
  expect(list).toMatchObject({ success: true, count: 1, pipelines: [{ pipeline_id, progress_percent: 100 }] });
});

it('of two servers that advance the same step at once exactly one wins, ten times over', async () => {
  const home = tempDir();
  const [one, two] = await Promise.all([connectServer({ home }), connectServer({ home })]);
  const steps = Array.from({ length: 10 }, (_, index) => ({ agent_type: `agent_${index}` }));
  const { pipeline_id } = await one.ok('create_relay_pipeline', { name: 'Race', goal: 'Win', steps });
  const scores = { quality_score: 0.9, l_score: 0.9, tokens_used: 1 };
  for (let step = 0; step < 10; step++) {
    const { baton } = await one.ok('get_relay_baton', { pipeline_id });
    const output = `step ${step}`;
    const advance = { pipeline_id, baton_id: baton.baton_id, output, ...scores };
    const replies = await Promise.all([one.call('advance_relay', advance), two.call('advance_relay', advance)]);
    expect(replies.filter((reply) => !reply.isError)).toHaveLength(1);
    expect(replies.find((reply) => reply.isError)?.data.code).toBe('conflict');
  }
  const { results, status } = await two.ok('get_relay_status', { pipeline_id, fields: 'full' });
  expect(status).toBe('completed');
  expect(results.map((result: { output: string }) => result.output)).toEqual(steps.map((_, index) => `step ${index}`));
});

it('of two servers that do not name the baton, only its holder advances', async () => {
  const home = tempDir();
  const [one, two] = await Promise.all([connectServer({ home }), connectServer({ home })]);
  const { pipeline_id } = await one.ok('create_relay_pipeline', { name: 'Race', goal: 'Win', preset: 'deep' });
  const advance = { pipeline_id, quality_score: 0.9, l_score: 0.9, tokens_used: 1, output: 'Done.' };
  const replies = await Promise.all([two.call('advance_relay', advance), one.call('advance_relay', advance)]);
  expect(replies.map((reply) => reply.isError)).toEqual([true, false]);
  expect(replies[0]?.data.code).toBe('conflict');
});

it('bad input names the value, and nothing is stored', async () => {
  const server = await connectServer({ home: tempDir() });
  const base = { name: 'R', goal: 'G' };
  const refused = async (tool: string, input: object) => {
    const { isError, data } = await server.call(tool, { ...input });
    expect([isError, data.code]).toEqual([true, 'invalid']);
    return `${data.message} ${data.hint}`;
  };
  expect(await refused('create_relay_pipeline', base)).toContain(
    'agent_types, preset (quick, standard, deep) and steps',
  );
  expect(await refused('create_relay_pipeline', { ...base, agent_types: [] })).toContain('1 to 50');
  expect(await refused('create_relay_pipeline', { ...base, agent_types: Array(200).fill('analyzer') })).toContain(
    '200',
  );
  expect(await refused('create_relay_pipeline', { ...base, agent_types: ['llm:anthropic'] })).toContain(
    'llm:anthropic',
  );
  expect(await refused('create_relay_pipeline', { ...base, preset: 'deep', token_budget: 0 })).toContain(
    'token_budget',
  );
  const output_schema = { type: 'object', requiered: ['price'] };
  expect(
    await refused('create_relay_pipeline', { ...base, steps: [{ agent_type: 'analyzer', output_schema }] }),
  ).toContain('requiered');
  expect((await server.ok('list_relay_pipelines')).count).toBe(0);

  const { pipeline_id } = await server.ok('create_relay_pipeline', { ...base, preset: 'quick' });
  const advance = { pipeline_id, quality_score: 0.9, l_score: 0.9, tokens_used: 1 };
  expect(await refused('advance_relay', { ...advance, quality_score: 1.1 })).toContain('quality_score');
  expect(await refused('advance_relay', { ...advance, l_score: -0.1 })).toContain('l_score');
  expect(await refused('advance_relay', { ...advance, tokens_used: -5 })).toContain('tokens_used');
  expect(await refused('retry_relay_step', { pipeline_id, step_index: 3 })).toContain('0 to 2');
  expect((await server.ok('get_relay_status', { pipeline_id })).results).toEqual([]);
});

it('a relay of fifty steps and long texts stays small enough to read, unless all of it is asked for', async () => {
  const server = await connectServer({ home: tempDir() });
  const steps = Array.from({ length: 50 }, () => ({ agent_type: 'researcher', instructions: 'x'.repeat(2_000) }));
  const { pipeline_id } = await server.ok('create_relay_pipeline', { name: 'Long', goal: 'g'.repeat(50_000), steps });
  for (let step = 0; step < 20; step++) {
    const advance = { pipeline_id, quality_score: 0.9, l_score: 0.9, tokens_used: 1, output: 'o'.repeat(50_000) };
    const reply = await server.call('advance_relay', advance);
    expect(reply.text.length).toBeLessThan(6_000);
  }
  const status = await server.call('get_relay_status', { pipeline_id });
  expect(status.text.length).toBeLessThan(1_500);
  expect(status.data.results.length + status.data.results_left_out).toBe(20);
  expect((await server.call('get_relay_status', { pipeline_id, fields: 'full' })).data.results).toHaveLength(20);
  const usual = await server.call('get_relay_baton', { pipeline_id });
  expect(usual.text.length).toBeLessThan(20_000);
  expect(usual.data.prompt).toContain('[42000 more characters; pass max_chars]');
  const baton = await server.call('get_relay_baton', { pipeline_id, max_chars: 100_000 });
  expect(baton.data.prompt).toContain('o'.repeat(50_000));
});

it('a relay that a session has run is waited for by another one, after a kill -9 of the first', async () => {
  let answer = () => {};
  const hold = new Promise<void>((resolve) => {
    answer = resolve;
  });
  const provider = await startAnthropicServer({
    reply: ({ prompt }) =>
      prompt.startsWith('Judge the output') ? '{"quality_score": 0.9, "l_score": 0.8, "reason": "Good."}' : 'Done.',
    hold,
  });
  onTestFinished(() => provider.close());
  const env = { ANTHROPIC_API_KEY: 'sk-ant-test-0123456789', ANTHROPIC_BASE_URL: provider.url };
  const home = tempDir();
  const first = await connectServer({ home, env });
  const { pipeline_id } = await first.ok('create_relay_pipeline', { name: 'R', goal: 'G', preset: 'quick' });
  const run = await first.ok('run_relay', { pipeline_id });
  expect(run).toMatchObject({ success: true, pipeline_id, run_id: expect.any(String), status: 'in_progress' });
  process.kill(first.pid, 'SIGKILL');
  const second = await connectServer({ home, env });
  expect(await second.ok('run_relay', { pipeline_id })).toMatchObject({ run_id: run.run_id, already_running: true });
  answer();
  const status = await second.ok('get_relay_status', { pipeline_id, wait_seconds: 50 });
  expect(status).toMatchObject({
    status: 'completed',
    progress_percent: 100,
    run: { run_id: run.run_id, running: false },
  });
  expect(provider.requests).toHaveLength(6);
});

it('a running relay is cancelled with its job, and the model call with it', async () => {
  const provider = await startAnthropicServer({ script: [{ silent: true }] });
  onTestFinished(() => provider.close());
  const env = { ANTHROPIC_API_KEY: 'sk-ant-test-0123456789', ANTHROPIC_BASE_URL: provider.url };
  const server = await connectServer({ home: tempDir(), env });
  const { pipeline_id } = await server.ok('create_relay_pipeline', { name: 'R', goal: 'G', preset: 'quick' });
  const { run_id } = await server.ok('run_relay', { pipeline_id });
  await eventually('the model was asked', () => provider.requests.length === 1);
  expect(await server.ok('cancel_relay_pipeline', { pipeline_id })).toEqual({
    success: true,
    pipeline_id,
    status: 'cancelled',
  });
  expect((await server.ok('check_task_status', { task_id: run_id })).status).toBe('cancelled');
  expect(provider.requests[0]?.isAborted).toBe(true);
});
