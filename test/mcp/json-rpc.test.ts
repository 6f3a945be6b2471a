import { expect, test } from 'vitest';
import { isRequest, requestSchema } from '../../src/mcp/json-rpc.js';

const call = { jsonrpc: '2.0', id: 1, method: 'tools/call' };

test.each([
  [call],
  [{ ...call, id: 'a' }],
  [{ ...call, params: {} }],
  [{ ...call, params: { name: 'get_task', arguments: { task_id: 1 } } }],
  [{ ...call, params: { _meta: {} } }],
  [{ ...call, params: { _meta: { progressToken: 'p', other: [] } } }],
  [{ ...call, params: { _meta: { progressToken: 7 } } }],
  [{ ...call, params: undefined }],
  [{ ...call, params: null }],
  [{ ...call, params: [] }],
  [{ ...call, params: 'text' }],
  [{ ...call, params: { _meta: null } }],
  [{ ...call, params: { _meta: [] } }],
  [{ ...call, params: { _meta: { progressToken: {} } } }],
  [{ ...call, params: { _meta: { progressToken: 1.5 } } }],
  [{ ...call, params: { _meta: { progressToken: null } } }],
  [{ ...call, id: 1.5 }],
  [{ ...call, id: 2 ** 53 }],
  [{ ...call, id: null }],
  [{ ...call, id: undefined }],
  [{ ...call, jsonrpc: '1.0' }],
  [{ ...call, method: 7 }],
  [{ ...call, more: true }],
  [{ jsonrpc: '2.0', method: 'notifications/initialized' }],
  [{ jsonrpc: '2.0', id: 1, result: {} }],
  [[call]],
  ['text'],
  [null],
])('%j is taken for a request without the schema exactly where the schema takes it', (message) => {
  expect(isRequest(message)).toBe(requestSchema.safeParse(message).success);
});
