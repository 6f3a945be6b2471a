import { expect, it } from 'vitest';
import type { Check } from '../../../src/cli/doctor/check.js';
import { countWords, homeWithModules } from '../../agents/modules/workshop.js';
import { runCli } from '../run-cli.js';

it('names the agents of each module, and the problem of a module or a command', async () => {
  const home = homeWithModules(
    { 'count.mjs': countWords, 'broken.mjs': 'process.exit(4);' },
    {
      agents: ['./count.mjs', './broken.mjs'],
      commands: { list: { program: 'ls' }, gone: { program: './is-not-there' } },
    },
  );
  const { code, json } = await runCli(['doctor', '--json'], { home });
  const { checks } = json() as { checks: Check[] };
  expect(code).toBe(1);
  expect(checks.filter(({ group }) => group === 'Agents')).toEqual([
    { group: 'Agents', name: 'count_words', status: 'ok', detail: `${home}/.claude/count.mjs` },
    {
      group: 'Agents',
      name: 'broken.mjs',
      status: 'fail',
      detail: `${home}/.claude/broken.mjs: It ended its process with exit code 4 while it was loaded.`,
      fix: expect.stringContaining('agent_runtime.json'),
    },
    { group: 'Agents', name: 'command list', status: 'ok', detail: '/usr/bin/ls' },
    {
      group: 'Agents',
      name: 'command gone',
      status: 'fail',
      detail: `there is no program ${home}/.claude/is-not-there`,
      fix: 'Correct commands.gone.program in the config file.',
    },
  ]);
});
