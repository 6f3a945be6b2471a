import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { type Setting, settings } from '../../src/base/settings.js';
import { commands } from '../../src/cli/commands/index.js';
import type { DefinedCommand } from '../../src/cli/define-command.js';
import { toolsets } from '../../src/tools/index.js';
import { projectRoot } from '../support/root.js';

const readme = join(projectRoot, 'README.md');

function toolTable(): string {
  const rows = Object.entries(toolsets).flatMap(([toolset, tools]) =>
    tools.map((tool, index) => {
      const [firstSentence = ''] = tool.description.split(/(?<=\.)\s/, 1);
      return `| ${index === 0 ? `**${toolset}**` : ''} | \`${tool.name}\` | ${firstSentence} |`;
    }),
  );
  return ['| toolset | tool | what it does |', '|---|---|---|', ...rows].join('\n');
}

function commandTable(): string {
  const rows = Object.entries(commands).flatMap(([group, declared]) =>
    declared
      .flatMap((one) =>
        'commands' in one
          ? one.commands.map((command) => rowOf(command, `${one.name} ${command.name}`))
          : rowOf(one, one.name),
      )
      .map((row, index) => `| ${index === 0 ? `**${group}**` : ''} ${row}`),
  );
  return ['| group | command | what it does |', '|---|---|---|', ...rows].join('\n');
}

/** The command with its arguments and required options, and its description. */
function rowOf({ arguments: args, options, usage, description }: DefinedCommand, name: string): string {
  const words = Object.entries(args).map(([argument, { isRequired }]) =>
    isRequired ? `<${argument}>` : `[${argument}]`,
  );
  const required = Object.values(options).filter(({ isRequired }) => isRequired);
  const flags = required.map((option) => option.flags.split(', ').at(-1));
  const call = [name, ...(usage === undefined ? [...words, ...flags] : [usage])].join(' ');
  return `| \`${call.replaceAll('|', '\\|')}\` | ${description} |`;
}

function settingsTable(): string {
  const rows = settings.map((setting: Setting) => {
    const names = [setting.name, ...(setting.aliases ?? [])].map((name) => `\`${name}\``).join(' or ');
    return `| ${names} | ${setting.default === undefined ? '' : `\`${setting.default}\``} | ${setting.meaning} |`;
  });
  return ['| variable | default | meaning |', '|---|---|---|', ...rows].join('\n');
}

/** The text with what stands between two markers replaced. */
function withSection(text: string, name: string, section: string): string {
  const between = new RegExp(`(<!-- ${name} -->\n)[\\s\\S]*?(<!-- /${name} -->)`);
  expect(text).toMatch(between);
  return text.replace(between, (_, open, close) => `${open}${section}\n${close}`);
}

it('the tables of the README are those of the declarations (npm run readme writes them)', () => {
  const found = readFileSync(readme, 'utf8');
  const sections = { tools: toolTable(), commands: commandTable(), settings: settingsTable() };
  const wanted = Object.entries(sections).reduce((text, [name, section]) => withSection(text, name, section), found);
  if (process.env.WRITE_README === '1') writeFileSync(readme, wanted);
  else expect(found).toBe(wanted);
});

it('every tool that the README names exists', () => {
  const known = new Set(Object.values(toolsets).flatMap((tools) => tools.map((tool) => tool.name)));
  const calls = [...readFileSync(readme, 'utf8').matchAll(/^([a-z]+_[a-z_]+) +\{/gm)].map(([, name]) => name ?? '');
  expect(calls.length).toBeGreaterThan(3);
  expect(calls.filter((name) => !known.has(name))).toEqual([]);
});
