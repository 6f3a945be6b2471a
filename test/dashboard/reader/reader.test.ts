import { expect, it } from 'vitest';
import type { Actor } from '../../../src/core/actor.js';
import { expectGoodLooks } from '../looks.js';
import { describeInBrowser, type OpenedPage, openPage } from '../open-page.js';

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
});
