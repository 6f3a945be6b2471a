import { expect, it } from 'vitest';
import { commands } from '../../src/cli/commands.js';
import { forShell } from '../../src/cli/for-shell.js';
import { toolsets } from '../../src/tools/index.js';
import { tempDir } from '../support/temp-dir.js';
import { runCli } from './run-cli.js';

const tools = Object.values(toolsets).flatMap((set) => set.map(({ name }) => name));
const words = Object.values(commands).flatMap((group) => group.map(({ name }) => name));

it.each(tools)('advice to call %s names a command that exists', (name) => {
  const [, command = ''] = /^Run `agent-runtime (\S+)[^`]*`\.$/.exec(forShell(`Call ${name}.`)) ?? [];
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
  ['Set AGENT_RUNTIME_DB_PATH.', 'Set AGENT_RUNTIME_DB_PATH.'],
])('%s', (advice, shown) => {
  expect(forShell(advice)).toBe(shown);
});

it('the hints of a failed command name commands, as text and as JSON', async () => {
  const home = tempDir();
  const text = await runCli(['result', '00000000-0000-4000-8000-000000000000'], { home });
  expect([text.code, text.stderr]).toEqual([3, expect.stringContaining('Run `agent-runtime list-jobs` to see')]);
  expect(text.stderr).not.toContain('list_');
  const json = await runCli(['task', '7', '--json'], { home });
  expect(json.json().error.hint).toBe('Run `agent-runtime tasks` to see the tasks there are.');
});
