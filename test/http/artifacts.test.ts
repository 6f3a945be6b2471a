import { mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { serve } from './serve.js';

const nobody = { holder: null, project: '' };
const svg = '<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>';

/** A server with a job whose files are recorded and lie in its folder. */
async function serveFiles(files: Record<string, string>) {
  const served = await serve();
  const { runtime } = served;
  const { data } = await served.send('POST', '/api/tools/submit_job', {
    body: JSON.stringify({ type: 'generic', payload: {}, run_at: new Date(Date.now() + 3_600_000).toISOString() }),
  });
  const id = data.job_id as string;
  const folder = join(runtime.config.dataDir, 'artifacts', id);
  mkdirSync(folder, { recursive: true });
  for (const [name, text] of Object.entries(files)) {
    writeFileSync(join(folder, name), text);
    await runtime.db.run(
      'insert into job_artifacts (job_id, name, path, size_bytes, sha256, created_at) values (?, ?, ?, ?, ?, ?)',
      id,
      name,
      join(folder, name),
      text.length,
      'x',
      0,
    );
  }
  const get = (name: string, query = '', headers: Record<string, string> = {}) =>
    served.send('GET', `/api/artifacts/${id}/${encodeURIComponent(name)}${query}`, { headers });
  return { ...served, id, folder, get };
}

it('a file of a job is answered to be kept under its name, also to who may only look', async () => {
  const { get, runtime } = await serveFiles({ 'größe "1".csv': 'a,b\n1,2\n', 'equity.svg': svg });
  const file = await get('größe "1".csv');
  expect(file.status).toBe(200);
  expect(file.text).toBe('a,b\n1,2\n');
  expect(file.headers['content-type']).toBe('application/octet-stream');
  expect(file.headers['content-length']).toBe('8');
  expect(file.headers['content-disposition']).toBe(
    `attachment; filename="gr__e _1_.csv"; filename*=UTF-8''gr%C3%B6%C3%9Fe%20%221%22.csv`,
  );
  const { token } = await runtime.access.create({ name: 'onlooker', isReadOnly: true }, nobody);
  expect((await get('equity.svg', '', { authorization: `Bearer ${token}` })).status).toBe(200);
  expect((await get('equity.svg', '', { authorization: '' })).status).toBe(401);
});

it('a picture is shown where one asks for it, and runs nothing by itself; other files never are', async () => {
  const { get } = await serveFiles({ 'equity.svg': svg, 'page.html': svg });
  const picture = await get('equity.svg', '?shown');
  expect(picture.headers['content-type']).toBe('image/svg+xml');
  expect(picture.headers['content-disposition']).toMatch(/^inline/);
  expect(picture.headers['content-security-policy']).toContain('sandbox');
  expect(picture.headers['content-security-policy']).toContain("default-src 'none'");
  const page = await get('page.html', '?shown');
  expect(page.headers['content-type']).toBe('application/octet-stream');
  expect(page.headers['content-disposition']).toMatch(/^attachment/);
});

it('nothing else is answered: no other path, no link, no folder, nothing that was not recorded', async () => {
  const { get, id, folder, runtime, send } = await serveFiles({
    'a.csv': 'a',
    'link.csv': 'a',
    'dir.csv': 'a',
    'gone.csv': 'a',
  });
  const secret = join(runtime.config.dataDir, 'access-token');
  writeFileSync(join(folder, 'unrecorded.csv'), 'x');
  rmSync(join(folder, 'link.csv'));
  symlinkSync(secret, join(folder, 'link.csv'));
  rmSync(join(folder, 'dir.csv'));
  mkdirSync(join(folder, 'dir.csv'));
  rmSync(join(folder, 'gone.csv'));
  await runtime.db.run("update job_artifacts set name = '../../access-token' where name = 'gone.csv'");
  for (const name of ['link.csv', 'dir.csv', 'gone.csv', 'unrecorded.csv', '../../access-token', '..', 'a.csv\0']) {
    const reply = await get(name);
    expect([name, reply.status, reply.data?.error?.code]).toEqual([name, 404, 'not_found']);
  }
  expect((await send('GET', `/api/artifacts/${id}/..%2f..%2faccess-token`)).status).toBe(404);
  expect((await send('GET', `/api/artifacts/nothing/a.csv`)).status).toBe(404);
  // The folder itself became a link.
  renameSync(folder, `${folder}-moved`);
  symlinkSync(`${folder}-moved`, folder);
  expect((await get('a.csv')).status).toBe(404);
});
