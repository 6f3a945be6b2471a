import type { Config } from '../../base/config.js';
import { reportError } from '../../base/errors.js';
import { createModels, type Models } from '../../llm/index.js';
import { type Check, checksOf } from './check.js';

const { ok, warn, fail } = checksOf('Models');

/** Which providers can answer background tasks, and which model plans goals. No provider is called. */
export function checkModels(config: Config, models = createModels(config)): Check[] {
  const providers = models
    .available()
    .map(({ id, isConfigured, defaultModel, fix }) =>
      isConfigured ? ok(id, `set up${defaultModel ? `; ${defaultModel}` : ''}`) : ok(id, 'not set up', fix),
    );
  return [...providers, ...checkDefault(models)];
}

function checkDefault(models: Models): Check[] {
  const name = models.defaultModel();
  if (name === undefined) {
    return [
      warn('default', 'none: background tasks need a model', 'Set up one of the providers above.'),
      ok('planner', "decompose_goal asks the client's model, or else its caller, for the plan"),
    ];
  }
  try {
    const { provider, model, warnings } = models.resolve(name);
    models.provider(provider);
    const detail = [`${name} (${[provider, model].filter(Boolean).join(', ')})`, ...warnings].join('\n');
    return [
      warnings.length > 0
        ? warn('default', detail, 'Set AGENT_RUNTIME_MODEL to a current model.')
        : ok('default', detail),
      ok('planner', `decompose_goal asks the client's model, or else ${name}`),
    ];
  } catch (error) {
    const { message, hint } = reportError(error);
    return [fail('default', message, hint)];
  }
}
