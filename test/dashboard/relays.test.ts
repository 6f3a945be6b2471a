import { expect, it } from 'vitest';
import { expectGoodLooks } from './looks.js';
import { openJobs } from './open-jobs.js';
import { describeInBrowser, openPage, savedJson } from './open-page.js';

const evil = '<img src=x onerror="document.title=1">';
const verdict = JSON.stringify({ quality_score: 0.9, l_score: 0.8, reason: 'Good.' });

describeInBrowser('the relays', () => {
  it('begin with the command that creates the first', async () => {
    const { page, problems } = await openPage('/relays');
    await page.getByText('No relays yet.').waitFor();
    await expectGoodLooks(page, 'relays-empty');
    await page.getByRole('button', { name: 'Failed' }).click();
    await page.getByText('No relay is failed.').waitFor();
    expect(problems).toEqual([]);
  });

  it('show each attempt with its scores beside the gates, as sessions hand the baton on', async () => {
    const { page, call, problems } = await openJobs('/relays');
    const { pipeline_id } = await call('create_relay_pipeline', {
      name: 'Prices of bread',
      goal: `Compare the prices of bread ${evil}`,
      steps: [
        { agent_type: 'researcher', instructions: 'Only shops of the town', quality_threshold: 0.7 },
        { agent_type: 'analyzer', fallback_agent: 'generalist' },
        { agent_type: 'formatter' },
      ],
    });
    const relay = { pipeline_id };
    await page.getByRole('link', { name: /Prices of bread/ }).click();
    await page.getByRole('heading', { name: 'Prices of bread' }).waitFor();
    await page.getByText('The prompt of step 1').click();
    await page.getByText('Only shops of the town').first().waitFor();

    await call('advance_relay', { ...relay, quality_score: 0.5, l_score: 0.9, tokens_used: 900, output: 'Too little' });
    const step = (number: number) => page.locator('.step').nth(number - 1);
    await step(1).getByText('attempt 1 failed').waitFor();
    await step(1).locator('.fact.bad', { hasText: 'quality' }).getByText('0.5').waitFor();
    await step(1).getByRole('button', { name: 'Retry' }).click();
    await page.getByLabel('What the next attempt should do otherwise').fill('Ask more shops');
    await expectGoodLooks(page, 'relay-retry');
    await page.getByRole('dialog').getByRole('button', { name: 'Retry' }).click();
    await step(1).getByText('retry 1').waitFor();
    await page.getByText('Ask more shops').first().waitFor({ state: 'attached' });

    const output = { table: [evil] };
    await call('advance_relay', { ...relay, quality_score: 0.9, l_score: 0.8, tokens_used: 1_200, output });
    await step(1).getByText('attempt 2 passed').waitFor();
    await step(1).getByText('Output').last().click();
    await step(1).getByRole('button', { name: 'As written' }).click();
    expect(await step(1).locator('details[open] .passage').textContent()).toBe(JSON.stringify(output, null, 2));
    expect(await page.locator('main img').count()).toBe(0);
    await step(2).getByText('in progress').waitFor();
    await step(2).getByText('stands in: generalist').waitFor();
    await page.locator('.particulars').getByText('2,100').waitFor();
    await expectGoodLooks(page, 'relay');

    await step(1).getByRole('button', { name: 'Restart from here' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Restart from here' }).click();
    await step(1).getByText('set aside by a restart').waitFor();

    await page.getByRole('button', { name: 'Cancel relay' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Cancel relay' }).click();
    await page.locator('.particulars').getByText('cancelled').waitFor();
    expect(await page.locator('main button:not(.reader button, .tools button)').count()).toBe(0);
    expect(await savedJson(page)).toContain(pipeline_id);
    expect(problems).toEqual([]);
  });

  it('are run by models to their end, while the page follows', async () => {
    const { page, open, call, problems } = await openJobs('/relays', {
      reply: ({ prompt }) => (prompt.startsWith('Judge the output') ? verdict : 'What was asked for.'),
    });
    const { pipeline_id } = await call('create_relay_pipeline', {
      name: 'By itself',
      goal: 'Explain leap years',
      agent_types: ['researcher', 'formatter'],
    });
    await open(`/relays/${pipeline_id}`);
    await page.getByRole('button', { name: 'Run it' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Run it' }).click();
    await page.locator('.particulars').getByText('completed').waitFor();
    await page.locator('.particulars').getByText('2 of 2 passed').waitFor();
    await page.locator('.particulars').getByText('0.9 on average').waitFor();
    await open('/relays');
    await page.getByText('2 of 2 steps passed').waitFor();
    await expectGoodLooks(page, 'relays');
    expect(problems).toEqual([]);
  });

  it('cannot be changed by who may only look', async () => {
    const { page, open, runtime, problems } = await openPage('/relays', { isReadOnly: true });
    const { pipeline } = await runtime.relays.create(
      { name: 'Look', goal: 'Only look', agentTypes: ['researcher'], tokenBudget: 1_000 },
      { holder: null, project: '' },
    );
    await open(`/relays/${pipeline.id}`);
    await page.getByText('The prompt of step 1').waitFor();
    await page.getByText('read-only').waitFor();
    expect(await page.locator('main button:not(.reader button, .tools button)').count()).toBe(0);
    expect(problems).toEqual([]);
  });
});
