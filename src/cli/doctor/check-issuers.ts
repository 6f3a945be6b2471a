import { systemClock } from '../../base/clock.js';
import type { Config } from '../../base/config.js';
import { messageOf } from '../../base/errors.js';
import { type Issuer, isComplete } from '../../base/issuer-settings.js';
import { silentLog } from '../../base/log.js';
import { SigningKeys } from '../../http/issuers/signing-keys.js';
import { type Check, checksOf } from './check.js';

const { ok, warn } = checksOf('Logins');

/** Whose access tokens let in over HTTP, and whether each issuer publishes its keys now. */
export async function checkIssuers({ issuers }: Pick<Config, 'issuers'>): Promise<Check[]> {
  if (issuers.length === 0) {
    const advice = 'To take those of an OAuth issuer too, set `issuers` in the config file: docs/company-login.md.';
    return [ok('issuers', 'none: over HTTP only tokens of this runtime let in', advice)];
  }
  const checks = await Promise.all(issuers.map(checkIssuer));
  return [...checks, ...issuers.flatMap(checkClient)];
}

/** Whether people can log in at the page, where that is set up. */
function checkClient({ name, client }: Issuer): Check[] {
  if (!client || isComplete(client)) return [];
  const detail = `people cannot log in with ${name} at the page: ${client.secretVariable} is not set here`;
  return [warn(name, detail, 'Set it where the server runs, in its environment or the secrets file.')];
}

async function checkIssuer(issuer: Issuer): Promise<Check> {
  const { url, name, audiences, read, write } = issuer;
  const keys = new SigningKeys({ issuer, clock: systemClock(), log: silentLog });
  try {
    const count = await keys.check();
    const rights = `${read.join(' or ')} may read, ${write.join(' or ')} may write`;
    return ok(
      name,
      `${url} publishes ${count === 1 ? 'one key' : `${count} keys`}; aud ${audiences.join(' or ')}; ${rights}`,
    );
  } catch (error) {
    return warn(
      name,
      `${url} cannot be asked for its keys: ${messageOf(error)}. Its tokens are refused; those of this runtime are good.`,
      'Correct its address in the config file or AGENT_RUNTIME_ISSUER, or see why this host does not reach it.',
    );
  }
}
