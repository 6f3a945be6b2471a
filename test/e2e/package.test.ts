import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { startAnthropicServer } from '../fixtures/models/anthropic-server.js';
import { eventually } from '../support/eventually.js';
import { connectServer } from '../support/mcp-client.js';
import { fetchNode, npmCli } from '../support/other-node.js';
import { startRawServer } from '../support/raw-client.js';
import { projectRoot } from '../support/root.js';
import { makeTempDir, tempDir } from '../support/temp-dir.js';

const minutes = 60_000;

function npm(node: string, args: string[], cwd: string): string {
  const env = {
    ...process.env,
    npm_config_update_notifier: 'false',
    npm_config_audit: 'false',
    npm_config_fund: 'false',
  };
  return execFileSync(node, [npmCli, ...args], { cwd, env, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
}

const workshop = makeTempDir();
const node24 = fetchNode(24);
const unpacked = join(workshop, 'unpacked');
let tarball = '';

beforeAll(() => {
  const packed = npm(process.execPath, ['pack', '--json', '--pack-destination', workshop], projectRoot);
  // The build that npm runs first may print before it.
  const [{ filename }] = JSON.parse(packed.slice(packed.indexOf('[\n'))) as [{ filename: string }];
  tarball = join(workshop, filename);
  mkdirSync(unpacked);
  execFileSync('tar', ['xzf', tarball, '-C', unpacked]);
}, 5 * minutes);

const nodes: [name: string, node: string | undefined, npmFlags: string[]][] = [
  [`Node ${process.versions.node}, with whatever it asks of Node`, process.execPath, ['--engine-strict']],
  // As where npm 12 runs no install scripts, and where nothing optional can be had.
  [
    `Node ${process.versions.node}, without scripts and options`,
    process.execPath,
    ['--ignore-scripts', '--omit=optional'],
  ],
  ['Node 24', node24, []],
];

describe.each(nodes.filter((row): row is [string, string, string[]] => row[1] !== undefined))(
  'packed, installed in an empty folder, on %s',
  (_, node, flags) => {
    it(
      'serves both kinds of client, and a background task outlives the server that took it',
      async () => {
        const folder = tempDir();
        writeFileSync(join(folder, 'package.json'), '{"name": "an-empty-folder", "private": true}');
        npm(node, ['install', ...flags, tarball], folder);
        const bin = join(folder, 'node_modules/agent-runtime-mcp/dist/main.js');
        const version = execFileSync(node, [bin, '--version'], { encoding: 'utf8' }).trim();
        expect(version).toBe(JSON.parse(readFileSync(join(projectRoot, 'package.json'), 'utf8')).version);

        const home = tempDir();
        const raw = startRawServer({ home, command: node, args: [bin] });
        expect((await raw.initialize()).result.serverInfo.version).toBe(version);
        const created = await raw.request('tools/call', {
          name: 'create_goal',
          arguments: { name: 'G', description: 'D' },
        });
        expect(created.result.structuredContent.id).toBe(1);
        raw.process.stdin?.end();
        await raw.ended;

        const provider = await startAnthropicServer();
        onTestFinished(() => provider.close());
        const env = { ANTHROPIC_API_KEY: 'sk-ant-packed-0123456789', ANTHROPIC_BASE_URL: provider.url };
        const first = await connectServer({ home, env, command: node, args: [bin] });
        expect((await first.ok('list_goals')).count).toBe(1);
        const prompt = 'hello [[model {"pieces":["from ","the ","tarball"],"heldAt":2}]]';
        const { task_id } = await first.ok('submit_background_task', { task_description: prompt });
        await eventually('the model to be asked', () => provider.requests.length > 0);
        process.kill(first.pid, 'SIGKILL');
        const second = await connectServer({ home, env, command: node, args: [bin] });
        provider.letGo();
        await second.ok('wait_for_tasks', { task_ids: [task_id] });
        expect((await second.ok('get_task_result', { task_id })).result).toBe('from the tarball');

        const training = await second.ok('submit_job', {
          type: 'ml_experiment',
          payload: { dataset: 'iris', epochs: 50 },
        });
        await second.ok('wait_for_tasks', { task_ids: [training.job_id] });
        expect((await second.ok('get_job_status', { job_id: training.job_id })).status).toBe('completed');

        const program = `
          import { openRuntime } from 'agent-runtime-mcp';
          const runtime = await openRuntime({ agents: ['./agent.mjs'] });
          const { job_id } = await runtime.submitJob({ type: 'double', payload: { n: 21 } });
          console.log((await runtime.waitForJob(job_id)).result);
          runtime.close();`;
        const agent = `
          import { defineAgent } from 'agent-runtime-mcp';
          import { z } from 'zod';
          export default defineAgent({
            type: 'double', description: 'Doubles.', payload: z.object({ n: z.number() }),
            execute: async (job) => 2 * job.payload.n,
          });`;
        writeFileSync(join(folder, 'agent.mjs'), agent);
        const here = { cwd: folder, env: { HOME: home, PATH: '/usr/bin:/bin' }, encoding: 'utf8' as const };
        expect(execFileSync(node, ['--input-type=module', '--eval', program], here)).toBe('42\n');
      },
      5 * minutes,
    );
  },
);

it('the tarball holds what it needs to run, and nothing else', () => {
  const files = readdirSync(join(unpacked, 'package'), { recursive: true, encoding: 'utf8' });
  expect(files.filter((file) => !file.includes('/')).sort()).toEqual([
    '.claude-plugin',
    'CHANGELOG.md',
    'LICENSE',
    'README.md',
    'SECURITY.md',
    'dist',
    'docs',
    'package.json',
    'plugin',
    'src',
  ]);
  expect(files.filter((file) => /^src\/[^/]+$/.test(file))).toEqual(['src/deploy']);
  expect(files).toContain('dist/main.js');
  expect(files).toContain('dist/job-runner.js');
  expect(files).toContain('dist/agent-host.js');
  expect(files).toContain('dist/trainer-worker.js');
  expect(files).toContain('dist/types/index.d.ts');
  expect(files).toContain('dist/THIRD-PARTY-LICENSES.txt');
  for (const platform of ['darwin-arm64', 'darwin-x64', 'linux-arm64', 'linux-x64', 'win32-arm64', 'win32-x64']) {
    const binaries = files.filter((file) => file.startsWith(`dist/sqlite/prebuilds/${platform}/`));
    expect(binaries.length).toBe(platform.startsWith('linux') ? 2 : 1);
  }
  expect(
    files.filter(
      (file) =>
        /(^|\/)test\/|\.ts$/.test(file) && !/\.d\.ts$|^docs\/examples\//.test(file) && !file.startsWith('dist/types'),
    ),
  ).toEqual([]);
});

it('the tarball has nothing that npm would run or compile', () => {
  const manifest = JSON.parse(readFileSync(join(unpacked, 'package/package.json'), 'utf8'));
  expect(Object.keys(manifest.scripts).filter((name) => /install/.test(name))).toEqual([]);
  const files = readdirSync(join(unpacked, 'package'), { recursive: true, encoding: 'utf8' });
  expect(files.filter((file) => /binding\.gyp$|\.(c|cc|cpp|h)$|(^|\/)node_modules\//.test(file))).toEqual([]);
});

it('every package whose code is in the tarball has its licence there, in full', () => {
  const text = readFileSync(join(unpacked, 'package/dist/THIRD-PARTY-LICENSES.txt'), 'utf8');
  const entries = text.split(`${'-'.repeat(80)}\n`).slice(1);
  expect(entries.length).toBeGreaterThan(40);
  const grants =
    /Permission is hereby granted, free of charge|Permission to use, copy, modify,|Redistribution and use in source and binary forms|TERMS AND CONDITIONS FOR USE, REPRODUCTION, AND DISTRIBUTION|permission notice|This is free and unencumbered software/;
  const without = entries.filter((entry) => !grants.test(entry)).map((entry) => entry.split('\n', 1)[0]);
  expect(without).toEqual([]);
  expect(entries.map((entry) => entry.split(' ', 1)[0])).toContain('@photostructure/sqlite');
});
