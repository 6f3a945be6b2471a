import { expect, it } from 'vitest';
import { startRawServer } from '../support/raw-client.js';
import { tempDir } from '../support/temp-dir.js';

it('a server answers others while a check by a schema takes its second', async () => {
  const server = startRawServer({ home: tempDir() });
  await server.initialize();
  const call = (name: string, args: object) => server.request('tools/call', { name, arguments: args });
  const step = { agent_type: 'coder', instructions: 'Do it.', output_schema: { type: 'string', pattern: '^(a+)+$' } };
  const created = await call('create_relay_pipeline', { name: 'r', goal: 'g', steps: [step] });
  const pipeline_id = created.result.structuredContent.pipeline_id;
  let isChecked = false;
  const advanced = call('advance_relay', {
    pipeline_id,
    output: `${'a'.repeat(40)}!`,
    quality_score: 1,
    l_score: 1,
    tokens_used: 1,
  }).finally(() => {
    isChecked = true;
  });
  let pings = 0;
  while (!isChecked) {
    await server.request('ping');
    if (!isChecked) pings++;
  }
  expect(JSON.stringify(await advanced)).toContain('took longer than 1000 ms');
  expect(pings).toBeGreaterThan(5);
});
