import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { boardToMove } from '../store/board-to-move.js';
import { eventually } from '../support/eventually.js';
import { connectServer } from '../support/mcp-client.js';
import { newPostgresUrl, postgresPort } from '../support/postgres.js';
import { tempDir } from '../support/temp-dir.js';
import { runCli, startCli } from './run-cli.js';

describe.runIf(postgresPort)('migrate', () => {
  it('goes on after it was killed, compares, names files and the next step, and the board is there', async () => {
    const [home, url, db] = [tempDir(), newPostgresUrl(), await boardToMove()];
    const artifacts = join(home, '.claude', 'agent_runtime', 'artifacts', 'job');
    mkdirSync(artifacts, { recursive: true });
    writeFileSync(join(artifacts, 'plot.svg'), '<svg/>');
    const command = ['migrate', '--db', db, '--to', url];

    const first = startCli(command, { home });
    await eventually('it copies goals', () => first.stderr().includes('goals\n') || undefined);
    first.child.kill('SIGKILL');
    expect((await first.ended).code).toBeNull();
    // The server drops what its dead client held within moments.
    const second = await eventually('it goes on', async () => {
      const ended = await runCli(command, { home });
      return ended.stderr.includes('Another process is moving') ? undefined : ended;
    });
    expect([second.code, second.stdout]).toEqual([0, expect.stringMatching(/^tasks +302$/m)]);
    expect(second.stdout).toContain(`${join(home, '.claude', 'agent_runtime', 'artifacts')}  1 files, 6 bytes`);
    expect(second.stdout).toContain(`set AGENT_RUNTIME_DB_URL=${url}`);

    const env = { AGENT_RUNTIME_DB_URL: url };
    const listed = await runCli(['tool', 'list_goals', '--json'], { home, env });
    expect(listed.json().goals).toHaveLength(1);
    const back = join(home, 'back.db');
    const returned = await runCli(['migrate', '--to', back, '--json', '--quiet'], { home, env });
    expect(returned.json()).toMatchObject({ from: url, to: back, was_there: false });
    expect(returned.stderr).toBe('');
  });

  it('refuses while a session uses the source, and what cannot be meant, and shows no password', async () => {
    const [home, url] = [tempDir(), newPostgresUrl()];
    const server = await connectServer({ home });
    await server.ok('create_task', { title: 'here' });
    const inUse = await runCli(['migrate', '--to', url], { home });
    expect([inUse.code, inUse.stderr]).toEqual([4, expect.stringContaining(`session ${server.pid}`)]);
    await server.close();
    const secret = await runCli(['migrate', '--to', url.replace('agrt@', 'agrt:hunter2@')], { home });
    expect([secret.code, secret.stderr]).toEqual([2, expect.stringContaining('PGPASSWORD')]);
    expect(secret.stderr).not.toContain('hunter2');
    const same = await runCli(['migrate', '--to', join(home, 'copy.db')], { home });
    expect([same.code, same.stderr]).toEqual([2, expect.stringContaining('agent-runtime backup FILE')]);
    const nothing = await runCli(['migrate', '--db', join(home, 'none.db'), '--to', url], { home });
    expect(nothing.code).toBe(3);
  });
});
