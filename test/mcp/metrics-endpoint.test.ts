import { request } from 'node:http';
import { describe, expect, it, onTestFinished } from 'vitest';
import { type Log, silentLog } from '../../src/base/log.js';
import { type MetricsEndpointNeeds, openMetricsEndpoint } from '../../src/mcp/metrics-endpoint.js';
import { eventually } from '../support/eventually.js';
import { freePort } from '../support/free-port.js';
import { mainEntry } from '../support/paths.js';
import { startRawServer } from '../support/raw-client.js';
import { tempDir } from '../support/temp-dir.js';

interface Answer {
  status: number | undefined;
  type: string | undefined;
  text: string;
}

function ask(port: number, { path = '/metrics', method = 'GET', host = `127.0.0.1:${port}` } = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const sent = request({ port, host: '127.0.0.1', path, method, headers: { host } }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (part: string) => {
        text += part;
      });
      response.on('end', () => resolve({ status: response.statusCode, type: response.headers['content-type'], text }));
    });
    sent.on('error', reject).end();
  });
}

function open(needs: Partial<MetricsEndpointNeeds> = {}) {
  const endpoint = openMetricsEndpoint({ port: 0, read: async () => 'up 1\n', log: silentLog, ...needs });
  onTestFinished(() => endpoint.close());
  return endpoint;
}

describe('the port for Prometheus', () => {
  it('answers GET /metrics in its text format, and nothing else', async () => {
    const port = await open().listening;
    const type = 'text/plain; version=0.0.4; charset=utf-8';
    expect(await ask(port)).toEqual({ status: 200, type, text: 'up 1\n' });
    expect(await ask(port, { path: '/metrics?x=1' })).toMatchObject({ status: 200 });
    expect(await ask(port, { method: 'HEAD' })).toEqual({ status: 200, type, text: '' });
    expect(await ask(port, { path: '/' })).toMatchObject({ status: 404 });
    expect(await ask(port, { method: 'POST' })).toMatchObject({ status: 405 });
  });

  it.each(['evil.example', 'evil.example:9464', '127.0.0.1.evil.example', 'localhost.evil.example:80'])(
    'refuses a page that has the name %s resolve to this machine',
    async (host) => {
      const port = await open().listening;
      expect(await ask(port, { host })).toMatchObject({ status: 403 });
    },
  );

  it.each(['localhost', '127.0.0.1:1', '[::1]:9464', 'LOCALHOST:9464'])('takes the name %s', async (host) => {
    const port = await open().listening;
    expect(await ask(port, { host })).toMatchObject({ status: 200 });
  });

  it('says that it cannot read them, without saying why to whoever asks', async () => {
    const port = await open({ read: () => Promise.reject(new Error('secret path')) }).listening;
    const { status, text } = await ask(port);
    expect([status, text.includes('secret')]).toEqual([503, false]);
  });

  it('is taken over by the next server when the first one ends, and told of once meanwhile', async () => {
    const told: string[] = [];
    const log: Log = { ...silentLog, warn: (message) => void told.push(message) };
    const first = open({ read: async () => 'first\n' });
    const port = await first.listening;
    const second = open({ port, read: async () => 'second\n', log, retryMs: 20 });
    await eventually('the second to find the port taken', () => told.length > 0);
    expect((await ask(port)).text).toBe('first\n');
    first.close();
    expect(await second.listening).toBe(port);
    expect((await ask(port)).text).toBe('second\n');
    expect(told).toHaveLength(1);
  });
});

it('serve --metrics-port shows what the session has done, on 127.0.0.1 alone', async () => {
  const port = await freePort();
  const server = startRawServer({ home: tempDir(), args: [mainEntry, 'serve', '--metrics-port', String(port)] });
  await server.initialize();
  await server.request('tools/call', { name: 'submit_job', arguments: { type: 'generic', payload: {} } });
  const { text } = await ask(port);
  expect(text).toContain('agent_runtime_jobs_submitted_total{type="generic"} 1\n');
  expect(text).toMatch(/^agent_runtime_database_bytes\{engine="(sqlite|postgres)"\} [1-9]\d+$/m);
  expect(text).toMatch(/^agent_runtime_build_info\{version="\d+\.\d+\.\d+"\} 1$/m);
  server.process.stdin?.end();
  expect((await server.ended).code).toBe(0);
  await expect(ask(port)).rejects.toThrow('ECONNREFUSED');
});

it('a port that is taken does not keep a server from serving its client', async () => {
  const first = open();
  const port = await first.listening;
  const server = startRawServer({ home: tempDir(), args: [mainEntry, 'serve', '--metrics-port', String(port)] });
  await server.initialize();
  const { result } = await server.request('tools/call', { name: 'get_metrics', arguments: {} });
  expect(result.structuredContent.queue_depth).toBe(0);
  expect(server.stderr()).toContain('another process may have the port');
});

it('metrics://summary is a resource with what get_metrics returns', async () => {
  const server = startRawServer({ home: tempDir() });
  const { result } = await server.initialize();
  expect(result.capabilities.resources).toBeDefined();
  const { resources } = (await server.request('resources/list')).result;
  expect(resources).toContainEqual(expect.objectContaining({ uri: 'metrics://summary', mimeType: 'application/json' }));
  const { contents } = (await server.request('resources/read', { uri: 'metrics://summary' })).result;
  const call = await server.request('tools/call', { name: 'get_metrics', arguments: {} });
  expect(Object.keys(JSON.parse(contents[0].text))).toEqual(Object.keys(call.result.structuredContent));
  const unknown = await server.request('resources/read', { uri: 'metrics://nothing' });
  expect(unknown.error.message).toContain('metrics://nothing');
});
