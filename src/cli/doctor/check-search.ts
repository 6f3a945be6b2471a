import type { Config } from '../../base/config.js';
import { reportError } from '../../base/errors.js';
import { chooseBackend, searchBackends } from '../../downstream/native/web-search.js';
import { type Check, checksOf } from './check.js';

const { ok, warn } = checksOf('Search');

/** Who answers web_search. No service is called. */
export function checkSearch({ native }: Config): Check[] {
  if (native.searchBackend === undefined && !searchBackends.some((backend) => backend.isConfigured(native))) {
    return [ok('web_search', 'not set up', searchBackends.map(({ advice }) => advice).join('\n'))];
  }
  try {
    const { service, setting } = chooseBackend(native);
    return [ok('web_search', `asks ${service} (${setting} is set)`)];
  } catch (error) {
    const { message, hint } = reportError(error);
    return [warn('web_search', message, hint)];
  }
}
