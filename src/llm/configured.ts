import type { Config } from '../base/config.js';
import { findCommand } from '../base/find-command.js';
import { createModels, type Models } from './index.js';
import type { LlmSettings } from './settings.js';

/** The models of a user's settings. */
export function configuredModels(config: Config): Models {
  return createModels(settingsOf(config));
}

function settingsOf(config: Config): LlmSettings {
  const { anthropic, google, ollama, claudeCode, custom, models } = config.providers;
  const command = findCommand(claudeCode.command, config.env);
  const defaults = {
    ...(anthropic.model ? { anthropic: anthropic.model } : {}),
    ...(google.model ? { google: google.model } : {}),
    ...(ollama.model ? { ollama: ollama.model } : {}),
    ...(claudeCode.model ? { 'claude-code': claudeCode.model } : {}),
  };
  return {
    model: config.model,
    anthropic,
    google,
    ollama,
    claudeCode: {
      ...claudeCode,
      command: command ?? claudeCode.command,
      isFound: command !== undefined,
      env: config.env,
      depth: config.depth,
    },
    custom,
    overrides: { defaults, ...models },
  };
}
