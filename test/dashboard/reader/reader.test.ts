import { readFileSync } from 'node:fs';
import type { Locator } from 'playwright-core';
import { expect, it } from 'vitest';
import type { Actor } from '../../../src/core/actor.js';
import { expectGoodLooks } from '../looks.js';
import { describeInBrowser, type OpenedPage, openPage } from '../open-page.js';
import { sampleBoard } from '../sample-board.js';

const someone: Actor = { holder: null, project: '' };

const answer = `# What I found

The \`tasks_done\` figure in \`src/report.ts\` counts **cancelled** tasks too, see [the issue](https://example.com/issues/8 "x") and ![a graph](https://tracker.example/p.png).
A second line.

| case | before | after |
|:-----|-------:|------:|
| none | 0 | 0 |
| a very long name of a case that somebody has thought of | 1,234,567 | 1,234,568 |

1. Read the log
   - [x] of the server
   - [ ] of the client
2. Fix it:

   \`\`\`ts
   // Counts what is done.
   export const done = (tasks: Task[]) => tasks.filter(({ status }) => status === 'completed').length + 0;
   \`\`\`

> Whoever reads this: <b>not bold</b>, [not a link](javascript:alert(1)).

\`\`\`diff
-const a = 1;
+const a = 2;
\`\`\`
`;

async function openTask(text: {
  description?: string;
  result?: string;
  error?: string;
}): Promise<OpenedPage & { id: number }> {
  const opened = await openPage();
  const { runtime } = opened;
  const [task] = await runtime.tasks.create([{ title: 'Read me', description: text.description ?? '' }], someone);
  const id = task?.id ?? 0;
  if (text.result !== undefined)
    await runtime.tasks.updateStatus({ task: id, status: 'completed', result: text.result }, someone);
  if (text.error !== undefined)
    await runtime.tasks.updateStatus({ task: id, status: 'failed', error: text.error }, someone);
  await opened.open(`/board/task/${id}`);
  return { ...opened, id };
}

/** What this file knows of a browser. */
interface Styles {
  getComputedStyle(element: unknown): Record<string, string>;
}

const styleOf = (element: Locator, name: string): Promise<string | undefined> =>
  element.evaluate((node, wanted) => (globalThis as unknown as Styles).getComputedStyle(node)[wanted], name);

