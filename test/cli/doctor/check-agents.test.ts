import { expect, it } from 'vitest';
import type { Check } from '../../../src/cli/doctor/check.js';
import { countWords, homeWithModules } from '../../agents/modules/workshop.js';
import { runCli } from '../run-cli.js';

it('names the agents of each module, and the problem of a module, a command or a sink', async () => {
  const home = homeWithModules(
    { 'count.mjs': countWords, 'broken.mjs': 'process.exit(4);' },
    {
      agents: ['./count.mjs', './broken.mjs'],
      commands: { list: { program: 'ls' }, gone: { program: './is-not-there' } },
      sinks: {
        away: './away.ts',
        odd: { module: './count.mjs', events: ['task.completd'] },
        keyless: { module: './count.mjs', env: ['QUEUE_KEY'] },
        right: './count.mjs',
      },
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
    {
      group: 'Agents',
      name: 'sink away',
      status: 'fail',
      detail: `there is no file ${home}/.claude/away.ts`,
      fix: expect.stringContaining('sinks.away'),
    },
    {
      group: 'Agents',
      name: 'sink odd',
      status: 'fail',
      detail: 'No kind of event matches "task.completd".',
      fix: 'Did you mean task.completed or task.decomposed? It is in sinks.odd.events.',
    },
    {
      group: 'Agents',
      name: 'sink keyless',
      status: 'fail',
      detail: `QUEUE_KEY is not set, which the config file gives to ${home}/.claude/count.mjs`,
      fix: 'Set QUEUE_KEY in secretsFile.',
    },
    { group: 'Agents', name: 'sink right', status: 'ok', detail: `${home}/.claude/count.mjs` },
  ]);
});
