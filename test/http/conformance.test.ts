import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { fetchNode, fetchPackage } from '../support/other-node.js';
import { projectRoot } from '../support/paths.js';
import { tempDir } from '../support/temp-dir.js';
import { startHttpProcess } from './http-process.js';

const suite = join(projectRoot, 'node_modules/@modelcontextprotocol/conformance/dist/index.js');

/** Those of the official suite that can be met without tools, resources or prompts of its own making. */
const scenarios = [
  'server-initialize',
  'logging-set-level',
  'ping',
  'tools-list',
  'tools-call-simple-text',
  'tools-call-error',
  'server-sse-multiple-streams',
  'resources-list',
  'resources-subscribe',
  'resources-unsubscribe',
  'prompts-list',
  'dns-rebinding-protection',
];

it('the official conformance suite passes against /mcp', async () => {
  // The suite sends no token.
  const { url } = await startHttpProcess(tempDir(), ['serve', '--http', '--port', '0', '--no-token']);
  for (const scenario of scenarios) {
    const args = [suite, 'server', '--url', `${url}/mcp`, '--scenario', scenario];
    const { stdout, stderr } = await promisify(execFile)(process.execPath, args).catch((error) => error);
    const [, passed, all] = /Passed: (\d+)\/(\d+)/.exec(`${stdout}${stderr}`) ?? [];
    expect(passed, `${scenario}: ${stdout}${stderr}`).toBe(all);
    expect(Number(all), scenario).toBeGreaterThan(0);
  }
});

/** The same for 2026-07-28, by an edition of the suite that needs a newer Node than we do. */
const modernScenarios = [
  'server-stateless',
  'tools-list',
  'tools-call-simple-text',
  'tools-call-error',
  'server-sse-multiple-streams',
  'resources-list',
  'sep-2164-resource-not-found',
  'prompts-list',
  'dns-rebinding-protection',
  'caching',
  'http-header-validation',
  'input-required-result-missing-input-response',
  'input-required-result-unsupported-methods',
  'input-required-result-ignore-extra-params',
  'input-required-result-validate-input',
];

/** Both want a tool `test_missing_capability`. */
const wantsItsOwnTool = ['sep-2575-server-rejects-undeclared-capability', 'sep-2575-missing-capability-http-400'];

const node = fetchNode(24);
const modernSuite = fetchPackage(
  '@modelcontextprotocol/conformance',
  '0.2.0-alpha.12',
  'Skipped conformance to 2026-07-28',
);

it.skipIf(!node || !modernSuite)('the official conformance suite for 2026-07-28 passes against /mcp', async () => {
  const { url } = await startHttpProcess(tempDir(), ['serve', '--http', '--port', '0', '--no-token']);
  for (const scenario of modernScenarios) {
    const options = ['--scenario', scenario, '--spec-version', '2026-07-28', '--verbose'];
    const args = [join(modernSuite ?? '', 'dist/index.js'), 'server', '--url', `${url}/mcp`, ...options];
    const { stdout } = await promisify(execFile)(node ?? '', args, { maxBuffer: 64_000_000 }).catch((error) => error);
    const checks: { id: string; status: string }[] = JSON.parse(
      stdout.slice(stdout.indexOf('\n['), stdout.lastIndexOf('\n]') + 2),
    );
    const failed = checks.flatMap(({ id, status }) => (status === 'FAILURE' ? [id] : []));
    expect(checks.length, `${scenario}: ${stdout}`).toBeGreaterThan(0);
    expect(failed, scenario).toEqual(scenario === 'server-stateless' ? wantsItsOwnTool : []);
  }
});
