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

  it('have steps beside each other, and steps that a person approves or sends back', async () => {
    const { page, call, problems } = await openJobs('/relays');
    const { pipeline_id, baton_id } = await call('create_relay_pipeline', {
      name: 'Prices of bread',
      goal: 'Compare them',
      steps: [
        { agent_type: 'researcher', approval: true },
        { agent_type: 'analyzer', parallel: true },
        { agent_type: 'formatter' },
      ],
    });
    const advance = (baton: string, output: string) =>
      call('advance_relay', { pipeline_id, baton_id: baton, quality_score: 0.9, l_score: 0.9, tokens_used: 9, output });
    await advance(baton_id, evil);
    await page.goto(new URL('/now', page.url()).href);
    await page.getByText('Step that waits for you').waitFor();
    await page
      .getByRole('link', { name: /Prices of bread/ })
      .first()
      .click();
    const step = (number: number) => page.locator('.step').nth(number - 1);
    await step(2).getByText('beside step 1').waitFor();
    await expectGoodLooks(page, 'relay-approval');
    await step(1).getByRole('button', { name: 'Send back' }).click();
    await page.getByLabel('What should be different').fill('Name the sources');
    await page.getByRole('dialog').getByRole('button', { name: 'Send back' }).click();
    await step(1).getByText('retry 1').waitFor();

    const again = await call('get_relay_baton', { pipeline_id, step_index: 0 });
    expect(again.prompt).toContain('A person sent it back: Name the sources');
    await advance(again.baton.baton_id, 'Bread costs 4.');
    const other = await call('get_relay_baton', { pipeline_id, step_index: 1 });
    await advance(other.baton.baton_id, 'Bread costs 5.');
    await step(1).getByRole('button', { name: 'Approve' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Approve' }).click();
    await step(3).getByText('In progress').waitFor();
    expect((await call('get_relay_baton', { pipeline_id })).prompt).toContain('Bread costs 5.');
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
    await page.getByLabel('What the next attempt should do differently').fill('Ask more shops');
    await expectGoodLooks(page, 'relay-retry');
    await page.getByRole('dialog').getByRole('button', { name: 'Retry' }).click();
    await step(1).getByText('retry 1').waitFor();
    await page.getByText('The prompt of step 1').click();
    await page.getByText('Ask more shops').first().waitFor({ state: 'attached' });

    const output = { table: [evil] };
    await call('advance_relay', { ...relay, quality_score: 0.9, l_score: 0.8, tokens_used: 1_200, output });
    await step(1).getByText('attempt 2 passed').waitFor();
    await step(1).getByText('Compare with attempt 1').click();
    await step(1).locator('.difference .removed').getByText('outcome: failed').waitFor();
    await step(1).locator('.difference .added').getByText('quality: 0.9').waitFor();
    await step(1).getByText('Compare with attempt 1').click();
    await step(1).getByText('Output').last().click();
    await step(1).getByRole('button', { name: 'As written' }).click();
    expect(await step(1).locator('details[open] .passage').textContent()).toBe(JSON.stringify(output, null, 2));
    expect(await page.locator('main img').count()).toBe(0);
    await step(2).getByText('in progress').waitFor();
    await step(2).getByText('fallback: generalist').waitFor();
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
    await page.getByRole('button', { name: 'Run', exact: true }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Run', exact: true }).click();
    await page.locator('.particulars').getByText('completed').waitFor();
    await page.locator('.particulars').getByText('2 of 2 passed').waitFor();
    await page.locator('.particulars').getByText('0.9 on average').waitFor();
    await open('/relays');
    await page.getByText('2 of 2 steps passed').waitFor();
    await expectGoodLooks(page, 'relays');
    expect(problems).toEqual([]);
  });

  it('are created from a template of standard agents and advanced by hand, step by step', async () => {
    const { page, runtime, problems } = await openPage('/relays');
    await page.getByRole('button', { name: 'New relay' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByRole('button', { name: 'quick, 3 steps' }).click();
    await expect.poll(() => dialog.getByLabel('Agent', { exact: true }).count()).toBe(3);
    await dialog.getByLabel('Name', { exact: true }).fill(`${evil} \u202E\u05D0\u05D1`);
    await dialog.getByLabel('Goal', { exact: true }).fill('Bread '.repeat(300));
    await dialog.getByRole('button', { name: 'Remove steps 3' }).click();
    await dialog.getByLabel('Quality threshold').nth(1).fill('0.9');
    await dialog.getByLabel('Agent', { exact: true }).nth(1).fill('no agent!');
    await dialog.getByRole('button', { name: 'Create' }).click();
    await dialog
      .locator('.field', { has: page.getByLabel('Agent', { exact: true }) })
      .locator('.problem')
      .waitFor();
    await dialog.getByLabel('Agent', { exact: true }).nth(1).fill('poet');
    await expectGoodLooks(page, 'relay-new');
    await dialog.getByRole('button', { name: 'Create' }).click();
    const step = (number: number) => page.locator('.step').nth(number - 1);
    await step(2).getByText('poet').waitFor();

    const handIn = async (number: number, output: string, quality: string) => {
      await step(number).getByRole('button', { name: 'Hand in output' }).click();
      await dialog.getByLabel('Output', { exact: true }).fill(output);
      await dialog.getByLabel('Quality score').fill(quality);
      await dialog.getByLabel('L-score').fill('0.8');
      await dialog.getByLabel('Tokens used').fill('50');
      await dialog.getByRole('button', { name: 'Hand in' }).click();
      await expect.poll(() => dialog.count()).toBe(0);
    };
    await handIn(1, evil, '0.9');
    await step(1).getByText('attempt 1 passed').waitFor();
    await step(2).getByText('in progress').waitFor();
    for (let attempt = 1; attempt <= 4; attempt++) {
      await handIn(2, 'A bad verse', '0.2');
      await step(2).getByText(`attempt ${attempt} failed`).waitFor();
      if (attempt === 4) break;
      await step(2).getByRole('button', { name: 'Retry' }).click();
      await dialog.getByRole('button', { name: 'Retry' }).click();
      await step(2).getByText(`retry ${attempt}`, { exact: true }).waitFor();
    }
    // The reason stands once, and what could only be refused is not offered.
    await expect.poll(() => step(2).getByText('for the same reason').count()).toBe(3);
    expect(await step(2).locator('.bad.passage, .passage.bad, .bad .passage').count()).toBe(1);
    expect(await step(2).getByRole('button', { name: 'Retry' }).count()).toBe(0);
    await step(1).getByRole('button', { name: 'Restart from here' }).waitFor();
    const main = (await page.locator('main').textContent()) ?? '';
    expect(main).not.toMatch(/step 0|step: 0|l score/i);
    expect(main).toMatch(/step 2 of relay/i);

    await page.getByRole('button', { name: 'Budget' }).click();
    await dialog.getByLabel('Tokens for all steps').fill('123456');
    await dialog.getByRole('button', { name: 'Change' }).click();
    await page.locator('.particulars').getByText('of 123,456').waitFor();
    await expectGoodLooks(page, 'relay-by-hand');
    expect(await page.locator('main img').count()).toBe(0);
    expect(await runtime.relays.list({ limit: 5 })).toHaveLength(1);
    expect(problems.filter((problem) => !problem.includes('400'))).toEqual([]);
  });

  it('show the job of the step at work, its time and its output as it comes', async () => {
    const { page, open, call, models, problems } = await openJobs('/relays');
    models.script.push({ pieces: ['The price of bread', ' is rising'], ending: 'hang' });
    const { pipeline_id } = await call('create_relay_pipeline', {
      name: 'Live',
      goal: 'Watch',
      agent_types: ['researcher', 'formatter'],
    });
    await call('run_relay', { pipeline_id });
    await open(`/relays/${pipeline_id}`);
    const work = page.locator('.step').first().locator('.at-work');
    await work.getByText('The price of bread is rising').waitFor();
    await work
      .getByText(/\d+ (ms|s)$/)
      .first()
      .waitFor();
    await expectGoodLooks(page, 'relay-live');
    expect(await page.getByRole('button', { name: 'Hand in output' }).count()).toBe(0);
    await work.getByRole('link', { name: 'Job' }).click();
    await page.locator('.job-head').waitFor();
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