describeInBrowser('a text', () => {
  it('is shown as the Markdown that it is, and as it is written when one wants', async () => {
    const { page, problems } = await openTask({ result: answer, description: 'Plain words with 2 * 3 = 6.' });
    const result = page.locator('.reader', { has: page.getByRole('heading', { name: 'Result' }) });
    await result.getByRole('heading', { name: 'What I found' }).waitFor();
    expect(await result.locator('table td').allTextContents()).toContain('1,234,568');
    expect(await result.locator('input[type=checkbox]').count()).toBe(2);
    expect(await result.locator('.code-word').first().textContent()).toBe('export');
    expect(await result.locator('.patch .added').textContent()).toBe('+const a = 2;\n');
    const links = await result
      .locator('a')
      .evaluateAll((all) => all.map((link) => [link.getAttribute('href'), link.getAttribute('rel')]));
    expect(links).toEqual([
      ['https://example.com/issues/8', 'noopener noreferrer nofollow'],
      ['https://tracker.example/p.png', 'noopener noreferrer nofollow'],
    ]);
    expect(await result.textContent()).toContain('the issue (example.com)');
    expect(await result.textContent()).toContain('<b>not bold</b>, not a link (javascript:alert(1))');
    expect(await page.locator('main img, main script, main b').count()).toBe(0);
    await expectGoodLooks(page, 'reader-markdown');
    await result.getByRole('button', { name: 'As written' }).click();
    expect(await result.locator('.passage').textContent()).toBe(answer);
    expect(problems).toEqual([]);
  });

  it('that is meant to do harm runs nothing and holds nothing up', async () => {
    const deep = `${'> '.repeat(10_000)}deep`;
    const evil = [
      '[run](javascript:alert(1)) [RUN](JaVaScRiPt:alert(1)) [d](data:text/html,x) [v](vbscript:x) <javascript:alert(1)>',
      '![p](https://tracker.example/p.png) <img src=x onerror="globalThis.harmed=1"> <script>globalThis.harmed=2</script>',
      '[\u202egnp.exe](https://example.com/\u202e) \u200b\u200b',
      deep,
      '*a _b '.repeat(3_000),
      '| a '.repeat(3_000),
    ].join('\n\n');
    const { page, problems, open, runtime } = await openTask({ result: evil, description: '*'.repeat(1_000_000) });
    const asked: string[] = [];
    page.on('request', (request) => asked.push(request.url()));
    await page.getByText('run (javascript:alert(1))').waitFor();
    expect(await page.evaluate('globalThis.harmed')).toBeUndefined();
    expect(
      await page.locator('main img, main script, a[href^="java" i], a[href^="data" i], a[href^="vb" i]').count(),
    ).toBe(0);
    expect(asked.filter((url) => url.includes('tracker'))).toEqual([]);
    // The long one is shown as it is written, and the page answers.
    const description = page.locator('.reader', { has: page.getByRole('heading', { name: 'Description' }) });
    await description.getByText('A long text is formatted').waitFor();
    await description.getByRole('button', { name: 'As written' }).click();
    await description.locator('.prose').waitFor();
    expect(await page.evaluate('document.documentElement.scrollWidth <= innerWidth')).toBe(true);
    const [next] = await runtime.tasks.create([{ title: 'Next', description: 'There.' }], someone);
    await open(`/board/task/${next?.id}`);
    await page.getByText('There.').waitFor();
    expect(problems).toEqual([]);
  });

  it('of a terminal has its colours, and what a terminal would not show is left out', async () => {
    const text = [
      '\u001b[1;31mFAIL\u001b[0m test/a.test.ts \u001b[38;2;0;200;0mgreen\u001b[m',
      'working 10%\rworking 100%',
      '\u001b]0;a title\u0007\u001b]8;;https://evil.example\u001b\\link\u001b]8;;\u001b\\ \u001b[2J\u001b[Hhome',
      ...Array.from({ length: 200 }, (_, line) => `line ${line}`),
    ].join('\n');
    const { page, problems } = await openTask({ error: text });
    const error = page.locator('.reader').first();
    await error.locator('.ansi-1.ansi-bold').waitFor();
    expect(await error.locator('.ansi-1').textContent()).toBe('FAIL');
    expect(await error.locator('.ansi-2').textContent()).toBe('green');
    const shown = await error.locator('.passage').textContent();
    expect(shown?.split('\n').slice(0, 4)).toEqual([
      'FAIL test/a.test.ts green',
      'working 100%',
      'link home',
      'line 0',
    ]);
    await expectGoodLooks(page, 'reader-console');

    await error.getByRole('button', { name: 'Find' }).click();
    await page.keyboard.type('LINE 9');
    await error.getByText('1 of 11').waitFor();
    await page.keyboard.press('Enter');
    await error.getByText('2 of 11').waitFor();
    const sight = await error.locator('.passage').evaluate((pane: { scrollTop: number }) => pane.scrollTop);
    expect(sight).toBeGreaterThan(100);
    await page.keyboard.press('Escape');
    expect(await error.getByRole('searchbox').count()).toBe(0);
    await error.getByRole('button', { name: 'Wrap' }).click();
    expect(await styleOf(error.locator('.passage'), 'whiteSpace')).toBe('pre');
    await error.getByRole('button', { name: 'Full height' }).click();
    const heights = await error
      .locator('.passage')
      .evaluate((pane: { scrollHeight: number; clientHeight: number }) => [pane.scrollHeight, pane.clientHeight]);
    expect(heights[0]).toBe(heights[1]);
    const saved = page.waitForEvent('download');
    await error.getByRole('button', { name: 'Download' }).click();
    expect(readFileSync(await (await saved).path(), 'utf8')).toBe(text);
    expect(problems).toEqual([]);
  });

  it('that is JSON is a tree that unfolds, of which one copies a value or its path, also at 4 MB', async () => {
    const rows = Array.from({ length: 40_000 }, (_, id) => ({ id, name: `row ${id}`, note: 'x'.repeat(60) }));
    const value = {
      summary: 'Two\n\n- **bold** points',
      inner: JSON.stringify({ deep: [1, null] }),
      rows,
      'odd key': true,
    };
    const { page, context, problems } = await openTask({
      description: JSON.stringify({ a: 1 }),
      result: JSON.stringify(value),
    });
    await context.grantPermissions(['clipboard-read', 'clipboard-write']);
    const result = page.locator('.reader', { has: page.getByRole('heading', { name: 'Result' }) });
    await result.getByText('A long text is formatted').waitFor();
    await result.getByRole('button', { name: 'As written' }).click();
    await result.getByRole('button', { name: /^rows: \[ 40,000 items/ }).click();
    await result.getByRole('button', { name: /^7: / }).click();
    await result.getByRole('button', { name: 'name: "row 7"' }).click();
    await result.getByText('$.rows[7].name').waitFor();
    await result.getByRole('button', { name: 'Copy path' }).click();
    await page.getByText('The path is copied.').waitFor();
    expect(await page.evaluate('navigator.clipboard.readText()')).toBe('$.rows[7].name');
    await result.getByRole('button', { name: 'Copy value' }).click();
    await page.getByText('The value is copied.').waitFor();
    expect(await page.evaluate('navigator.clipboard.readText()')).toBe('row 7');
    await result.getByRole('button', { name: /^Show more: 100 of 40,000/ }).click();
    await expect.poll(() => result.getByRole('button', { name: /^\d+: / }).count()).toBe(1_000);
    await result.getByRole('button', { name: /^rows: / }).click();
    // What a string holds: Markdown, and JSON.
    await result.getByRole('button', { name: /^summary: / }).click();
    await result.locator('.json-text strong').getByText('bold').waitFor();
    await result.getByRole('button', { name: /^inner: / }).click();
    await result.getByRole('button', { name: /^deep: / }).waitFor();
    await result.getByRole('button', { name: /^odd key: / }).click();
    await result.getByText('$["odd key"]').waitFor();
    await expectGoodLooks(page, 'reader-json');
    expect(problems).toEqual([]);
  });
});

describeInBrowser('where the system chooses the colours', () => {
  it('bars and marks are still seen', async () => {
    const { page, open, runtime } = await openPage();
    await sampleBoard(runtime);
    await page.emulateMedia({ forcedColors: 'active' });
    await open('/goals');
    const bar = page.locator('.bar').first();
    await bar.waitFor();
    const ground = (selector: string) => styleOf(page.locator(selector).first(), 'backgroundColor');
    expect(await ground('.bar .completed')).not.toBe(await ground('.bar'));
    expect(await styleOf(bar, 'borderTopStyle')).toBe('solid');
  });
});
