import type { Config } from '../../base/config.js';
import { type ReadConfigFile, readConfigFile, readSecretsFile, resolvePath } from '../../base/config-file.js';
import { reportError } from '../../base/errors.js';
import { settingOrDefault } from '../../base/settings.js';
import { providers } from '../../llm/providers.js';
import { chooseTools } from '../../tools/index.js';
import { type Check, checksOf } from './check.js';
import { statOrUndefined } from './check-directories.js';

const { ok, warn, fail } = checksOf('Settings');

/** The config file, its secrets file, the environment, and the tools that they choose. */
export function checkSettings(config: Config, settingProblem: unknown): Check[] {
  return [
    ...checkFiles(config),
    ...checkEnvironment(config, settingProblem),
    checkTools(config),
    showRetention(config),
  ];
}

function checkFiles(config: Config): Check[] {
  const { configPath } = config;
  if (statOrUndefined(configPath) === undefined) {
    const finding = `${configPath} does not exist; the defaults apply`;
    return [
      isUsual(config) ? ok('config file', finding) : warn('config file', finding, 'Correct its name, or create it.'),
    ];
  }
  let file: ReadConfigFile['file'];
  try {
    ({ file } = readConfigFile(configPath, providers));
  } catch (error) {
    return [failure('config file', error)];
  }
  const checks = [ok('config file', configPath)];
  return file.secretsFile === undefined ? checks : [...checks, checkSecrets(file.secretsFile, config)];
}

const isUsual = ({ configPath, home }: Config): boolean =>
  configPath === resolvePath(settingOrDefault({}, 'AGENT_RUNTIME_CONFIG'), { home, configPath });

function checkSecrets(secretsFile: string, config: Config): Check {
  const path = resolvePath(secretsFile, config);
  try {
    const names = Object.keys(readSecretsFile(path));
    return ok('secrets file', `${path} sets ${names.length > 0 ? names.join(', ') : 'nothing'}`);
  } catch (error) {
    return failure('secrets file', error);
  }
}

function checkEnvironment({ warnings }: Config, problem: unknown): Check[] {
  const unknown = warnings.map((warning) => warn('environment', warning, 'Correct its name, or remove it.'));
  if (problem === undefined) return unknown.length > 0 ? unknown : [ok('environment', 'every variable can be read')];
  const { message, hint } = reportError(problem);
  return [...unknown, fail('environment', `${message} Until it is corrected, the defaults are checked here.`, hint)];
}

function checkTools(config: Config): Check {
  try {
    const count = chooseTools(config).length;
    return ok('tools', `${count} offered (toolsets ${config.toolsets}${config.isReadOnly ? ', read only' : ''})`);
  } catch (error) {
    return failure('tools', error);
  }
}

function showRetention({ retentionDays }: Config): Check {
  if (retentionDays !== undefined)
    return ok('retention', `what ended ${retentionDays} days ago is deleted, once a day`);
  return ok('retention', 'nothing is deleted by itself (AGENT_RUNTIME_RETENTION_DAYS)');
}

function failure(name: string, error: unknown): Check {
  const { message, hint } = reportError(error);
  return fail(name, message, hint);
}
