import { expect, it } from 'vitest';
import { homeWithModules } from '../agents/modules/workshop.js';
import { expectGoodLooks } from './looks.js';
import { openJobs } from './open-jobs.js';
import { describeInBrowser } from './open-page.js';

const hostile = '\u202Egnp.\u05D0\u05D1 <img src=x onerror="document.title=1">';

describeInBrowser('the form of a job', () => {
  it('is made from the schema of its type, and says at the field what the agent refuses', async () => {
    const { page, runtime, problems } = await openJobs('/jobs');
    await page.getByRole('button', { name: 'New job' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel('Type').selectOption('backtest');
    await dialog.getByLabel('Strategy').selectOption('arbitrage');
    await dialog.getByLabel('Initial capital').fill('0.001');
    await dialog.getByLabel('Allow short').check();
    await dialog.getByRole('button', { name: 'Add tickers' }).click();
    await dialog.getByLabel('Tickers 1', { exact: true }).fill(hostile);
    await dialog.getByRole('button', { name: 'Submit' }).click();
    // The browser itself refuses a number out of bounds.
    expect(await dialog.locator('input:invalid').count()).toBeGreaterThan(0);
    await dialog.getByLabel('Initial capital').fill('5000');
    await dialog.getByRole('button', { name: 'Submit' }).click();
    const ticker = dialog.locator('.item', { has: page.getByLabel('Tickers 1', { exact: true }) });
    await ticker.locator('.problem').waitFor();
    expect(await dialog.getByLabel('Tickers 1', { exact: true }).getAttribute('aria-invalid')).toBe('true');
    expect(await runtime.jobs.list({ limit: 5 })).toEqual([]);
    await expectGoodLooks(page, 'job-form');
    await dialog.getByRole('button', { name: 'Remove tickers 1' }).click();
    await dialog.getByLabel('Ticker', { exact: true }).fill('AAPL,MSFT');
    await dialog.getByText('More options').click();
    await dialog.getByLabel('Max attempts').fill('1');
    await dialog.getByRole('button', { name: 'Submit' }).click();
    await page.locator('.job-head').getByText('Failed').waitFor();
    const [job] = await runtime.jobs.list({ limit: 1 });
    expect(job).toMatchObject({
      type: 'backtest',
      maxAttempts: 1,
      payload: { strategy: 'arbitrage', ticker: 'AAPL,MSFT', initial_capital: 5000, params: { allow_short: true } },
    });
    expect(problems.filter((problem) => !problem.includes('400'))).toEqual([]);
  });

  it('has a JSON field for what it cannot show otherwise, and submits only JSON of the right type', async () => {
    const { page, runtime, problems } = await openJobs('/jobs');
    await page.getByRole('button', { name: 'New job' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel('Type').selectOption('generic');
    const payload = dialog.getByLabel('Payload');
    await payload.fill('[1');
    await dialog.getByText('This is not JSON').waitFor();
    await dialog.getByRole('button', { name: 'Submit' }).click();
    await payload.fill('[1]');
    await dialog.getByText('This is array, but object is expected.').waitFor();
    await dialog.getByRole('button', { name: 'Submit' }).click();
    expect(await runtime.jobs.list({ limit: 5 })).toEqual([]);
    await payload.fill(JSON.stringify({ note: hostile }));
    await dialog.getByRole('button', { name: 'Submit' }).click();
    await page.locator('.job-head').getByText('Completed').waitFor();
    expect((await runtime.jobs.list({ limit: 1 }))[0]?.payload).toEqual({ note: hostile });

    await page.getByRole('button', { name: 'Run a copy' }).click();
    await payload.fill('{"note": "changed"}');
    await dialog.getByRole('button', { name: 'Submit' }).click();
    await page.locator('.job-title').getByText('changed').waitFor();
    await page.locator('.job-head').getByText('Completed').waitFor();
    const jobs = await runtime.jobs.list({ limit: 5 });
    expect(jobs.map((job) => job.payload)).toEqual([{ note: 'changed' }, { note: hostile }]);
    expect(await page.locator('main img').count()).toBe(0);
    expect(problems).toEqual([]);
  });

  it('repeats a completed task of a model with another prompt', async () => {
    const { page, open, ask, ended, models, problems } = await openJobs('/jobs');
    const id = await ask('Say hello');
    await ended(id);
    await open(`/jobs/${id}`);
    await page.getByRole('button', { name: 'Run a copy' }).click();
    expect(await page.getByLabel('Prompt').inputValue()).toBe('Say hello');
    await page.getByLabel('Prompt').fill('Say goodbye');
    await page.getByRole('button', { name: 'Submit' }).click();
    await page.getByRole('heading', { name: 'Say goodbye' }).waitFor();
    await page.locator('.job-head').getByText('Completed').waitFor();
    expect(models.requests).toHaveLength(2);
    expect(problems).toEqual([]);
  });

  it('of a module of the user shows its definitions, nested lists and what its own schema refuses', async () => {
    const schema = {
      $defs: { stop: { type: 'object', properties: { city: { type: 'string', maxLength: 80 } }, required: ['city'] } },
      type: 'object',
      properties: { stops: { type: 'array', items: { $ref: '#/$defs/stop' } }, mode: { enum: ['fast', 7] } },
      required: ['stops'],
    };
    const home = homeWithModules({
      'route.mjs': `const check = (value) =>
        value.stops.length < 2 ? { issues: [{ message: 'needs two stops', path: ['stops'] }] }
        : value.stops[1].city === 'Nowhere' ? { issues: [{ message: 'is no city', path: ['stops', 1, 'city'] }] }
        : { value };
      export default { type: 'route', description: 'Finds a route', payload: { '~standard': { version: 1, vendor: 'own',
        validate: check, jsonSchema: { input: () => (${JSON.stringify(schema)}) } } },
        execute: async (job) => ({ result: job.payload }) };`,
    });
    const { page, runtime, problems } = await openJobs('/jobs', {}, home);
    await page.getByRole('button', { name: 'New job' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel('Type').selectOption('route');
    await dialog.getByRole('button', { name: 'Add stops' }).click();
    await dialog.getByLabel('City').fill('Bern');
    await dialog.getByRole('button', { name: 'Submit' }).click();
    await dialog.getByText('needs two stops').waitFor();
    await dialog.getByRole('button', { name: 'Add stops' }).click();
    await dialog.getByLabel('City').nth(1).fill('Nowhere');
    await dialog.getByLabel('Mode').selectOption('7');
    await dialog.getByRole('button', { name: 'Submit' }).click();
    await dialog.locator('.group .group', { hasText: 'Stops 2' }).getByText('is no city').waitFor();
    await dialog.getByLabel('City').nth(1).fill(hostile);
    await dialog.getByRole('button', { name: 'Submit' }).click();
    await page.locator('.job-head').getByText('Completed').waitFor();
    const [job] = await runtime.jobs.list({ limit: 1 });
    expect(job?.payload).toEqual({ stops: [{ city: 'Bern' }, { city: hostile }], mode: 7 });
    expect(problems.filter((problem) => !problem.includes('400'))).toEqual([]);
  });
});
