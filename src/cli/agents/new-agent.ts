import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { isBuiltIn } from '../../agents/index.js';
import { parseConfigFile } from '../../base/config-file.js';
import { setInJsonc } from '../../base/edit-jsonc.js';
import { RuntimeError } from '../../base/errors.js';
import { isObject } from '../../base/json.js';
import { parseJsonc } from '../../base/jsonc.js';
import { providers } from '../../llm/providers.js';
import type { CommandContext } from '../define-command.js';
import { editFile } from '../install/edit-file.js';
import { commandName, directLaunch, mainEntry, npxLaunch } from '../launch.js';
import { settingOf } from '../with-runtime.js';
import { agentText, testText } from './templates.js';

export interface NewAgentOptions {
  name: string;
  isTypeScript: boolean;
}

/** Writes a module that works, and a test of it, and names the module in the config file. Replaces nothing. */
export function runNewAgent({ name, isTypeScript }: NewAgentOptions, { flags, output }: CommandContext): void {
  const type = typeOf(name);
  const { configPath } = settingOf(flags).config;
  const directory = join(dirname(configPath), 'agents');
  const stem = type.replaceAll('_', '-');
  const module = join(directory, `${stem}.${isTypeScript ? 'ts' : 'mjs'}`);
  const test = join(directory, `${stem}.test.mjs`);
  for (const file of [module, test]) refuseExisting(file);
  const entry = `./${relative(dirname(configPath), module).replaceAll('\\', '/')}`;
  editFile(configPath, (text) => ({ text: withModule(text, entry, configPath) }), Date.now());
  mkdirSync(directory, { recursive: true });
  writeFileSync(module, agentText(type, { isTypeScript }), { flag: 'wx' });
  const launch = directLaunch('', mainEntry()) === undefined ? npxLaunch(process.platform) : undefined;
  writeFileSync(test, testText(type, { module: module.slice(directory.length + 1), launch, entry: mainEntry() }), {
    flag: 'wx',
  });
  if (flags.isJson) {
    output.printJson({ type, module, test, config: configPath });
    return;
  }
  output.print(`Wrote ${module}, which ${configPath} names now, and ${test}.`);
  if (flags.isQuiet) return;
  output.print(`
Next:
  ${commandName} agents test ${type} --payload '{"text": "to be or not to be"}'
  node --test ${test}
  ${commandName} submit --type ${type} --payload '{"text": "to be or not to be"}' --wait`);
}

function typeOf(name: string): string {
  const type = name.replaceAll('-', '_');
  if (!/^[a-z][a-z0-9_]{0,99}$/.test(type)) {
    throw new RuntimeError(
      'invalid',
      `${JSON.stringify(name)} is no job type: a type is lower case words.`,
      'Give a name such as count-words.',
    );
  }
  if (isBuiltIn(type)) throw new RuntimeError('conflict', `The type ${type} is built in.`, 'Give another name.');
  return type;
}

function refuseExisting(file: string): void {
  if (!existsSync(file)) return;
  throw new RuntimeError('conflict', `${file} exists already.`, 'Give another name, or remove that file.');
}

function withModule(text: string, entry: string, configPath: string): string {
  const before = parseConfigFile(text.trim() === '' ? '{}' : text, configPath, providers);
  const root = text.trim() === '' ? {} : parseJsonc(text).value;
  const named = isObject(root) && Array.isArray(root.agents) ? root.agents : [];
  if ((before.file.agents ?? []).includes(entry)) return text;
  return setInJsonc(text, ['agents'], [...named, entry]);
}
