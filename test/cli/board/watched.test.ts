import { expect, it } from 'vitest';
import { eventually } from '../../support/eventually.js';
import { hasTerminal } from '../in-terminal.js';
import { startCli } from '../run-cli.js';
import { boardCli, filledBoard } from './board-cli.js';

it.skipIf(!hasTerminal)(
  'a watched view is drawn anew when another process changes the board, until Ctrl-C',
  async () => {
    const { tool, inTerminal } = await filledBoard();
    let adding: Promise<unknown> | undefined;
    const { code, shown } = await inTerminal(['board', '--watch'], {
      env: { NO_COLOR: '1' },
      onShown(text, child) {
        if (text.includes('Ctrl-C ends it.')) adding ??= tool('create_task', { title: 'Just added' });
        if (text.includes('Just added')) child.interrupt();
      },
    });
    await adding;
    expect(code).toBe(130);
    const [, first = '', second = ''] = shown.split('\u001b[H\u001b[J');
    expect(first).toContain('1 ready · 1 waiting');
    expect(first).not.toContain('Just added');
    expect(second).toContain('2 ready · 1 waiting');
    expect(shown).not.toContain('error');
  },
);

it('a watched view in a pipe is a JSON document a line', async () => {
  const { home, tool } = await filledBoard();
  const watching = startCli(['task', 'parser', '--watch'], { home });
  const documents = () =>
    watching
      .stdout()
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line));
  await eventually('the first document', () => documents().length === 1);
  expect(documents()).toMatchObject([{ id: 1, status: 'pending' }]);
  await tool('update_task_status', { task_id: 1, status: 'in_progress' });
  await eventually('the change', () => documents().at(-1)?.status === 'in_progress');
  watching.child.kill('SIGINT');
  expect(await watching.ended).toMatchObject({ code: 130, stderr: '' });
});

it('what cannot be shown ends the watching with its error', async () => {
  const { run } = boardCli();
  const end = await run(['task', '7', '--watch']);
  expect([end.code, end.stderr]).toEqual([3, expect.stringContaining('No task has id 7.')]);
});
