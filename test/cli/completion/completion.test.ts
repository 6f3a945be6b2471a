import { execFile } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { commands } from '../../../src/cli/commands.js';
import { offerFor } from '../../../src/cli/completion/complete.js';
import { importNames } from '../../../src/cli/import/import-names.js';
import { sources } from '../../../src/cli/import/sources.js';
import { mainEntry } from '../../support/paths.js';
import { boardCli, filledBoard } from '../board/board-cli.js';

function words(word: string, ...before: string[]): unknown {
  const { offer } = offerFor(word, before);
  return Array.isArray(offer) ? offer.map(({ value }) => value) : offer;
}

it('commands, those of a set, and options with their values come from the declarations', () => {
  const all = Object.values(commands).flatMap((group) => group.map(({ name }) => name));
  expect(words('')).toEqual(all);
  expect(words('', '--db', 'x.db', '--json')).toEqual(all);
  expect(words('', 'token')).toEqual(['create', 'list', 'revoke']);
  expect(words('--', 'tasks')).toEqual(expect.arrayContaining(['--status', '--goal', '--db', '--json']));
  expect(words('', 'tasks', '--status')).toEqual(['pending', 'in_progress', 'completed', 'failed', 'cancelled']);
  expect(words('', 'goals', 'graph', '--format')).toEqual(['mermaid', 'dot']);
  expect(words('', 'import')).toEqual([...importNames]);
  expect(words('', 'completion')).toEqual(['bash', 'zsh', 'fish', 'powershell']);
  expect(words('', 'no-such-command')).toEqual([]);
});

it('ids are looked up, also behind options, and files are left to the shell', () => {
  expect(words('', 'status')).toEqual({ kind: 'job' });
  expect(words('', 'status', '--json', '--job-id')).toEqual({ kind: 'job' });
  expect(words('', 'goals', 'graph')).toEqual({ kind: 'goal' });
  expect(words('', 'tasks', '--goal')).toEqual({ kind: 'goal' });
  expect(words('', 'task')).toEqual({ kind: 'task' });
  expect(words('', 'tool')).toEqual({ kind: 'tool' });
  expect(words('', 'status', 'one-id')).toEqual([]);
  expect(words('', '--db')).toBe('files');
  expect(words('', 'restore')).toBe('files');
  expect(words('', 'import', 'github')).toBe('files');
  expect(offerFor('', ['--db', 'x.db', 'task']).settings).toEqual({ db: 'x.db' });
});

it('the names that import offers are those of its sources', () => {
  expect(sources.map(({ name }) => name)).toEqual([...importNames]);
});

it('goals, tasks and jobs of the database are offered, and no database is made for it', async () => {
  const { run, tool } = await filledBoard();
  const { job_id } = await tool('submit_job', { type: 'generic', payload: {} });
  const offered = async (...args: string[]) => (await run(['__complete', ...args])).stdout.trim().split('\n');
  expect(await offered('=', 'goals', 'graph')).toEqual(['1\tShip the parser, active']);
  expect(await offered('=pa', 'task')).toEqual(['parser\tWrite the parser, pending']);
  expect(await offered('=3', 'task')).toEqual(['3\tDraw the railroad diagrams, in_progress']);
  expect(await offered(`=${job_id.slice(0, 3)}`, 'status')).toEqual([expect.stringContaining(`${job_id}\tgeneric, `)]);
  const empty = boardCli();
  expect(await empty.run(['__complete', '=', 'task'])).toMatchObject({ code: 0, stdout: '', stderr: '' });
  expect(await empty.run(['__complete', '=', 'task', '--config', 'missing.json'])).toMatchObject({
    code: 0,
    stdout: '',
  });
  expect(existsSync(join(empty.home, '.claude/agent_runtime.db'))).toBe(false);
});

it('each shell gets its script, and an unknown one the names', async () => {
  const { run } = boardCli();
  for (const shell of ['bash', 'zsh', 'fish', 'powershell']) {
    const { code, stdout } = await run(['completion', shell]);
    expect([code, stdout]).toEqual([0, expect.stringContaining('__complete')]);
  }
  const unknown = await run(['completion', 'powershel']);
  expect([unknown.code, unknown.stderr]).toEqual([2, expect.stringContaining('Did you mean powershell?')]);
});

it.skipIf(!existsSync('/bin/bash'))('bash completes commands, ids with a colon, and files', async () => {
  const { home, run, tool } = boardCli();
  await tool('create_tasks', {
    tasks: [
      { title: 'Imported', key: 'master:3.1' },
      { title: 'Other', key: 'other' },
    ],
  });
  const bin = join(home, 'bin');
  mkdirSync(bin);
  const program = join(bin, 'agent-runtime');
  writeFileSync(program, `#!/bin/sh\nexec '${process.execPath}' '${mainEntry}' "$@"\n`);
  chmodSync(program, 0o755);
  writeFileSync(join(home, 'script.bash'), (await run(['completion', 'bash'])).stdout);
  writeFileSync(join(home, 'tasks.json'), '{}');
  const complete = async (line: string) => {
    const script = `. ./script.bash; COMP_LINE=$1; COMP_POINT=\${#1}; _agent_runtime; printf '%s\\n' "\${COMPREPLY[@]}"`;
    const { stdout } = await promisify(execFile)('/bin/bash', ['-c', script, 'bash', line], {
      cwd: home,
      env: { HOME: home, PATH: `${bin}:/usr/bin:/bin` },
    });
    return stdout.trim().split('\n');
  };
  expect(await complete('agent-runtime goal')).toEqual(['goals']);
  expect(await complete('agent-runtime goals ')).toEqual(['list', 'graph']);
  expect(await complete('agent-runtime task master:3')).toEqual(['3.1']);
  expect(await complete('agent-runtime task oth')).toEqual(['other']);
  expect(await complete('agent-runtime import task-master ta')).toEqual(['tasks.json']);
});
