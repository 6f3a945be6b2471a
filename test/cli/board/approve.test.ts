import { expect, it } from 'vitest';
import { boardCli } from './board-cli.js';

it('steps of relays that wait for a person are listed, let pass and sent back in the terminal', async () => {
  const cli = boardCli();
  const steps = [{ agent_type: 'researcher', approval: true }, { agent_type: 'formatter' }];
  const { pipeline_id: id, baton_id } = await cli.tool('create_relay_pipeline', { name: 'Prices', goal: 'g', steps });
  const advance = (baton: string) =>
    cli.tool('advance_relay', {
      pipeline_id: id,
      baton_id: baton,
      quality_score: 0.9,
      l_score: 0.9,
      tokens_used: 10,
      output: 'Prices\nfall.',
    });
  expect((await cli.run(['approve'])).json()).toEqual({ waiting: [] });
  expect((await cli.run(['approve', id])).stderr).toContain(`No step of relay ${id} waits for a person.`);
  expect(await advance(baton_id)).toMatchObject({ status: 'awaiting_approval', message: expect.stringContaining(id) });

  expect((await cli.run(['approve'])).json().waiting).toMatchObject([
    { relay: id, name: 'Prices', step: 0, agent: 'researcher', output: 'Prices fall.' },
  ]);
  expect((await cli.run(['approve', id, '--feedback', 'x'])).code).not.toBe(0);
  expect((await cli.run(['approve', id, '--read-only'])).code).not.toBe(0);
  const back = await cli.run(['approve', id, '--send-back', '--feedback', 'Name sources.']);
  expect([back.code, back.stdout]).toEqual([0, 'Step 0 is sent back, and is to be done again.\n']);
  const again = await cli.tool('get_relay_baton', { pipeline_id: id });
  expect(again.prompt).toContain('A person sent it back: Name sources.');
  await advance(again.baton.baton_id);
  expect((await cli.run(['approve', id])).stdout).toBe('The step has passed.\n');
  expect((await cli.tool('get_relay_status', { pipeline_id: id })).current_step).toBe(1);
});
