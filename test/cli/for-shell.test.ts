import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { commands } from '../../src/cli/commands.js';
import { forShell } from '../../src/cli/for-shell.js';
import { toolsets } from '../../src/tools/index.js';
import { projectRoot } from '../support/paths.js';
import { tempDir } from '../support/temp-dir.js';
import { runCli } from './run-cli.js';

const tools = Object.values(toolsets).flatMap((set) => set.map(({ name }) => name));
const words = Object.values(commands).flatMap((group) => group.map(({ name }) => name));

it.each(tools)('advice to call %s names a command that exists', (name) => {
  const [, command = ''] = /^Run `agent-runtime (\S+)[^`]*`\.$/.exec(forShell(`Call ${name}.`, tools)) ?? [];
  expect(words).toContain(command);
});

it.each([
  ['Call list_background_tasks or list_jobs to see the ids.', 'Run `agent-runtime list-jobs` to see the ids.'],
  ['Reopen it, or call run_goal again.', 'Reopen it, or run `agent-runtime tool run_goal` again.'],
  ['Use list_tasks (with depends_on).', 'Use `agent-runtime tasks` (with depends_on).'],
  [
    '`agent-runtime tool get_task_result --arg task_id=1` shows it.',
    '`agent-runtime tool get_task_result --arg task_id=1` shows it.',
  ],
  ['Pass task_id, or change it with edit_task.', 'Pass task_id, or change it with `agent-runtime tool edit_task`.'],
  ['HOME=/tmp/x agent-runtime tool run_relay goes on.', 'HOME=/tmp/x agent-runtime tool run_relay goes on.'],
  ['Set AGENT_RUNTIME_DB_PATH.', 'Set AGENT_RUNTIME_DB_PATH.'],
])('%s', (advice, shown) => {
  expect(forShell(advice, tools)).toBe(shown);
});

/** The texts in the code of a folder, without what is put into them. */
function textsIn(folder: string): string[] {
  const directory = join(projectRoot, 'src', folder);
  const files = readdirSync(directory, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts'));
  return files.flatMap((file) => {
    const code = readFileSync(join(directory, file), 'utf8').replaceAll(/^\s*(\*|\/[/*]).*$/gm, '');
    return [...code.matchAll(/'((?:[^'\\\n]|\\.)*)'|`((?:[^`\\]|\\.)*)`/g)]
      .map(([, plain, template]) => plain ?? template?.replaceAll(/\$\{[^}]*\}/g, '1') ?? '')
      .filter((text) => /^[A-Z].* .*[.:,]?$/.test(text.trim()));
  });
}

it.each(['core', 'services', 'runner', 'worktrees', 'downstream'])(
  'no hint of %s sends a shell to a tool',
  (folder) => {
    const named = textsIn(folder).filter((text) => tools.some((name) => name.includes('_') && text.includes(name)));
    const called = textsIn(folder).flatMap((text) => [...text.matchAll(/\bcall ([a-z]+(?:_[a-z]+)+)/gi)]);
    expect(called.map(([, name]) => name).filter((name) => !tools.includes(name ?? ''))).toEqual([]);
    const left = named.flatMap((text) => {
      const plain = forShell(text, tools).replaceAll(/`[^`]*`/g, '');
      return tools.filter((name) => name.includes('_') && new RegExp(`\\b${name}\\b`).test(plain));
    });
    expect(left).toEqual([]);
    if (folder === 'core') expect(named.length).toBeGreaterThan(50);
  },
);

it('the hints of a failed command name commands, as text and as JSON', async () => {
  const home = tempDir();
  const text = await runCli(['result', '00000000-0000-4000-8000-000000000000'], { home });
  expect([text.code, text.stderr]).toEqual([3, expect.stringContaining('Run `agent-runtime list-jobs` to see')]);
  expect(text.stderr).not.toContain('list_');
  const json = await runCli(['task', '7', '--json'], { home });
  expect(json.json().error.hint).toBe('Run `agent-runtime tasks` to see the tasks there are.');
});
