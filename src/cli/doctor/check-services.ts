import type { Config } from '../../base/config.js';
import { reportError } from '../../base/errors.js';
import { chooseBackends, searchBackends } from '../../downstream/native/web-search.js';
import { createModels, type Models } from '../../llm/index.js';
import { type Check, checksOf } from './check.js';

const models = checksOf('Models');
const search = checksOf('Search');

/** Which models answer background tasks and plan goals. No provider is called. */
export function checkModels(config: Config, configured = createModels(config)): Check[] {
  const providers = configured
    .available()
    .map(({ id, isConfigured, defaultModel, fix }) =>
      isConfigured
        ? models.ok(id, `set up${defaultModel ? `; ${defaultModel}` : ''}`)
        : models.ok(id, 'not set up', fix),
    );
  return [...providers, ...checkDefault(configured)];
}

function checkDefault(configured: Models): Check[] {
  const name = configured.defaultModel();
  if (name === undefined) {
    return [
      models.warn('default', 'none: background tasks need a model', 'Set up one of the providers above.'),
      models.ok('planner', "decompose_goal asks the client's model, or else its caller, for the plan"),
    ];
  }
  try {
    const { provider, model, warnings } = configured.resolve(name);
    configured.provider(provider);
    const detail = [`${name} (${[provider, model].filter(Boolean).join(', ')})`, ...warnings].join('\n');
    return [
      warnings.length > 0
        ? models.warn('default', detail, 'Set AGENT_RUNTIME_MODEL to a current model.')
        : models.ok('default', detail),
      models.ok('planner', `decompose_goal asks the client's model, or else ${name}`),
    ];
  } catch (error) {
    const { message, hint } = reportError(error);
    return [models.fail('default', message, hint)];
  }
}

/** Which service answers web_search. No service is called. */
export function checkSearch({ native }: Config): Check[] {
  if (native.searchBackend === undefined && !searchBackends.some((backend) => backend.isConfigured(native))) {
    return [search.ok('web_search', 'not set up', searchBackends.map(({ advice }) => advice).join('\n'))];
  }
  try {
    const [first, ...others] = chooseBackends(native).map(({ service, setting }) => `${service} (${setting} is set)`);
    const then = others.length === 0 ? '' : `, and if it fails ${others.join(', ')}`;
    return [search.ok('web_search', `asks ${first}${then}`)];
  } catch (error) {
    const { message, hint } = reportError(error);
    return [search.warn('web_search', message, hint)];
  }
}
