import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { expectGoodLooks } from './looks.js';
import { openJobs, writePrices } from './open-jobs.js';
import { describeInBrowser, openPage } from './open-page.js';

const nobody = { holder: null, project: '' };
const evil = '<img src=x onerror="document.title=1"><script>document.title=2</script>';

describeInBrowser('the jobs', () => {
  it('begin with the command that submits the first', async () => {
    const { page, problems } = await openPage('/jobs');
    await page.getByText('Nothing runs in the background yet.').waitFor();
    expect(await page.locator('.empty code').textContent()).toContain('submit_background_task');
    await expectGoodLooks(page, 'jobs-empty');
    expect(problems).toEqual([]);
  });

  it('say what to set up when there is no model, and take a prompt when there is one', async () => {
    const bare = await openPage('/jobs', {}, { env: { PATH: '/nonexistent' } });
    await bare.page.getByRole('button', { name: 'New background task' }).click();
    await bare.page.getByText('Set ANTHROPIC_API_KEY.').waitFor();
    await expectGoodLooks(bare.page, 'jobs-no-model');

    const { page, models, problems } = await openJobs('/jobs');
    await page.getByRole('button', { name: 'New background task' }).click();
    await page.getByLabel('Prompt').fill('Count to three');
    await page.getByLabel('Model').fill('nobody:x');
    await page.getByRole('button', { name: 'Submit' }).click();
    await page.getByRole('dialog').getByRole('alert').waitFor();
    await page.getByLabel('Model').fill('');
    await page.getByRole('button', { name: 'Submit' }).click();
    await page.getByRole('heading', { name: 'Count to three' }).waitFor();
    await page.locator('.job-head').getByText('Completed').waitFor();
    await page.getByRole('heading', { name: 'Answer' }).waitFor();
    expect(models.requests).toHaveLength(1);
    expect(problems.filter((problem) => !problem.includes('400'))).toEqual([]);
  });

  it('are submitted, opened and cancelled with keys alone', async () => {
    const { page, models, runtime, problems } = await openJobs('/jobs');
    models.script.push({ silent: true });

    const press = async (...keys: string[]) => {
      for (const key of keys) await page.keyboard.press(key);
    };
    const isAt = (words: string) => expect.poll(() => page.evaluate('document.activeElement.textContent')).toBe(words);
    await page.getByRole('button', { name: 'New background task' }).focus();
    await press('Enter');
    await page.locator('dialog:modal').getByLabel('Prompt').waitFor();
    await press('Escape');
    await expect.poll(() => page.locator('dialog').count()).toBe(0);
    await isAt('New background task');
    await press('Enter');
    // The form opens with its first field at hand.
    await page.locator('dialog:modal textarea:focus').waitFor();
    await page.keyboard.type('By keys');
    // Past the model and the way out, to what submits.
    await press('Tab', 'Tab', 'Tab');
    await isAt('Submit');
    await press('Enter');
    await page.getByRole('heading', { name: 'By keys' }).waitFor();
    await page.locator('.job-head').getByText('Running').waitFor();
    await page.getByRole('button', { name: 'Cancel job' }).focus();
    await press('Enter');
    await isAt('Keep it');
    await press('Tab');
    await isAt('Cancel job');
    await press('Enter');
    await page.locator('.job-head').getByText('Cancelled', { exact: true }).waitFor();
    const [job] = await runtime.jobs.list({ limit: 1 });
    expect(job).toMatchObject({ status: 'cancelled', payload: { prompt: 'By keys' } });
    expect(problems).toEqual([]);
  });

  it('of a sweep are compared, with their curves and by conditions', async () => {
    const { page, open, call, ended, problems } = await openJobs('/jobs');
    const { sweep, jobs } = await call('submit_jobs', {
      jobs: [{ type: 'ml_experiment', payload: { dataset: 'iris', epochs: 20, batch_size: 60 } }],
      grid: { learning_rate: [0.0001, 0.05] },
    });
    for (const { job_id } of jobs) await ended(job_id);
    await open(`/jobs/${jobs[0].job_id}`);
    await page.getByRole('link', { name: 'Compare' }).click();
    const rows = page.locator('table.jobs tbody tr');
    await expect.poll(() => rows.count()).toBe(2);
    expect(page.url()).toContain(sweep);
    expect(await rows.first().textContent()).toMatch(/0\.05.*★/);
    expect(await page.locator('figure.chart .legend span').count()).toBe(2);
    await expectGoodLooks(page, 'jobs-compared');
    await page.getByLabel('Only where').fill('learning_rate<0.01');
    await page.getByLabel('Only where').press('Enter');
    await expect.poll(() => rows.count()).toBe(1);
    await page.getByLabel('Only where').fill('learning_rat<1');
    await page.getByLabel('Only where').press('Enter');
    await page.getByText('None of these jobs has learning_rat.').waitFor();
    expect(problems.filter((problem) => !problem.includes('400'))).toEqual([]);
  });

  it('show the answer as it streams in, without a reload', async () => {
    const { page, open, ask, ended, models, problems } = await openJobs('/jobs');
    const pieces = Array.from({ length: 24 }, (_, i) => `word${i} `);
    const id = await ask('Tell a story', { pieces, delayMs: 150, heldAt: 12 });
    await open(`/jobs/${id}`);
    await page.evaluate('window.stays = true');
    const output = page.locator('.passage.writing');
    await output.getByText('word2 ').waitFor();
    const early = await output.textContent();
    expect(early).not.toContain('word23');
    await expectGoodLooks(page, 'job-streaming');
    models.letGo();
    await ended(id);
    await page.getByRole('heading', { name: 'Answer' }).waitFor();
    await page.locator('.passage').first().getByText('word23').waitFor();
    expect(await page.locator('.passage').first().textContent()).toBe(pieces.join('').trim());
    await page.locator('.particulars').getByText('in,').waitFor();
    expect(await page.evaluate('window.stays')).toBe(true);
    expect(problems).toEqual([]);
  });

  it('are read by a person who opens them, and stay unread for the session that waits for them', async () => {
    const { page, open, ask, ended, runtime } = await openJobs('/jobs');
    const ofPerson = await ask('Say hello');
    const ofSession = await ask('Say goodbye');
    for (const id of [ofPerson, ofSession]) await ended(id);
    await runtime.db.run("update jobs set submitted_by = 'session:gone' where id = ?", ofSession);
    await open('/now');
    await page.getByRole('link', { name: 'Jobs 2 need you' }).waitFor();
    await open('/jobs?only=unread');
    await page.getByText('Say hello').waitFor();
    for (const id of [ofPerson, ofSession]) {
      await open(`/jobs/${id}`);
      await page.getByRole('heading', { name: 'Answer' }).waitFor();
      await page.locator('.badge.unread').waitFor({ state: 'detached' });
    }
    await page.getByRole('link', { name: /^Jobs \d/ }).waitFor({ state: 'detached' });
    expect((await runtime.jobs.get(ofPerson)).isRead).toBe(true);
    expect((await runtime.jobs.get(ofSession)).isRead).toBe(false);
    await open('/jobs?only=unread');
    await page.getByText('No job matches.').waitFor();
  });

  it('tell the output of an earlier attempt from that of the one under way', async () => {
    const { page, open, ask, models, problems } = await openJobs('/jobs');
    models.script.push({ pieces: ['The first '], ending: 'error', status: 529 }, { pieces: ['Anew'], heldAt: 0 });
    const id = await ask('Tell it again');
    await open(`/jobs/${id}`);
    await page.getByText('of an earlier attempt').waitFor();
    await page.locator('.passage').first().getByText('The first').waitFor();
    models.letGo();
    await expect.poll(() => page.locator('.passage').first().textContent()).toBe('Anew');
    await page.getByText('of an earlier attempt').waitFor({ state: 'detached' });
    expect(problems).toEqual([]);
  });

  it('stand still while the page is paused, and catch up', async () => {
    const { page, open, ask, ended, models } = await openJobs('/jobs');
    const pieces = Array.from({ length: 20 }, (_, i) => `word${i} `);
    const id = await ask('Go on', { pieces, delayMs: 100, heldAt: 10 });
    await open(`/jobs/${id}`);
    await page.locator('.passage.writing').getByText('word1 ').waitFor();
    await page.getByRole('button', { name: 'Live' }).click();
    await page.getByRole('button', { name: 'Paused' }).waitFor();
    const output = page.locator('.passage').first();
    expect(await output.textContent()).not.toContain('word19');
    const held = await output.textContent();
    models.letGo();
    await ended(id);
    expect(await output.textContent()).toBe(held);
    await page.getByRole('button', { name: 'Paused' }).click();
    await output.getByText('word19').waitFor();
  });

  it('that are dead are found, and say what they wait for', async () => {
    const { page, call, runtime, problems } = await openJobs('/jobs');
    const run_at = new Date(Date.now() + 3_600_000).toISOString();
    const { job_id } = await call('submit_job', { type: 'generic', payload: { note: 'lost' }, run_at });
    await runtime.db.run("update jobs set status = 'failed', is_dead = 1, crashes = 3 where id = ?", job_id);
    await call('submit_job', { type: 'generic', payload: { note: 'well' }, run_at });
    await page.getByRole('button', { name: 'Dead 1' }).click();
    await page.getByRole('link', { name: 'note=lost' }).click();
    await page.getByText('Its process was lost 3 times.').waitFor();
    await page.getByRole('button', { name: 'Retry' }).waitFor();
    expect(problems).toEqual([]);
  });

  it('are cancelled after a question, and run again with another model', async () => {
    const { page, open, ask, runtime, problems } = await openJobs('/jobs');
    const id = await ask('Take your time', { silent: true });
    await open(`/jobs/${id}`);
    await page.locator('.job-head').getByText('Running').waitFor();
    await page.getByRole('button', { name: 'Cancel job' }).click();
    await page.getByRole('button', { name: 'Keep it' }).click();
    expect(await runtime.jobs.status(id)).toBe('running');
    await page.getByRole('button', { name: 'Cancel job' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Cancel job' }).click();
    await page.locator('.job-head').getByText('Cancelled').waitFor();

    await page.getByRole('button', { name: 'Retry' }).click();
    await page.getByLabel('Model').fill('claude-haiku-4-5');
    await expectGoodLooks(page, 'job-retry');
    await page.getByRole('dialog').getByRole('button', { name: 'Retry' }).click();
    await page.locator('.particulars').getByText('claude-haiku-4-5').waitFor();
    expect((await runtime.jobs.get(id)).requestedModel).toBe('claude-haiku-4-5');
    expect(problems).toEqual([]);
  });

  it('are compared attempt by attempt: how each ran, its error and its output', async () => {
    const { page, open, ask, ended, call, models, problems } = await openJobs('/jobs');
    const text = Array.from({ length: 12 }, (_, line) => `line ${line}\n`);
    models.script.push(
      { pieces: [...text, 'broken off'], ending: 'error', status: 529 },
      { pieces: [...text, 'the end'], ending: 'error', status: 400 },
      { pieces: [...text, 'another end'] },
    );
    const id = await ask('Count the lines');
    await ended(id);
    await call('retry_task', { task_id: id, model: 'claude-haiku-4-5' });
    await ended(id);
    await open(`/jobs/${id}`);
    const attempt = (number: number) => page.locator('.attempts > li').nth(number - 1);
    await attempt(2).getByText('Compare with attempt 1').click();
    const diff = (of: number, title: string) =>
      attempt(of)
        .locator('section', { has: page.getByRole('heading', { name: title }) })
        .locator('pre');
    await diff(2, 'Output').waitFor();
    expect((await diff(2, 'Output').textContent())?.split('\n')).toEqual([
      '… 9 equal lines',
      '  line 9',
      '  line 10',
      '  line 11',
      '- broken off',
      '+ the end',
      '',
    ]);
    expect(await diff(2, 'Error').textContent()).toMatch(/^- .*\n\+ /);
    await attempt(3).getByText('Compare with attempt 2').click();
    await diff(3, 'Output').waitFor();
    expect(await diff(3, 'Output').textContent()).toContain('- the end\n+ another end\n');
    expect(await diff(3, 'How it ran').textContent()).toMatch(
      /- outcome: failed\n[\s\S]*\+ outcome: completed\n\+ model: claude-haiku-4-5/,
    );
    await expectGoodLooks(page, 'job-attempts-compared');
    expect(problems).toEqual([]);
  });

  it('have a log of which one sees a level, or the lines with a word', async () => {
    const { page, open, call, runtime, problems } = await openJobs('/jobs');
    const run_at = new Date(Date.now() + 3_600_000).toISOString();
    const { job_id } = await call('submit_job', { type: 'generic', payload: {}, run_at });
    const log = { debug: 'looked', info: 'began', warn: 'slow disk', error: 'no disk' };
    for (const [level, message] of Object.entries(log)) {
      await runtime.db.run(
        'insert into job_logs (job_id, at, level, message) values (?, 0, ?, ?)',
        job_id,
        level,
        message,
      );
    }
    await open(`/jobs/${job_id}`);
    await page.locator('.log summary').click();
    const lines = page.locator('.log li');
    await expect.poll(() => lines.count()).toBe(4);
    await page.getByLabel('Level').selectOption('Warnings and errors');
    await expect.poll(() => lines.allTextContents()).toHaveLength(2);
    await page.getByLabel('Find in the log').fill('NO');
    await expect.poll(() => lines.allTextContents()).toEqual([expect.stringContaining('no disk')]);
    await page.getByText('1 of 4').waitFor();
    expect(problems).toEqual([]);
  });

  it('that failed show why, and each attempt', async () => {
    const { page, open, call, models } = await openJobs('/jobs');
    models.script.push({ status: 529 }, { status: 400, message: 'Not like this' });
    const { task_id } = await call('submit_background_task', { task_description: 'Fail', max_attempts: 2 });
    await open(`/jobs/${task_id}`);
    await page.locator('.job-head').getByText('Failed').waitFor();
    await page.locator('.passage.bad').getByText('Not like this').waitFor();
    expect(await page.locator('.attempts li').count()).toBe(2);
    await expectGoodLooks(page, 'job-failed');
  });

  it('draw a backtest against buy and hold, and a training epoch by epoch', async () => {
    const { page, open, call, ended, runtime, problems } = await openJobs('/jobs');
    writePrices(runtime.config.dataDir, 'ACME');
    const backtest = await call('submit_job', {
      type: 'backtest',
      payload: { strategy: 'momentum', ticker: 'ACME', start_date: '2015-06-01', end_date: '2016-05-31', plot: true },
    });
    const training = await call('submit_job', { type: 'ml_experiment', payload: { model: 'neural', epochs: 30 } });
    await ended(backtest.job_id);
    await open(`/jobs/${backtest.job_id}`);
    const { result } = (await runtime.jobs.get(backtest.job_id)) as unknown as {
      result: Record<string, [string, number][]>;
    };
    const chart = page.getByRole('img', { name: /^Equity\. Strategy: from/ });
    await chart.waitFor();
    expect(await chart.locator('path').count()).toBe(2);
    const way = await chart.locator('path').first().getAttribute('d');
    expect(way?.split('L')).toHaveLength(result.equity_curve?.length ?? 0);
    await page.getByText('As a table').click();
    const row = page.getByRole('region', { name: 'Equity as a table' }).locator('tbody tr').last();
    const shown = (value: number | undefined) => value?.toLocaleString('en-US', { maximumFractionDigits: 2 });
    const [day, equity] = result.equity_curve?.at(-1) ?? [];
    const [, held] = result.benchmark_curve?.at(-1) ?? [];
    expect(await row.locator('td').allTextContents()).toEqual([day, shown(equity), shown(held)]);
    await page.getByText('equity.svg').first().waitFor();
    const picture = page.getByRole('img', { name: 'equity.svg' });
    await picture.scrollIntoViewIfNeeded();
    await expect.poll(() => picture.evaluate((img: { naturalWidth: number }) => img.naturalWidth)).toBeGreaterThan(0);
    const file = page.waitForEvent('download');
    await page.locator('.artifacts').getByRole('link', { name: 'Download' }).first().click();
    expect(readFileSync(await (await file).path(), 'utf8')).toContain('<svg');
    await expectGoodLooks(page, 'job-backtest');

    await ended(training.job_id);
    await open(`/jobs/${training.job_id}`);
    for (const title of ['Loss', 'Accuracy']) {
      const curve = page.getByRole('img', { name: new RegExp(`^${title}\\.`) });
      await curve.waitFor();
      expect((await curve.locator('path').getAttribute('d'))?.split('L')).toHaveLength(30);
    }
    await expectGoodLooks(page, 'job-training');
    expect(problems).toEqual([]);
  });

  it('are filtered by what stands in the address, and come by the page', async () => {
    const { page, open, call, ended, problems } = await openJobs('/jobs');
    const ids: string[] = [];
    for (let count = 0; count < 55; count++) {
      ids.push((await call('submit_job', { type: 'generic', payload: { note: `number ${count}` } })).job_id);
    }
    const waiting = await call('submit_job', {
      type: 'generic',
      payload: { note: 'later' },
      run_at: new Date(Date.now() + 3_600_000).toISOString(),
    });
    await page.getByText('note=later').waitFor();
    await ended(ids.at(-1) ?? '');
    await page.getByText('number 54').waitFor();
    expect(await page.locator('table.jobs tbody tr').count()).toBe(50);
    await page.getByRole('link', { name: 'Next' }).click();
    await page.getByText('number 0', { exact: false }).last().waitFor();
    expect(await page.locator('table.jobs tbody tr').count()).toBe(6);
    await page.getByRole('link', { name: 'First' }).click();

    await page.getByRole('button', { name: /^Waiting/ }).click();
    await expect.poll(() => page.locator('table.jobs tbody tr').count()).toBe(1);
    expect(page.url()).toContain('status=pending');
    await page.getByRole('link', { name: 'note=later' }).click();
    await page.locator('.job-head').getByText('note=later').waitFor();
    expect(page.url()).toContain(waiting.job_id);
    await page.getByRole('link', { name: '← Jobs' }).click();
    await expect.poll(() => page.url()).toContain('status=pending');
    await open('/jobs?type=backtest');
    await page.getByText('No job matches.').waitFor();
    await open('/jobs');
    await expectGoodLooks(page, 'jobs');
    expect(problems).toEqual([]);
  });

  it('show markup as the text that it is, and nothing that changes them to who may only look', async () => {
    const { page, open, call, ask, ended, runtime, server, problems } = await openJobs('/jobs');
    const id = await ask(evil, { pieces: [evil] });
    await ended(id);
    const { job_id } = await call('submit_job', {
      type: 'generic',
      payload: { [evil]: evil },
      metadata: { [evil]: evil },
    });
    await ended(job_id);
    for (const address of ['/jobs', `/jobs/${id}`, `/jobs/${job_id}`]) {
      await open(address);
      await page.getByText(evil).first().waitFor();
      expect(await page.locator('main img, main script').count()).toBe(0);
      expect(await page.title()).toContain('Agent Runtime');
    }
    expect(problems).toEqual([]);

    const { token } = await runtime.access.create({ name: 'onlooker', isReadOnly: true }, nobody);
    const context = await page.context().browser()?.newContext();
    const onlooker = await context?.newPage();
    const pass = await runtime.access.verify(token);
    const code = pass && (await runtime.access.createCode(pass));
    await onlooker?.goto(`${server.url}/jobs/${id}?code=${code}`);
    await onlooker?.getByRole('heading', { name: 'Answer' }).waitFor();
    await onlooker?.getByText('read-only').waitFor();
    expect(await onlooker?.locator('main button:not(.reader button, .tools button)').count()).toBe(0);
    await context?.close();
  });
});
