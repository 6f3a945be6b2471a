import { Validator } from '@seriousme/openapi-schema-validator';
import { Ajv2020 } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { type Document, OpenAPIClientAxios } from 'openapi-client-axios';
import { expect, it } from 'vitest';
import { version } from '../../src/base/version.js';
import { coordinatorRoutes } from '../../src/http/coordinator-routes.js';
import { chooseTools } from '../../src/tools/index.js';
import { type ServedRuntime, serve } from './serve.js';

const actor = { holder: null, project: '' };
const isServerAddress = (path: string) => !path.startsWith('/api/tools/');

/** The names of the tools that a description has. */
const toolsOf = ({ paths }: { paths: object }): string[] =>
  Object.keys(paths)
    .filter((path) => !isServerAddress(path))
    .map((path) => path.slice('/api/tools/'.length));

async function readerOf({ runtime, send }: ServedRuntime) {
  const { token } = await runtime.access.create({ name: 'screen', isReadOnly: true }, actor);
  const headers = { authorization: `Bearer ${token}` };
  return (path: string) => send('GET', path, { headers });
}

/** A client that is made from the description alone, as one of a stranger is. */
async function clientOf({ send, server, ownerToken }: ServedRuntime) {
  const { data } = await send('GET', '/api/openapi.json');
  const api = new OpenAPIClientAxios({
    definition: data as Document,
    withServer: { url: `http://127.0.0.1:${server.port}` },
    axiosConfigDefaults: { headers: { authorization: `Bearer ${ownerToken}` }, validateStatus: () => true },
  });
  return { definition: data, client: await api.init() };
}

it('is valid OpenAPI 3.1, with every tool and the other addresses of programs, and without those of the page', async () => {
  const served = await serve();
  const { data } = await served.send('GET', '/api/openapi.json');
  expect(await new Validator().validate(structuredClone(data))).toEqual({ valid: true });
  expect(data).toMatchObject({ openapi: '3.1.0', info: { version }, security: [{ bearer: [] }] });
  const tools = chooseTools({ toolsets: 'all', isReadOnly: false });
  expect(toolsOf(data)).toEqual(tools.map(({ name }) => name));
  expect(Object.keys(data.paths).filter(isServerAddress).sort()).toEqual(
    [
      ...['/api/health', '/api/whoami', '/api/openapi.json', '/api/tools', '/api/events'],
      ...['/api/artifacts/{job}/{name}', ...new Set(coordinatorRoutes.map(({ path }) => path))],
    ].sort(),
  );
  const { properties } = data.components.schemas.CreateTaskInput;
  expect(properties.title).toMatchObject({ type: 'string', maxLength: expect.any(Number) });
});

it('has only what the visitor may use', async () => {
  const read = await readerOf(await serve({}, { env: { AGENT_RUNTIME_TOOLSETS: 'goals' } }));
  const { data } = await read('/api/openapi.json');
  expect(await new Validator().validate(structuredClone(data))).toEqual({ valid: true });
  const usable = chooseTools({ toolsets: 'goals', isReadOnly: true }).map(({ name }) => name);
  expect(toolsOf(data)).toEqual(usable);
  expect(data.paths).not.toHaveProperty('/api/workers');
  expect(data.components.schemas).not.toHaveProperty('CreateTaskInput');
});

it('says that a server without a token can be used without one', async () => {
  const { send } = await serve({ needsToken: false });
  const { data } = await send('GET', '/api/openapi.json', { headers: { authorization: '' } });
  expect(data.security).toEqual([{ bearer: [] }, {}]);
});

it('is not sent again to who has it, and is another one for who may only read', async () => {
  const served = await serve();
  const first = await served.send('GET', '/api/openapi.json');
  const tag = first.headers.etag ?? '';
  expect(first.headers).toMatchObject({ etag: expect.stringMatching(/^"\w+"$/), 'cache-control': 'private, no-cache' });
  const again = await served.send('GET', '/api/openapi.json', { headers: { 'if-none-match': `W/${tag}, "other"` } });
  expect(again).toMatchObject({ status: 304, text: '', headers: { etag: tag } });
  const read = await readerOf(served);
  expect((await read('/api/openapi.json')).headers.etag).not.toBe(tag);
  expect((await served.send('GET', '/api/openapi.json', { headers: { authorization: '' } })).status).toBe(401);
});

it('lets a client that is made from it do the work, and describes what that is answered', async () => {
  const { client, definition } = await clientOf(await serve());
  const ajv = new Ajv2020({ strict: false });
  addFormats.default(ajv);
  ajv.addSchema({ $id: 'api', ...definition });
  const media = '200/content/application~1json/schema';

  /** Calls an operation, and checks the answer by what the description says of it. */
  async function call(operation: string, body?: unknown) {
    const described = client.api.getOperation(operation);
    const send = client[operation];
    if (!described || !send) throw new Error(`There is no operation ${operation}.`);
    const { path, method } = described;
    const { status, data }: { status: number; data: unknown } = await send(undefined, body);
    const place = `paths/${path.replaceAll('/', '~1')}/${method}/responses`;
    const isDone = status === 200;
    const kind = operation.startsWith('coordinator_') ? 'CoordinatorError' : 'Error';
    const check = ajv.getSchema(isDone ? `api#/${place}/${media}` : `api#/components/schemas/${kind}`);
    expect(check?.(data), `${operation}: ${ajv.errorsText(check?.errors)}`).toBe(true);
    return { status, data };
  }

  expect(await call('health')).toMatchObject({ data: { status: 'ok', version } });
  expect(await call('whoami')).toMatchObject({ data: { name: 'owner', read_only: false } });
  expect(await call('list_api_tools')).toMatchObject({ status: 200 });
  expect(await call('create_goal', { name: 'Ship', description: '' })).toMatchObject({ data: { id: 1 } });
  expect(await call('create_task', { title: 'First', goal_id: 1, key: 'first' })).toMatchObject({ data: { id: 1 } });
  const claimed = await call('claim_next_task', { goal_id: 1 });
  const { claim_token } = claimed.data as { claim_token: string };
  const done = { task_id: 1, status: 'completed', result: 'r', claim_token };
  expect(await call('update_task_status', done)).toMatchObject({ status: 200 });
  expect(await call('get_task', { task_id: 'first' })).toMatchObject({ data: { status: 'completed', result: 'r' } });
  expect(await call('list_tasks')).toMatchObject({ data: { count: 1 } });
  expect(await call('get_task', { task_id: 99 })).toMatchObject({
    status: 404,
    data: { error: { code: 'not_found' } },
  });
  expect(await call('create_task', { titel: 'x' })).toMatchObject({
    status: 400,
    data: { error: { code: 'invalid' } },
  });

  expect(await call('coordinator_post_claim_worker_slot')).toMatchObject({ data: { success: true, slot: 1 } });
  const task = { id: 'T1', description: 'Work', status: 'available' };
  expect(await call('coordinator_post_tasks', { task })).toMatchObject({ data: { success: true, id: 'T1' } });
  expect(await call('coordinator_get_tasks')).toMatchObject({ data: [{}, { id: 'T1' }] });
  expect(await call('coordinator_get_all_tasks')).toMatchObject({ data: { success: true, count: 2 } });
  expect(await call('coordinator_get_workers')).toMatchObject({ data: { success: true } });
  const unknown = { taskId: 'none', workerId: 'w', workerSlot: 1 };
  expect(await call('coordinator_post_claim_task', unknown)).toMatchObject({ status: 404, data: { success: false } });
  expect(await call('coordinator_post_clean_all_tasks')).toMatchObject({ data: { success: true, deleted: 2 } });
});
