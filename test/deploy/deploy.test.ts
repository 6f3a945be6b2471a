import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DCLinter } from 'dclint';
import { validate } from 'dockerfile-utils';
import { expect, it } from 'vitest';
import { parse } from 'yaml';
import { projectRoot } from '../support/paths.js';
import { tempDir } from '../support/temp-dir.js';
import { drainTimeout, unknownFlags } from './command-lines.js';

const folder = join(projectRoot, 'src/deploy');
const textOf = (name: string) => readFileSync(join(folder, name), 'utf8');

const hasVerifier = spawnSync('systemd-analyze', ['--version']).status === 0;

/** What the linter says of a file; its own types do not resolve. */
interface Linted {
  messages: { type: string; rule: string; message: string }[];
}

/** What is an error to Compose. */
const problemsOf = (file: string) =>
  new DCLinter({ rules: {}, quiet: false, debug: false, exclude: [] })
    .lintFiles([file], false)
    .flatMap(({ messages }: Linted) => messages.filter(({ type }) => type === 'error'));

it('the container file has no mistakes, and its program does not run as root', () => {
  const text = textOf('Containerfile');
  expect(validate(text)).toEqual([]);
  const lines = text.split('\n');
  const [user, entry] = ['USER node', 'ENTRYPOINT ["agent-runtime"]'].map((line) => lines.indexOf(line));
  expect(user).toBeGreaterThan(0);
  expect(entry).toBeGreaterThan(user ?? 0);
  const command: string[] = JSON.parse(/^CMD (.*)$/m.exec(text)?.[1] ?? '');
  expect(unknownFlags(command)).toEqual([]);
});

it('the compose file is as the schema of Compose says, and starts commands that there are', () => {
  const wrong = join(tempDir(), 'compose.yaml');
  writeFileSync(wrong, textOf('compose.yaml').replace('ports:', 'prots:'));
  expect(problemsOf(wrong)).toMatchObject([{ rule: 'invalid-schema' }]);
  expect(problemsOf(join(folder, 'compose.yaml'))).toEqual([]);
  const { services } = parse(textOf('compose.yaml'), { merge: true });
  for (const name of ['server', 'worker']) {
    expect(services[name].environment.AGENT_RUNTIME_DB_URL).toMatch(/^postgres:/);
    expect(unknownFlags(services[name].command)).toEqual([]);
  }
  expect(services.worker.deploy.replicas).toBe(2);
  expect(Number.parseInt(services.worker.stop_grace_period, 10)).toBeGreaterThan(drainTimeout(services.worker.command));
});

it('the unit of a worker lets it finish what it has begun', () => {
  const text = textOf('agent-runtime-worker.service');
  const command = (/^ExecStart=\/usr\/bin\/env agent-runtime (.*)$/m.exec(text)?.[1] ?? '').split(' ');
  expect(unknownFlags(command)).toEqual([]);
  expect(text).toContain('\nKillMode=mixed\n');
  expect(Number(/^TimeoutStopSec=(\d+)$/m.exec(text)?.[1])).toBeGreaterThan(drainTimeout(command));
});

it.skipIf(!hasVerifier)('the unit of a worker is one that systemd takes', () => {
  const { status, stderr } = spawnSync('systemd-analyze', ['verify', join(folder, 'agent-runtime-worker.service')], {
    encoding: 'utf8',
  });
  expect([status, stderr]).toEqual([0, '']);
});
