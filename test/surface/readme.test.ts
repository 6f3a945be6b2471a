import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, it } from 'vitest';
import { z } from 'zod';
import { type Setting, searchSettings, settings } from '../../src/base/settings.js';
import { commands } from '../../src/cli/commands.js';
import type { DefinedCommand } from '../../src/cli/define-command.js';
import { pathsAt } from '../../src/cli/install/client-app.js';
import { clientIds, clientOf } from '../../src/cli/install/clients.js';
import { providers } from '../../src/llm/providers.js';
import { toolsetPurposes, toolsets } from '../../src/tools/index.js';
import { house, inside, type Ladder, page } from '../support/ladder.js';
import { projectRoot } from '../support/root.js';

/** What stands between `<!-- NAME -->` and `<!-- /NAME -->` in a file is made from declarations; `npm run readme` writes it. */
const generated: readonly { file: string; name: string; make: () => string }[] = [
  { file: 'README.md', name: 'toolsets', make: toolsetTable },
  { file: 'README.md', name: 'commands', make: commandTable },
  { file: 'README.md', name: 'providers', make: () => providersTable(false) },
  { file: 'docs/models.md', name: 'providers', make: () => providersTable(true) },
  { file: 'README.md', name: 'settings', make: () => settingsTable(ofRuntime()) },
  { file: 'src/llm/README.md', name: 'settings', make: () => settingsTable(ofProviders()) },
  { file: 'src/downstream/README.md', name: 'settings', make: () => settingsTable(search) },
  { file: 'src/cli/README.md', name: 'commands', make: fullCommandTable },
  { file: 'src/cli/README.md', name: 'clients', make: clientTable },
  { file: 'src/tools/README.md', name: 'tools', make: toolTable },
  { file: 'src/README.md', name: 'ladder', make: ladderDrawing },
];

function toolsetTable(): string {
  const rows = Object.entries(toolsets).map(([name, tools]) => {
    const names = tools.map((tool) => `\`${tool.name}\``).join(' ');
    return `| **${name}** | ${toolsetPurposes[name as keyof typeof toolsets]} | ${names} |`;
  });
  return ['| toolset | for | tools |', '|---|---|---|', ...rows].join('\n');
}

function toolTable(): string {
  const rows = Object.entries(toolsets).flatMap(([toolset, tools]) =>
    tools.map((tool, index) => {
      const [firstSentence = ''] = tool.description.split(/(?<=\.)\s/, 1);
      return `| ${index === 0 ? `**${toolset}**` : ''} | \`${tool.name}\` | ${firstSentence} |`;
    }),
  );
  return ['| toolset | tool | what it does |', '|---|---|---|', ...rows].join('\n');
}

/** Every command with the words that call it; the group is named in its first row only. */
function commandRows(rowOf: (call: string, command: DefinedCommand) => string): string[] {
  return Object.entries(commands).flatMap(([group, members]) =>
    members
      .flatMap((one) =>
        'commands' in one
          ? one.commands.map((command) => rowOf(`${one.name} ${command.name}`, command))
          : rowOf(one.name, one),
      )
      .map((row, index) => `| ${index === 0 ? `**${group}**` : ''} ${row}`),
  );
}

/** The names of each group; what each does is in the README of the command line. */
function commandTable(): string {
  const rows = Object.entries(commands).map(([group, members]) => {
    const calls = members.flatMap((one) =>
      'commands' in one ? `${one.name} ${one.commands.map(({ name }) => name).join(' · ')}` : one.name,
    );
    return `| **${group}** | ${calls.map((call) => `\`${call}\``).join(' ')} |`;
  });
  return ['| group | commands |', '|---|---|', ...rows].join('\n');
}

/** Each command with its arguments and required options, and the whole description. */
function fullCommandTable(): string {
  const rows = commandRows((call, { arguments: args, options, usage, description }) => {
    const words = Object.entries(args).map(([name, { isRequired }]) => (isRequired ? `<${name}>` : `[${name}]`));
    const required = Object.values(options).filter(({ isRequired }) => isRequired);
    const flags = required.map((option) => option.flags.split(', ').at(-1));
    const line = [call, ...(usage === undefined ? [...words, ...flags] : [usage])].join(' ');
    return `| \`${line.replaceAll('|', '\\|')}\` | ${description} |`;
  });
  return ['| group | command | what it does |', '|---|---|---|', ...rows].join('\n');
}

/** Each client with its files on Linux. */
function clientTable(): string {
  const at = pathsAt({ platform: 'linux', home: '~', env: {}, project: '.' });
  const rows = clientIds.map((id) => {
    const { title, files, serversPath } = clientOf(id);
    const paths = (['user', 'project'] as const).map((scope) => {
      const found = files[scope]?.(at);
      const [first] = typeof found === 'string' ? [found] : (found ?? []);
      return first === undefined ? '' : `\`${first}\``;
    });
    return `| \`${id}\` | ${title} | ${paths.join(' | ')} | \`${serversPath.join('.')}\` |`;
  });
  return ['| client | is | user (on Linux) | project | servers under |', '|---|---|---|---|---|', ...rows].join('\n');
}

