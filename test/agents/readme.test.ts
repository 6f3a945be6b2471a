import { expect, it } from 'vitest';
import { readmeBlocks } from '../library/consumer.js';
import { connectServer } from '../support/mcp-client.js';
import { homeWithModules } from './modules/workshop.js';

/** Fails once at item 250, with the README's checkpoint before its work; returns the items that each attempt measured. */
const resuming = (checkpoint: string) => `
  import { readFile } from 'node:fs/promises';
  import { AgentError, defineAgent } from 'agent-runtime-mcp';
  import { z } from 'zod';

  export default defineAgent({
    type: 'resuming',
    description: 'Sums numbers, and fails on the way at first.',
    payload: z.object({ items: z.array(z.int()) }),
    async execute(job, context) {
      const { items } = job.payload;
      let measured = 0;
      const measure = async (item) => {
        if (job.attempt === 1 && item === 250) throw new AgentError('FLAKY', 'Not this time.', true);
        measured++;
        return item;
      };
      ${checkpoint}
      return { sum: state.sum, measured };
    },
  });`;

it('an agent with the checkpoints of the README resumes where the last one was saved', async () => {
  const [, checkpoint = ''] = readmeBlocks('src/agents/README.md', 'Writing an agent', 'js');
  const server = await connectServer({ home: homeWithModules({ 'resuming.mjs': resuming(checkpoint) }) });
  const items = Array.from({ length: 300 }, (_, index) => index);
  const { job_id } = await server.ok('submit_job', { type: 'resuming', payload: { items } });
  await server.ok('wait_for_tasks', { task_ids: [job_id] });
  const job = await server.ok('get_job_status', { job_id });
  expect(job).toMatchObject({ status: 'completed', result: { sum: (299 * 300) / 2, measured: 100 } });
});
