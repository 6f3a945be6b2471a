import { expect, it } from 'vitest';
import { checkIssuers } from '../../../src/cli/doctor/check-issuers.js';
import { startOidcIssuer } from '../../fixtures/servers/oidc-issuer.js';
import { issuerAt } from '../../http/issuers/serve-with-issuer.js';

it('doctor says of each issuer whether it publishes its keys, and what its tokens must have', async () => {
  const issuer = await startOidcIssuer();
  const check = () => checkIssuers({ issuers: [issuerAt(issuer.url)] });
  expect(await check()).toMatchObject([
    {
      name: 'acme',
      status: 'ok',
      detail: `${issuer.url} publishes one key; aud runtime; read may read, write may write`,
    },
  ]);
  await issuer.stop();
  expect(await check()).toMatchObject([
    {
      name: 'acme',
      status: 'warn',
      detail: expect.stringMatching(/cannot be asked for its keys: .*ECONNREFUSED.*those of this runtime are good/),
      fix: expect.stringContaining('AGENT_RUNTIME_ISSUER'),
    },
  ]);
});

it('doctor says which variable is missing for people to log in at the page', async () => {
  const issuer = await startOidcIssuer();
  const client = { id: 'page', secret: undefined, secretVariable: 'ACME_SECRET' };
  const [, found] = await checkIssuers({ issuers: [issuerAt(issuer.url, { client })] });
  expect(found).toMatchObject({ status: 'warn', detail: expect.stringContaining('ACME_SECRET is not set here') });
});

it('no issuer is no problem, and doctor says how to set one up', async () => {
  expect(await checkIssuers({ issuers: [] })).toMatchObject([
    { status: 'ok', fix: expect.stringContaining('docs/company-login.md') },
  ]);
});