/** All that a provider's section of the config file may have is too long for the first page. */
function providersTable(isWhole: boolean): string {
  const rows = providers.map(({ id, kind, label, modelStrings, defaultModel, setUp, settings: section }) => {
    const keys = section instanceof z.ZodObject ? Object.keys(section.shape) : ['NAME'];
    const inFile = keys.map((key) => `\`${key}\``).join(' ');
    const own = kind === undefined ? `\`${id}\`: ${inFile}` : '`NAME`: see below';
    const usual = defaultModel && `\`${defaultModel}\``;
    const row = `| ${label} | ${modelStrings} | ${setUp} |`;
    return isWhole ? `${row} ${usual} | ${own} |` : row;
  });
  const head = isWhole
    ? ['| provider | model | set it up | default | `providers` in the config file |', '|---|---|---|---|---|']
    : ['| provider | model | set it up |', '|---|---|---|'];
  return [...head, ...rows].join('\n');
}

function settingsTable(shown: readonly Setting[]): string {
  const rows = shown.map((setting) => {
    const names = [setting.name, ...(setting.aliases ?? [])].map((name) => `\`${name}\``).join(' or ');
    return `| ${names} | ${setting.default === undefined ? '' : `\`${setting.default}\``} | ${setting.meaning} |`;
  });
  return ['| variable | default | meaning |', '|---|---|---|', ...rows].join('\n');
}

const search: readonly Setting[] = searchSettings;
const ofProviders = (): Setting[] =>
  providers.flatMap(({ environment }) => Object.values(environment).filter(isPresent));
const ofRuntime = (): Setting[] => settings.filter((setting) => !search.includes(setting));

const isPresent = <Value>(value: Value | undefined): value is Value => value !== undefined;

/** The floors as boxes, the highest on top; each may import from all below it. */
function ladderDrawing(): string {
  const draw = (name: string, ladder: Ladder) => {
    const floors = [...ladder].reverse().map((floor, index) => ({ id: `${name}${index}`, text: floor.join(' · ') }));
    const boxes = floors.map(({ id, text }) => `    ${id}["${text.replaceAll('"', "'")}"]`);
    return [`  subgraph ${name}`, ...boxes, `    ${floors.map(({ id }) => id).join(' --> ')}`, '  end'];
  };
  const parts = [draw('src', house), ...Object.entries(inside).map(([folder, ladder]) => draw(folder, ladder))];
  const apart = [`  ${page}["${page}: runs in the browser, imports types of the wire alone"]`];
  return ['```mermaid', 'flowchart TD', ...parts.flat(), ...apart, '```'].join('\n');
}

/** The text with what stands between two markers replaced. */
function withSection(text: string, name: string, section: string): string {
  const between = new RegExp(`(<!-- ${name} -->\n)[\\s\\S]*?(<!-- /${name} -->)`);
  expect(text).toMatch(between);
  return text.replace(between, (_, open, close) => `${open}${section}\n${close}`);
}

it.each([...new Set(generated.map(({ file }) => file))])(
  '%s has what the declarations say (npm run readme)',
  (file) => {
    const path = join(projectRoot, file);
    const found = readFileSync(path, 'utf8');
    const sections = generated.filter((section) => section.file === file);
    const wanted = sections.reduce((text, { name, make }) => withSection(text, name, make()), found);
    if (process.env.WRITE_README === '1') writeFileSync(path, wanted);
    else expect(found).toBe(wanted);
  },
);

it('every tool that the README names exists', () => {
  const known = new Set(Object.values(toolsets).flatMap((tools) => tools.map((tool) => tool.name)));
  const calls = [...readFileSync(join(projectRoot, 'README.md'), 'utf8').matchAll(/^([a-z]+_[a-z_]+) +\{/gm)];
  expect(calls.length).toBeGreaterThan(3);
  expect(calls.map(([, name]) => name ?? '').filter((name) => !known.has(name))).toEqual([]);
});

it('the README is short enough to be read', () => {
  expect(Buffer.byteLength(readFileSync(join(projectRoot, 'README.md')))).toBeLessThan(22_000);
});

const pages = ['README.md', 'src/README.md', 'src/tools/README.md', 'src/agents/README.md', 'src/llm/README.md'];

it.each([...pages, 'src/downstream/README.md', 'src/library/README.md', 'src/cli/README.md'])(
  'every file that %s names is there',
  (file) => {
    const folder = join(projectRoot, dirname(file));
    const text = readFileSync(join(projectRoot, file), 'utf8');
    const links = [...text.matchAll(/\]\((?!https?:|#)([^)#]+)/g)].map(([, target]) => join(folder, target ?? ''));
    const paths = [...text.matchAll(/`((?:src|test|\.config|\.ci)\/[\w./-]+)`/g)].map(([, path]) =>
      join(projectRoot, path ?? ''),
    );
    expect([...links, ...paths].filter((path) => !existsSync(path))).toEqual([]);
  },
);
