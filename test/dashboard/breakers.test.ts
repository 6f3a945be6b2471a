import { expect, it } from 'vitest';
import { expectGoodLooks } from './looks.js';
import { openJobs } from './open-jobs.js';
import { describeInBrowser, openPage, savedJson } from './open-page.js';

const evil = '<img src=x onerror="document.title=1">';

describeInBrowser('the breakers', () => {
  it('begin with the command that makes the first', async () => {
    const { page, problems } = await openPage('/breakers');
    await page.getByText('No breaker has been used yet.').waitFor();
    await expectGoodLooks(page, 'breakers-empty');
    expect(problems).toEqual([]);
  });

  it('open as failures come in, and count down to the next trial', async () => {
    const { page, call, problems } = await openJobs('/breakers');
    await call('circuit_breaker_configure', {
      agent_id: 'researcher',
      failure_threshold: 2,
      cooldown_seconds: 12,
      fallback_agent: 'generalist',
    });
    await call('circuit_breaker_record_success', { agent_id: 'writer' });
    const card = page.locator('.breaker').filter({ has: page.getByRole('link', { name: 'researcher' }) });
    await card.getByText('closed').waitFor();
    for (const error_message of ['slow again', evil]) {
      await call('circuit_breaker_record_failure', { agent_id: 'researcher', failure_type: 'timeout', error_message });
    }
    await card.getByText('open', { exact: true }).waitFor();
    // Those that refuse work come first.
    expect(await page.locator('.breaker').first().textContent()).toContain('researcher');
    await card.getByText(/next trial in \d+ s/).waitFor();
    const left = async () => Number(/next trial in (\d+) s/.exec((await card.textContent()) ?? '')?.[1]);
    const seen = await left();
    expect(seen).toBeGreaterThan(0);
    await expect.poll(left).toBeLessThan(seen);
    await card.getByText('The next call is a probe.').waitFor();
    await call('circuit_breaker_acquire', { agent_id: 'researcher' });
    await card.getByText('half open', { exact: true }).waitFor();
    await card.getByText('0 of 2 trials have succeeded, 1 under way').waitFor();
    await expectGoodLooks(page, 'breakers');

    await card.getByRole('link', { name: 'researcher' }).click();
    await page.getByText('Opens after 2 failures within 60 s.').waitFor();
    await page.getByText('Meanwhile its fallback is generalist.').waitFor();
    await page.getByText('slow again').first().waitFor();
    await page.getByText(evil).first().waitFor();
    expect(await page.locator('main img').count()).toBe(0);
    await page.getByRole('heading', { name: 'History' }).waitFor();
    await page.locator('.told').filter({ hasText: 'Breaker researcher counted a failed call: slow again' }).waitFor();
    await expectGoodLooks(page, 'breaker');
    expect(await savedJson(page)).toContain('"failure_threshold": 2');
    expect(problems).toEqual([]);
  });

  it('are tripped with a reason, held, and reset', async () => {
    const { page, call, problems } = await openJobs('/breakers');
    await call('circuit_breaker_record_success', { agent_id: 'llm:anthropic' });
    await page.getByRole('button', { name: 'Open the breaker of llm:anthropic' }).click();
    await page.getByLabel('Reason').fill('the bill is too high');
    await page.getByLabel('Keep it open').check();
    await expectGoodLooks(page, 'breaker-trip');
    await page.getByRole('dialog').getByRole('button', { name: 'Open breaker' }).click();
    await page.getByText('Held open until it is reset.').waitFor();
    await page.getByText('the bill is too high').waitFor();
    expect(await call('circuit_breaker_status', { agent_id: 'llm:anthropic' })).toMatchObject({
      state: 'OPEN',
      held: true,
    });
    await page.getByRole('button', { name: 'Reset llm:anthropic' }).click();
    await page.locator('.breaker').getByText('closed').waitFor();
    expect(await call('circuit_breaker_status', { agent_id: 'llm:anthropic' })).toMatchObject({ state: 'CLOSED' });
    expect(problems).toEqual([]);
  });

  it('cannot be changed by who may only look', async () => {
    const { page, problems, runtime } = await openPage('/breakers', { isReadOnly: true });
    await runtime.breakers.trip('researcher', { reason: 'by hand' }, { holder: null, project: '' });
    await page.getByText('next trial in').waitFor();
    await page.getByText('read-only').waitFor();
    expect(await page.locator('main button:not(.reader button, .tools button)').count()).toBe(0);
    expect(problems).toEqual([]);
  });

  it('are set up and configured by a form, and a rule that is emptied is taken away', async () => {
    const { page, runtime, problems } = await openPage('/breakers');
    const dialog = page.getByRole('dialog');
    const name = `\u05D0\u05D1 ${evil} ${'long'.repeat(30)}`;
    await page.getByRole('button', { name: 'New breaker' }).click();
    await dialog.getByLabel('Agent id').fill(name);
    await dialog.getByLabel('Failure threshold').fill('7');
    await dialog.getByLabel('Fallback agent').fill('generalist');
    await dialog.getByRole('button', { name: 'Create' }).click();
    await page.locator('.breaker').getByText('0 of 7 failures').waitFor();
    await expectGoodLooks(page, 'breakers-hostile');
    await page.locator('.breaker a').first().click();
    await page.getByRole('button', { name: 'Change rules' }).click();
    expect(await dialog.getByLabel('Failure threshold').inputValue()).toBe('7');
    await dialog.getByLabel('Window seconds').fill('999999');
    await dialog.getByRole('button', { name: 'Change' }).click();
    expect(await dialog.locator('input:invalid').count()).toBe(1);
    await dialog.getByLabel('Window seconds').fill('30');
    await dialog.getByLabel('Fallback agent').fill('');
    await expectGoodLooks(page, 'breaker-rules');
    await dialog.getByRole('button', { name: 'Change' }).click();
    await page.getByText('Opens after 7 failures within 30 s.').waitFor();
    expect((await runtime.breakers.get(name)).config).toMatchObject({ windowSeconds: 30, fallbackAgent: null });
    expect(await page.locator('main img').count()).toBe(0);
    expect(problems).toEqual([]);
  });
});
