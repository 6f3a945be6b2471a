import { expect, it } from 'vitest';
import { serve } from '../serve.js';

const page = { answer: () => undefined };

it('a baton that was passed on while it was asked for is not there, and that is no error', async () => {
  const { send } = await serve({ page });
  const call = async (tool: string, input: object) =>
    (await send('POST', `/api/tools/${tool}`, { body: JSON.stringify(input) })).data;
  const agents = [
    { agent_type: 'researcher' },
    { agent_type: 'analyzer', parallel: true },
    { agent_type: 'formatter' },
  ];
  const { pipeline_id, baton_id } = await call('create_relay_pipeline', { name: 'r', goal: 'g', steps: agents });
  const ask = async (baton: string) => {
    const input = encodeURIComponent(JSON.stringify({ pipeline_id, baton_id: baton }));
    return send('GET', `/api/page/relay_baton?input=${input}`);
  };
  const { status, data } = await ask(baton_id);
  expect(status).toBe(200);
  // Of steps beside each other the one that was asked for.
  expect(data.held).toMatchObject({
    success: true,
    baton: { baton_id },
    prompt: expect.stringContaining('researcher'),
  });
  const scores = { quality_score: 1, l_score: 1, tokens_used: 1, output: 'Bread costs 4.' };
  expect(await call('advance_relay', { pipeline_id, baton_id, ...scores })).toMatchObject({ success: true });
  expect(await ask(baton_id)).toMatchObject({ status: 200, data: {} });
});
