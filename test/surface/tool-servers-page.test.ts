import { readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { expect, it } from 'vitest';
import { parseConfigFile } from '../../src/base/config-file.js';
import { formsOfServer } from '../../src/base/server-settings.js';
import { commands } from '../../src/cli/commands.js';
import { providers } from '../../src/llm/providers.js';
import { projectRoot } from '../support/paths.js';

const page = 'docs/tool-servers.md';
const text = readFileSync(join(projectRoot, page), 'utf8');

/** The blocks of one language. */
const blocks = (language: string) =>
  [...text.matchAll(new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\``, 'gms'))].map(([, block = '']) => block);

const examples = blocks('json');

it.each(examples)('the config file takes the example %#', (example) => {
  const { servers } = parseConfigFile(example, page, providers);
  expect(servers.unused.filter(({ problem }) => problem !== undefined)).toEqual([]);
  expect(Object.keys(servers.used).length).toBeGreaterThan(0);
});

it('an example says no key that means nothing here', () => {
  const known = new Set(formsOfServer.flatMap(({ shape }) => Object.keys(shape)));
  const entries = examples.flatMap((example) => Object.values(JSON.parse(example).mcpServers as object));
  expect(entries.flatMap((entry) => Object.keys(entry)).filter((key) => !known.has(key))).toEqual([]);
});

it('the page shows each kind of server', () => {
  const entries = examples.flatMap((example) => Object.values(JSON.parse(example).mcpServers as object));
  const keys = new Set(entries.flatMap((entry) => Object.keys(entry)));
  const shown = ['command', 'url', 'oauth', 'instances', 'backups', 'expose', 'resources', 'prompts', 'shared'];
  expect(shown.filter((key) => !keys.has(key))).toEqual([]);
  expect(new Set(entries.flatMap((entry: { type?: string }) => entry.type ?? []))).toEqual(new Set(['http', 'sse']));
});

it('each command of the page is one of ours, with options that it has', () => {
  const named = new Map(
    Object.values(commands)
      .flat()
      .flatMap((one) =>
        'commands' in one
          ? one.commands.map((each) => [`${one.name} ${each.name}`, each] as const)
          : [[one.name, one] as const],
      ),
  );
  const lines = blocks('sh').flatMap((block) => block.match(/^agent-runtime [^#\n]+/gm) ?? []);
  expect(lines.length).toBeGreaterThan(5);
  for (const line of lines) {
    const [, first = '', second = ''] = line.trim().split(/\s+/);
    const command = named.get(`${first} ${second}`) ?? named.get(first);
    expect(command, line).toBeDefined();
    const flags = Object.values(command?.options ?? {}).map((option) => (option as { flags: string }).flags);
    for (const flag of line.match(/--[\w-]+/g) ?? []) expect(flags.join(' '), line).toContain(flag);
  }
});

it('its links lead to files that are there', () => {
  for (const [, link = ''] of text.matchAll(/\]\(([^)#]+)(?:#[^)]*)?\)/g)) {
    if (link.startsWith('http')) continue;
    expect(() => readFileSync(join(projectRoot, normalize(join(dirname(page), link))))).not.toThrow();
  }
});
