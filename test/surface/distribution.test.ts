import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { z } from 'zod';
import { settings } from '../../src/base/settings.js';
import { providers } from '../../src/llm/providers.js';
import { toolsets } from '../../src/tools/index.js';
import { projectRoot } from '../support/root.js';

const text = (file: string) => readFileSync(join(projectRoot, file), 'utf8');
const read = (file: string) => JSON.parse(text(file));
const manifest = read('package.json');
const plugin = read('.claude-plugin/plugin.json');
const marketplace = read('.claude-plugin/marketplace.json');
const server = read('server.json');

/** The rules of the MCP registry, schema 2025-12-11, for what server.json has; a field beside them is a mistake here. */
const inRegistry = z.strictObject({
  $schema: z.literal('https://static.modelcontextprotocol.io/schemas/2025-12-11/server.schema.json'),
  name: z
    .string()
    .min(3)
    .max(200)
    .regex(/^[a-zA-Z0-9.-]+\/[a-zA-Z0-9._-]+$/),
  title: z.string().min(1).max(100),
  description: z.string().min(1).max(100),
  version: z
    .string()
    .max(255)
    .regex(/^\d+\.\d+\.\d+(-[\w.]+)?$/),
  websiteUrl: z.url(),
  repository: z.strictObject({ url: z.url(), source: z.literal('github') }),
  packages: z
    .array(
      z.strictObject({
        registryType: z.literal('npm'),
        identifier: z.string(),
        version: z.string().regex(/^\d/),
        runtimeHint: z.literal('npx'),
        transport: z.strictObject({ type: z.literal('stdio') }),
        environmentVariables: z.array(
          z.strictObject({
            name: z.string().min(1),
            description: z.string(),
            isSecret: z.boolean().optional(),
            format: z.enum(['string', 'number', 'boolean', 'filepath']),
            choices: z.array(z.string()).optional(),
            default: z.string().optional(),
          }),
        ),
      }),
    )
    .min(1),
});

it('server.json follows the rules of the registry', () => {
  expect(inRegistry.parse(server)).toEqual(server);
});

it('the version and the description are the same everywhere', () => {
  const [entry] = marketplace.plugins;
  expect([plugin.version, server.version, server.packages[0].version]).toEqual(Array(3).fill(manifest.version));
  const { description } = manifest;
  expect([plugin.description, server.description, entry.description]).toEqual(Array(3).fill(description));
  expect(description.length).toBeLessThanOrEqual(100);
});

it('the registry can see that the package is the server', () => {
  expect(manifest.mcpName).toBe(server.name);
  expect(server.packages[0].identifier).toBe(manifest.name);
});

it('there is one address of the repository', () => {
  const address = manifest.repository.url.replace(/^git\+|\.git$/g, '');
  expect([manifest.homepage, manifest.bugs.url]).toEqual([`${address}#readme`, `${address}/issues`]);
  expect([plugin.repository, plugin.homepage, plugin.author.url]).toEqual([address, `${address}#readme`, address]);
  expect([server.repository.url, server.websiteUrl]).toEqual([address, address]);
  const owner = address.replace('https://github.com/', '');
  expect(text('README.md')).toContain(`/plugin install ${plugin.name} --marketplace ${owner}\n`);
  const elsewhere = ['README.md', 'CHANGELOG.md', 'src/cli/README.md'].flatMap(
    (file) => text(file).match(/github\.com\/[\w-]+\/agent-runtime[\w-]*/g) ?? [],
  );
  expect(elsewhere.filter((found) => found !== `github.com/${owner}`)).toEqual([]);
});

it('every variable of server.json is one that the program reads', () => {
  const known = [...settings, ...providers.flatMap(({ environment }) => Object.values(environment))].map(
    (setting) => setting?.name,
  );
  for (const { name } of server.packages[0].environmentVariables) expect(known).toContain(name);
});

/** What the plugin's files tell a model to call. */
it('every tool that the plugin names exists', () => {
  const known = new Set(Object.values(toolsets).flatMap((tools) => tools.map((tool) => tool.name)));
  const files = readdirSync(join(projectRoot, 'plugin'), { recursive: true, encoding: 'utf8' }).filter((file) =>
    file.endsWith('.md'),
  );
  expect(files.length).toBe(4);
  for (const file of files) {
    const names = [...text(`plugin/${file}`).matchAll(/`([a-z]+(?:_[a-z]+)+)`/g)].map(([, name]) => name ?? '');
    const arguments_ = ['goal_id', 'claim_token', 'depends_on'];
    expect(names.filter((name) => !known.has(name) && !arguments_.includes(name))).toEqual([]);
  }
});

it('every file that the plugin names is there, and in the package', () => {
  const named = [...plugin.commands, plugin.hooks, plugin.mcpServers].map((path: string) => path.replace('./', ''));
  for (const file of named) expect(text(file).length).toBeGreaterThan(50);
  const hooks = text('plugin/hooks.json').match(/plugin\/[\w-]+\.mjs/g) ?? [];
  expect(hooks.length).toBe(3);
  for (const file of hooks) text(file);
  expect(manifest.files).toEqual(expect.arrayContaining(['.claude-plugin', 'plugin', 'dist']));
});

/** What each link of the README gives to its client. */
it('the install links start the server as install does', () => {
  const links = [
    ...`${text('README.md')}${text('src/cli/README.md')}`.matchAll(
      /\((https:\/\/[^)\s]*(?:install|launch|extension)[^)\s]*)\)/g,
    ),
  ].map(([, link]) => new URL(link ?? ''));
  expect(links.length).toBe(5);
  for (const { hostname, searchParams } of links) {
    const config = searchParams.get('config');
    const start = { command: 'npx', args: ['-y', manifest.name] };
    if (config === null)
      expect([searchParams.get('cmd'), ...searchParams.getAll('arg')], hostname).toEqual(['npx', '-y', manifest.name]);
    else
      expect(JSON.parse(config.startsWith('{') ? config : Buffer.from(config, 'base64').toString()), hostname).toEqual(
        start,
      );
  }
});
