import { existsSync } from 'node:fs';
import type { Config } from '../../base/config.js';
import { findCommand } from '../../base/find-command.js';
import { createModels, type Models } from '../../llm/index.js';

/** The models that a runtime of this configuration has, without the database that it would open: as in `runtime.ts`. */
export function modelsOf(config: Config): Models {
  const { anthropic, google, ollama, claudeCode, custom, models } = config.providers;
  const command = findCommand(claudeCode.command, config.env);
  return createModels({
    model: config.model,
    anthropic,
    google,
    ollama,
    claudeCode: {
      ...claudeCode,
      command: command ?? claudeCode.command,
      isFound: command !== undefined && existsSync(command),
      env: config.env,
      depth: config.depth,
    },
    custom,
    overrides: {
      defaults: {
        ...(anthropic.model ? { anthropic: anthropic.model } : {}),
        ...(google.model ? { google: google.model } : {}),
        ...(ollama.model ? { ollama: ollama.model } : {}),
        ...(claudeCode.model ? { 'claude-code': claudeCode.model } : {}),
      },
      ...models,
    },
  });
}
