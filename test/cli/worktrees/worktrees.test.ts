import { existsSync } from 'node:fs';
import { expect, it } from 'vitest';
import { commitFiles, git, gitRepository, writeFiles } from '../../worktrees/git-repository.js';
import { boardCli } from '../board/board-cli.js';

it('lists the worktrees with what was done in each, merges one, keeps and discards another', async () => {
  const project = gitRepository();
  const cli = boardCli();
  const env = { CLAUDE_PROJECT_DIR: project };
  await cli.tool('create_tasks', { tasks: [{ title: 'Add b', key: 'b' }, { title: 'Add c' }] }, { env });
  const one = await cli.tool('claim_next_task', { worktree: true }, { env });
  const two = await cli.tool('claim_next_task', { worktree: true }, { env });
  writeFiles(one.worktree.path, { 'b.txt': 'b\n' });
  commitFiles(two.worktree.path, { 'c.txt': 'c\n' }, 'Add c');
  for (const { id, claim_token } of [one, two]) {
    await cli.tool('update_task_status', { task_id: id, status: 'completed', claim_token }, { env });
  }
  const listed = await cli.run(['worktrees']);
  expect(listed.json().worktrees).toMatchObject([
    { task_id: one.id, title: 'Add b', files_changed: 1, base: 'main', path: one.worktree.path },
    { task_id: two.id, files_changed: 1 },
  ]);
  const table = await cli.inTerminal(['worktrees', 'list']);
  expect(table.shown).toMatch(/TASK.*FILES/);

  const merged = await cli.run(['worktrees', 'merge', 'b']);
  expect([merged.code, merged.stdout]).toEqual([
    0,
    expect.stringMatching(/^Merged agent-runtime\/1-add-b into main \(/),
  ]);
  expect(existsSync(`${project}/b.txt`)).toBe(true);
  expect((await cli.run(['worktrees', 'keep', '2'])).stdout).toContain('stays until');
  const refused = await cli.run(['worktrees', 'discard', '2']);
  expect([refused.code === 0, refused.stderr]).toEqual([false, expect.stringMatching(/has work in it/)]);
  const discarded = await cli.run(['worktrees', 'discard', '2', '--force']);
  expect(discarded.stdout).toContain('refs/agent-runtime/discarded/2');
  expect(git(project, 'show', 'refs/agent-runtime/discarded/2:c.txt')).toBe('c');
  expect((await cli.run(['worktrees'])).json()).toEqual({ worktrees: [] });
});
